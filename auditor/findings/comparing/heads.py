"""Which attention heads spread their attention otherwise than before?

Of every head, over the n documents that both runs measured with the same layers and heads, with d the difference of its
entropy in a document (nats):
    t = d̄ / (s_d / √n),  p = 2 P(T_{n−1} > |t|), corrected by Holm for all heads
A head has changed where p < 0.01 and |d̄| ≥ 0.1. Attention is not an explanation: this says that the model computes
otherwise, not that it answers otherwise.

Edge cases: fewer than ten documents give nothing; a head that differs by the same amount everywhere has p = 0.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from auditor.findings.comparing.grounds import Grounds
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import HeadChange, HeadChanges
from auditor.findings.contract.registry import summaries
from auditor.findings.statistics.corrections import holm
from auditor.findings.statistics.intervals import LEAST
from auditor.findings.statistics.resampling import Floats
from auditor.records.types import AttentionStatistics

ALPHA = 0.01
FLOOR = 0.1
LISTED = 20


def heads(before: Night, after: Night, ids: Mapping[str, str], grounds: Grounds) -> Iterator[HeadChanges]:
    """The heads that changed, of every probe whose rows are statistics of heads."""
    for probe, summary in summaries().items():
        is_alike = not grounds.refusal(probe) and probe not in grounds.per_token
        if is_alike and issubclass(summary.record, AttentionStatistics):
            earlier, later = (night.evidence.measured(probe, AttentionStatistics) for night in (before, after))
            both = [(earlier[ids[name]], row) for name, row in later.items() if ids.get(name) in earlier]
            alike = [(one, other) for one, other in both if _shape(one) == _shape(other)]
            if len(alike) >= LEAST and len({_shape(one) for one, _ in alike}) == 1:
                yield _changes(probe, alike)


def _shape(record: AttentionStatistics) -> tuple[int, int, tuple[int, ...]]:
    return record.n_layers, record.n_heads, record.layers


def _changes(probe: str, both: Sequence[tuple[AttentionStatistics, AttentionStatistics]]) -> HeadChanges:
    before, after = (np.array([pair[side].entropy for pair in both]) for side in (0, 1))  # (n, L·H)
    n_layers, n_heads, layers = _shape(both[0][1])
    change, p = (after - before).mean(axis=0), holm(_p_values(after - before).tolist())
    changed = [i for i in np.argsort(-np.abs(change)).tolist() if p[i] < ALPHA and abs(change[i]) >= FLOOR]
    names = layers or tuple(range(n_layers))
    listed = (
        HeadChange(
            layer=names[i // n_heads],
            head=i % n_heads,
            before=float(before[:, i].mean()),
            after=float(after[:, i].mean()),
            corrected_p=p[i],
        )
        for i in changed[:LISTED]
    )
    return HeadChanges(
        probe=probe,
        n=len(both),
        n_heads=n_layers * n_heads,
        n_changed=len(changed),
        floor=FLOOR,
        heads=tuple(listed),
    )


def _p_values(differences: Floats) -> Floats:
    from scipy.special import stdtr

    n, mean = len(differences), differences.mean(axis=0)
    error = differences.std(axis=0, ddof=1) / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(mean) / error, np.where(mean != 0, np.inf, 0.0))
    return np.asarray(2 * stdtr(n - 1, -t), dtype=np.float64)
