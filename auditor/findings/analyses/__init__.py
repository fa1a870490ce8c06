"""What follows from the rows of one probe, or from comparing two."""
