"""The parts of a corpus: every number once more for each, and which parts stand apart."""
