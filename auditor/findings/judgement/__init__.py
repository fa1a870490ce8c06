"""Numbers against bounds: checks, coverage, where to look, the verdict."""
