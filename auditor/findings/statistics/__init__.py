"""Intervals and means, whatever they are of."""
