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

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from auditor.findings.analyses.lime import SUMMARY as LIME
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import Prospect, Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.findings.statistics.likeness import kendall_tau_bs
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, say
from auditor.records.explanations import Explanation, Segment
from auditor.records.types import AttentionStatistics, Span

LEAST_SEGMENTS = 5
_AT_ONCE = 512
"""Documents."""

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


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


def agree(pairs: Sequence[tuple[Explanation, AttentionStatistics]], seed: int) -> Number:
    """Mean τ_b over documents with at least five segments that the model read and the surrogate uses."""
    taus = [tau for tau in document_agreements(pairs) if tau is not None]
    mean = bootstrap_mean(taus, seed=seed, name=AGREEMENT.name)
    protocol = say(
        "Mean over documents of Kendall’s τ-b between the attention each segment receives (all heads and layers) and "
        "the size of its LIME weight, at least {least} segments that the surrogate uses; {interval}",
        least=LEAST_SEGMENTS,
        interval=say(BOOTSTRAP),
    )
    return AGREEMENT.number(mean, protocol)


def document_agreements(pairs: Sequence[tuple[Explanation, AttentionStatistics]]) -> list[float | None]:
    """τ_b of each document; None where it has too few segments or is undefined."""
    parts = (pairs[start : start + _AT_ONCE] for start in range(0, len(pairs), _AT_ONCE))
    return [tau for part in parts for tau in _agreements(part)]


def _agreements(pairs: Sequence[tuple[Explanation, AttentionStatistics]]) -> list[float | None]:
    segments, targets = [one.segments for one, _ in pairs], [one.targets[0] for one, _ in pairs]
    received, seen = received_by_segment(segments, [one.spans for _, one in pairs], [one.received for _, one in pairs])
    ranked = seen & np.array([*chain.from_iterable(target.selected for target in targets)], dtype=bool)
    weights = np.array([*chain.from_iterable(target.weights for target in targets)])
    x, y = received[ranked], np.abs(weights[ranked])
    sizes = np.bincount(np.repeat(np.arange(len(pairs)), [*map(len, segments)])[ranked], minlength=len(pairs))
    begins, taus = np.cumsum(sizes) - sizes, dict[int, float | None]()
    for size in np.unique(sizes[sizes >= LEAST_SEGMENTS]).tolist():
        of_size = np.flatnonzero(sizes == size)
        rows = begins[of_size, None] + np.arange(size)
        taus.update(zip(of_size.tolist(), kendall_tau_bs(x[rows], y[rows]), strict=True))
    return [taus.get(document) for document in range(len(pairs))]


def received_by_segment(
    segments: Sequence[Sequence[Segment]], tokens: Sequence[Sequence[Span]], received: Sequence[Sequence[float]]
) -> tuple[Floats, Flags]:
    """Attention received by each segment, and which segments any token overlaps.

    Args:
        segments: Of each document.
        tokens: Of each document.
        received: By each token of each document.

    Returns:
        One value for each segment of the first document, then of the second one, and so on.
    """
    spans = [[one.spans for one in document] for document in segments]
    counts = [len(one) for document in spans for one in document]
    segment = np.repeat(np.arange(len(counts)), counts)
    places = _places([[*chain.from_iterable(document)] for document in spans])
    shares = np.array([share for pair in zip(tokens, received, strict=True) for _, share in zip(*pair, strict=True)])
    asked = _places(tokens)
    wide = max(places.max(initial=0), asked.max(initial=0)) + 1  # no document reaches into the next one's positions
    starts, stops = places[1:] + wide * places[0]
    begins, ends = asked[1:] + wide * asked[0]
    order = np.argsort(starts, kind="stable")
    segment, starts, stops = segment[order], starts[order], stops[order]  # disjoint: stops ascend too
    first = np.searchsorted(stops, begins, side="right")
    n = np.where(ends > begins, np.searchsorted(starts, ends) - first, 0)
    token = np.repeat(np.arange(len(n)), n)
    at = np.arange(len(token)) + np.repeat(first - np.cumsum(n) + n, n)
    overlaps = np.minimum(stops[at], ends[token]) - np.maximum(starts[at], begins[token])
    total = np.bincount(token, overlaps, minlength=len(n))
    mass = np.bincount(segment[at], shares[token] * overlaps / total[token], minlength=len(counts))
    return mass.astype(np.float64), np.bincount(segment[at], minlength=len(counts)) > 0


def _places(spans: Sequence[Sequence[Span]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Number of the text, start and stop of each span, (3, n): a document has two texts, one for each field."""
    flat = [*chain.from_iterable(spans)]
    document = np.repeat(np.arange(len(spans)), [*map(len, spans)])
    text = 2 * document + np.array([span.field == "pair" for span in flat], dtype=np.int64)
    return np.array([text, [span.start for span in flat], [span.stop for span in flat]], dtype=np.int64)


def agree_on(
    explained: Mapping[str, Explanation], attended: Mapping[str, AttentionStatistics], seed: int
) -> Number | None:
    """Over the documents where both were measured; None where there is none."""
    pairs = [(explained[i], statistics) for i, statistics in attended.items() if i in explained]
    return agree(pairs, seed) if pairs else None
