"""Which words carry the prediction, and is the explanation to be believed?"""

from dataclasses import dataclass

from auditor.findings.types import Example, ExplanationFindings, GlobalWord
from auditor.records.types import Document, Explanation, Failure, Prediction, Target
from auditor.report import formats, highlights, marks
from auditor.report.sections import predictions
from auditor.report.sections.contract import Column, Section, Sources, Table, known, numbers_table, with_interval

MOST_WEIGHTS = 6
"""Weights listed beside one text."""
_NUMBERS = ("lime.fidelity", "lime.low_fidelity_share", "lime.clear_share", "attention.agreement")
_WORDS_ON_PAPER = 30
_MOST_WORDS = 90
"""Words beside a table of weights; the column is narrow."""


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One line of the table beside a text."""

    word: str
    mark: str
    weight: str
    clear: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One explained document."""

    document_id: str
    rule: str
    facts: str
    """Predicted, labelled, fidelity."""
    made: str
    """How it was computed."""
    target: str
    continuation: str | None
    passages: tuple[highlights.Passage, ...]
    weights: tuple[WeightRow, ...]
    more: int
    """Segments not listed."""


def compose(sources: Sources) -> Section:
    """The section on LIME."""
    found = sources.findings.explanations
    if found is None:
        raise ValueError("the run has no findings on explanations")
    shown = _shown(sources, found)
    delta = highlights.step_size(explanation.targets[0] for _, _, explanation in shown)
    axis = _weight_axis([explanation.targets[0] for _, _, explanation in shown])
    digits = highlights.digits_of(delta)
    return Section(
        id="lime",
        title="Token explanations",
        question="Which words carry the prediction, and is the explanation to be believed?",
        answer=_answer(found),
        method=_method(found),
        limits=_limits(found),
        template="sections/lime.html.j2",
        content={
            "numbers": numbers_table("The numbers behind the answer.", sources.named(*_NUMBERS)),
            "steps": [formats.decimal(delta * i, digits) for i in range(1, highlights.STEPS)],
            "unit": found.unit,
            "axis": marks.axis_labels(axis),
            "cards": [_card(sources, *one, axis, delta) for one in shown],
            "words": _word_table(found) if found.global_words else None,
        },
    )


def _shown(sources: Sources, found: ExplanationFindings) -> list[tuple[Example, Document, Explanation]]:
    shown = []
    for example in known(found.examples, sources.evidence.explanations):
        explanation = sources.evidence.explanations[example.document_id]
        document = sources.documents.get(example.document_id)
        if document is not None and not isinstance(explanation, Failure) and explanation.targets:
            shown.append((example, document, explanation))
    return shown


def _answer(found: ExplanationFindings) -> str:
    fidelity = with_interval(found.fidelity)
    sentence = f"LIME’s linear surrogate reproduces the model near a document with a mean R² of {fidelity}"
    if found.clear_share.value is not None:
        sentence += f"; in {formats.percent(found.clear_share.value)} of documents at least one word has a clear weight"
    return sentence + "." + _low_fidelity(found)


def _low_fidelity(found: ExplanationFindings) -> str:
    share = found.low_fidelity_share
    if not share.value:
        return ""
    return f" In {formats.percent(share.value, 1)} of documents R² is below 0.5: their weights should not be cited."


def _method(found: ExplanationFindings) -> str:
    segmented = formats.listed(f"{name} ({formats.plural(n, 'document')})" for name, n in found.segmenters.items())
    exact = ""
    if found.n_exact:
        exact = f" {formats.plural(found.n_exact, 'short document')} had all words switched on and off in every way."
    return (
        f"{_drawn(found)} variants of each document with random words removed, weighted by closeness "
        f"(kernel width {formats.decimal(found.kernel_width, 0)}); a weighted regression gives each word’s "
        f"weight and its standard error. Segments: {segmented}.{exact}{_stopping(found)}"
    )


def _drawn(found: ExplanationFindings) -> str:
    most = formats.count(found.n_samples)
    return most if found.tolerance is None else f"Up to {most}"


def _stopping(found: ExplanationFindings) -> str:
    if found.tolerance is None:
        return ""
    reached, spent = found.stopped.get("tolerance", 0), found.stopped.get("budget", 0)
    return (
        f" Drawing stopped when the widest 95 % interval was within ±{formats.percent(found.tolerance, 0)} of the "
        f"largest weight ({formats.plural(reached, 'document')}) or the budget was spent "
        f"({formats.plural(spent, 'document')}); {formats.count(found.n_evaluations)} texts were computed in all."
    )


def _limits(found: ExplanationFindings) -> str:
    unit = "log-probability" if found.unit == "log-probability" else "probability"
    return (
        f"A weight says how the {unit} changes on average when a word is taken away near this one text, not what the "
        "model does elsewhere. Removing words makes unusual texts. Where R² is low, the model is not linear there."
    )


def _weight_axis(targets: list[Target]) -> marks.Axis:
    ends: list[float] = []
    for target in targets:
        for _, weight, error in _ranked(target)[:MOST_WEIGHTS]:
            ends += [weight - highlights.half_width(error), weight + highlights.half_width(error)]
    return marks.shared_axis(ends, zero=True, width=104)


def _ranked(target: Target) -> list[tuple[int, float, float]]:
    """(segment, weight, standard error) of the segments the surrogate used, largest first, ties by place."""
    rows = [
        (i, weight, error)
        for i, (weight, error, chosen) in enumerate(
            zip(target.weights, target.standard_errors, target.selected, strict=True)
        )
        if chosen
    ]
    return sorted(rows, key=lambda row: -abs(row[1]))


def _card(
    sources: Sources, example: Example, document: Document, explanation: Explanation, axis: marks.Axis, delta: float
) -> Card:
    target = explanation.targets[0]
    prediction = sources.evidence.predictions.get(document.id)
    unit = {"characters": "character", "tokens": "token"}.get(explanation.segmenter, "word")
    painted = highlights.weight_marks(explanation.segments, target, delta)
    ranked = _ranked(target)
    listed = ranked[:MOST_WEIGHTS]
    return Card(
        document_id=formats.middle(document.id, 48),
        rule=example.rule,
        facts=_facts(document, target, explanation.unit),
        made=_made(explanation),
        target=formats.middle(target.label, 60),
        continuation=_continuation(prediction),
        passages=tuple(highlights.passages(document, painted, unit, _MOST_WORDS)),
        weights=tuple(_weight_row(explanation, *row, axis, delta) for row in listed),
        more=len(explanation.segments) - len(listed),
    )


def _continuation(prediction: Prediction | Failure | None) -> str | None:
    if prediction is None or isinstance(prediction, Failure) or prediction.continuation is None:
        return None
    return formats.excerpt(prediction.continuation, 240)


def _facts(document: Document, target: Target, unit: str) -> str:
    parts = [f"{unit} {formats.decimal(target.model_prediction, 2)}"]
    if document.labels:
        parts.append(f"labelled {predictions.labels(document.labels)}")
    return " · ".join([*parts, f"R² {formats.decimal(target.fidelity, 2)}"])


def _made(explanation: Explanation) -> str:
    if explanation.exact:
        return f"all {formats.count(explanation.n_samples)} variants, no sampling error"
    made = f"{formats.count(explanation.n_samples)} variants"
    if explanation.precision is None:
        return f"{made}, {formats.count(explanation.n_evaluations)} distinct"
    why = {"tolerance": "narrow enough", "budget": "budget spent"}[explanation.stopped]
    return f"{made}; widest interval ±{formats.percent(explanation.precision, 0)} of the largest weight: {why}"


def _weight_row(
    explanation: Explanation, place: int, weight: float, error: float, axis: marks.Axis, delta: float
) -> WeightRow:
    half = highlights.half_width(error)
    clear = bool(highlights.weight_style(weight, error, delta))
    tone = ("supports" if weight > 0 else "opposes") if clear else "unclear"
    digits = highlights.digits_of(delta)
    text = formats.decimal(weight, digits, sign=True)
    title = f"{text}, interval {formats.span(weight - half, weight + half, 'probability', digits)}"
    mark = marks.interval(axis, weight - half, weight, weight + half, tone=tone, title=title, height=17)
    return WeightRow(formats.excerpt(explanation.segments[place].text, 22), mark, text, clear)


def _word_table(found: ExplanationFindings) -> Table:
    axis = marks.shared_axis(
        [x for w in found.global_words for x in (w.mean_weight.low, w.mean_weight.high, w.mean_weight.value) if x],
        zero=True,
        unit=found.unit,
    )
    columns = (
        Column("Word", "corpus", 18),
        Column("Toward", "corpus", 14),
        Column("Documents", "number", 10),
        Column("Mean weight, 95% interval", "mark", 0, marks.axis_labels(axis)),
        Column("Mean", "number", 8),
        Column("95% interval", "number", 18),
        Column("Supports in", "number", 10),
    )
    caption = (
        f"Words that recur: {_strongest(found)}Mean over the documents that have the word, toward the predicted "
        "label; the tick across is the mean, the line its 95% interval."
    )
    return Table(caption, columns, tuple(_word_row(w, axis) for w in found.global_words), paper_rows=_WORDS_ON_PAPER)


def _strongest(found: ExplanationFindings) -> str:
    word = max(found.global_words, key=lambda w: abs(w.mean_weight.value or 0.0))
    if not word.mean_weight.value:
        return ""
    verb = "supports" if word.mean_weight.value > 0 else "opposes"
    return f"“{formats.excerpt(word.text, 30)}” {verb} “{formats.middle(word.label, 40)}” most. "


def _word_row(word: GlobalWord, axis: marks.Axis) -> tuple[str, ...]:
    number = word.mean_weight
    clear = number.low is not None and number.high is not None and (number.low > 0 or number.high < 0)
    tone = ("supports" if (number.value or 0) > 0 else "opposes") if clear else "unclear"
    return (
        formats.middle(word.text, 40),
        formats.middle(word.label, 40),
        formats.count(word.n_documents),
        marks.number_mark(axis, number, tone),
        formats.value(number),
        formats.interval(number),
        formats.percent(word.share_supporting),
    )
