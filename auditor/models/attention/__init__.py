"""Attention statistics and maps, reduced on the device while a model reads."""
