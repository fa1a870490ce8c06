"""People type here: the only room that prints."""
