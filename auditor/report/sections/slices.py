"""Is the model worse for some kind of document?"""

from auditor.findings.types import Number, SliceRow
from auditor.report import formats, marks
from auditor.report.sections.contract import Column, Section, Sources, Table

MOST_NUMBERS = 4
_FALSE_ALARMS = 0.05


def compose(sources: Sources) -> Section:
    """The section on slices."""
    findings = sources.findings
    by_column: dict[str, list[SliceRow]] = {}
    for row in findings.slices:
        by_column.setdefault(row.column, []).append(row)
    expected = formats.decimal(findings.n_comparisons * _FALSE_ALARMS, 1)
    alarms = (
        f"{formats.plural(findings.n_comparisons, 'comparison')} were made without correction: about {expected} "
        "would look different by chance alone. "
    )
    return Section(
        id="slices",
        title="Slices",
        question="Is the model worse for some kind of document?",
        answer=_answer(sources),
        method=(
            "Documents are grouped by the columns of the corpus; each number is computed within its group as for the "
            "whole. The line across a row is the 95% interval, the dashed line the value for all documents."
        ),
        limits=(alarms if findings.n_comparisons else "")
        + "Groups with fewer than 30 documents are listed, not judged.",
        template="sections/slices.html.j2",
        content={"tables": [_table(sources, column, rows) for column, rows in by_column.items()]},
    )


def _base(number: Number) -> str:
    return number.name.split("{")[0]


def _answer(sources: Sources) -> str:
    judged = [(row, row.numbers[0]) for row in sources.findings.slices if row.judged and row.numbers]
    measured = [(number.value, row) for row, number in judged if number.value is not None]
    if len(measured) < 2:
        return "There are too few groups with enough documents to compare."
    name = _base(judged[0][1])
    measured = [(value, row) for value, row in measured if _base(row.numbers[0]) == name]
    (low, worst), (high, best) = min(measured, key=lambda m: m[0]), max(measured, key=lambda m: m[0])
    unit = judged[0][1].unit
    return (
        f"{_title(sources, name)} ranges from {formats.quantity(low, unit)} ({worst.column} {worst.value}) to "
        f"{formats.quantity(high, unit)} ({best.column} {best.value}) among the groups with enough documents."
    )


def _title(sources: Sources, name: str) -> str:
    return sources.numbers[name].title if name in sources.numbers else name


def _names(rows: list[SliceRow]) -> list[str]:
    return list(dict.fromkeys(_base(number) for row in rows for number in row.numbers))[:MOST_NUMBERS]


def _table(sources: Sources, column: str, rows: list[SliceRow]) -> Table:
    names = _names(rows)
    axes = [_axis(sources, name, rows) for name in names[:2]]
    columns = [Column(column, "corpus", 14), Column("n", "number", 6)]
    for place, name in enumerate(names):
        columns.append(Column(_title(sources, name), "number", 10 if place < 2 else 16))
        if place < 2:
            columns.append(Column("", "mark", 0, marks.axis_labels(axes[place])))
    muted = frozenset(i for i, row in enumerate(rows) if not row.judged)
    note = " Grey rows have too few documents to be judged." if muted else ""
    caption = f"By {column}: the line is the 95% interval.{note}"
    return Table(caption, tuple(columns), tuple(_row(row, names, axes) for row in rows), muted)


def _axis(sources: Sources, name: str, rows: list[SliceRow]) -> marks.Axis:
    numbers = [n for row in rows for n in row.numbers if _base(n) == name]
    whole = sources.numbers.get(name)
    values = [x for n in [*numbers, *([whole] if whole else [])] for x in (n.low, n.value, n.high) if x is not None]
    axis = marks.shared_axis(values, width=84, unit=numbers[0].unit)
    return marks.with_reference(axis, whole.value) if whole and whole.value is not None else axis


def _row(row: SliceRow, names: list[str], axes: list[marks.Axis]) -> tuple[str, ...]:
    numbers = {_base(number): number for number in row.numbers}
    cells = [formats.middle(row.value, 60), formats.count(row.n)]
    for place, name in enumerate(names):
        number = numbers.get(name)
        if place < 2:
            cells.append(formats.value(number) if number else formats.NOTHING)
            tone = "pass" if row.judged else "not judged"
            cells.append(marks.number_mark(axes[place], number, tone) if number else "")
        else:
            cells.append(_with_interval(number))
    return tuple(cells)


def _with_interval(number: Number | None) -> str:
    if number is None or number.value is None:
        return formats.NOTHING
    return f"{formats.value(number)} ({formats.interval(number)})"
