"""What probes that read explanations find of one document in their sitting."""

from auditor.probes.contract import Sitting
from auditor.records.explanations import Explanation
from auditor.records.types import Document


def explanations_of(document: Document, sitting: Sitting[object]) -> dict[str, Explanation]:
    """Probe → its explanation of the document, in the order of the run; of those that explain some label."""
    rows = {probe: of_probe.get(document.id) for probe, of_probe in sitting.earlier.items()}
    return {probe: row for probe, row in rows.items() if isinstance(row, Explanation) and row.targets}
