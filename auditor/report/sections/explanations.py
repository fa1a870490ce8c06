"""Which words carry the prediction, and is the explanation to be believed?"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from auditor.findings.analyses.explanations import LOW_FIDELITY
from auditor.findings.types import Example, ExplanationFindings
from auditor.languages import N_, plural, say, translated
from auditor.languages.numbers import paragraph, separator, shortest
from auditor.records.types import Document, Explanation, Neighbourhood, Prediction, Target, Unmeasured
from auditor.report.drawing import formats, highlights, marks
from auditor.report.sections import recurring
from auditor.report.sections.contract import Section, Sources, known, numbers_table, with_interval

LEAST_WEIGHTS, MOST_WEIGHTS = 4, 10
"""Weights listed beside one text: as many as the lines of the text leave room for."""
_NUMBERS = ("lime.fidelity", "lime.low_fidelity_share", "lime.clear_share", "attention.agreement")
_MOST_WORDS = 90
"""Words beside a table of weights; the column is narrow."""
_COLUMNS = 54
"""Latin characters on a line of that column."""
_ROWS_PER_LINE = 1.6
SEGMENTS = {
    "words": N_("words"),
    "characters": N_("characters"),
    "sentences": N_("sentences"),
    "tokens": N_("tokens"),
    "lime": N_("words as the package lime cuts them"),
}
_ENDS = {
    "tolerance": N_("{variants}; widest interval ±{precision} of the largest weight: narrow enough"),
    "budget": N_("{variants}; widest interval ±{precision} of the largest weight: budget spent"),
}


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One line of the table beside a text."""

    word: str
    mark: Markup
    weight: str
    clear: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One explained document."""

    anchor: str
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


@dataclass(frozen=True, slots=True)
class _Scale:
    """What all cards share, so that shades and lines compare."""

    axis: marks.Axis
    delta: float
    """Width of one shade."""


def compose(sources: Sources) -> Section:
    """The section on LIME."""
    found = sources.findings.explanations
    if found is None:
        raise ValueError("the run has no findings on explanations")
    shown = _shown(sources)
    scale = _scale([explanation.targets[0] for _, _, explanation in shown])
    digits = highlights.digits_of(scale.delta)
    return Section(
        id="lime",
        title=say("Token explanations"),
        question=say("Which words carry the prediction, and is the explanation to be believed?"),
        answer=_answer(found),
        method=_method(found),
        limits=_limits(found),
        template="sections/lime.html.j2",
        content={
            "numbers": numbers_table(say("The numbers behind the answer."), sources.named(*_NUMBERS)),
            "steps": [formats.decimal(scale.delta * i, digits) for i in range(1, highlights.STEPS)],
            "unit": unit_of(found.unit),
            "separator": separator(),
            "axis": marks.axis_labels(scale.axis),
            "cards": [_card(sources, *one, scale) for one in shown],
            "words": recurring.view(sources, found) if found.global_words else None,
        },
    )


def unit_of(unit: str) -> str:
    """What the weights change, in words."""
    return say("log-probability") if unit == "log-probability" else say("probability")


def shade_width(sources: Sources) -> float:
    """The width of one shade, the same wherever the report marks words."""
    return highlights.step_size(explanation.targets[0] for _, _, explanation in _shown(sources))


def shown_ids(sources: Sources) -> frozenset[str]:
    """The documents that have a card."""
    return frozenset(document.id for _, document, _ in _shown(sources))


def anchor(sources: Sources, document_id: str) -> str:
    """Where the card of a document stands: its place in the corpus, since an id may be any text."""
    place = next(i for i, document in enumerate(sources.evidence.documents) if document.id == document_id)
    return f"lime-{place}"


def _shown(sources: Sources) -> list[tuple[Example, Document, Explanation]]:
    found, shown = sources.findings.explanations, []
    for example in known(found.examples if found else (), sources.evidence.explanations):
        explanation = sources.evidence.explanations[example.document_id]
        document = sources.documents.get(example.document_id)
        if document is not None and not isinstance(explanation, Unmeasured) and explanation.targets:
            shown.append((example, document, explanation))
    return shown


def _answer(found: ExplanationFindings) -> str:
    fidelity = with_interval(found.fidelity)
    sentences = [
        say("LIME’s linear surrogate reproduces the model near a document with a mean R² of {r2}.", r2=fidelity)
    ]
    clear, low = found.clear_share, found.low_fidelity_share
    if clear.value is not None:
        sentences.append(
            plural(
                clear.n,
                "At least one segment has a clear weight in a share of {share} of {n} explained document.",
                "At least one segment has a clear weight in a share of {share} of {n} explained documents.",
                share=with_interval(clear),
            )
        )
    if low.value:
        sentences.append(
            plural(
                low.n,
                "R² is below {limit} in a share of {share} of {n} explained document: its weights should not be cited.",
                "R² is below {limit} in a share of {share} of {n} explained documents: their weights should not be "
                "cited.",
                limit=shortest(LOW_FIDELITY),
                share=with_interval(low),
            )
        )
    return paragraph(sentences)


def _method(found: ExplanationFindings) -> str:
    return paragraph([_drawing(found), _segments(found), _enumerated(found), _stopping(found)])


def _drawing(found: ExplanationFindings) -> str:
    values = {"most": formats.count(found.n_samples), "width": shortest(found.kernel_width)}
    if found.n_exact == found.n_documents:
        return say(
            "Every document was tried with its segments switched on and off in every way, up to {most} variants, "
            "weighted by closeness (kernel width {width}); a weighted regression gives each segment’s weight, without "
            "sampling error.",
            **values,
        )
    if found.tolerance is None:
        return say(
            "{most} variants of each document with random segments removed, weighted by closeness (kernel width "
            "{width}); a weighted regression gives each segment’s weight and its standard error.",
            **values,
        )
    return say(
        "Up to {most} variants of each document with random segments removed, weighted by closeness (kernel width "
        "{width}); a weighted regression gives each segment’s weight and its standard error.",
        **values,
    )


def _segments(found: ExplanationFindings) -> str:
    parts = [
        say(
            "{segments} ({documents})",
            segments=translated(SEGMENTS.get(name, name)),
            documents=plural(n, "{n} document", "{n} documents"),
        )
        for name, n in found.segmenters.items()
    ]
    return say("Segments: {segments}.", segments=formats.listed(parts))


def _enumerated(found: ExplanationFindings) -> str:
    if not found.n_exact or found.n_exact == found.n_documents:
        return ""
    return plural(
        found.n_exact,
        "{n} short document had all segments switched on and off in every way.",
        "{n} short documents had all segments switched on and off in every way.",
    )


def _stopping(found: ExplanationFindings) -> str:
    if found.tolerance is None or found.n_exact == found.n_documents:
        return ""
    reached, spent = found.stopped.get("tolerance", 0), found.stopped.get("budget", 0)
    return say(
        "Drawing stopped when the widest 95% interval was within ±{tolerance} of the largest weight ({reached}) or the "
        "budget was spent ({spent}); {texts} were computed in all.",
        tolerance=formats.percent(found.tolerance),
        reached=plural(reached, "{n} document", "{n} documents"),
        spent=plural(spent, "{n} document", "{n} documents"),
        texts=plural(found.n_evaluations, "{n} text", "{n} texts"),
    )


def _limits(found: ExplanationFindings) -> str:
    return say(
        "A weight says how the {unit} changes on average when a segment is taken away near this one text, not what the "
        "model does elsewhere. Removing segments makes unusual texts. Where R² is low, the model is not linear there.",
        unit=unit_of(found.unit),
    )


def _scale(targets: Sequence[Target]) -> _Scale:
    ends: list[float] = []
    for target in targets:
        for _, weight, error in _ranked(target)[:MOST_WEIGHTS]:
            ends += [weight - highlights.half_width(error), weight + highlights.half_width(error)]
    return _Scale(marks.shared_axis(ends, zero=True, width=112), highlights.step_size(targets))


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


def _card(sources: Sources, example: Example, document: Document, explanation: Explanation, scale: _Scale) -> Card:
    target = explanation.targets[0]
    unit = highlights.unit_of_segmenter(explanation.segmenter)
    painted = highlights.weight_marks(explanation.segments, target, scale.delta)
    passages = highlights.passages(document, painted, unit, _MOST_WORDS)
    continuation = _continuation(sources.evidence.predictions.get(document.id))
    listed = _ranked(target)[: _room(passages, continuation)]
    return Card(
        anchor=anchor(sources, document.id),
        document_id=formats.middle(document.id, 48),
        rule=example.rule,
        facts=_facts(document, target, explanation.unit),
        made=_made(explanation.neighbourhood) if explanation.neighbourhood else "",
        target=formats.middle(target.label, 60),
        continuation=continuation,
        passages=tuple(passages),
        weights=tuple(_weight_row(explanation, *row, scale) for row in listed),
        more=len(explanation.segments) - len(listed),
    )


def _room(passages: Sequence[highlights.Passage], continuation: str | None) -> int:
    """How many weights stand beside a text without making its card taller."""
    texts = [passage.body.striptags() for passage in passages] + ([continuation] if continuation else [])
    lines = sum(math.ceil(_width(text) / _COLUMNS) for text in texts)
    return min(max(LEAST_WEIGHTS, round(_ROWS_PER_LINE * lines)), MOST_WEIGHTS)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _continuation(prediction: Prediction | Unmeasured | None) -> str | None:
    if prediction is None or isinstance(prediction, Unmeasured) or prediction.continuation is None:
        return None
    return formats.excerpt(prediction.continuation, 240)


def _facts(document: Document, target: Target, unit: str) -> str:
    value = formats.decimal(target.model_prediction, 2)
    parts = [
        say("log-probability {value}", value=value)
        if unit == "log-probability"
        else say("probability {value}", value=value)
    ]
    if document.labels:
        labels = separator().join(formats.middle(name, 40) for name in document.labels)
        parts.append(say("labelled {labels}", labels=labels))
    return " · ".join([*parts, _fidelity(target.fidelity)])


def _fidelity(value: float) -> str:
    """`R² 0.83`; a value below the limit is signed, and has digits enough not to round onto it."""
    if value >= LOW_FIDELITY:
        return f"R² {formats.decimal(value, 2)}"
    digits = next(digits for digits in (2, 3, 4, 9) if round(value, digits) < LOW_FIDELITY or digits == 9)
    return say("R² {value} ▲ below {limit}", value=formats.decimal(value, digits), limit=shortest(LOW_FIDELITY))


def _made(around: Neighbourhood) -> str:
    if not around.n_unread:
        return _drawn(around)
    unread = plural(
        around.n_unread,
        "{n} left out that the model itself cannot read",
        "{n} left out that the model itself cannot read",
    )
    return say("{variants}; {unread}", variants=_drawn(around), unread=unread)


def _drawn(around: Neighbourhood) -> str:
    n = around.n_samples
    if around.exact:
        return plural(n, "{n} variant, no sampling error", "all {n} variants, no sampling error")
    variants = plural(n, "{n} variant", "{n} variants")
    if around.precision is None:
        distinct = formats.count(around.n_evaluations)
        return say("{variants}, {distinct} distinct", variants=variants, distinct=distinct)
    return say(_ENDS[around.stopped], variants=variants, precision=formats.percent(around.precision))


def _weight_row(explanation: Explanation, place: int, weight: float, error: float, scale: _Scale) -> WeightRow:
    half = highlights.half_width(error)
    clear = bool(highlights.weight_style(weight, error, scale.delta))
    tone = ("supports" if weight > 0 else "opposes") if clear else "unclear"
    digits = highlights.digits_of(scale.delta)
    text = formats.decimal(weight, digits, sign=True)
    ends = formats.span(weight - half, weight + half, "probability", digits)
    title = say("{value}, interval {interval}", value=text, interval=ends)
    mark = marks.interval(scale.axis, weight - half, weight, weight + half, tone=tone, title=title, height=14)
    return WeightRow(formats.excerpt(explanation.segments[place].text, 22), mark, text, clear)
