"""Cards of explained documents: the text with its weights marked, and the largest of them on one axis."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from auditor.findings.analyses.explanations import LOW_FIDELITY
from auditor.findings.analyses.grades import GRADES, Grade
from auditor.findings.contract.types import Example
from auditor.languages import N_, plural, say
from auditor.languages.numbers import separator, shortest
from auditor.records.explanations import Explanation, Neighbourhood, Target
from auditor.records.types import Document
from auditor.report.drawing import formats, highlights, marks

LEAST_WEIGHTS, MOST_WEIGHTS = 4, 10
"""Weights listed beside one text: as many as the lines of the text leave room for."""
_MOST_WORDS = 90
"""Words beside a table of weights; the column is narrow."""
_COLUMNS = 54
"""Latin characters on a line of that column."""
_ROWS_PER_LINE = 1.6
CITABLE = ("rely", "care", None)
"""Grades of explanations that mark their text; None is without a grade."""
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
    grade: str
    """How far it may be relied upon; empty where nobody acted upon it."""
    citable: bool
    made: str
    """How it was computed."""
    sensitivity: str
    """How much the weights change where the text hardly does; empty where that is not known."""
    target: str
    continuation: str | None
    passages: tuple[highlights.Passage, ...]
    weights: tuple[WeightRow, ...]
    more: int
    """Segments not listed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What all cards share, so that shades and lines compare."""

    axis: marks.Axis
    delta: float
    """Width of one shade."""


def scale_of(targets: Sequence[Target]) -> Scale:
    """One axis and one width of shades for the largest weights of all shown documents."""
    ends: list[float] = []
    for target in targets:
        for _, weight, error in _ranked(target)[:MOST_WEIGHTS]:
            ends += [weight - highlights.half_width(error), weight + highlights.half_width(error)]
    return Scale(marks.shared_axis(ends, zero=True, width=112), highlights.step_size(targets))


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


def draw_card(
    example: Example,
    document: Document,
    explanation: Explanation,
    scale: Scale,
    *,
    anchor: str,
    continuation: str | None,
    grade: Grade | None = None,
) -> Card:
    """One explained document.

    Args:
        example: Why it was chosen.
        document: Its text.
        explanation: Its weights.
        scale: What all cards share.
        anchor: Address of the card within the page.
        continuation: What the model wrote behind the text, where it writes by itself.
        grade: How far it may be relied upon; the text of one that must not be cited is not marked.
    """
    target, citable = explanation.targets[0], grade in CITABLE
    painted = highlights.weight_marks(explanation.segments, target, scale.delta) if citable else []
    passages = highlights.passages(document, painted, highlights.unit_of_segmenter(explanation.segmenter), _MOST_WORDS)
    listed = _ranked(target)[: _room(passages, continuation)]
    return Card(
        anchor=anchor,
        document_id=formats.middle(document.id, 48),
        rule=example.rule,
        facts=_facts(document, target, explanation.unit),
        grade=say(GRADES[grade]) if grade else "",
        citable=citable,
        made=_made(explanation.neighbourhood) if explanation.neighbourhood else "",
        sensitivity=_sensitivity(explanation),
        target=formats.middle(target.label, 60),
        continuation=continuation,
        passages=tuple(passages),
        weights=tuple(_weight_row(explanation, *row, scale, citable=citable) for row in listed),
        more=len(explanation.segments) - len(listed),
    )


def _room(passages: Sequence[highlights.Passage], continuation: str | None) -> int:
    """How many weights stand beside a text without making its card taller."""
    texts = [passage.body.striptags() for passage in passages] + ([continuation] if continuation else [])
    lines = sum(math.ceil(_width(text) / _COLUMNS) for text in texts)
    return min(max(LEAST_WEIGHTS, round(_ROWS_PER_LINE * lines)), MOST_WEIGHTS)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


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
    if target.surrogate is not None:
        parts.append(_fidelity(target.surrogate.fidelity))
    return " · ".join(parts)


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


def _sensitivity(explanation: Explanation) -> str:
    """The max-sensitivity, beside what sampling alone comes to."""
    surrogate = explanation.targets[0].surrogate
    if surrogate is None or surrogate.sensitivity is None:
        return ""
    sensitivity, halves = surrogate.sensitivity, surrogate.halves
    values = {
        "change": formats.decimal(sensitivity.greatest, 2),
        "word": formats.excerpt(explanation.segments[sensitivity.segment].text, 22),
    }
    if halves is None or halves.distance is None:
        return say("max-sensitivity {change}, without “{word}”", **values)
    return say(
        "max-sensitivity {change}, without “{word}”; two halves of the variants differ by {halves}",
        halves=formats.decimal(halves.distance, 2),
        **values,
    )


def _weight_row(
    explanation: Explanation, index: int, weight: float, error: float, scale: Scale, *, citable: bool
) -> WeightRow:
    half = highlights.half_width(error)
    clear = citable and bool(highlights.weight_style(weight, error, scale.delta))
    tone = ("supports" if weight > 0 else "opposes") if clear else "unclear"
    digits = highlights.digits_of(scale.delta)
    text = formats.decimal(weight, digits, sign=True)
    ends = formats.span(weight - half, weight + half, "probability", digits)
    title = say("{value}, interval {interval}", value=text, interval=ends)
    mark = marks.interval(scale.axis, weight - half, weight, weight + half, tone=tone, title=title, height=14)
    return WeightRow(formats.excerpt(explanation.segments[index].text, 22), mark, text, clear)
