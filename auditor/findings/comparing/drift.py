"""The same answer for other reasons: do the explanations of one document weigh its segments otherwise than before?

Of every method whose rows are explanations, on the documents that both runs explain, with the same segments, toward the
same label. With w, w′ the weights of a segment before and after and s, s′ their standard errors,
    z = (w′ − w) / √(s² + s′²)
a segment has drifted where |z| > z_(1 − α/2S), α = 0.001 and S the segments of the document (Bonferroni: segments share
a surrogate, so their errors depend on each other), and |w′ − w| reaches a floor: 0.05 in the unit of the weights, and a
quarter of the largest |weight| of the document in either run. A document has drifted if any of its segments has.

Sampling is thus never drift: two runs of one model with two seeds show it in at most one document of a thousand, as far
as the standard errors hold (`python -m tests.simulations.nights`); with one seed both sample alike, and it is rarer
still. Ranks are not compared: weights around zero change their order by noise alone. Where nothing was sampled (all
masks enumerated, gradients) s = s′ = 0 and the floor decides, for such weights differ by the model alone.

Edge cases: segments that a surrogate left out in either run were not measured there, and are passed over. The label
that is explained is the most probable one; where that changed, the answer did, which is no drift but a flip.

By chance: α times the documents in which anything was sampled.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist

from auditor.findings.comparing.grounds import Grounds
from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Drift, ExplanationDrift, WordDrift
from auditor.findings.contract.numbers import WILSON, number
from auditor.findings.contract.registry import summaries
from auditor.findings.statistics.intervals import wilson
from auditor.languages import N_, say
from auditor.records.explanations import Explanation, Segment, Target

ALPHA = 0.001
FLOOR = 0.05
RELATIVE_FLOOR = 0.25
LISTED = 100
_MOST_Z = 1000.0
_NORMAL = NormalDist()
TITLE = N_("Same answer for other reasons")


def drifts(before: Night, after: Night, ids: Mapping[str, str], grounds: Grounds) -> Iterator[ExplanationDrift]:
    """The drift of every method that both runs used alike, in the order of the report."""
    for probe, summary in summaries().items():
        if issubclass(summary.record, Explanation) and not grounds.refusal(probe):
            earlier, later = (night.evidence.measured(probe, Explanation) for night in (before, after))
            both = [(earlier[ids[name]], later[name]) for name in later if ids.get(name) in earlier]
            if both:
                yield _of_method(probe, both)


def _of_method(probe: str, both: Sequence[tuple[Explanation, Explanation]]) -> ExplanationDrift:
    alike = [(one, other) for one, other in both if _label(one) == _label(other)]
    same = [(one, other) for one, other in alike if _cut(one) == _cut(other)]
    of_documents = [drift for one, other in same if (drift := drift_of(one, other)) is not None]
    of_documents.sort(key=lambda drift: -drift.size)
    protocol = say(
        "Share of documents with the same answer of which a weight surely changed, by at least {floor}; {interval}",
        floor=FLOOR,
        interval=say(WILSON),
    )
    sampled = sum(one.is_sampled or other.is_sampled for one, other in same)
    return ExplanationDrift(
        probe=probe,
        n_compared=len(same),
        n_other_answer=len(both) - len(alike),
        n_other_segments=len(alike) - len(same),
        share=number(f"{probe}.drift", say(TITLE), wilson(len(of_documents), len(same)), "share", protocol),
        by_chance=ALPHA * sampled,
        floor=FLOOR,
        documents=tuple(of_documents[:LISTED]),
    )


def drift_of(before: Explanation, after: Explanation) -> Drift | None:
    """How an explanation drifted from another of the same segments and label; None where it has not."""
    one, other = before.targets[0], after.targets[0]
    words = sorted(_drifted(after.segments, one, other), key=lambda word: -abs(word.after - word.before))
    if not words:
        return None
    size = abs(words[0].after - words[0].before)
    return Drift(document_id=after.document_id, label=other.label, size=size, words=tuple(words))


def _drifted(segments: Sequence[Segment], before: Target, after: Target) -> Iterator[WordDrift]:
    limit = _NORMAL.inv_cdf(1 - ALPHA / (2 * max(1, len(segments))))
    one, other = before.weights, after.weights  # built at every access
    floor = max(FLOOR, RELATIVE_FLOOR * max(map(abs, (*one, *other)), default=0.0))
    large = [s for s, (w, v) in enumerate(zip(one, other, strict=True)) if abs(v - w) >= floor]
    for s in large:
        change = other[s] - one[s]
        error = math.hypot(before.standard_errors[s], after.standard_errors[s])
        z = change / error if error > abs(change) / _MOST_Z else math.copysign(_MOST_Z, change)
        if abs(z) > limit and before.selected[s] and after.selected[s]:
            yield WordDrift(text=segments[s].text, before=one[s], after=other[s], z=z)


def _label(explanation: Explanation) -> str:
    return explanation.targets[0].label


def _cut(explanation: Explanation) -> tuple[object, ...]:
    return explanation.unit, explanation.segmenter, tuple(segment.spans for segment in explanation.segments)
