"""Are hidden states of another size in some part of the corpus? Norms layer by layer, part by part.

The mean norm of a layer over the documents of a part is held against that over all documents, for every layer of every
part of 30 documents or more; how, and how p-values are corrected for being many (Holm), see
`auditor.findings.slicing.comparisons`. Of each part the layer with the smallest p is kept, among equal ones that with
the largest relative difference.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import number, of_slice
from auditor.findings.contract.types import Comparison, Number
from auditor.findings.slicing.comparisons import compare
from auditor.findings.slicing.slices import LEAST_JUDGED
from auditor.findings.statistics.intervals import student
from auditor.findings.statistics.resampling import Floats
from auditor.records.activations import Activations

Measured = Mapping[str, Activations]
"""Document id → record."""


class Drift(Finding):
    """Norms of a part of the corpus held against those of all documents, in the layer that differs most clearly."""

    column: str
    value: str
    n: int
    layer: int
    norm: float
    whole: float
    comparison: Comparison


def drift_between(
    evidence: Evidence, measured: Measured, columns: Mapping[str, Sequence[str]]
) -> tuple[tuple[Drift, ...], int]:
    """The parts of the corpus, and how many norms were compared.

    Args:
        evidence: For the metadata of the documents.
        measured: Their records.
        columns: Metadata column → its values.
    """
    whole = _means(list(measured.values()))
    parts = {
        (column, value): _means(records, column, value)
        for column, values in columns.items()
        for value in values
        if len(records := _of_part(evidence, measured, column, value)) >= LEAST_JUDGED
    }
    made = compare((part, whole[layer]) for means in parts.values() for layer, part in enumerate(means))
    clearest = (_clearest(column, value, means, whole, made) for (column, value), means in parts.items())
    return tuple(one for one in clearest if one is not None), len(made)


def norms_of(records: Sequence[Activations]) -> Floats:
    """(n, L + 1)."""
    return np.array([record.norms for record in records])


def _clearest(
    column: str, value: str, means: Sequence[Number], whole: Sequence[Number], made: Mapping[str, Comparison]
) -> Drift | None:
    """The layer of a part that differs most clearly; None where none could be compared."""
    known = [
        (made[mean.name].p, -_change(mean, whole[layer]), layer)
        for layer, mean in enumerate(means)
        if mean.name in made
    ]
    if not known:
        return None
    layer = min(known)[2]
    mean = means[layer]
    return Drift(
        column=column,
        value=value,
        n=mean.n,
        layer=layer,
        norm=mean.value or 0.0,
        whole=whole[layer].value or 0.0,
        comparison=made[mean.name],
    )


def _of_part(evidence: Evidence, measured: Measured, column: str, value: str) -> list[Activations]:
    members = (document.id for document in evidence.documents if document.metadata.get(column) == value)
    return [measured[name] for name in members if name in measured]


def _means(records: Sequence[Activations], column: str = "", value: str = "") -> list[Number]:
    """The mean norm of every layer, for a comparison."""
    numbers = []
    for layer, norms in enumerate(norms_of(records).T):
        name = f"activations.norm[{layer}]"
        full = of_slice(name, column, value) if column else name
        numbers.append(number(full, "", student(norms.tolist()), "count", ""))
    return numbers


def _change(part: Number, whole: Number) -> float:
    """|θ − Θ| over Θ."""
    return abs((part.value or 0.0) - (whole.value or 0.0)) / (whole.value or 1.0)
