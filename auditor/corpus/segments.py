r"""Divides a document into the segments that an explainer switches on and off, and writes the texts that remain.

    words       Unicode words of any script, emoji included (see `auditor.corpus.words`)
    characters  grapheme clusters that are neither white space nor punctuation
    sentences   runs up to a full stop, question or exclamation mark (also 。！？) and the space behind it, or a line
    tokens      the model's own tokens, from their spans; tokens that share characters (the bytes of one emoji, say)
                are one segment, empty spans (special tokens) none
    lime        what the `lime` package splits on: runs of `\w` of the standard library, case-sensitive
    auto        words, or characters where there is no word but emoji

With `bow`, equal strings are one segment with several spans, wherever they stand: in the text, in the second sentence
or in both. Switching a segment off deletes its characters and nothing else; the white space and punctuation between
segments stay, as in the `lime` package (0.2.0.1, `IndexedString.inverse_removing`, bow=True).

Dimension letters: N perturbations, S segments.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import regex

from auditor.corpus.faults import quote, suggestion
from auditor.corpus.words import holds_words, words
from auditor.errors import ConfigError
from auditor.records.explanations import Segment
from auditor.records.types import Document, Span

_GRAPHEME = regex.compile(r"\X")
_NOT_A_CHARACTER = regex.compile(r"[\s\p{P}\p{C}]+")
_LIME = re.compile(r"\w+")
_SENTENCE = regex.compile(r"\S(?:.*?[.!?。！？…]+[\p{Pf}\p{Pe}\"']*(?=\s|$|(?<=[。！？])\S)|.*$)", regex.M)


def _characters(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _GRAPHEME.finditer(text) if not _NOT_A_CHARACTER.fullmatch(match.group())]


def _lime(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _LIME.finditer(text)]


def _sentences(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _SENTENCE.finditer(text) if regex.search(r"[\p{L}\p{N}]", match.group())]


_SPLITTERS: Mapping[str, Callable[[str], list[tuple[int, int]]]] = {
    "words": words,
    "characters": _characters,
    "sentences": _sentences,
    "lime": _lime,
}
Segmenter = Literal["auto", "words", "characters", "sentences", "tokens", "lime"]
SEGMENTERS: tuple[str, ...] = get_args(Segmenter)


def segment(
    document: Document, segmenter: str = "auto", *, bow: bool = True, tokens: Sequence[Span] | None = None
) -> tuple[str, tuple[Segment, ...]]:
    """Divide a document into segments.

    Args:
        document: Its text and, where there is one, its second sentence.
        segmenter: One of `SEGMENTERS`.
        bow: Whether equal strings are one segment; else there is one per occurrence.
        tokens: The spans of the model's tokens, for the segmenter "tokens".

    Returns:
        The name of the segmenter used ("auto" is resolved), and S segments in the order of their first occurrence, the
        text before the second sentence. S is 0 where there is nothing to switch off.

    Raises:
        ConfigError: there is no such segmenter.
        ValueError: spans are needed and were not given, or do not lie in the document.
    """
    if segmenter not in SEGMENTERS:
        hint = suggestion(segmenter, SEGMENTERS) or "; expected one of " + ", ".join(SEGMENTERS)
        raise ConfigError(f"unknown segmenter {quote(segmenter)}{hint}")
    texts = _texts(document)
    name = segmenter
    if segmenter == "auto":
        name = "words" if any(holds_words(text) for text in texts.values()) else "characters"
    if name == "tokens":
        spans = _merged(texts, tokens)
    else:
        spans = [Span(start, stop, field) for field, text in texts.items() for start, stop in _SPLITTERS[name](text)]
    return name, _segments(texts, spans, bow)


def _texts(document: Document) -> dict[str, str]:
    return {"text": document.text} if document.pair is None else {"text": document.text, "pair": document.pair}


def _merged(texts: Mapping[str, str], tokens: Sequence[Span] | None) -> list[Span]:
    """The spans of the tokens in order; overlapping ones are merged, empty ones left out."""
    if tokens is None:
        raise ValueError('the segmenter "tokens" needs the spans of the tokens')
    merged: list[Span] = []
    for span in sorted(tokens, key=lambda span: (span.field != "text", span.start, span.stop)):
        if span.field not in texts or not 0 <= span.start <= span.stop <= len(texts[span.field]):
            raise ValueError(f"{span} does not lie in the document")
        if span.start == span.stop:
            continue
        if merged and merged[-1].field == span.field and span.start < merged[-1].stop:
            span = Span(merged[-1].start, max(merged.pop().stop, span.stop), span.field)
        merged.append(span)
    return merged


def _segments(texts: Mapping[str, str], spans: Iterable[Span], bow: bool) -> tuple[Segment, ...]:
    """One segment per span, or with `bow` one per distinct text."""
    named = [(texts[span.field][span.start : span.stop], span) for span in spans]
    if not bow:
        return tuple(Segment(text, (span,)) for text, span in named)
    occurrences: dict[str, list[Span]] = {}
    for text, span in named:
        occurrences.setdefault(text, []).append(span)
    return tuple(Segment(text, tuple(positions)) for text, positions in occurrences.items())


def perturb(
    document: Document, segments: Sequence[Segment], keep: npt.NDArray[np.bool_]
) -> list[tuple[str, str | None]]:
    """The texts that remain when segments are switched off.

    Args:
        document: The document the segments come from.
        segments: S segments, as `segment` returns them.
        keep: (N, S), False where a segment is switched off.

    Returns:
        N pairs of text and second sentence (None where the document has none).

    Raises:
        ValueError: the mask has another shape.
    """
    if keep.ndim != 2 or keep.shape[1] != len(segments):
        raise ValueError(f"expected a mask of shape (N, {len(segments)}), found {keep.shape}")
    mask = np.concatenate([keep.astype(bool), np.ones((len(keep), 1), dtype=bool)], axis=1)  # last: what always stays
    texts = _remaining(document.text, "text", segments, mask)
    if document.pair is None:
        return [(text, None) for text in texts]
    return list(zip(texts, _remaining(document.pair, "pair", segments, mask), strict=True))


def _remaining(text: str, field: str, segments: Sequence[Segment], mask: npt.NDArray[np.bool_]) -> list[str]:
    """N strings, one per row of the mask: the text is cut into pieces once, and each row joins those it keeps."""
    spans = sorted(
        (span.start, span.stop, column)
        for column, segment in enumerate(segments)
        for span in segment.spans
        if span.field == field
    )
    pieces: list[str] = []
    columns: list[int] = []
    position = 0
    for start, stop, column in spans:
        pieces += [text[position:start], text[start:stop]]
        columns += [-1, column]
        position = stop
    pieces.append(text[position:])
    columns.append(-1)
    column_of_piece = np.array(columns)
    return ["".join(compress(pieces, row[column_of_piece].tobytes())) for row in mask]
