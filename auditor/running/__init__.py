"""The work is prepared and done."""
