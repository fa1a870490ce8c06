"""Every number that the HTML of a report says, with the value that it was formatted from.

The page is laid out a second time with marked numbers (`auditor.languages.marks`), without its figures, and taken apart
into numbers; the evidence of the documents that it names is kept beside them. On paper the same numbers stand in the
same order, but for what is drawn out of turn and what paper adds: page numbers, feet, heads of tables once more.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from auditor.errors import RenderError
from auditor.findings.comparing import Night, RunComparison, Since
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Findings
from auditor.languages import marks
from auditor.report.contract import Sources
from auditor.report.page import comparison_page
from auditor.report.page.html import laid_out

NUMBER = re.compile(r"−?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[⁰¹²³⁴-⁹₀-₉]+")
"""Digits that stand together, with their minus; digits of exponents and indices for themselves."""
_SAID = re.compile(rf"({NUMBER.pattern})(?:{marks.MARK.pattern})?")
_NOT_PRINTED = re.compile(r"<!--screen-->.*?<!--/screen-->|<(script|style|title|desc)\b.*?</\1>", re.DOTALL)
_INLINE = re.compile(r"</?(?:a|b|bdi|code|em|i|mark|span|strong|wbr)\b[^>]*>")
_NAME = re.compile(r"<bdi\b[^>]*>([^<]*)</bdi>")
_TAG = re.compile(r"<[^>]*>")
_NEAR = 200
"""Numbers that a number may be drawn before or after its turn."""
MANY = 1500
"""Of more numbers, those that are frequent are not aligned for themselves, which takes long."""
_TELLING = 3
"""Characters of a number that is looked for out of turn: shorter ones stand everywhere."""
_TOGETHER = 4
"""So many in a row are no coincidence: whose turn it is is known from them."""


class Formatted(NamedTuple):
    """A number of the page."""

    text: str
    value: float | None
    """What it was formatted from; None where it was not formatted: in names, dates, texts of documents."""


class Said(NamedTuple):
    """What the page says."""

    numbers: Sequence[Formatted] = ()
    """Those that paper has, in the order of the HTML."""
    evidence: Mapping[str, Mapping[str, object]] = MappingProxyType({})
    """`evidence/<probe>` → document → row, of the documents that paper names."""


NOTHING_SAID: Final = Said()


def read(findings: Findings, evidence: Evidence, since: Since | None = None) -> Said:
    """What the report says on paper; nothing where it cannot be laid out with marks.

    A chapter of a third party that reads its own numbers back cannot read marked ones.
    """
    try:
        page, numbers = _marked(lambda: laid_out(Sources(findings, evidence, since))[0])
    except (RenderError, ValueError):
        return NOTHING_SAID
    named = frozenset(map(html.unescape, _NAME.findall(page)))
    return Said(numbers, rows(evidence.restricted(named)))


def read_comparison(comparison: RunComparison, before: Night, after: Night) -> Said:
    """What the page on two runs says; without the evidence of either."""
    return Said(_marked(lambda: comparison_page.laid_out(comparison, before, after)[0])[1])


def _marked(lay_out: Callable[[], Sequence[str]]) -> tuple[str, tuple[Formatted, ...]]:
    """What paper has of a page with marked numbers, and these."""
    with marks.marking() as values:
        page = _NOT_PRINTED.sub(" ", "".join(lay_out()))
    return page, tuple(_numbers(page, values))


def rows(evidence: Evidence) -> dict[str, Mapping[str, object]]:
    """`evidence/<probe>` → document → row."""
    documents = {document.id: document for document in evidence.documents}
    return {f"evidence/{probe}": of_one for probe, of_one in {"documents": documents, **evidence.rows}.items()}


def _numbers(page: str, values: Sequence[float]) -> Iterator[Formatted]:
    for match in _SAID.finditer(html.unescape(_TAG.sub(" ", _INLINE.sub("", page)))):
        mark = marks.MARK.search(match[0])
        at = marks.index_of(mark) if mark else len(values)
        yield Formatted(match[1], values[at] if at < len(values) else None)  # a document may have such characters too


def matched(pages: Sequence[Sequence[str]], said: Sequence[Formatted]) -> list[list[float | None]]:
    """For each number on each page of paper the value of the same number of the HTML; None where there is none.

    Page by page the numbers are aligned with those whose turn it is; one that was drawn out of turn is looked for near.
    """
    values: list[list[float | None]] = []
    turn = 0
    for page in pages:
        start = max(0, turn - _NEAR)
        ahead = said[start : turn + len(page) + _NEAR]
        same, ended = _aligned(page, [one.text for one in ahead])
        values.append([None if i is None else ahead[i].value for i in same])
        turn = max(turn, start + ended)
    return values


def _aligned(page: Sequence[str], ahead: Sequence[str]) -> tuple[list[int | None], int]:
    """Place of each number of a page among those ahead, and where the last one in turn ends."""
    same: list[int | None] = [None] * len(page)
    blocks = SequenceMatcher(None, page, ahead, autojunk=len(ahead) > MANY).get_matching_blocks()
    for of_page, of_ahead, n in blocks:
        same[of_page : of_page + n] = range(of_ahead, of_ahead + n)
    free, last = set(range(len(ahead))).difference(i for i in same if i is not None), 0
    for position, text in enumerate(page):
        if same[position] is None and len(text) >= _TELLING:
            near = [i for i in free if ahead[i] == text]
            same[position] = min(near, key=partial(_distance, last), default=None)
            free.discard(-1 if same[position] is None else same[position])
        last = same[position] or last
    return same, max((start + n for _, start, n in blocks if n >= _TOGETHER), default=0)


def _distance(one: int, other: int) -> int:
    return abs(one - other)
