"""Marks, figures, highlighted text and printed numbers."""
