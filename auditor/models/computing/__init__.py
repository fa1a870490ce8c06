"""How a model is asked: batches, packing, precision, and the proof that the fast way answers as the model alone."""
