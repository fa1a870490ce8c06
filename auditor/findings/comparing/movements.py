"""Which documents moved most, by every value that the table of documents has: probability, entropy, perplexity.

Columns are those that summaries declare (`Cell`), but for codes of words. Perplexities move in nats. Columns that are
not printed are left out: what they hold a printed one has.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.findings.comparing.grounds import Grounds
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import MovedDocument, Movement
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.summary import Cell
from auditor.languages import say

LISTED = 20
_SAME = 1e-6


def movements(before: Night, after: Night, ids: Mapping[str, str], grounds: Grounds) -> Iterator[Movement]:
    """The documents that moved most, by every column of probes that both runs asked alike."""
    for probe, summary in summaries().items():
        per_token = probe in grounds.per_token and any(q.per_token for q in summary.quantities)
        if grounds.refusal(probe):
            continue
        for cell in summary.cells:
            if cell.title and not cell.words and not (per_token and cell.unit == "perplexity"):
                yield from _of_cell(probe, cell, before, after, ids)


def _of_cell(probe: str, cell: Cell[Any], before: Night, after: Night, ids: Mapping[str, str]) -> Iterator[Movement]:
    record = summaries()[probe].record
    earlier, later = (night.evidence.measured(probe, record) for night in (before, after))
    both = [(name, earlier[ids[name]], row) for name, row in later.items() if ids.get(name) in earlier]
    values = [(name, cell.value(one, before.evidence), cell.value(other, after.evidence)) for name, one, other in both]
    moved = [(name, x, y) for name, x, y in values if x is not None and y is not None]
    if not moved:
        return
    moved_far = [one for one in moved if abs(one[2] - one[1]) > _SAME * max(1.0, abs(one[1]))]
    moved_far.sort(key=lambda one: -abs(one[2] - one[1]))
    yield Movement(
        name=cell.name,
        title=say(cell.title),
        unit=cell.unit,
        probe=probe,
        n=len(moved),
        n_moved=len(moved_far),
        documents=tuple(MovedDocument(document_id=name, before=x, after=y) for name, x, y in moved_far[:LISTED]),
    )
