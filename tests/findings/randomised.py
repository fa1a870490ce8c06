"""The worked example, its explanations held against those of a randomised model: rows to be worked out on paper."""

from auditor.records.sanity import Likeness, Part, Sanity
from tests.findings.worked_example import evidence, with_rows

PARTS = (Part("head"), Part("layers", 1, 2))
REACTING = (1.0, 0.8, 0.0)
STUCK = (1.0, 0.95, 0.9)


def row(i, **methods):
    """One document: probe → rank correlation by step, sizes as given by `sizes`."""
    likenesses = [
        Likeness(probe, step, value, value, sizes)
        for probe, curve in methods.items()
        for step, (value, sizes) in enumerate(one if isinstance(one, tuple) else (one, one) for one in curve)
    ]
    return Sanity(f"d{i:02}", PARTS, 10 + i, tuple(likenesses))


def shifted(curve, i):
    """So that means have an interval."""
    return (curve[0], *(x + (i % 5 - 2) / 50 for x in curve[1:]))


def found(*rows):
    return with_rows(evidence(), sanity={one.document_id: one for one in rows})


def both(n, **more):
    curves = {"lime": REACTING, "occlusion": STUCK, **more}
    return found(*(row(i, **{probe: shifted(curve, i) for probe, curve in curves.items()}) for i in range(n)))
