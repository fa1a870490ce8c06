"""A third party's measures: a second explainer (two files) and a probe with numbers (two files)."""
