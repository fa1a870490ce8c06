"""What was found inside a model at one document, as the tests want it."""

import numpy as np

from auditor.records.activations import Activations

LAYERS, UNITS = 4, 11


def record(i, norms=(1.0, 2.0, 4.0, 8.0, 16.0), outlier=(), awake=None, **changes):
    """A document whose dimension 3 is an outlier behind some layers, and whose units are awake as told."""
    ratios = [(7.0, 2.0) if layer in outlier else (2.5, 2.0) for layer in range(LAYERS + 1)]
    bits = np.ones((LAYERS, UNITS), bool) if awake is None else awake
    values = {
        "document_id": f"d{i:02}",
        "n_tokens": 10,
        "truncated": False,
        "n_layers": LAYERS,
        "width": 64,
        "norms": tuple(norms),
        "ratios": tuple(x for pair in ratios for x in pair),
        "dimensions": (3, 5) * (LAYERS + 1),
        "n_units": UNITS,
        "active": np.packbits(bits, axis=1).tobytes(),
        "activation": "GELUActivation",
    }
    return Activations(**{**values, **changes})
