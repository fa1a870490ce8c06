"""What was found: plain facts, and the folder that keeps them."""
