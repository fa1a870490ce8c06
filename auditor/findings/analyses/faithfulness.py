"""May the explanations be relied upon, and which method names best what the model acts on?

Everything is about the first target of each explanation. Of every method: the grades of its explanations, what the
answer loses without the words it ranks first (comprehensiveness) and keeps with nothing but these (sufficiency), both
as AOPC, both also as shares of what any ranking could attain (`auditor.findings.analyses.attained`), the share of
random sets of words that lose more, and how far its weights say what random sets lose. The random ranking stands beside
them as a method of its own.

The first method of the run is the one whose explanations the report shows; its share of explanations to rely on is
`explanations.reliable_share`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from auditor.findings.analyses import attained
from auditor.findings.analyses.grades import CODES, GRADES, Grade, Trust
from auditor.findings.analyses.method_agreement import Disagreement, MethodAgreement, agreements, least_alike
from auditor.findings.analyses.trust import FAITHFULNESS, aopc, excess, explainers, grade_of, trusts, unit_of
from auditor.findings.contract.contributions import Contributions, mean_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, WILSON, number
from auditor.findings.contract.quantity import PageOne, Quantity, Term
from auditor.findings.contract.summary import Cell, Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Number, Pointer, Unit
from auditor.findings.statistics.intervals import bootstrap_mean, wilson
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count, paragraph
from auditor.records.explanations import Explanation, Faithfulness, Removal

FEW_RELIABLE = 0.5
"""Share of explanations to rely on below which page one says so."""

RELIABLE = Quantity(
    name="explanations.reliable_share",
    title=N_("Explanations to rely on"),
    unit="share",
    compared=True,
    better="high",
    page_one=PageOne(32, 32),
    glossary=(
        Term(
            N_("Comprehensiveness"),
            N_("What the answer loses without the words that an explanation ranks first; large is good."),
        ),
        Term(
            N_("Grade of an explanation"),
            N_("Rely, with care, do not cite, or nothing to cite: by a printed rule from what acting upon it does."),
        ),
        Term(
            N_("Infidelity"),
            N_("Mean squared error of what random sets of words lose, by the best multiple of their weights."),
        ),
        Term(
            N_("Sufficiency"),
            N_("What the answer loses when only the words that an explanation ranks first are kept; small is good."),
        ),
    ),
)


def _moved(methods: Mapping[str, Mapping[str, Trust]]) -> frozenset[str]:
    """Ids of the documents whose answer anything moves."""
    return frozenset(name for given in methods.values() for name, one in given.items() if one.grade != "nothing")


def _grade(row: Faithfulness, evidence: Evidence) -> float | None:
    """The code of the grade of the explanation that the report shows."""
    grade = grade_of(evidence, row.removals[0].probe, row.document_id) if row.removals else None
    return None if grade is None else CODES[grade]


GRADE = Cell("grade", N_("Explanation"), "count", 10, _grade, words=tuple(GRADES.values()))
"""The column of the table of documents."""


class ExplainerFindings(Finding):
    """What the explanations of one method come to when they are acted upon."""

    probe: str
    """Empty for the random ranking."""
    n_documents: int
    grades: dict[Grade, int]
    """Grade → explanations; empty for the random ranking."""
    comprehensiveness: Number
    sufficiency: Number
    drop: Number
    """What is lost without the fifth of the words that is ranked first."""
    better_share: Number | None
    """Random sets of as many words that lose more, mean over documents."""
    sensitivity: Number | None
    """Mean correlation between what random sets weigh and what is lost without them."""
    infidelity: Number | None
    """Mean squared error of what random sets lose by the best multiple of their weights."""
    excess: Number | None
    """Comprehensiveness beyond the random ranking's, document by document."""
    normalised_comprehensiveness: Number | None = None
    """Mean share of what rankings could attain, over documents whose bounds are known; None without any."""
    normalised_sufficiency: Number | None = None

    @property
    def normalised(self) -> tuple[Number | None, Number | None]:
        """Comprehensiveness and sufficiency as shares."""
        return self.normalised_comprehensiveness, self.normalised_sufficiency


class FaithfulnessFindings(Finding):
    """May the explanations be relied upon, and which method names best what the model acts on?"""

    n_documents: int
    n_evaluations: int
    unit: Unit
    explainers: tuple[ExplainerFindings, ...]
    """In the order of the run; the random ranking last."""
    agreements: tuple[MethodAgreement, ...] = ()
    """Of every two methods."""
    disagreements: tuple[Disagreement, ...] = ()
    """Documents of which the first method and another say the least alike, the worst first."""
    n_bounded: int = 0
    """Documents of which it is known what rankings could attain."""
    n_bounded_exactly: int = 0
    """Those of them of which every subset of the segments was tried."""
    reliable_share: Number
    """Of the explanations of the first."""


class FaithfulnessSummary(Summary[Faithfulness, FaithfulnessFindings]):
    """Whether explanations may be relied upon."""

    probe = FAITHFULNESS
    title = N_("trust")
    record = Faithfulness
    findings = FaithfulnessFindings
    quantities = (RELIABLE, *attained.QUANTITIES)
    order = 30
    cells = (GRADE,)
    section = "faithfulness"
    reasons = {  # noqa: RUF012
        "few-segments": N_("too few words to choose between"),
        "no-explanation": N_("no explanation"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[FaithfulnessFindings] | None:
        """The grades of every method, and what its rankings are worth."""
        rows = evidence.measured(self.probe, Faithfulness)
        methods = {probe: trusts(evidence, probe) for probe in explainers(rows)}
        if not methods:
            return None
        leading = next(iter(methods.values()))
        reliable = RELIABLE.number(
            wilson(sum(one.grade == "rely" for one in leading.values()), len(leading)),
            say(
                "Share of the explanations by {method} that are graded “rely”; {interval}",
                method=sentences.probe(next(iter(methods))),
                interval=say(WILSON),
            ),
        )
        tables = _Tables(rows, setting.seed)
        explained = {probe: evidence.measured(probe, Explanation) for probe in methods}
        n_bounded, n_exactly = attained.bounded(list(rows.values()))
        concluded = FaithfulnessFindings(
            n_documents=len(rows),
            n_evaluations=sum(row.n_evaluations for row in rows.values()),
            unit=tables.unit,
            explainers=(*(tables.of(probe, given) for probe, given in methods.items()), tables.random()),
            agreements=agreements(explained, setting.seed),
            disagreements=least_alike(explained, _moved(methods)),
            n_bounded=n_bounded,
            n_bounded_exactly=n_exactly,
            reliable_share=reliable,
        )
        return Conclusion(concluded, (reliable, *attained.of_run(*concluded.explainers[0].normalised)))

    def contributions(self, evidence: Evidence, setting: Setting) -> Iterator[Contributions]:
        """Which explanations of the first method are to be relied upon."""
        del setting
        first = next(explainers(evidence.measured(self.probe, Faithfulness)), None)
        if first is not None:
            yield mean_of(RELIABLE, {n: float(one.grade == "rely") for n, one in trusts(evidence, first).items()})

    def point(self, whole: Whole, findings: FaithfulnessFindings) -> Iterator[Pointer]:
        """What the explanations that the report shows are worth, and the method that is worth least."""
        del whole
        shown, *others = graded = [method for method in findings.explainers if method.grades]
        least = min(graded, key=lambda method: method.grades["rely"] / method.n_documents)
        of_least = _least_reliable(least) if others and least is not shown else ""
        share = findings.reliable_share.value
        severe = share is not None and share < FEW_RELIABLE
        yield Pointer(
            severity="watch" if severe else "note",
            topic=say("Explanations"),
            text=paragraph([_grades_of(shown), of_least]),
            section=self.section_id,
        )

    def shown(self, findings: FaithfulnessFindings) -> Iterator[str]:
        """The documents of which two methods say the least alike."""
        yield from (one.document_id for one in findings.disagreements)


def _grades_of(method: ExplainerFindings) -> str:
    return plural(
        method.n_documents,
        "Of {n} explanation by {method} {rely} may be relied upon, and {refused} must not be cited.",
        "Of {n} explanations by {method} {rely} may be relied upon, and {refused} must not be cited.",
        **_counts(method),
    )


def _least_reliable(method: ExplainerFindings) -> str:
    return plural(
        method.n_documents,
        "Least reliable: {method}, {rely} of {n} to rely upon, {refused} not to be cited.",
        "Least reliable: {method}, {rely} of {n} to rely upon, {refused} not to be cited.",
        **_counts(method),
    )


def _counts(method: ExplainerFindings) -> dict[str, str]:
    rely, refused = count(method.grades["rely"]), count(method.grades["not"])
    return {"method": sentences.probe(method.probe), "rely": rely, "refused": refused}


class _Tables:
    """The numbers of every method over the same documents."""

    def __init__(self, rows: Mapping[str, Faithfulness], seed: int) -> None:
        self.rows, self.seed = rows, seed
        self.unit = unit_of(rows)

    def of(self, probe: str, given: Mapping[str, Trust]) -> ExplainerFindings:
        """One method."""
        all_removals = [r for row in self.rows.values() for r in row.removals if r.probe == probe]
        counts = Counter(one.grade for one in given.values())
        known = [r.sensitivity for r in all_removals if r.sensitivity is not None]
        return ExplainerFindings(
            probe=probe,
            n_documents=len(all_removals),
            grades={grade: counts[grade] for grade in GRADES},
            comprehensiveness=self._mean("comprehensiveness", probe, [aopc(r.comprehensiveness) for r in all_removals]),
            sufficiency=self._mean("sufficiency", probe, [aopc(r.sufficiency) for r in all_removals]),
            drop=self._mean("drop", probe, [r.drop for r in all_removals]),
            better_share=self._mean("better_share", probe, [one.better for one in given.values()], "share"),
            sensitivity=self._mean("sensitivity", probe, known, "correlation"),
            infidelity=self._mean(
                "infidelity", probe, [r.infidelity for r in all_removals if r.infidelity is not None]
            ),
            excess=self._mean("excess", probe, list(map(excess, all_removals))),
            **attained.numbers(probe, attained.of_explanations(all_removals), self.seed),
        )

    def random(self) -> ExplainerFindings:
        """The ranking drawn at random: the first of each document."""
        first: list[Removal] = [row.removals[0] for row in self.rows.values()]
        return ExplainerFindings(
            probe="",
            n_documents=len(first),
            grades={},
            comprehensiveness=self._mean("comprehensiveness", "", [aopc(r.random_comprehensiveness) for r in first]),
            sufficiency=self._mean("sufficiency", "", [aopc(r.random_sufficiency) for r in first]),
            drop=self._mean("drop", "", [r.random_comprehensiveness[r.sizes.index(r.size)] for r in first]),
            better_share=None,
            sensitivity=None,
            infidelity=None,
            excess=None,
            **attained.numbers("random", attained.of_random(first), self.seed),
        )

    def _mean(self, what: str, probe: str, values: Sequence[float], unit: Unit | None = None) -> Number:
        name = f"{probe or 'random'}.{what}"
        protocol = say("Mean over documents; {interval}", interval=say(BOOTSTRAP))
        title = say(TITLES[what])
        return number(name, title, bootstrap_mean(values, seed=self.seed, name=name), unit or self.unit, protocol)


TITLES: Mapping[str, str] = {
    "comprehensiveness": N_("Comprehensiveness"),
    "sufficiency": N_("Sufficiency"),
    "drop": N_("Lost without the first fifth"),
    "better_share": N_("Random sets that lose more"),
    "sensitivity": N_("Weights against losses"),
    "infidelity": N_("Infidelity"),
    "excess": N_("Beyond random"),
}
"""Number of a method → message: what it is called."""
SUMMARY = FaithfulnessSummary()
