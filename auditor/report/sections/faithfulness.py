"""May the explanations be relied upon? Grades, and what the model says when explanations are acted upon."""

from auditor.findings.analyses import grades
from auditor.findings.analyses.faithfulness import SUMMARY, TITLES, ExplainerFindings, FaithfulnessFindings
from auditor.findings.analyses.grades import GRADES, Grade, Limits
from auditor.findings.analyses.method_agreement import TITLES as AGREEMENT_TITLES
from auditor.findings.contract.registry import summary_of
from auditor.findings.contract.types import Number
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, shortest
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import formats, marks
from auditor.report.sections import attained, disagreements

_LETTERS = N_(
    "*f*(*x*) is the model’s answer to the text, *f*(*x* ∖ *r_k*) that to the text without the *k* segments that the "
    "explanation ranks first, *f*(*r_k*) that to nothing but these; *K* are the sizes 1, 5, 10, 20 and 50% of the "
    "segments, rounded up, each counted once (ERASER; DeYoung et al. 2020). *least* and *most* "
    "are the bounds of either over all rankings of the same segments (Edin et al. 2024)."
)
_MARK = 110
_REST = ("sufficiency", "drop", "better_share", "sensitivity", "infidelity")
"""Numbers of a method beside its comprehensiveness."""


def compose(sources: Sources) -> Section:
    """The section on trust in explanations."""
    analysis = sources.analysis(SUMMARY.probe, FaithfulnessFindings)
    named = sources.named(*(quantity.name for quantity in SUMMARY.quantities))
    return Section(
        id=SUMMARY.section_id,
        title=say("Trust in explanations"),
        question=say("May the explanations be relied upon?"),
        answer=paragraph([_graded(analysis), _beyond(analysis), attained.standing(analysis)]),
        method=_method(analysis),
        limits=paragraph([_limits(), *_caveats(analysis)]),
        template="sections/faithfulness.html.j2",
        content={
            "tables": [
                (_grades_table(analysis), "compact"),
                (_rule_table(), "compact"),
                (_losses_table(analysis), "compact"),
                *([(attained.table(analysis), "compact")] if analysis.n_bounded else []),
                *([(_agreement_table(analysis), "compact")] if analysis.agreements else []),
                (numbers_table(say("The numbers behind the answer."), named), "numbers"),
            ],
            "cards": disagreements.cards(sources, analysis),
        },
    )


def _limits() -> str:
    return say(
        "A grade says whether an explanation tells what this model acts on in this text, not whether the model is "
        "right to do so. Texts without words are unusual texts. One word at a time, or the first fifth at once: "
        "causes that only show in other combinations stay unseen."
    )


def _caveats(analysis: FaithfulnessFindings) -> list[str]:
    """What must be said of some of the methods, each sentence once."""
    known = (summary_of(one.probe) for one in analysis.explainers if one.probe)
    return [say(caveat) for caveat in dict.fromkeys(one.caveat for one in known if one and one.caveat)]


def _graded(analysis: FaithfulnessFindings) -> str:
    first = analysis.explainers[0]
    counts = {grade: formats.count(first.grades[grade]) for grade in GRADES}
    return plural(
        first.n_documents,
        "Of {n} explanation by {method}, {rely} may be relied upon and {care} with care; {refused} must not be cited, "
        "and {nothing} have nothing to cite.",
        "Of {n} explanations by {method}, {rely} may be relied upon and {care} with care; {refused} must not be cited, "
        "and {nothing} have nothing to cite.",
        method=sentences.probe(first.probe),
        rely=counts["rely"],
        care=counts["care"],
        refused=counts["not"],
        nothing=counts["nothing"],
    )


def _beyond(analysis: FaithfulnessFindings) -> str:
    """Which methods lose more of the answer than chance does."""
    methods = [one for one in analysis.explainers if one.excess is not None]
    ahead = [one for one in methods if one.excess and one.excess.low is not None and one.excess.low > 0]
    if not ahead:
        return say("No method’s ranking is told apart from a random one.")
    best = max(ahead, key=lambda one: (one.excess.value or 0.0) if one.excess else 0.0)
    return say(
        "Most beyond chance is lost without the words of {method}: {excess} more than in a random order.",
        method=sentences.probe(best.probe),
        excess=with_interval(best.excess) if best.excess else "",
    )


def _method(analysis: FaithfulnessFindings) -> str:
    texts = plural(analysis.n_evaluations, "{n} text", "{n} texts")
    acted = say(
        "Segments leave a document in the order in which an explanation ranks them, and the model is asked again; "
        "beside this stand random sets of as many segments, and a random order ({texts} in all). Grades follow from "
        "that by the printed rule.",
        texts=texts,
    )
    return paragraph([acted, attained.sought(analysis)])


def _grades_table(analysis: FaithfulnessFindings) -> Table:
    columns = (
        Column(say("Method"), width=28),
        Column(say("Explanations"), "number"),
        *(Column(say(title), "number") for title in GRADES.values()),
    )
    rows = tuple(
        (attained.name(one), formats.count(one.n_documents), *(_share(one, grade) for grade in GRADES))
        for one in analysis.explainers
        if one.grades
    )
    return Table(say("How many explanations of each method may be relied upon."), columns, rows)


def _share(one: ExplainerFindings, grade: Grade) -> str:
    n = one.grades[grade]
    return say("{n} ({share})", n=formats.count(n), share=formats.percent(n / one.n_documents))


def _rule_table() -> Table:
    """The thresholds of the grade, in the words of the report."""
    rows = [
        (say("Lost without the first fifth of the segments"), *_at_least(grades.DROP)),
        (say("Random sets of as many segments that lose more"), *_at_most(grades.BETTER)),
        (say("Correlation of what random sets weigh and what they lose"), *_at_least(grades.SAID)),
        (say("R² of the surrogate, where there is one"), *_at_least(grades.FIDELITY)),
        (say("Correlation of the weights of two halves, where something is sampled"), *_at_least(grades.HALVES)),
        (
            say("Share of a change that weights miss, where they are its parts"),
            f"≤ {formats.percent(grades.MISSED)}",
            "",
        ),
    ]
    caption = say(
        "The rule: all of the first column to rely on an explanation, any of the second and it must not be cited, "
        "between them with care. Where nothing that was tried changes the answer by {moved}, there is nothing to cite.",
        moved=shortest(grades.LEAST_MOVED),
    )
    columns = (Column(say("Criterion")), Column(say("Rely"), "number", 14), Column(say("Do not cite"), "number", 14))
    return Table(caption, columns, tuple(rows))


def _at_least(limits: Limits) -> tuple[str, str]:
    return f"≥ {shortest(limits.rely)}", f"< {shortest(limits.cite)}"


def _at_most(limits: Limits) -> tuple[str, str]:
    return f"≤ {formats.percent(limits.rely)}", f"> {formats.percent(limits.cite)}"


def _losses_table(analysis: FaithfulnessFindings) -> Table:
    """Every method, and the random order, over the same documents."""
    ends = [end for one in analysis.explainers for end in _ends(one.comprehensiveness)]
    axis = marks.shared_axis(ends, zero=True, width=_MARK, unit=analysis.unit)
    columns = [
        Column(say("Method"), width=14),
        Column(say(TITLES["comprehensiveness"]), "number", 16),
        Column("", "mark", 0, marks.axis_labels(axis)),
        *(Column(say(TITLES[what]), "number", 10) for what in _REST),
    ]
    return Table(
        say(
            "What the answer loses as words leave, over all documents: much by a good ranking, little by a random one."
        ),
        tuple(columns),
        tuple(_losses(one, axis) for one in analysis.explainers),
    )


def _losses(one: ExplainerFindings, axis: marks.Axis) -> tuple[str, ...]:
    first = one.comprehensiveness
    rest = [getattr(one, what) for what in _REST]
    cells = ["" if number is None else formats.value(number) for number in rest]
    return attained.name(one), formats.value(first), marks.number_mark(axis, first), *cells


def _agreement_table(analysis: FaithfulnessFindings) -> Table:
    """Every two methods, beside what two random orders share."""
    columns = (
        Column(say("Methods")),
        Column(say("Documents"), "number", 10),
        *(Column(say(title), "number", 11) for title in AGREEMENT_TITLES.values()),
    )
    rows = tuple(
        (
            say("{one} and {other}", one=sentences.probe(pair.one), other=sentences.probe(pair.other)),
            formats.count(pair.n_documents),
            *("" if n is None else formats.value(n) for n in (getattr(pair, key) for key in AGREEMENT_TITLES)),
        )
        for pair in analysis.agreements
    )
    caption = say("Whether two methods say the same of a document, on average; by chance: of two random orders.")
    return Table(caption, columns, rows)


def _ends(number: Number) -> list[float]:
    return [x for x in (number.low, number.value, number.high) if x is not None]


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Trust in explanations"),
    compose=compose,
    methods=(Method(N_("Comprehensiveness and sufficiency"), _LETTERS, "sections/formulas/faithfulness.html.j2"),),
    parameters={
        "n_random": N_("random sets of a fifth of the segments, for comparison"),
        "bounded_share": N_("share of the documents for which the best and the worst ranking are sought"),
        "beam": N_("sets of one size that are extended in that search"),
    },
    answers={"explanations": ()},
)
