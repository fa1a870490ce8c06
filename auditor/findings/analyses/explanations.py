"""Which words carry the prediction, and is the explanation to be believed?

All of it is about the surrogate of the most probable label (the first target of each explanation), which a multi-label
model need not predict.
Fidelity is its weighted R² on the neighbourhood; an explanation below 0.5 explains less than half of what the model
does there. An explanation names a decisive word if some |w| − z·s > 0.1, w a weight, s its standard error (0 where
every mask was evaluated), z the normal quantile at 1 − 0.025 / S: the 95 % intervals of all S weights at once, so that
long texts have no better chance than short ones. Words that recur are counted over the explanations that reach 0.5.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from auditor.findings.analyses.answers import PROBE as PREDICTION
from auditor.findings.analyses.answers import Answer, pair, two_labels
from auditor.findings.analyses.explanation_quantities import ExplanationQuantities as ExplanationQuantities
from auditor.findings.analyses.global_words import RecurringWords
from auditor.findings.analyses.phrases import Phrases, phrases
from auditor.findings.analyses.trust import faithfulness, removals, stability, trust_contributions
from auditor.findings.analyses.words import Method, recurring_words
from auditor.findings.analyses.worst import choose
from auditor.findings.contract.contributions import Contributions, mean_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, WILSON
from auditor.findings.contract.summary import Cell, Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Choice, Example, Number, Pointer
from auditor.findings.statistics.intervals import bootstrap_mean, wilson
from auditor.findings.wording.sentences import bound
from auditor.languages import N_, plural, say
from auditor.records.explanations import Explanation

LOW_FIDELITY = 0.5
MANY_UNFAITHFUL = 0.25
"""Share of explanations below it from which on that is worth watching."""
DECISIVE = 0.1
"""What a decisive word changes at least, in the unit of the weights: the loss that an explanation to rely on shows."""
EXAMPLES = 6
MOST_UNFAITHFUL, MOST_UNSTABLE = 3, 3
Z_95 = 1.96


class ExplanationFindings(Finding):
    """Which words carry the prediction, and is the explanation to be believed?"""

    n_documents: int
    n_exact: int
    n_samples: int
    """The most that were drawn for a document."""
    n_evaluations: int
    """Perturbed texts that the model computed, over all documents."""
    stopped: dict[str, int]
    """Documents by the reason why no more was drawn for them; see `records.explanations.Neighbourhood`."""
    tolerance: float | None
    kernel_width: float
    segmenters: dict[str, int]
    unit: str
    fidelity: Number
    stability: Number | None = None
    """Mean correlation of the weights of two halves of the neighbourhood; None where nothing was sampled."""
    faithfulness: Number | None = None
    """What the rankings are worth beyond random ones; None where nobody acted upon them."""
    low_fidelity_share: Number
    """Share of documents whose surrogate has R² below 0.5."""
    decisive_share: Number
    """Share of documents with at least one word that surely changes the answer by 0.1."""
    recurring: tuple[RecurringWords, ...]
    phrases: tuple[Phrases, ...] = ()
    examples: tuple[Example, ...]


class ExplanationSummary(Summary[Explanation, ExplanationFindings]):
    """Whether the explanations of one method are to be believed, and which words recur in them."""

    record = Explanation
    findings = ExplanationFindings
    reasons = {  # noqa: RUF012
        "no-segments": N_("nothing to switch off"),
        "unreadable-perturbations": N_("too few perturbed texts that the model can read"),
    }

    def __init__(
        self,
        quantities: ExplanationQuantities,
        title: str,
        *,
        section: str = "",
        order: int = 100,
        cells: tuple[Cell[Explanation], ...] = (),
    ) -> None:
        """Declares the summary of one method.

        Args:
            quantities: Its numbers, and the probe that they are of.
            title: Message: what the probe is called in a sentence.
            section: Id of the section; empty for `probe-` and the probe's name.
            order: Place among the probes.
            cells: Its columns of the table of documents, such as `fidelity_cell`.
        """
        self.of, self.cells = quantities, cells
        self.probe, self.title, self.section, self.order = quantities.probe, title, section, order
        self.quantities = (
            *(quantities.fidelity, quantities.stability, quantities.faithfulness),
            *(quantities.low_fidelity_share, quantities.decisive_share),
        )

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[ExplanationFindings] | None:
        """Fidelity, how many name a decisive word, and the words that recur."""
        explanations = list(evidence.measured(self.probe, Explanation).values())
        if not explanations:
            return None
        numbers = {
            "fidelity": self.fidelity(explanations, setting.seed),
            "stability": stability(self.of.stability, explanations, setting.seed),
            "faithfulness": faithfulness(self.of.faithfulness, removals(evidence, self.probe), setting.seed),
            **self.shares(explanations),
        }
        numbers = {name: number for name, number in numbers.items() if number.n}
        answers = pair(evidence, setting.multi_label, setting.labelled)
        return Conclusion(self._findings(explanations, answers, numbers), tuple(numbers.values()))

    def _findings(
        self, explanations: Sequence[Explanation], answers: Sequence[Answer], numbers: Mapping[str, Number]
    ) -> ExplanationFindings:
        method = Method(self.probe, say(self.title))
        around = [e.neighbourhood for e in explanations if e.neighbourhood is not None]
        sampled = [one.n_samples for one in around if not one.exact]
        return ExplanationFindings(
            n_documents=len(explanations),
            n_exact=sum(one.exact for one in around),
            n_samples=max(sampled or [one.n_samples for one in around], default=0),
            n_evaluations=sum(one.n_evaluations for one in around),
            stopped=dict(sorted(Counter(one.stopped for one in around).items())),
            tolerance=next((one.tolerance for one in around if one.tolerance is not None), None),
            kernel_width=next((one.kernel_width for one in around), 0.0),
            segmenters=dict(sorted(Counter(e.segmenter for e in explanations).items())),
            unit=explanations[0].unit,
            **numbers,
            recurring=recurring_words(faithful(explanations), method, two_labels(answers)),
            phrases=phrases(faithful(explanations), self.probe, two_labels(answers)),
            examples=choose_examples(explanations, {answer.document.id: answer for answer in answers}),
        )

    def fidelity(self, explanations: Sequence[Explanation], seed: int) -> Number:
        """Mean R²."""
        values = [fidelity_of(explanation) for explanation in explanations]
        protocol = say(
            "Mean over documents of the weighted R² of the surrogate of the most probable label; {interval}",
            interval=say(BOOTSTRAP),
        )
        quantity = self.of.fidelity
        return quantity.number(bootstrap_mean(values, seed=seed, name=quantity.name), protocol)

    def shares(self, explanations: Sequence[Explanation]) -> dict[str, Number]:
        """Of those that explain less than half, and of those that name a decisive word."""
        low, decisive = len(explanations) - len(faithful(explanations)), sum(map(is_decisive, explanations))
        below = say(
            "Share of explained documents whose surrogate has R² below {limit}; {interval}",
            limit=bound(LOW_FIDELITY),
            interval=say(WILSON),
        )
        beyond = say(
            "Share of documents with a weight beyond ±{limit}, by 95% intervals for all weights at once; {interval}",
            limit=bound(DECISIVE),
            interval=say(WILSON),
        )
        n = len(explanations)
        return {
            "low_fidelity_share": self.of.low_fidelity_share.number(wilson(low, n), below),
            "decisive_share": self.of.decisive_share.number(wilson(decisive, n), beyond),
        }

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """All of them are means over documents."""
        del setting
        explained = evidence.measured(self.probe, Explanation)
        fidelities = {name: fidelity_of(explanation) for name, explanation in explained.items()}
        yield mean_of(self.of.fidelity, fidelities)
        yield mean_of(self.of.low_fidelity_share, {n: float(r < LOW_FIDELITY) for n, r in fidelities.items()})
        yield mean_of(self.of.decisive_share, {n: float(is_decisive(e)) for n, e in explained.items()})
        yield from trust_contributions(evidence, self.probe, self.of.faithfulness, self.of.stability)

    def point(self, whole: Whole, findings: ExplanationFindings) -> Iterator[Pointer]:
        """Explanations that should not be relied on."""
        del whole
        share = findings.low_fidelity_share
        if share.value:
            low = round(share.value * share.n)
            text = plural(
                low,
                "{n} of {explanations} has R² below 0.5 and should not be relied on",
                "{n} of {explanations} have R² below 0.5 and should not be relied on",
                explanations=plural(share.n, "{n} explanation", "{n} explanations"),
            )
            severe = share.value > MANY_UNFAITHFUL
            yield Pointer(severity="watch" if severe else "note", text=text, section=self.section_id)

    def worst(self, evidence: Evidence, setting: Setting) -> Iterator[Choice]:
        """Explanations with the lowest R², and those with the widest intervals beside their largest weight."""
        del setting
        explained = [e for e in evidence.measured(self.probe, Explanation).values() if e.targets]
        fidelities = ((e.document_id, fidelity_of(e)) for e in explained)
        unstable = ((e.document_id, instability(e)) for e in explained)
        yield choose("unfaithful", fidelities, MOST_UNFAITHFUL, largest=False)
        yield choose("unstable", ((i, value) for i, value in unstable if value is not None), MOST_UNSTABLE)

    def shown(self, findings: ExplanationFindings) -> Iterator[str]:
        """The documents with a card."""
        yield from (example.document_id for example in findings.examples)

    def is_truncated(self, record: Explanation, evidence: Evidence) -> bool:
        """An explanation asks the model about as much of a document as the prediction did."""
        return bool(getattr(evidence.of(PREDICTION).get(record.document_id), "truncated", False))


def fidelity_cell(name: str, title: str, aid: str) -> Cell[Explanation]:
    """The column of the table of documents that has the R² of each explanation.

    Args:
        name: In findings.json and documents.parquet; no other summary may have it.
        title: Message: head of the column.
        aid: Message: what the caption says of it.
    """
    return Cell(name, title, "correlation", 6, lambda record, _: fidelity_of(record), aid)


def instability(explanation: Explanation) -> float | None:
    """Widest half-interval over the largest weight; None without intervals or without any weight."""
    target = explanation.targets[0]
    largest = max(map(abs, target.weights), default=0.0)
    if not explanation.is_sampled or not largest:
        return None
    return Z_95 * max(target.standard_errors) / largest


def fidelity_of(explanation: Explanation) -> float:
    """R² of the surrogate of the most probable label.

    Raises:
        ValueError: The method fits none.
    """
    surrogate = explanation.targets[0].surrogate
    if surrogate is None:
        raise ValueError(f"{explanation.method} fits no surrogate: its explanations have no fidelity")
    return surrogate.fidelity


def faithful(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Those that explain at least half."""
    return [explanation for explanation in explanations if fidelity_of(explanation) >= LOW_FIDELITY]


def is_decisive(explanation: Explanation) -> bool:
    """Whether any weight is surely beyond ±0.1."""
    target = explanation.targets[0]
    weights = target.weights  # built at every access
    if not any(abs(w) > DECISIVE for w in weights):
        return False
    z = NormalDist().inv_cdf(1 - 0.025 / len(weights))
    return any(abs(w) - z * s > DECISIVE for w, s in zip(weights, target.standard_errors, strict=True))


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
    by_fidelity = sorted(explanations, key=fidelity_of)
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
