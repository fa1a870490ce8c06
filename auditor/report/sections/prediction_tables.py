"""The tables of the section on predictions: scores of each label, confusion, calibration, predicted labels."""

from dataclasses import dataclass

from auditor.findings.analyses.prediction import PredictionFindings
from auditor.findings.analyses.scores import ClassScores
from auditor.findings.contract.types import Number
from auditor.languages import plural, say
from auditor.report.contract import Column, Table
from auditor.report.drawing import formats, marks

MOST_CONFUSED = 12
"""Labels of a confusion matrix that fits the page; above, the most frequent confusions are listed."""
_LISTED_CONFUSIONS = 15


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One row of the confusion matrix."""

    label: str
    cells: tuple[tuple[str, str], ...]
    """Count and CSS class of the shade, by predicted label."""
    total: str


def class_table(analysis: PredictionFindings) -> Table:
    """Precision, recall and F1 of each label, with their intervals on one axis."""
    scores = list(analysis.classes)
    caption = say(
        "Scores of each label over their 95% intervals. Lines are the intervals on one axis from 0 to 1, the tick "
        "across is the value."
    )
    if len(scores) > MOST_CONFUSED:
        scores.sort(key=lambda c: (c.f1.value is None, c.f1.value or 0.0))
        caption = say(
            "Scores of each label over their 95% intervals, weakest F1 first. Lines are the intervals on one axis from "
            "0 to 1, the tick across is the value."
        )
    axis = marks.Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), 60, "share")
    columns = [
        Column(say("Label"), "corpus", 16),
        Column(say("Labelled"), "number", 8),
        Column(say("Predicted"), "number", 9),
    ]
    for title in (say("Precision"), say("Recall"), "F1"):
        columns += [Column(title, "number", 12), Column("", "mark", 0, marks.axis_labels(axis))]
    return Table(caption, tuple(columns), tuple(_class_row(c, axis) for c in scores))


def _class_row(scores: ClassScores, axis: marks.Axis) -> tuple[str, ...]:
    cells = [formats.middle(scores.label, 60), formats.count(scores.support), formats.count(scores.predicted)]
    for number in (scores.precision, scores.recall, scores.f1):
        cells += [_over_interval(number), marks.number_mark(axis, number)]
    return tuple(cells)


def _over_interval(number: Number) -> str:
    """The value, and its interval on a second line where it has one."""
    value = formats.value(number)
    return value if number.low is None else f"{value}\n{formats.interval(number)}"


def confusion(analysis: PredictionFindings) -> tuple[ConfusionRow, ...]:
    """The confusion matrix, row by row, with the shade of each cell."""
    rows = []
    for label, counts in zip(analysis.labels, analysis.confusion, strict=True):
        total = sum(counts)
        cells = tuple((formats.count(n), f"heat-{marks.shade(n, 0, total)}") for n in counts)
        rows.append(ConfusionRow(formats.middle(label, 40), cells, formats.count(total)))
    return tuple(rows)


def confusions(analysis: PredictionFindings) -> list[tuple[int, str, str, int]]:
    """(count, reference, predicted, documents with that reference), most frequent first."""
    pairs = [
        (n, analysis.labels[i], analysis.labels[j], sum(row))
        for i, row in enumerate(analysis.confusion)
        for j, n in enumerate(row)
        if i != j and n
    ]
    return sorted(pairs, key=lambda pair: -pair[0])


def confusion_caption(analysis: PredictionFindings) -> str:
    """What is confused most often, and how to read the matrix."""
    worst = confusions(analysis)
    if not worst:
        return say(
            "No document is confused. Rows: the label; columns: the prediction; a stronger shade is a larger share of "
            "the row."
        )
    n, reference, predicted, total = worst[0]
    return say(
        "Most often “{reference}” is taken for “{predicted}”: {n} of {total}. Rows: the label; columns: the "
        "prediction; a stronger shade is a larger share of the row.",
        reference=reference,
        predicted=predicted,
        n=formats.count(n),
        total=formats.count(total),
    )


def confused(analysis: PredictionFindings) -> Table:
    """The most frequent confusions, where a matrix would have too many labels."""
    columns = (
        Column(say("Labelled"), "corpus"),
        Column(say("Predicted"), "corpus"),
        Column(say("Documents"), "number", 14),
        Column(say("Of that label"), "number", 14),
    )
    rows = tuple(
        (formats.middle(reference, 60), formats.middle(predicted, 60), formats.count(n), formats.percent(n / total))
        for n, reference, predicted, total in confusions(analysis)[:_LISTED_CONFUSIONS]
    )
    caption = say("The most frequent confusions among {n} labels.", n=formats.count(len(analysis.labels)))
    return Table(caption, columns, rows)


def calibration_table(analysis: PredictionFindings) -> Table:
    """Stated probability beside the share that came true, bin by bin."""
    columns = (
        Column(say("Stated"), "number"),
        Column("n", "number", 14),
        Column(say("Mean"), "number", 16),
        Column(say("Correct"), "number", 18),
        Column(say("95% interval"), "number", 26),
    )
    rows = tuple(
        (
            formats.span(b.low, b.high, "share", _bin_digits(analysis)),
            formats.count(b.n),
            formats.quantity(b.mean_probability, "share", 2),
            formats.quantity(b.accuracy.value, "share", 2),
            formats.span(b.accuracy.low, b.accuracy.high, "share", 2),
        )
        for b in analysis.calibration
        if b.n
    )
    return Table(say("Stated probability and share correct, by bin."), columns, rows)


def _bin_digits(analysis: PredictionFindings) -> int:
    """Decimals of the edges of bins: one for tenths, else two."""
    return 1 if all(abs(10 * b.low - round(10 * b.low)) < 1e-9 for b in analysis.calibration) else 2


def predicted_table(analysis: PredictionFindings) -> Table:
    """How often each label is predicted, the most frequent first."""
    columns = (
        Column(say("Label"), "corpus"),
        Column(say("Predicted for"), "number", 18),
        Column(say("Share"), "number", 14),
    )
    total = max(1, analysis.n_documents)
    rows = tuple(
        (formats.middle(label, 60), plural(n, "{n} document", "{n} documents"), formats.percent(n / total))
        for label, n in sorted(analysis.predicted_counts.items(), key=lambda item: -item[1])
    )
    return Table(say("How often each label is predicted."), columns, rows)
