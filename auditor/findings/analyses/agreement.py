"""Do attention and explanation point at the same words?

    τ_b = (C − D) / √((P − T_x)(P − T_y))                                             (Kendall 1945)

over all P = S(S−1)/2 pairs of a document's segments, C of them ordered alike by x and y, D ordered oppositely, T_x and
T_y tied. x_s is the attention segment s receives: the sum over tokens, each token's share given to the segments its
span overlaps in proportion to the overlap. y_s is |LIME weight| toward the predicted label.

Segments that no token overlaps (beyond the truncation) are left out, and so are those that the surrogate was not
allowed to use (`num_features`): they have no weight, not one of 0. Special tokens have no span and give nothing.
Where all x or all y are equal τ_b is undefined. Attention is not an explanation: this number says how little or much
the two agree here. Agrees with `scipy.stats.kendalltau` (1.17).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from auditor.findings.analyses.lime import SUMMARY as LIME
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import Prospect, Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.findings.statistics.likeness import kendall_tau_b
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, say
from auditor.records.explanations import Explanation, Segment
from auditor.records.types import AttentionStatistics, Span

LEAST_SEGMENTS = 5


def _given(prospect: Prospect) -> tuple[str, ...]:
    return ("",) if LIME.probe in prospect.probes else ()


AGREEMENT = Quantity(
    name="attention.agreement",
    title=N_("Agreement of attention with LIME"),
    unit="correlation",
    low=-1.0,
    compared=True,
    given=_given,
    glossary=(Term(N_("Kendall’s τ"), N_("Agreement of two rankings: 1 the same order, 0 unrelated, −1 reversed.")),),
)


def agree(pairs: Iterable[tuple[Explanation, AttentionStatistics]], seed: int) -> Number:
    """Mean τ_b over documents with at least five segments that the model read and the surrogate uses."""
    taus = [document_agreement(explanation, attention) for explanation, attention in pairs]
    mean = bootstrap_mean([tau for tau in taus if tau is not None], seed=seed, name=AGREEMENT.name)
    protocol = say(
        "Mean over documents of Kendall’s τ-b between the attention each segment receives (all heads and layers) and "
        "the size of its LIME weight, at least {least} segments that the surrogate uses; {interval}",
        least=LEAST_SEGMENTS,
        interval=say(BOOTSTRAP),
    )
    return AGREEMENT.number(mean, protocol)


def document_agreement(explanation: Explanation, attention: AttentionStatistics) -> float | None:
    """τ_b of one document; None where it has too few segments or is undefined."""
    received, seen = received_by_segment(explanation.segments, attention.spans, attention.received)
    target = explanation.targets[0]
    ranked = seen & np.asarray(target.selected, dtype=bool)
    if ranked.sum() < LEAST_SEGMENTS:
        return None
    return kendall_tau_b(received[ranked], np.abs(np.asarray(target.weights))[ranked])


def received_by_segment(
    segments: Sequence[Segment], spans: Sequence[Span], received: Sequence[float]
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Attention received by each of S segments from T tokens, and which segments any token overlaps."""
    mass, seen = [0.0] * len(segments), [False] * len(segments)
    by_field: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for s, segment in enumerate(segments):
        for span in segment.spans:
            by_field[span.field].append((span.start, span.stop, s))
    for field, positions in by_field.items():
        positions.sort()
        stops, last = [stop for _, stop, _ in positions], len(positions) - 1  # disjoint: starts and stops ascend
        for token, share in zip(spans, received, strict=True):
            begin, end = token.start, token.stop
            if token.field != field or end <= begin:
                continue
            first = final = bisect_right(stops, begin)
            while final <= last and positions[final][0] < end:
                final += 1
            overlaps = [(s, min(stop, end) - max(start, begin)) for start, stop, s in positions[first:final]]
            total = sum(n for _, n in overlaps)
            for s, n in overlaps:
                seen[s] = True
                mass[s] += share * n / total
    return np.array(mass), np.array(seen, dtype=bool)


def agree_on(
    explained: Mapping[str, Explanation], attended: Mapping[str, AttentionStatistics], seed: int
) -> Number | None:
    """Over the documents where both were measured; None where there is none."""
    pairs = [(explained[i], statistics) for i, statistics in attended.items() if i in explained]
    return agree(pairs, seed) if pairs else None
