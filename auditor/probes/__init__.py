"""One question each: measuring instruments pointed at a model."""
