"""The worked example, its explanations acted upon: rows whose numbers can be worked out on paper."""

from dataclasses import replace

from auditor.records.explanations import Faithfulness, Removal
from tests.findings.worked_example import evidence, explanation, with_rows

SURE = {"random": (0.0, 0.05), "sensitivity": 0.9}
"""Changes of a removal that make its explanation one to rely on."""
REFUSED = {**SURE, "sensitivity": 0.1}


def removal(**changes):
    """Of an explanation of 20 words: a fifth are 4."""
    values = {
        "probe": "lime",
        "label": "positive",
        "n_segments": 20,
        "sizes": (1, 2, 4, 10),
        "comprehensiveness": (0.2, 0.3, 0.4, 0.9),
        "sufficiency": (0.3, 0.2, 0.1, 0.0),
        "random_comprehensiveness": (0.0, 0.1, 0.1, 0.2),
        "random_sufficiency": (0.5, 0.4, 0.3, 0.2),
        "size": 4,
        "random": (0.0, 0.1, 0.405, 0.42),
        "exhaustive": False,
        "sensitivity": 0.8,
    }
    return Removal(**{**values, **changes})


def bare(i):
    """An explanation of a method that fits nothing."""
    base = explanation(i)
    return replace(base, method="occlusion", targets=(replace(base.targets[0], surrogate=None),))


def row(i, *removals, unit="probability"):
    """What the explanations of one document come to."""
    return Faithfulness(f"d{i:02}", unit, 60, removals)


def both(i, lime=SURE, occlusion=SURE):
    """The same of LIME and of occlusion, which is half as good."""
    return row(i, removal(**lime), removal(probe="occlusion", comprehensiveness=(0.1, 0.1, 0.2, 0.2), **occlusion))


def acted(*rows):
    """The worked example with these rows, and explanations by occlusion of d00 … d09."""
    of_occlusion = {f"d{i:02}": bare(i) for i in range(10)}
    return with_rows(evidence(), occlusion=of_occlusion, faithfulness={r.document_id: r for r in rows})
