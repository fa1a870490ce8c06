"""Does the model answer right, and does it know when it does not?"""

from dataclasses import dataclass

from auditor.findings.types import ClassScores, Example, Number, PredictionFindings
from auditor.records.types import Failure, Prediction
from auditor.report import figures, formats, marks
from auditor.report.sections.contract import (
    Column,
    Section,
    Sources,
    Table,
    known,
    numbers_table,
    rule_of,
    with_interval,
)

MOST_CONFUSED = 12
"""Labels of a confusion matrix that fits the page; above, the most frequent confusions are listed."""
_LISTED_CONFUSIONS = 15
_SHOWN_CONTINUATIONS = 5
_NUMBERS = ("accuracy", "exact_match", "macro_f1", "calibration_error", "mean_entropy", "generation.mean_logprob")


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One row of the confusion matrix."""

    label: str
    cells: tuple[tuple[str, str], ...]
    """Count and CSS class of the shade, by predicted label."""
    total: str


def compose(sources: Sources) -> Section:
    """The section on predictions."""
    found = _found(sources)
    return Section(
        id="predictions",
        title="Predictions",
        question=_question(found),
        answer=_answer(sources, found),
        method=_method(found),
        limits=_limits(found),
        template="sections/predictions.html.j2",
        content={
            "numbers": numbers_table("The numbers behind the answer.", _numbers(sources, found)),
            "classes": _class_table(found) if found.classes else None,
            "confusion": _confusion(found) if found.confusion and len(found.labels) <= MOST_CONFUSED else None,
            "confusion_labels": [formats.middle(label, 24) for label in found.labels],
            "confusion_caption": _confusion_caption(found) if found.confusion else "",
            "confused": _confused(found) if found.confusion and len(found.labels) > MOST_CONFUSED else None,
            "calibration": _calibration_table(found) if _is_calibrated(found) else None,
            "calibration_figure": figures.draw_calibration(found.calibration) if _is_calibrated(found) else None,
            "predicted": _predicted_table(found) if not found.classes and not found.continuations else None,
            "errors": _examples(sources, found.confident_errors, "Confident errors") or None,
            "uncertain": _examples(sources, _uncertain(sources, found), _uncertain_title(found)) or None,
        },
    )


def _found(sources: Sources) -> PredictionFindings:
    if sources.findings.predictions is None:
        raise ValueError("the run has no findings on predictions")
    return sources.findings.predictions


def _numbers(sources: Sources, found: PredictionFindings) -> list[Number]:
    numbers = sources.named(*_NUMBERS)
    if found.mean_entropy and found.mean_entropy.name not in sources.numbers:
        numbers.append(found.mean_entropy)
    return numbers


def _is_calibrated(found: PredictionFindings) -> bool:
    return any(b.n and b.accuracy.value is not None for b in found.calibration)


def _question(found: PredictionFindings) -> str:
    if found.continuations:
        return "What does the model write, and how sure is it of its own words?"
    return "Does the model answer right, and does it know when it does not?"


def _answer(sources: Sources, found: PredictionFindings) -> str:
    if found.continuations:
        return _continuation_answer(sources, found)
    accuracy = next(iter(sources.named("accuracy", "exact_match")), None)
    if not found.n_labelled or accuracy is None or accuracy.value is None:
        return f"The corpus has no labels, so answers are described, not judged: {_favourite(found)}."
    what = "Exact-match accuracy" if found.multi_label else "Accuracy"
    weakest = _weakest(found.classes)
    tail = f"; the weakest label is “{weakest.label}”, with F1 {with_interval(weakest.f1)}" if weakest else ""
    labelled = formats.plural(found.n_labelled, "labelled document")
    return f"{what} is {with_interval(accuracy)} over {labelled}{tail}.{_calibration_sentence(sources)}"


def _calibration_sentence(sources: Sources) -> str:
    error = sources.numbers.get("calibration_error")
    if error is None or error.value is None:
        return ""
    return f" Stated probabilities are off by {with_interval(error)} on average."


def _continuation_answer(sources: Sources, found: PredictionFindings) -> str:
    number = sources.numbers.get("generation.mean_logprob")
    if number is None or number.value is None:
        return f"The model continued {formats.plural(found.n_documents, 'document')} greedily."
    return (
        f"Greedy continuations of {formats.plural(found.n_documents, 'document')} have a mean log-probability of "
        f"{with_interval(number)} per token."
    )


def _favourite(found: PredictionFindings) -> str:
    if not found.predicted_counts:
        return f"{formats.plural(found.n_documents, 'document')} were answered"
    label, n = max(found.predicted_counts.items(), key=lambda item: item[1])
    return f"“{label}” is predicted for {formats.count(n)} of {formats.plural(found.n_documents, 'document')}"


def _weakest(classes: tuple[ClassScores, ...]) -> ClassScores | None:
    scored = [c for c in classes if c.support and c.f1.value is not None]
    return min(scored, key=lambda c: c.f1.value or 0.0) if len(scored) > 1 else None


def _method(found: PredictionFindings) -> str:
    if found.continuations:
        return (
            "Each document is continued greedily, without sampling. The log-probability of the tokens written is "
            "averaged per document, in nats."
        )
    decision = (
        "Probabilities are the sigmoid of each logit; labels with at least one half are predicted."
        if found.multi_label
        else "Probabilities are the softmax of the logits, or normalised among candidates; the largest is predicted."
    )
    return f"{decision} Proportions have Wilson intervals, F1 and calibration error bootstrap intervals over documents."


def _limits(found: PredictionFindings) -> str:
    if found.continuations:
        return "A likely continuation need not be a true or a useful one; nothing here judges what was written."
    if not found.n_labelled:
        return "Without labels nothing can be said about whether the answers are right."
    return (
        "The labels are taken as true. Numbers hold for documents like these; slices with few documents are uncertain, "
        "and calibration is estimated within bins."
    )


def _class_table(found: PredictionFindings) -> Table:
    scores = list(found.classes)
    many = len(scores) > MOST_CONFUSED
    if many:
        scores.sort(key=lambda c: (c.f1.value is None, c.f1.value or 0.0))
    axis = marks.Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), 86, "share")
    order = " Weakest F1 first." if many else ""
    caption = (
        "Scores of each label. Lines are 95% intervals on one axis from 0 to 1, the tick across is the value." + order
    )
    columns = [Column("Label", "corpus", 16), Column("Labelled", "number", 8), Column("Predicted", "number", 9)]
    for title in ("Precision", "Recall", "F1"):
        columns += [Column(title, "number", 8), Column("", "mark", 0, marks.axis_labels(axis))]
    return Table(caption, tuple(columns), tuple(_class_row(c, axis) for c in scores))


def _class_row(scores: ClassScores, axis: marks.Axis) -> tuple[str, ...]:
    cells = [formats.middle(scores.label, 60), formats.count(scores.support), formats.count(scores.predicted)]
    for number in (scores.precision, scores.recall, scores.f1):
        cells += [formats.value(number), marks.number_mark(axis, number)]
    return tuple(cells)


def _confusion(found: PredictionFindings) -> tuple[ConfusionRow, ...]:
    rows = []
    for label, counts in zip(found.labels, found.confusion, strict=True):
        total = sum(counts)
        cells = tuple((formats.count(n), f"heat-{marks.shade(n, 0, total)}") for n in counts)
        rows.append(ConfusionRow(formats.middle(label, 40), cells, formats.count(total)))
    return tuple(rows)


def _confusions(found: PredictionFindings) -> list[tuple[int, str, str, int]]:
    """(count, reference, predicted, documents with that reference), most frequent first."""
    pairs = [
        (n, found.labels[i], found.labels[j], sum(row))
        for i, row in enumerate(found.confusion)
        for j, n in enumerate(row)
        if i != j and n
    ]
    return sorted(pairs, key=lambda pair: -pair[0])


def _confusion_caption(found: PredictionFindings) -> str:
    worst = _confusions(found)
    head = "No document is confused."
    if worst:
        n, reference, predicted, total = worst[0]
        head = f"Most often “{reference}” is taken for “{predicted}”: {formats.count(n)} of {formats.count(total)}."
    return head + " Rows: the label; columns: the prediction; darker is a larger share of the row."


def _confused(found: PredictionFindings) -> Table:
    columns = (
        Column("Labelled", "corpus"),
        Column("Predicted", "corpus"),
        Column("Documents", "number", 14),
        Column("Of that label", "number", 14),
    )
    rows = tuple(
        (formats.middle(reference, 60), formats.middle(predicted, 60), formats.count(n), formats.percent(n / total))
        for n, reference, predicted, total in _confusions(found)[:_LISTED_CONFUSIONS]
    )
    caption = f"The most frequent confusions among {formats.count(len(found.labels))} labels."
    return Table(caption, columns, rows)


def _calibration_table(found: PredictionFindings) -> Table:
    columns = (
        Column("Stated", "number"),
        Column("n", "number", 14),
        Column("Mean", "number", 16),
        Column("Correct", "number", 18),
        Column("95% interval", "number", 26),
    )
    rows = tuple(
        (
            formats.span(b.low, b.high, "share", _bin_digits(found)),
            formats.count(b.n),
            formats.quantity(b.mean_probability, "share", 2),
            formats.quantity(b.accuracy.value, "share", 2),
            formats.span(b.accuracy.low, b.accuracy.high, "share", 2),
        )
        for b in found.calibration
        if b.n
    )
    return Table("Stated probability and share correct, by bin.", columns, rows)


def _bin_digits(found: PredictionFindings) -> int:
    """Decimals of the edges of bins: one for tenths, else two."""
    return 1 if all(abs(10 * b.low - round(10 * b.low)) < 1e-9 for b in found.calibration) else 2


def _predicted_table(found: PredictionFindings) -> Table:
    columns = (Column("Label", "corpus"), Column("Predicted for", "number", 18), Column("Share", "number", 14))
    total = max(1, found.n_documents)
    rows = tuple(
        (formats.middle(label, 60), formats.plural(n, "document"), formats.percent(n / total))
        for label, n in sorted(found.predicted_counts.items(), key=lambda item: -item[1])
    )
    return Table("How often each label is predicted.", columns, rows)


def _uncertain_title(found: PredictionFindings) -> str:
    return "Continuations" if found.continuations else "Least certain answers"


def _uncertain(sources: Sources, found: PredictionFindings) -> tuple[Example, ...]:
    """The least certain answers; of free continuations, where none are ranked, the first: some must be seen."""
    if found.least_certain or not found.continuations:
        return found.least_certain
    first = [document.id for document, _ in sources.evidence.measured(sources.evidence.predictions)]
    return tuple(Example(document_id=name, rule="the first of the corpus") for name in first[:_SHOWN_CONTINUATIONS])


def _examples(sources: Sources, examples: tuple[Example, ...], title: str) -> Table | None:
    rows = [row for e in known(examples, sources.evidence.predictions) if (row := _example_row(sources, e.document_id))]
    if not rows:
        return None
    if sources.findings.predictions and sources.findings.predictions.continuations:
        columns: tuple[Column, ...] = (
            Column("Document", "id", 16),
            Column("Text", "corpus"),
            Column("Continuation", "corpus", 40),
            Column("Log-prob.", "number", 10),
        )
    else:
        columns = (
            Column("Document", "id", 16),
            Column("Text", "corpus"),
            Column("Labelled", "corpus", 14),
            Column("Predicted", "corpus", 14),
            Column("Probability", "number", 10),
        )
    return Table(f"{title}. Chosen by rule: {rule_of(examples)}.", columns, tuple(rows))


def _example_row(sources: Sources, document_id: str) -> tuple[str, ...] | None:
    prediction = sources.evidence.predictions[document_id]
    document = sources.documents.get(document_id)
    if isinstance(prediction, Failure) or document is None:
        return None
    name = formats.middle(document_id, 40)
    text = formats.excerpt(document.text, 130)
    if document.pair is not None:
        text = f"{formats.excerpt(document.text, 64)} ‖ {formats.excerpt(document.pair, 64)}"
    if prediction.continuation is not None:
        return name, text, formats.excerpt(prediction.continuation, 160), _logprob(prediction)
    return (
        name,
        text,
        labels(document.labels),
        labels(prediction.predicted),
        formats.quantity(top_probability(prediction), "probability"),
    )


def _logprob(prediction: Prediction) -> str:
    return formats.quantity(prediction.mean_logprob, "log-probability")


def labels(names: tuple[str, ...]) -> str:
    """Labels in one cell; a dash where there are none."""
    return ", ".join(formats.middle(name, 40) for name in names) or formats.NOTHING


def top_probability(prediction: Prediction) -> float | None:
    """Probability of the predicted label; of several, the smallest; of none, the largest there is."""
    by_label = dict(zip(prediction.labels, prediction.probabilities, strict=True))
    chosen = [by_label[label] for label in prediction.predicted if label in by_label]
    return min(chosen) if chosen else max(prediction.probabilities, default=None)
