"""Do the explainers react to the model? Similarity of explanations as its weights are randomised, step by step.

Of every explainer and step: the mean over documents of three correlations between an explanation of the model as it is
and one of the randomised model (`auditor.records.sanity.Likeness`), with its interval. By the last step every weight
is drawn anew, so that an explanation which still is what it was says nothing about the model.

The rule, per explainer, after the last step:

    does not react    the lower end of the interval of either rank correlation, of the weights or of their sizes, is
                      above 0.5; the mean itself where all documents agree, which leaves no interval
    too few           fewer than ten documents could be compared
    reacts            otherwise

Signs alone may turn (a saliency map times the embedding), or the order of sizes alone may stay: both are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, number
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Number, Pointer
from auditor.findings.statistics.intervals import LEAST, Estimate, bootstrap_mean
from auditor.findings.wording import sentences
from auditor.languages import N_, say
from auditor.records.sanity import Likeness, Sanity

UNCHANGED = 0.5
"""Rank correlation above which an explanation of a model without anything learnt is still what it was."""
Reaction = Literal["reacts", "does not react", "too few"]

SIMILARITY = Quantity(
    name="sanity.similarity",
    title=N_("Similarity to explanations of a randomised model"),
    unit="correlation",
    low=-1.0,
    glossary=(
        Term(
            N_("Randomised model"),
            N_("The model with its weights drawn anew at their own scale: nothing of what it learnt is left."),
        ),
    ),
)


class SanityPart(Finding):
    """What is drawn anew at one step, beside the steps before."""

    name: str
    """`head`, `layers` or `embeddings`."""
    first: int | None
    last: int | None


class SanityPoint(Finding):
    """How like the explanations of one method are to those of the model as it is."""

    step: int
    """How many parts are drawn anew."""
    rank_correlation: Number
    absolute_rank_correlation: Number
    correlation: Number


class ExplainerSanity(Finding):
    """How the explanations of one method change."""

    probe: str
    points: tuple[SanityPoint, ...]
    """By step, 0 first."""
    reaction: Reaction


class SanityFindings(Finding):
    """Do the explainers react to the model?"""

    n_documents: int
    n_evaluations: int
    unchanged: float
    """Bound of the rule."""
    parts: tuple[SanityPart, ...]
    explainers: tuple[ExplainerSanity, ...]
    """In the order of the run."""


class SanitySummary(Summary[Sanity, SanityFindings]):
    """Whether explainers react to the model."""

    probe = "sanity"
    title = N_("sanity of explainers")
    record = Sanity
    findings = SanityFindings
    quantities = (SIMILARITY,)
    order = 31
    section = "sanity"
    reasons = {  # noqa: RUF012
        "few-segments": N_("too few words to compare orders"),
        "no-explanation": N_("no explanation"),
        "fixed-weights": N_("the weights cannot be exchanged"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[SanityFindings] | None:
        """The curve of every explainer, and whether it reacts."""
        rows = list(evidence.measured(self.probe, Sanity).values())
        by_probe: dict[str, list[Likeness]] = {}
        for one in (one for row in rows for one in row.likenesses):
            by_probe.setdefault(one.probe, []).append(one)
        if not by_probe:
            return None
        parts = max((row.parts for row in rows), key=len)
        explainers = tuple(
            _explainer(probe, likenesses, len(parts), setting.seed) for probe, likenesses in by_probe.items()
        )
        concluded = SanityFindings(
            n_documents=len(rows),
            n_evaluations=sum(row.n_evaluations for row in rows),
            unchanged=UNCHANGED,
            parts=tuple(SanityPart(name=part.name, first=part.first, last=part.last) for part in parts),
            explainers=explainers,
        )
        return Conclusion(concluded, (_similarity(explainers[0]),))

    def point(self, whole: Whole, findings: SanityFindings) -> Iterator[Pointer]:
        """Explainers that do not react."""
        del whole
        if stuck := unreacting(findings):
            values = sentences.listing([sentences.measured(highest(one)) for one in stuck])
            methods = sentences.listing([sentences.probe(one.probe) for one in stuck])
            text = say(
                "Explanations by {methods} do not react to the model: with every weight drawn anew they still "
                "correlate with those of before at {values}",
                methods=methods,
                values=values,
            )
            yield Pointer(severity="watch", text=text, section=self.section_id)


def unreacting(findings: SanityFindings) -> list[ExplainerSanity]:
    """The methods that do not react."""
    return [one for one in findings.explainers if one.reaction == "does not react"]


def _explainer(probe: str, likenesses: Sequence[Likeness], n_parts: int, seed: int) -> ExplainerSanity:
    points = tuple(_point(probe, step, likenesses, seed) for step in range(n_parts + 1))
    whole = ExplainerSanity(probe=probe, points=points, reaction="reacts")
    return whole.model_copy(update={"reaction": _reaction(whole)})


def _point(probe: str, step: int, likenesses: Sequence[Likeness], seed: int) -> SanityPoint:
    return SanityPoint(
        step=step,
        **{
            what: _mean(f"{probe}.{what}.{step}", say(title), _values(likenesses, step, what), seed)
            for what, title in TITLES.items()
        },
    )


def _values(likenesses: Sequence[Likeness], step: int, what: str) -> list[float]:
    values = (getattr(one, what) for one in likenesses if one.step == step)
    return [value for value in values if value is not None]


def _mean(name: str, title: str, values: Sequence[float], seed: int) -> Number:
    protocol = say("Mean over documents; {interval}", interval=say(BOOTSTRAP))
    estimate = bootstrap_mean(values, seed=seed, name=name).within(-1.0, 1.0)
    return number(name, title, estimate, "correlation", protocol)


def _reaction(one: ExplainerSanity) -> Reaction:
    last = one.points[-1]
    known = [least for n in (last.rank_correlation, last.absolute_rank_correlation) if (least := _least(n)) is not None]
    if not known:
        return "too few"
    return "does not react" if max(known) > UNCHANGED else "reacts"


def _least(mean: Number) -> float | None:
    """The lower end of an interval; the mean where all documents agree; None of too few documents."""
    if mean.n < LEAST:
        return None
    return mean.value if mean.low is None else mean.low


def highest(one: ExplainerSanity) -> Number:
    """Of both rank correlations after the last step the one with the higher lower end."""
    last = one.points[-1]
    return max((last.rank_correlation, last.absolute_rank_correlation), key=lambda number: _least(number) or -1.0)


def _similarity(leading: ExplainerSanity) -> Number:
    last = leading.points[-1].rank_correlation
    protocol = say(
        "Rank correlation between explanations by {method} of the model as it is and with every weight drawn anew, "
        "mean over documents; {interval}",
        method=sentences.probe(leading.probe),
        interval=say(BOOTSTRAP),
    )
    return SIMILARITY.number(Estimate(last.value, last.low, last.high, last.n), protocol)


TITLES: Mapping[str, str] = {
    "rank_correlation": N_("Rank correlation"),
    "absolute_rank_correlation": N_("Rank correlation of sizes"),
    "correlation": N_("Correlation of weights"),
}
"""Number of a step → message: what it is called."""
SUMMARY = SanitySummary()
