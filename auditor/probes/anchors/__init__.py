"""Anchors: a few words that hold the answer, whatever the others are."""
