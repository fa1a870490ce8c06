"""Text models: one adapter for each `AutoModelFor…` class, and the way from a document to token ids."""
