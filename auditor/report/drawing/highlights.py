"""Texts with marks in HTML: which stretches are shaded, how strongly, and which parts are left out.

A LIME weight w with standard error s is marked only where its 95 % interval w ± 1.96 s excludes zero and it does not
round to nothing. Its step is 1 + ⌊|w| / δ⌋, four at most, with one δ for all cards of a report, so that shades compare.
Support is blue over a solid line, opposition orange over a dashed one, and the larger weights have their signed value
beside them, so that nothing is lost in greyscale. The surprise of a token is −log2 p in bits.

A `Mark` is a stretch of a text, by character offsets; `paint` cuts the text at its marks and escapes every piece.
Tokens that share a character (bytes of one emoji) are joined, their bits added. Long texts are cropped to the stretches
around the strongest marks. The direction is set on the paragraph; a control that reorders text is printed as its code
point.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from auditor.languages import HTML_TAGS, plural, say, spoken
from auditor.records.explanations import Segment, Target
from auditor.records.types import Document, ScoredTokens
from auditor.report.drawing import formats

Z_95 = 1.96
STEPS = 4
MOST_WORDS = 120
"""Words or tokens on one card."""
_CONTEXT = 12
_SHORT_GAP = 5
_SCRAP = 3
_LONGEST_WORD = 80
_LONGEST_GAP = 160
SURPRISE_BITS = (5.0, 8.0, 11.0, 14.0)
"""Lower edges of the four shades of surprise: one in 32, 256, 2,048 and 16,384."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One stretch of text, characters `start` to `stop` of a field, with its class and strength."""

    start: int
    stop: int
    field: str
    style: str
    """CSS class; empty where the stretch is measured but not shaded."""
    strength: float
    """The rank of the mark when a long text is cropped: the strongest are kept."""
    note: str = ""
    """A number beside the stretch, in superscript."""
    title: str = ""
    """The tooltip of a browser."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph of a card."""

    name: str
    """"First sentence", or empty for a single text."""
    direction: str
    """"ltr" or "rtl"."""
    body: Markup
    language: str = ""
    """The document's language in two letters, where the corpus states it."""


def unit_of_segmenter(segmenter: str) -> str:
    """The `unit` of `passages` that fits a segmenter."""
    return {"characters": "character", "tokens": "token", "sentences": "sentence"}.get(segmenter, "word")


def half_width(standard_error: float) -> float:
    """Half of the width of a 95 % interval."""
    return Z_95 * standard_error


def is_clear(weight: float, standard_error: float) -> bool:
    """Whether the 95 % interval of a weight excludes zero."""
    return abs(weight) > half_width(standard_error)


def step_size(targets: Iterable[Target]) -> float:
    """The width δ of one shade: a round number with which the largest clear weight has the top shade."""
    largest = max((abs(w) for t in targets for w, s in _weights(t) if is_clear(w, s)), default=0.0)
    return round_down(largest / (STEPS - 1)) if largest > 0 else 0.1


def round_down(value: float) -> float:
    """The largest of 1, 2, 2.5, 5 times a power of ten that is no larger than a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(m * power for m in (1.0, 2.0, 2.5, 5.0) if m * power <= value * (1 + 1e-9))


def digits_of(delta: float) -> int:
    """The number of decimals of a weight, given the width of a shade."""
    return max(2, 1 - math.floor(math.log10(delta)))


def weight_marks(segments: Sequence[Segment], target: Target, delta: float) -> list[Mark]:
    """One mark for every occurrence of every segment; the first has the value beside it."""
    digits = digits_of(delta)
    marks = []
    for segment, (weight, error) in zip(segments, _weights(target), strict=True):
        style = weight_style(weight, error, delta)
        note = formats.decimal(weight, max(2, digits - 1), sign=True) if style[-1:] in ("3", "4") else ""
        title = _weight_title(weight, error, digits) if style else ""
        for i, span in enumerate(segment.spans):
            marks.append(Mark(span.start, span.stop, span.field, style, abs(weight), note if i == 0 else "", title))
    return marks


def weight_style(weight: float, error: float, delta: float) -> str:
    """The CSS class of a weight, `supports-1` … `opposes-4`; "" where its interval includes 0 or it rounds to 0."""
    if not is_clear(weight, error) or round(weight, digits_of(delta)) == 0:
        return ""
    step = min(STEPS, 1 + int(abs(weight) / delta + 1e-9))
    return f"{'supports' if weight > 0 else 'opposes'}-{step}"


def surprise_marks(record: ScoredTokens) -> list[Mark]:
    """One mark per scored stretch of text, with the sum of the bits of its tokens."""
    marks = []
    for start, stop, field, bits in scored_stretches(record):
        step = sum(bits >= edge for edge in SURPRISE_BITS)
        style = f"surprise-{step}" if step else ""
        note = formats.decimal(bits, 0) if step >= 3 else ""
        title = say("surprise {bits} bits", bits=formats.decimal(bits, 1)) if step else ""
        marks.append(Mark(start, stop, field, style, bits, note, title))
    return marks


def scored_stretches(record: ScoredTokens) -> list[tuple[int, int, str, float]]:
    """Scored stretches `(start, stop, field, bits)` in text order; tokens that share a character are one."""
    stretches: list[tuple[int, int, str, float]] = []
    for span, logprob in zip(record.spans, record.logprobs, strict=True):
        bits = -logprob / math.log(2)
        if span.stop <= span.start:
            continue
        if stretches and span.field == stretches[-1][2] and span.start < stretches[-1][1]:
            start, stop, field, sum_bits = stretches[-1]
            stretches[-1] = (start, max(stop, span.stop), field, sum_bits + bits)
        else:
            stretches.append((span.start, span.stop, span.field, bits))
    return stretches


def passages(document: Document, marks: Sequence[Mark], unit: str = "word", limit: int = MOST_WORDS) -> list[Passage]:
    """The paragraphs of a card: text, and second sentence where there is one, cropped to `limit` words together.

    Args:
        document: The document.
        marks: The marks of all its fields.
        unit: The unit in which text left out is counted: "word", "token", "sentence" or "character".
        limit: The number of units shown at most.
    """
    fields = [("text", document.text)] + ([("pair", document.pair)] if document.pair is not None else [])
    names = (say("First sentence"), say("Second sentence")) if len(fields) == 2 else ("",)
    ordered = [sorted((m for m in marks if m.field == field), key=lambda m: m.start) for field, _ in fields]
    total = sum(map(len, ordered))
    shares = [limit if total <= limit else max(10, limit * len(part) // total) for part in ordered]
    language = _language(document)
    return [
        Passage(name, formats.direction(text), paint(text, part, unit, share), language)
        for name, (_, text), part, share in zip(names, fields, ordered, shares, strict=True)
    ]


def _language(document: Document) -> str:
    code = document.metadata.get("language", "")
    return code if re.fullmatch("[a-z]{2}", code) else ""


def paint(text: str, marks: Sequence[Mark], unit: str = "word", limit: int = MOST_WORDS) -> Markup:
    """A text with its marks as HTML; `marks` are sorted by start and do not overlap."""
    kept = crop([mark.strength for mark in marks], limit)
    if not marks:
        return _plain(text)
    pieces: list[Markup] = []
    for number, (first, last) in enumerate(kept):
        start = 0 if first == 0 else marks[first].start
        left_out = first - (kept[number - 1][1] if number else 0)
        if left_out:
            pieces.append(_left_out(left_out, unit))
        pieces += _pieces(text, marks[first:last], start)
    rest = len(marks) - kept[-1][1]
    tail = _left_out(rest, unit) if rest else _plain(text[marks[-1].stop :])
    return Markup("").join([*pieces, tail])


def crop(strengths: Sequence[float], limit: int) -> list[tuple[int, int]]:
    """Ranges `(first, last + 1)` of marks to show: the strongest with their neighbours, `limit` marks at most.

    n=9, limit=5, one neighbour to each side; strongest first, ties by position
        strengths  0 0 9 0 0 0 0 5 0
        shown        [0 9 0]     [5 0]

    Ranges of one or two marks are then dropped, and gaps of fewer than five marks closed.
    """
    n = len(strengths)
    if n <= limit:
        return [(0, n)] if n else []
    context = min(_CONTEXT, limit // 4)
    shown: set[int] = set()
    for centre in sorted(range(n), key=lambda i: (-strengths[i], i)):
        around = sorted(range(max(0, centre - context), min(n, centre + context + 1)), key=lambda i: abs(i - centre))
        for neighbour in around:
            if len(shown) < limit:
                shown.add(neighbour)
    return _joined(_ranges(sorted(shown)), n)


def _ranges(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted positions as ranges `(first, last + 1)`."""
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and position == ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], position + 1)
        else:
            ranges.append((position, position + 1))
    return ranges


def _joined(ranges: Sequence[tuple[int, int]], n: int) -> list[tuple[int, int]]:
    """The ranges without those shorter than `_SCRAP`, and with gaps shorter than `_SHORT_GAP` closed."""
    ranges = [(first, last) for first, last in ranges if last - first >= _SCRAP] or ranges
    closed = [(0 if ranges[0][0] < _SHORT_GAP else ranges[0][0], ranges[0][1])]
    for first, last in ranges[1:]:
        if first - closed[-1][1] < _SHORT_GAP:
            closed[-1] = (closed[-1][0], last)
        else:
            closed.append((first, last))
    if n - closed[-1][1] < _SHORT_GAP:
        closed[-1] = (closed[-1][0], n)
    return closed


def _weights(target: Target) -> Iterable[tuple[float, float]]:
    """Weight and standard error of each segment; both are 0 for segments that the surrogate left out."""
    columns = zip(target.weights, target.standard_errors, target.selected, strict=True)
    return [(weight, error) if selected else (0.0, 0.0) for weight, error, selected in columns]


def _weight_title(weight: float, error: float, digits: int) -> str:
    if error == 0:
        return say("weight {value}, exact", value=formats.decimal(weight, digits, sign=True))
    ends = (weight, weight - half_width(error), weight + half_width(error))
    value, low, high = (formats.decimal(x, digits, sign=True) for x in ends)
    return say("weight {value}, 95% interval {low} to {high}", value=value, low=low, high=high)


def _pieces(text: str, marks: Sequence[Mark], start: int) -> list[Markup]:
    """The text from `start` to the end of the last mark, cut at the marks."""
    pieces = []
    for mark in marks:
        pieces.append(_plain(text[start : mark.start]))
        pieces.append(_marked(text[mark.start : mark.stop], mark))
        start = mark.stop
    return pieces


def _marked(text: str, mark: Mark) -> Markup:
    word = escape(formats.visible(formats.middle(text, _LONGEST_WORD)))
    if not mark.style:
        return word
    note = Markup('<sup dir="ltr">{}</sup>').format(mark.note) if mark.note else Markup("")
    return Markup('<mark class="{}" title="{}">{}{}</mark>').format(mark.style, mark.title, word, note)


def _plain(text: str) -> Markup:
    return escape(formats.visible(formats.middle(text, _LONGEST_GAP)))


def _left_out(n: int, unit: str) -> Markup:
    if unit == "word":
        message = plural(n, "[… {n} word …]", "[… {n} words …]")
    elif unit == "token":
        message = plural(n, "[… {n} token …]", "[… {n} tokens …]")
    elif unit == "sentence":
        message = plural(n, "[… {n} sentence …]", "[… {n} sentences …]")
    else:
        message = plural(n, "[… {n} character …]", "[… {n} characters …]")
    tag = HTML_TAGS[spoken()]
    return Markup(' <span class="gap" dir="ltr" lang="{}" translate="yes">{}</span> ').format(tag, message)
