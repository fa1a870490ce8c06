"""What changed between two runs: numbers, answers, explanations, and which documents both have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from auditor.findings.comparing.nights import Night
from auditor.findings.comparing.types import Circumstance, Difference, HeadChanges, Movement, RunComparison
from auditor.findings.comparing.wording import shown
from auditor.findings.wording.sentences import listing, p_value, probe
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, shortest
from auditor.report.contract import Column, Section, Table
from auditor.report.drawing import formats, marks
from auditor.report.sections import changed_answers, changed_explanations

_MARK_WIDTH = 80
_TONES = {"worse": "fail", "better": "pass", "changed": "watch", "small": "unclear", "none": "unclear"}
_RESULTS = {
    "worse": ("fail", N_("✗ worse")),
    "better": ("pass", N_("✓ better")),
    "changed": ("watch", N_("▲ changed")),
    "small": ("not-judged", N_("– below floor")),
    "none": ("not-judged", N_("– none found")),
}
"""Change → CSS class and sign with word."""
QUESTION = N_("Is any number worse than before, by more than chance?")
LIMITS = N_("No change found is not no change: the column of detectable differences says what could be seen.")
_ROLES = {"refusal": N_("Refused"), "caution": N_("Caution"), "cause": N_("Possible cause")}
_MOST_MOVED = 5
_MOST_NAMED = 40
_EXCERPT = 90


def compose(comparison: RunComparison, before: Night, after: Night) -> list[Section]:
    """The sections of a comparison; those with nothing to say are left out.

    Args:
        comparison: What changed.
        before: The earlier run.
        after: The later one.
    """
    sections = [_numbers(comparison)]
    if comparison.flips is not None:
        sections.append(changed_answers.compose(comparison.flips, before, after))
    if comparison.drifts:
        sections.append(changed_explanations.compose(comparison.drifts, before, after))
    if comparison.heads:
        sections.append(_heads(comparison.heads))
    if any(movement.documents for movement in comparison.movements):
        sections.append(_movements(comparison.movements, after))
    sections.append(_documents(comparison))
    return sections


def circumstances(comparison: RunComparison, most: int | None = None) -> Table:
    """What the plans say differently, so many of them on paper; refusals first."""
    columns = (
        Column(say("Role"), width=14),
        Column(say("What differs"), width=20),
        Column(say("Before"), "id", 18),
        Column(say("After"), "id", 18),
        Column(say("What follows")),
    )
    caption = say(
        "What the plans of the two runs say differently. A refusal forbids the comparison of some numbers, a caution "
        "weakens it; a cause may explain a change."
    )
    rows = tuple(map(_circumstance, comparison.circumstances))
    return Table(caption, columns, rows, paper_rows=most or len(rows), kept_in="comparison")


def shortened(table: Table, most: int) -> Table:
    """The table with no more rows than that on paper."""
    return replace(table, paper_rows=min(most, table.paper_rows), kept_in="comparison")


def _circumstance(one: Circumstance) -> tuple[str, ...]:
    sides = (formats.middle(one.before, 30), formats.middle(one.after, 30))
    return say(_ROLES[one.role]), one.title, *sides, one.text or formats.NOTHING


def _numbers(comparison: RunComparison) -> Section:
    return Section(
        id="numbers",
        title=say("Numbers"),
        question=say(QUESTION),
        answer=say("{sentence}.", sentence=comparison.headline),
        method=method(comparison),
        limits=say(LIMITS),
        template="sections/tables.html.j2",
        content={"tables": [(table, "compact") for table in numbers_tables(comparison)]},
    )


def method(comparison: RunComparison) -> str:
    """How numbers are compared."""
    return say(
        "The same documents of both runs are compared. Intervals resample documents with both of their measurements; p "
        "exchanges the two measurements of documents at random. p-values are corrected by Holm; more than chance is "
        "p < {alpha}, and an alarm needs a difference of at least the floor of its unit too.",
        alpha=shortest(comparison.alpha),
    )


def numbers_tables(comparison: RunComparison) -> list[Table]:
    """The numbers that are judged, then the others where there are some."""
    judged = [one for one in comparison.numbers if one.judged or one.declared]
    others = [one for one in comparison.numbers if not (one.judged or one.declared)]
    first = say(
        "The numbers that are judged. Difference: after less before, of a perplexity a factor; line: its 95% interval, "
        "each row on its own scale, the upright line at no difference. p is corrected. Detectable: the smallest "
        "difference that would have been found in 80% of cases."
    )
    second = say("Other numbers that were compared; no result depends on them, and p is corrected for all.")
    return [_table(first, judged), *([_table(second, others)] if others else [])]


def _table(caption: str, numbers: Sequence[Difference]) -> Table:
    columns = (
        Column(say("Measure"), width=18),
        Column(say("Before → after"), "number", 14),
        Column(say("Difference"), "number", 9),
        Column(say("95% interval"), "number", 14),
        Column(say("Interval"), "mark", 12),
        Column("p", "number", 7),
        Column(say("Detectable"), "number", 9),
        Column("n", "number", 6),
        Column(say("Change")),
    )
    return Table(caption, columns, tuple(map(_row, numbers)), paper_rows=len(numbers))


def _row(one: Difference) -> tuple[str, ...]:
    figures = shown(one)
    if one.difference is None:
        return one.title, say("Not compared: {reason}", reason=one.reason)
    tone, word = _RESULTS[one.change]
    result = Markup('<span class="result {}">{}</span>').format(tone, say(word))
    sides = say("{before} → {after}", before=figures.before, after=figures.after)
    values = (sides, figures.difference, figures.interval, _mark(one), figures.p, figures.detectable)
    return one.title, *values, formats.count(one.n), result


def _mark(one: Difference) -> str:
    if one.low is None or one.high is None:
        return ""
    axis = marks.shared_axis([one.low, one.high, 0.0], zero=True, width=_MARK_WIDTH)
    title = say("{number}: difference {interval}", number=one.title, interval=shown(one).interval)
    return marks.interval(axis, one.low, one.difference, one.high, tone=_TONES[one.change], title=title, height=16)


def _heads(changes: Sequence[HeadChanges]) -> Section:
    first = changes[0]
    return Section(
        id="heads",
        title=say("Attention heads"),
        question=say("Does the model attend differently?"),
        answer=plural(
            first.n_heads,
            "{changed} of {n} head changed its mean entropy by at least {floor} nats.",
            "{changed} of {n} heads changed their mean entropy by at least {floor} nats.",
            changed=formats.count(first.n_changed),
            floor=shortest(first.floor),
        ),
        method=say(
            "Mean entropy of the attention of every head over the documents of both runs; paired t-tests, corrected by "
            "Holm for all heads, p < 0.01."
        ),
        limits=say("Attention is not an explanation: a head may change without any answer changing."),
        template="sections/tables.html.j2",
        content={"tables": [(changed_heads(one), "compact") for one in changes if one.heads]},
    )


def changed_heads(changes: HeadChanges) -> Table:
    """The heads of a probe that changed."""
    columns = (
        Column(say("Layer"), "number", 12),
        Column(say("Head"), "number", 12),
        Column(say("Before"), "number", 20),
        Column(say("After"), "number", 20),
        Column("p", "number"),
    )
    rows = tuple(
        (str(h.layer), str(h.head), *(formats.quantity(x, "nats") for x in (h.before, h.after)), p_value(h.corrected_p))
        for h in changes.heads
    )
    caption = say("Heads whose mean entropy changed, the largest change first; layers and heads from 0.")
    return Table(caption, columns, rows, kept_in="comparison")


def _movements(movements: Sequence[Movement], after: Night) -> Section:
    texts = {document.id: document.text for document in after.evidence.documents}
    moved = [movement for movement in movements if movement.documents]
    first = moved[0]
    return Section(
        id="movements",
        title=say("Documents that moved"),
        question=say("Which documents changed most?"),
        answer=plural(
            first.n,
            "{title}: {moved} of {n} document moved.",
            "{title}: {moved} of {n} documents moved.",
            title=_title(first),
            moved=formats.count(first.n_moved),
        ),
        method=say("Columns of the table of documents, before and after; the largest difference first."),
        limits=say("These documents were chosen for their difference: they say nothing about the others."),
        template="sections/tables.html.j2",
        content={"tables": [(_moved(movement, texts), "compact") for movement in moved]},
    )


def _title(movement: Movement) -> str:
    return say("{title} ({probe})", title=movement.title, probe=probe(movement.probe))


def _moved(movement: Movement, texts: Mapping[str, str]) -> Table:
    columns = (
        Column(say("Document"), "id", 18),
        Column(say("Text"), "corpus"),
        Column(say("Before"), "number", 14),
        Column(say("After"), "number", 14),
    )
    caption = plural(
        movement.n_moved,
        "{title}: the only document that moved.",
        "{title}: the largest of {n} differences.",
        title=_title(movement),
    )
    rows = tuple(
        (
            formats.middle(one.document_id, 40),
            formats.excerpt(texts[one.document_id], _EXCERPT),
            _value(movement, one.before),
            _value(movement, one.after),
        )
        for one in movement.documents
    )
    return Table(caption, columns, rows[:_MOST_MOVED], paper_rows=_MOST_MOVED)


def _value(movement: Movement, value: float) -> str:
    return formats.perplexity(value) if movement.unit == "perplexity" else formats.quantity(value, movement.unit)


def _documents(comparison: RunComparison) -> Section:
    changes = comparison.documents
    renamed = plural(changes.n_renamed, "{n} of them has another id.", "{n} of them have another id.")
    return Section(
        id="documents",
        title=say("Documents of both runs"),
        question=say("Do both runs have the same documents?"),
        answer=paragraph(
            [
                plural(changes.n_paired, "{n} document is in both runs.", "{n} documents are in both runs."),
                renamed if changes.n_renamed else "",
            ]
        ),
        method=say("Documents are paired by id and by the SHA-256 of text and reference; else by the latter alone."),
        limits=say("Documents that only one run has, or that changed, are in no comparison."),
        template="sections/tables.html.j2",
        content={"tables": [(documents_table(comparison), "compact")]},
    )


def documents_table(comparison: RunComparison) -> Table:
    """The documents that are in no comparison."""
    changes = comparison.documents
    kinds = (
        (say("Added"), changes.added),
        (say("Removed"), changes.removed),
        (say("Changed text or reference"), changes.changed),
    )
    rows = tuple((title, formats.count(len(ids)), _named(ids)) for title, ids in kinds)
    columns = (Column(say("Documents"), width=24), Column("n", "number", 8), Column(say("Ids"), "id"))
    return Table(say("Documents that are not compared."), columns, rows)


def _named(ids: Sequence[str]) -> str:
    return listing([formats.middle(name, 40) for name in ids], most=_MOST_NAMED) if ids else formats.NOTHING
