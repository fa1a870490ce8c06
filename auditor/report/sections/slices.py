"""Is the model worse for some kind of document?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.findings.analyses.prediction import ACCURACY
from auditor.findings.contract.numbers import as_nats, is_of_slice
from auditor.findings.contract.types import Comparison, Number, SliceRow
from auditor.findings.slicing.slices import LEAST_JUDGED, base_name
from auditor.findings.statistics.exponentials import BEYOND
from auditor.findings.wording.digits import digits_of
from auditor.findings.wording.sentences import p_value
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Column, Section, Sources, Table, with_interval
from auditor.report.drawing import formats, marks

MOST_ROWS = 24
"""Groups in one drawing, which has to fit on a page; the columns beyond it get drawings of their own."""
MOST_GROUPS = 72
"""Groups drawn at all."""
_MOST_NAMED = 3
_MOST_OTHERS = 400
_MARK_WIDTH = 68


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One group, or the whole corpus, in a panel."""

    group: str
    n: str
    value: str
    sign: str
    """Whether the group stands apart, and on which side."""
    interval: str
    difference: str
    """The corrected p of a group that stands apart; else the smallest difference that would have been found."""
    mark: str
    tone: str
    """`whole`, `apart`, `muted` where too few documents are there to judge, or empty."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One number in every group, on one axis."""

    title: str
    axis: str
    rows: tuple[PanelRow, ...]


def compose(sources: Sources) -> Section:
    """The section on slices."""
    chunks, others = _chunks(sources.findings.slices), _undrawn(sources)
    return Section(
        id="slices",
        title=say("Slices"),
        question=say("Is the model worse for some kind of document?"),
        answer=_answer(sources),
        method=say(
            "Documents are grouped by the columns of the corpus; each number is computed within its group as for the "
            "whole. A group stands apart where so many documents drawn at random from all would hardly differ as much: "
            "p < 0.05, corrected by Holm for all comparisons that were made. Proportions are compared by the exact "
            "test of Fisher, other numbers by the standard errors of their intervals."
        ),
        limits=_limits(sources),
        template="sections/slices.html.j2",
        content={
            "chunks": [_panels(sources, rows) for rows in chunks],
            "left_out": len(sources.findings.slices) - sum(map(len, chunks)),
            "others": _others(others[:_MOST_OTHERS]) if others else None,
            "others_left_out": max(0, len(others) - _MOST_OTHERS),
            "least": LEAST_JUDGED,
        },
    )


def _answer(sources: Sources) -> str:
    return paragraph([_accuracy(sources), _comparisons(sources)])


def _accuracy(sources: Sources) -> str:
    """What the question asks first: whether any group is answered worse, or better."""
    compared = [
        (row, number)
        for row in sources.findings.slices
        for number in row.numbers
        if base_name(number) == ACCURACY.name and row.comparison(number)
    ]
    whole = sources.numbers.get(ACCURACY.name)
    if not compared or whole is None:
        return ""
    apart = [(row, number) for row, number in compared if row.is_apart(number)]
    if not apart:
        return plural(
            len(compared),
            "Accuracy: the {n} group that can be judged does not stand apart; a difference of {size} would have been "
            "found in 80% of cases.",
            "Accuracy: none of the {n} groups that can be judged stands apart; a difference of {size} would have been "
            "found in 80% of cases.",
            size=_largest_hidden(compared),
        )
    apart.sort(key=lambda pair: pair[1].value or 0.0)
    named = [f"{_sign(number, whole.value)} {row.column} {row.value} {with_interval(number)}" for row, number in apart]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [plural(len(named) - _MOST_NAMED, "{n} more", "{n} more")]
    return plural(
        len(apart),
        "Accuracy: {n} of the {compared} groups that can be judged stands apart from the {whole} of all documents: "
        "{named}.",
        "Accuracy: {n} of the {compared} groups that can be judged stand apart from the {whole} of all documents: "
        "{named}.",
        compared=formats.count(len(compared)),
        whole=formats.value(whole),
        named=formats.listed(named),
    )


def _largest_hidden(compared: Sequence[tuple[SliceRow, Number]]) -> str:
    """The difference that would have been found in any of the groups."""
    made = [row.comparison(number) for row, number in compared]
    return formats.decimal(max((one.detectable or 0.0 for one in made if one), default=0.0), 2)


def _comparisons(sources: Sources) -> str:
    compared = sources.findings.n_comparisons
    if not compared:
        return say("There are too few groups with enough documents to compare.")
    apart = _apart(sources)
    if not apart:
        return plural(
            compared,
            "The one comparison that could be made sets no group apart from the whole corpus.",
            "None of {n} comparisons sets a group apart from the whole corpus.",
        )
    named = [say("{number} {value}", number=n.title, value=with_interval(n)) for n in apart[:_MOST_NAMED]]
    if len(apart) > _MOST_NAMED:
        named.append(plural(len(apart) - _MOST_NAMED, "{n} more", "{n} more"))
    return plural(
        len(apart),
        "{n} of {compared} comparisons sets a group apart from the whole corpus, corrected for how many there are: "
        "{named}.",
        "{n} of {compared} comparisons set a group apart from the whole corpus, corrected for how many there are: "
        "{named}.",
        compared=formats.count(compared),
        named=formats.listed(named),
    )


def _limits(sources: Sources) -> str:
    small = plural(
        LEAST_JUDGED,
        "Groups and numbers with fewer than {n} document are listed, not judged.",
        "Groups and numbers with fewer than {n} documents are listed, not judged.",
    )
    n = sources.findings.n_comparisons
    if not n:
        return small
    return plural(
        n,
        "{n} comparison was made: where nothing differs, it sets a group apart in one report of twenty at most. No "
        "difference found is not no difference. {small}",
        "{n} comparisons were made and corrected for: where nothing differs, any of them sets a group apart in one "
        "report of twenty at most. No difference found is not no difference. {small}",
        small=small,
    )


def _apart(sources: Sources) -> list[Number]:
    """The numbers of groups that stand apart, the farthest first beside the width of its interval."""
    rows = sources.findings.slices
    known = (number for row in rows for number in row.numbers if row.is_apart(number))
    apart = [number for number in known if base_name(number) in sources.numbers]
    return sorted(apart, key=lambda number: -_distance(number, sources.numbers[base_name(number)]))


def _distance(number: Number, whole: Number) -> float:
    """From the value of all documents, in half-widths of the group's interval."""
    part, value = number.compared, whole.compared.value
    if part.value is None or part.low is None or part.high is None or value is None:
        return 0.0
    half = (part.high - part.low) / 2
    return abs(part.value - value) / half if half else math.inf


def _chunks(rows: Sequence[SliceRow]) -> list[list[SliceRow]]:
    """The rows in runs of whole columns, as many as one drawing holds; a longer column is cut."""
    chunks: list[list[SliceRow]] = []
    by_column: dict[str, list[SliceRow]] = {}
    for row in rows[:MOST_GROUPS]:
        by_column.setdefault(row.column, []).append(row)
    for of_column in by_column.values():
        if chunks and len(chunks[-1]) + len(of_column) <= MOST_ROWS:
            chunks[-1] += of_column
        else:
            chunks += (of_column[i : i + MOST_ROWS] for i in range(0, len(of_column), MOST_ROWS))
    return chunks


def _panels(sources: Sources, rows: Sequence[SliceRow]) -> list[Panel]:
    names = dict.fromkeys(base_name(number) for row in rows for number in row.numbers)
    return [_panel(sources, name, rows) for name in names]


def _panel(sources: Sources, name: str, rows: Sequence[SliceRow]) -> Panel:
    whole = sources.numbers.get(name)
    axis = _axis(sources, name)
    drawn = [_row(row, number, axis) for row in rows for number in row.numbers if base_name(number) == name]
    if whole is not None:
        drawn.insert(0, _whole_row(_on(axis, whole), axis))
    title = whole.title if whole else name
    title = say("{number}, nats", number=title) if axis.unit == "nats" else title
    return Panel(title, marks.axis_labels(axis), tuple(drawn))


def _axis(sources: Sources, name: str) -> marks.Axis:
    """One axis for a number wherever it is drawn."""
    whole = sources.numbers.get(name)
    of_parts = [n for row in sources.findings.slices for n in row.numbers if base_name(n) == name]
    numbers = [*of_parts, *([whole] if whole else [])]
    if any(number.is_beyond for number in numbers):
        numbers = list(map(as_nats, numbers))
    values = [x for n in numbers for x in (n.low, n.value, n.high) if x is not None]
    axis = marks.shared_axis(values, width=_MARK_WIDTH, unit=numbers[0].unit)
    middle = numbers[-1].value if whole else None
    return axis if middle is None else marks.with_reference(axis, middle)


def _on(axis: marks.Axis, number: Number) -> Number:
    """A number in the unit of its axis: perplexities of which one is beyond what can be written are all in nats."""
    return as_nats(number) if axis.unit == "nats" else number


def _whole_row(whole: Number, axis: marks.Axis) -> PanelRow:
    mark = marks.number_mark(axis, whole, height=16)
    cells = (formats.count(whole.n), _value(whole), "", formats.interval(whole), "", mark)
    return PanelRow(say("All documents"), *cells, "whole")


def _row(row: SliceRow, number: Number, axis: marks.Axis) -> PanelRow:
    made, apart = row.comparison(number), row.is_apart(number)
    number = _on(axis, number)
    mark = marks.number_mark(axis, number, "watch" if apart else "pass" if made else "not judged", height=16)
    return PanelRow(
        group=formats.middle(f"{row.column} {row.value}", 26),
        n=formats.count(number.n),
        value=_value(number),
        sign=_sign(number, axis.reference) if apart else "",
        interval=formats.interval(number),
        difference=_difference(number, made),
        mark=mark,
        tone="apart" if apart else "" if made else "muted",
    )


def _difference(number: Number, made: Comparison | None) -> str:
    if made is None:
        return ""
    if made.stands_apart:
        return say("p {value}", value=p_value(made.p))
    if made.detectable is None:
        return say("none")
    if number.unit == "perplexity":
        return say("< ×{factor}", factor=formats.decimal(math.exp(min(made.detectable, BEYOND)), 2))
    size = formats.quantity(made.detectable, number.unit, digits_of(number), suffix=False)
    return say("< {size}", size=size)


def _value(number: Number) -> str:
    """Without its unit, which the title of the panel has."""
    return formats.quantity(number.value, number.unit, digits_of(number), suffix=False)


def _sign(number: Number, whole: float | None) -> str:
    return "▲" if (number.value or 0.0) > (whole or 0.0) else "▼"


def _undrawn(sources: Sources) -> list[Number]:
    """Every number of every group that has no panel."""
    drawn = {number.name for row in sources.findings.slices for number in row.numbers}
    return [n for name, n in sources.numbers.items() if is_of_slice(name) and name not in drawn and n.is_measured]


def _others(numbers: Sequence[Number]) -> Table:
    rows = tuple((n.title, formats.value(n), formats.interval(n), formats.count(n.n)) for n in numbers)
    columns = (
        Column(say("Measure, group"), "corpus", 40),
        Column(say("Value"), "number"),
        Column(say("95% interval"), "number"),
        Column("n", "number", 10),
    )
    return Table(say("The other numbers of each group."), columns, rows, paper_rows=_MOST_OTHERS)
