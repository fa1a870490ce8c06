"""The spans of words, in any script.

Boundaries are those of Unicode Standard Annex 29 (the `regex` library's WORD flag), so that "don't", "3.14" and
"U.S.A" stay whole, with four rules on top of it:

- single hyphens join: "well-made" and "10-year-old" are one word, "well--made" is two;
- a run of Han characters is split into Chinese words by jieba, which is imported only then;
- hiragana, katakana, and the scripts written without spaces for which there is no segmenter here (Thai, Lao, Khmer,
  Burmese: line breaking class SA) are split where the script changes, a space stands, or the run ends. For Thai that
  is a phrase; `characters` is the finer choice;
- an emoji is a word: it carries as much as one.

White space, punctuation and other symbols never belong to a word of their own.
"""

import logging
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import regex

_WORD = regex.compile(
    r"""(?wx)
      (?P<han> \p{Han}+ )
    | [\p{Hiragana}ー]+
    | [\p{Katakana}ーｰ]+
    | \p{Line_Break=SA}+
    | (?P<emoji> (?! \p{P} ) (?= [\p{Extended_Pictographic}\p{Regional_Indicator}] ) \X )
    | \b _* [\p{L}\p{N}] .*? \b
      (?: [-‐‑] (?! [\p{Han}\p{Hiragana}\p{Katakana}\p{Line_Break=SA}] ) [\p{L}\p{N}] .*? \b )*
    """
)
_LONGEST_RUN = 1000
"""Han characters given to jieba at once: its time is quadratic in a run without punctuation."""
_WARNINGS_OF_JIEBA = (r".*invalid escape sequence", r".*pkg_resources")
"""The warnings of importing jieba 0.42.1, its last release: its regular expressions are no raw strings (when they are
compiled, DeprecationWarning, from Python 3.12 SyntaxWarning), and it imports pkg_resources where setuptools has it."""


def words(text: str) -> list[tuple[int, int]]:
    """Start and stop of every word, in order; they do not overlap."""
    spans: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        if match["han"]:
            spans.extend(_chinese(text, *match.span()))
        else:
            spans.append(match.span())
    return spans


def holds_words(text: str) -> bool:
    """Whether a text has a word other than emoji."""
    return any(not match["emoji"] for match in _WORD.finditer(text))


def _chinese(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    for first in range(start, stop, _LONGEST_RUN):
        for _, begin, end in _jieba().tokenize(text[first : min(first + _LONGEST_RUN, stop)]):
            yield first + begin, first + end


@cache
def _jieba() -> Any:  # jieba has no types
    """A `jieba.Tokenizer` with the dictionary of the package, loaded in about a second.

    jieba's `initialize` would keep a cache in the shared temporary folder, unlocked and trusted whoever wrote it, and
    log to standard error; setting the two fields that it sets does neither.
    """
    with warnings.catch_warnings():
        for message in _WARNINGS_OF_JIEBA:
            warnings.filterwarnings("ignore", message)
        import jieba
    logging.getLogger("jieba").setLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    with Path(jieba.__file__).with_name("dict.txt").open("rb") as dictionary:
        segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(dictionary)
    segmenter.initialized = True
    return segmenter
