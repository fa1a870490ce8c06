"""Local surrogate explanations of one text (Ribeiro et al. 2016)."""
