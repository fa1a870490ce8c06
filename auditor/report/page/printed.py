"""Whether the numbers on the pages of a PDF are those of its findings.

A number is claimed, and must be that of findings.json, where it stands

    on page one         in verdict, conclusion, key numbers, checks, coverage, pointers, notes and the line below the
                        title: these are composed again from the findings, and each of their texts with a digit must be
                        there
    behind its title    on any page: where the title of a number is followed by value, interval and n, these are its own
    before an interval  on any page: `0.83 (0.77–0.88)`, `0.83 0.77–0.88`, in Chinese also with 至: value and ends are
                        those of one number, at the decimals printed; an interval alone is that of one number
    at the foot         the pages are numbered 1 to the last, and each names the SHA-256 of the findings

Of the page on two runs the headline, the answers, what the plans say differently and every row of numbers and heads are
composed again from comparison.json likewise, and must stand somewhere.

All other numbers are those of the record that is attached (`record`), which these claims do without. An interval that a
document's text has is passed over where that text is at hand.

Texts are compared without white space, for lines break anywhere, and without the characters that a PDF may reorder or
replace: of a label in Arabic the numbers around it are compared.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup
from pydantic import BaseModel

from auditor.findings.comparing import RunComparison
from auditor.findings.contract.types import Findings, Number
from auditor.languages import say, speaking
from auditor.report.contract import Table
from auditor.report.drawing import formats
from auditor.report.sections import changed_answers, front
from auditor.report.sections import comparison as sections

_NUMBER = r"−?\d[\d,]*(?:\.\d+)?"
_TO = r"(?:–| to |\s?至\s?)"
_UNIT = r"(?:\s(?:nats|bits|tokens|奈特|比特|词元))?"
_INTERVAL = re.compile(
    rf"(?<![\d.,–−])(?:({_NUMBER}){_UNIT}[\s(（▲✓✗]+)?(?<![\d.,–−])({_NUMBER}){_TO}({_NUMBER})(?![\d.–])"
)
_MOST_DECIMALS = 12
_HYPHENS = dict.fromkeys(map(ord, "-‐"))
_NOT_PLAIN = re.compile(r"[^!-~¡-ʯͰ-Ͽ‐-‧‰-⁞→-⋿■-◿✀-➿　-〿一-鿿！-～]+")
"""Between these a text is compared: scripts that run from right to left or are shaped may come back otherwise."""
Ends = tuple[str | None, str, str]


def faults(
    pages: Sequence[str],
    findings: Findings,
    digest: str,
    documents: Collection[str] = (),
    *,
    comparison: object = None,
    is_customised: bool = False,
) -> list[str]:
    """What on the pages is not as the findings say, a line each; names page and number.

    Args:
        pages: The text of each page.
        findings: Those that are attached.
        digest: SHA-256 of the file of the findings, in hexadecimal.
        documents: Texts that the pages may quote, where they are at hand.
        comparison: Of comparison.json, as JSON says it, where it is attached: its numbers may be printed too.
        is_customised: Whether templates or styles of the reader laid the pages out, which may leave parts of page one
            out: then it is not compared text by text.
    """
    with speaking(findings.presentation.language):
        return [
            *_feet(pages, digest),
            *([] if is_customised else _page_one(pages, findings)),
            *_behind_titles(pages, findings),
            *_intervals(pages, _Intervals([findings.model_dump(mode="json"), comparison]), documents),
        ]


def comparison_faults(pages: Sequence[str], comparison: RunComparison) -> Iterator[str]:
    """What the pages on two runs do not say as their comparison does, a line each.

    Args:
        pages: The text of each page.
        comparison: That is attached.
    """
    with speaking(comparison.presentation.language):
        text = _without_hyphens(_squeezed(" ".join(pages)))
        for name, expected in _texts_of_comparison(comparison):
            if any(part not in text for part in _parts(expected)):
                yield f"{name}: expected “{' '.join(expected.split())}”, which is not printed"


def _texts_of_comparison(comparison: RunComparison) -> Iterator[tuple[str, str]]:
    """Name → text of what stands on the page whatever the evidence is, and has a digit."""
    yield "headline", comparison.headline
    if comparison.flips:
        yield "answers", changed_answers.answer(comparison.flips)
    tables = [sections.circumstances(comparison), *sections.numbers_tables(comparison)]
    tables += [sections.changed_heads(one) for one in comparison.heads]
    for one in tables:
        yield from _rows(replace(one, rows=one.rows[: one.paper_rows]))


def _feet(pages: Sequence[str], digest: str) -> Iterator[str]:
    abridged = f"sha256{digest[:8]}…{digest[-6:]}"
    for number, page in enumerate(pages, 1):
        text, foot = _squeezed(page), say("Page {page} of {pages}", page=number, pages=len(pages))
        if _squeezed(foot) not in text:
            yield f"page {number}: expected “{foot}” at its foot"
        if _squeezed(abridged) not in text:
            yield f"page {number}: its foot does not name the attached findings.json, sha256 {digest[:8]}…{digest[-6:]}"


def _page_one(pages: Sequence[str], findings: Findings) -> Iterator[str]:
    """Texts of page one that are not there; it may run on to a second page."""
    text = _without_hyphens(_squeezed(" ".join(pages[:2])))
    for name, expected in _texts(findings):
        if any(part not in text for part in _parts(expected)):
            yield f"page 1: {name}: expected “{' '.join(expected.split())}”, which is not printed there"


def _texts(findings: Findings) -> Iterator[tuple[str, str]]:
    """Name → text of everything on page one that has a digit."""
    page = front.compose(findings, ())
    yield from ((fact, fact) for fact in page.facts)
    yield "verdict", findings.verdict.headline
    yield from ((look.topic or "where to look", look.text) for look in (*page.conclusion, *page.pointers))
    for key in page.key_numbers:
        yield key.title, f"{key.title} {key.value}"
        yield key.title, f"{key.interval} · n {key.n}"
    yield from ((note, note) for note in page.notes)
    yield from _rows(page.checks) if page.checks else ()
    yield from _rows(page.coverage)


def _rows(table: Table) -> Iterator[tuple[str, str]]:
    """The cells of each row side by side, as they are drawn; marks and results have no text of ours."""
    shown = [i for i, column in enumerate(table.columns) if column.kind not in ("mark", "result")]
    for row in table.rows:
        cells = [row[i] for i in shown if i < len(row) and not isinstance(row[i], Markup)]
        yield row[0], " ".join(cells)


def _behind_titles(pages: Sequence[str], findings: Findings) -> Iterator[str]:
    by_title: dict[str, dict[str, str]] = {}
    for one in _numbers(findings):
        expected = f"{formats.value(one)} {formats.interval(one)} {formats.count(one.n)}"
        by_title.setdefault(_squeezed(one.title), {})[_squeezed(expected)] = f"{one.name} says {expected}"
    for title, known in by_title.items():
        row = re.compile(rf"(?<!\w){_anywhere(title)}\s+({_NUMBER}{_UNIT}\s+{_NUMBER}{_TO}{_NUMBER}\s+[\d,]+)(?![\d.])")
        for number, page in enumerate(pages, 1):
            for match in row.finditer(page):
                if _squeezed(match[1]) not in known:
                    printed_text = " ".join(match[0].split())
                    yield f"page {number}: {printed_text} is printed; in findings.json {next(iter(known.values()))}"


def _numbers(findings: Findings) -> Iterator[Number]:
    """The numbers of the whole corpus that have an interval and a title that can be compared, wherever they stand."""
    for one in (*findings.numbers, *_nested(list(findings.analyses.values()))):
        if "{" not in one.name and one.low is not None and one.title and not _NOT_PLAIN.search(_squeezed(one.title)):
            yield one


def _nested(node: object) -> Iterator[Number]:
    if isinstance(node, Number):
        yield node
    elif isinstance(node, BaseModel):
        yield from (number for name in type(node).model_fields for number in _nested(getattr(node, name)))
    elif isinstance(node, Mapping):
        yield from (number for one in node.values() for number in _nested(one))
    elif isinstance(node, tuple | list):
        yield from (number for one in node for number in _nested(one))


def _anywhere(squeezed: str) -> str:
    """A pattern of a text that lines may break anywhere."""
    return r"\s*".join(map(re.escape, squeezed))


def _intervals(pages: Sequence[str], known: "_Intervals", documents: Collection[str]) -> Iterator[str]:
    for number, page in enumerate(pages, 1):
        for match in _INTERVAL.finditer(page):
            value, low, high = match.groups()
            shown = " ".join(match[0].split())
            if not known.has(value, low, high) and not any(shown in text for text in documents):
                yield f"page {number}: {shown} is printed, which is no number of findings.json"


class _Intervals:
    """Every value with its interval in the findings, by the decimals that it may be printed with."""

    def __init__(self, content: object) -> None:
        self._kept = list(_with_ends(content))
        self._said = set(_in_sentences(content))
        self._at: dict[int, set[Ends]] = {}

    def has(self, value: str | None, low: str, high: str) -> bool:
        """Whether some number is printed so; what is not claimed counts as known."""
        decimals = len(low.partition(".")[2])
        if value is not None and len(value.partition(".")[2]) != decimals:
            value = None  # the cell before, of another number
        if value is not None and not decimals and not _lies_between(value, low, high):
            value = None
        if _number(low) > _number(high) or (value is None and not decimals):
            return True  # no interval, or a range of whole numbers: pages, years, bins
        if decimals > _MOST_DECIMALS:
            return False
        if decimals not in self._at:
            self._at[decimals] = set(self._printed(decimals))
        return (value, low, high) in self._at[decimals] or (value, low, high) in self._said

    def _printed(self, decimals: int) -> Iterator[Ends]:
        for values, low, high in self._kept:
            ends = _written(low, decimals), _written(high, decimals)
            yield None, *ends
            yield from ((_written(value, decimals), *ends) for value in values)


def _with_ends(node: Any) -> Iterator[tuple[list[float], float, float]]:  # any value of JSON
    """Every table with the keys low and high, and the numbers beside them."""
    if isinstance(node, dict):
        low, high = node.get("low"), node.get("high")
        if isinstance(low, int | float) and isinstance(high, int | float):
            others = (value for key, value in node.items() if key not in ("low", "high"))
            yield [value for value in others if isinstance(value, int | float)], low, high
        node = list(node.values())
    for one in node if isinstance(node, list) else ():
        yield from _with_ends(one)


def _in_sentences(node: Any) -> Iterator[Ends]:  # any value of JSON
    """Intervals in texts of the findings, such as conclusions."""
    if isinstance(node, str):
        for match in _INTERVAL.finditer(node):
            value, low, high = match.groups()
            yield value, low, high
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _in_sentences(one)


def _written(value: float, decimals: int) -> str:
    return formats.decimal(value, decimals)


def _lies_between(value: str, low: str, high: str) -> bool:
    return _number(low) <= _number(value) <= _number(high)


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _parts(text: str) -> Iterable[str]:
    """The parts of a text, without white space, that can be compared and have a digit."""
    visible = formats.visible(text)
    return (
        part for part in map(_without_hyphens, _NOT_PLAIN.split(_squeezed(visible))) if any(map(str.isdecimal, part))
    )


def _without_hyphens(text: str) -> str:
    """A text as it is compared with a page, where a hyphen at the end of a line does not come back."""
    return text.translate(_HYPHENS)


def _squeezed(text: str) -> str:
    """A text in one form, without white space, controls and what stands for a hyphen at the end of a line."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(c for c in normal if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf", "Cn"))
