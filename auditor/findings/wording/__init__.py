"""Numbers inside sentences: how many digits they deserve, and how they are put."""
