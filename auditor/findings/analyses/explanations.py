"""Which words carry the prediction, and is the explanation to be believed?

All of it is about the surrogate of the most probable label (the first target of each explanation), which a multi-label
model need not predict.
Fidelity is its weighted R² on the neighbourhood; an explanation below 0.5 explains less than half of what the model
does there. An explanation is clear if at least one weight has an interval that excludes zero: |w| > 1.96 standard
errors, and more than 1e-9 where every mask was evaluated and nothing was sampled. Words that recur are counted over
the explanations that reach 0.5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.words import rank_words
from auditor.findings.numbers import BOOTSTRAP, WILSON, number
from auditor.findings.statistics.intervals import bootstrap_mean, wilson
from auditor.findings.types import Example, ExplanationFindings, Number
from auditor.findings.wording import bound
from auditor.languages import say
from auditor.records.types import Explanation, Target

LOW_FIDELITY = 0.5
EXACT_TOLERANCE = 1e-9
EXAMPLES = 6


def summarise_explanations(
    explanations: Sequence[Explanation], answers: Sequence[Answer], seed: int
) -> tuple[ExplanationFindings | None, list[Number]]:
    """The findings and the numbers of the LIME probe; None and [] where it measured nothing."""
    if not explanations:
        return None, []
    numbers = [fidelity(explanations, seed), low_fidelity_share(explanations), clear_share(explanations)]
    around = [e.neighbourhood for e in explanations if e.neighbourhood is not None]
    sampled = [one.n_samples for one in around if not one.exact]
    found = ExplanationFindings(
        n_documents=len(explanations),
        n_exact=sum(one.exact for one in around),
        n_samples=max(sampled or [one.n_samples for one in around], default=0),
        n_evaluations=sum(one.n_evaluations for one in around),
        stopped=dict(sorted(Counter(one.stopped for one in around).items())),
        tolerance=next((one.tolerance for one in around if one.tolerance is not None), None),
        kernel_width=next((one.kernel_width for one in around), 0.0),
        segmenters=dict(sorted(Counter(e.segmenter for e in explanations).items())),
        unit=explanations[0].unit,
        fidelity=numbers[0],
        low_fidelity_share=numbers[1],
        clear_share=numbers[2],
        global_words=rank_words(faithful(explanations)),
        examples=choose_examples(explanations, {answer.document.id: answer for answer in answers}),
    )
    return found, numbers


def top_target(explanation: Explanation) -> Target:
    """The surrogate of the most probable label."""
    return explanation.targets[0]


def faithful(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Those that explain at least half."""
    return [explanation for explanation in explanations if top_target(explanation).fidelity >= LOW_FIDELITY]


def is_clear(explanation: Explanation) -> bool:
    """Whether any weight is told apart from zero."""
    target = top_target(explanation)
    pairs = zip(target.weights, target.standard_errors, strict=True)
    return any(abs(weight) > max(1.96 * error, EXACT_TOLERANCE) for weight, error in pairs)


def fidelity(
    explanations: Sequence[Explanation], seed: int, name: str = "lime.fidelity", title: str | None = None
) -> Number:
    """Mean R²."""
    found = bootstrap_mean([top_target(e).fidelity for e in explanations], seed=seed, name=name)
    protocol = say(
        "Mean over documents of the weighted R² of the surrogate of the most probable label; {interval}",
        interval=say(BOOTSTRAP),
    )
    return number(name, title or say("LIME fidelity"), found, "correlation", protocol)


def low_fidelity_share(explanations: Sequence[Explanation]) -> Number:
    """Share of explanations that explain less than half."""
    low = len(explanations) - len(faithful(explanations))
    protocol = say(
        "Share of explained documents whose surrogate has R² below {limit}; {interval}",
        limit=bound(LOW_FIDELITY),
        interval=say(WILSON),
    )
    title = say("Low-fidelity explanations")
    return number("lime.low_fidelity_share", title, wilson(low, len(explanations)), "share", protocol)


def clear_share(explanations: Sequence[Explanation]) -> Number:
    """Share of explanations that name a word at all."""
    clear = sum(map(is_clear, explanations))
    protocol = say(
        "Share of explained documents with at least one weight whose 95% interval excludes zero; {interval}",
        interval=say(WILSON),
    )
    title = say("Clear explanations")
    return number("lime.clear_share", title, wilson(clear, len(explanations)), "share", protocol)


@dataclass
class _Gallery:
    """Examples in the order they were chosen, each document once."""

    taken: dict[str, str] = field(default_factory=dict)

    def add(self, ids: Sequence[str], n: int, rule: str) -> None:
        for document_id in [i for i in ids if i not in self.taken][:n]:
            self.taken[document_id] = rule


def choose_examples(explanations: Sequence[Explanation], answers: Mapping[str, Answer]) -> tuple[Example, ...]:
    """Up to six explained documents by printed rules: unfaithful, wrong, right and ordinary ones.

    Where a rule finds nothing (no errors, no references), the most certain answers take its place.
    """
    by_fidelity = sorted(explanations, key=lambda e: top_target(e).fidelity)
    known = [answers[e.document_id] for e in explanations if e.document_id in answers]
    wrong = sorted((a for a in known if a.wrong), key=lambda a: -a.error_confidence)
    right = sorted((a for a in known if a.correct), key=lambda a: -a.confidence)
    certain = sorted((a for a in known if a.prediction.labels), key=lambda a: -a.confidence)
    gallery = _Gallery()
    gallery.add([e.document_id for e in by_fidelity], 2, say("Lowest fidelity"))
    gallery.add([a.document.id for a in wrong], 2, say("Most confident error"))
    gallery.add([a.document.id for a in right], 1, say("Most certain correct answer"))
    gallery.add([e.document_id for e in _around_median_length(explanations)], 1, say("Median length"))
    gallery.add([a.document.id for a in certain], EXAMPLES - len(gallery.taken), say("Most certain answer"))
    return tuple(Example(document_id=i, rule=rule) for i, rule in gallery.taken.items())


def _around_median_length(explanations: Sequence[Explanation]) -> list[Explanation]:
    """All of them, the one in the middle by number of segments first."""
    by_length = sorted(explanations, key=lambda e: len(e.segments))
    middle = len(by_length) // 2
    order = sorted(range(len(by_length)), key=lambda i: abs(i - middle))
    return [by_length[i] for i in order]
