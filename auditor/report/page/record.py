"""`printed.json`: every number on the pages of a PDF, in the order of the pages, and the value that each one rounds.

    "28"                                                    stands in a text: a date, a name, a page, a document
    {"text": "0.8", "value": 0.8}                           rounds a value that is a constant or was made of several
    {"text": "0.83", "value": 0.8299, "source": "findings.json#/numbers/0/value"}
                                                            rounds a number of what is attached
    {"text": "24", "value": 23.78, "source": "findings.json#/numbers/4/value", "form": "percent"}
                                                            the same, in another form
    {"text": "0.41", "value": 0.41233, "source": "evidence/lime#/movie-4041/targets/0/weights/3"}
                                                            rounds a number of the evidence, a field of the row

It is made of the text of the finished pages and of what the HTML says (`said`), and attached to them. A source is where
exactly this value stands; of several places (`sources`) that which is nearest to the source of the number before, or
else behind.

Read back, every number on every page must be the recorded one; every recorded value must round to what is printed and
be what its source says. A number that was changed on a page alone is found wherever it stands; one that was changed on
the page and in the record is found where it has a source: of a PDF alone in what is attached, of a run in its evidence.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from auditor.errors import StoreError
from auditor.report.page.said import MANY, NUMBER, Said, matched
from auditor.report.page.sources import Attached, Form, Locations, Path, at, forms, is_evidence, path_of, pointer

FILE: Final = "printed.json"
FINDINGS: Final = "findings.json"
FORMAT: Final = "auditor.printed/1"
_SOURCES = (FINDINGS, "plan.json", "comparison.json")


class Printed(BaseModel):
    """A number with the value that it rounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    text: str
    value: int | float
    """In the unit printed."""
    source: str = ""
    """File and JSON pointer of the value; of evidence probe, document and field. Empty where it stands nowhere."""
    form: Form = "itself"
    """What the value is to its source."""


class Record(BaseModel):
    """All numbers on the pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auditor.printed/1"] = FORMAT
    pages: tuple[tuple[str | Printed, ...], ...]
    """In the order in which they were drawn; without a value where a number stands in a text."""


class Count(NamedTuple):
    """Numbers on the pages."""

    numbers: int
    attached: int
    """That are those of what is attached."""
    evidence: int
    """That are those of the evidence."""
    made: int
    """That have a value which stands nowhere: a constant, or one that was made of several."""
    in_texts: int
    """That no value was formatted for."""


def make(pages: Sequence[str], said: Said, attached: Attached) -> Record:
    """The record of the texts of pages.

    Args:
        pages: The text of each, as it is read back from the PDF.
        said: Numbers of the HTML, and evidence in which their values may stand.
        attached: Where else they may.
    """
    texts = [numbers(page) for page in pages]
    values = matched(texts, said.numbers)
    flat = [
        Printed(text=text, value=value) if value is not None and rounds(text, value) else text
        for page, of_page in zip(texts, values, strict=True)
        for text, value in zip(page, of_page, strict=True)
    ]
    locations = Locations({**attached, **said.evidence}, {one.value for one in flat if isinstance(one, Printed)})
    forwards = _sourced(flat, locations)
    made = iter(_sourced(forwards[::-1], locations)[::-1])
    return Record(pages=tuple(tuple(next(made) for _ in page) for page in texts))


def numbers(page: str) -> list[str]:
    """The numbers in the text of a page."""
    return [match[0] for match in NUMBER.finditer(page)]


def rounds(text: str, value: float) -> bool:
    """Whether a number as it is printed is a value, rounded to its decimals."""
    digits = text.replace(",", "")
    rounded = f"{value:.{len(digits.partition('.')[2])}f}"
    if not rounded.strip("-0."):
        rounded = rounded.lstrip("-")
    return digits == rounded.replace("-", "−")


def write(record: Record) -> bytes:
    """UTF-8 JSON, a page a line; equal records give equal bytes."""
    lines = ",\n".join(
        json.dumps([_plain(one) for one in page], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        for page in record.pages
    )
    return f'{{"format": "{record.format}", "pages": [\n{lines}\n]}}\n'.encode()


def read(content: bytes) -> Record:
    """The record that `write` wrote.

    Raises:
        StoreError: it is no JSON, or not as the schema says.
    """
    try:
        return Record.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        raise StoreError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}") from None


def parse(attachments: Mapping[str, bytes]) -> Attached:
    """The attachments in which values may stand."""
    return {name: json.loads(content) for name, content in attachments.items() if name in _SOURCES}


def schema() -> dict[str, Any]:
    """The JSON Schema of `printed.json` (draft 2020-12)."""
    described = Record.model_json_schema(mode="serialization")
    described["$defs"]["Printed"]["required"] = ["text", "value"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": FORMAT}


def faults(pages: Sequence[str], record: Record, attached: Attached) -> Iterator[str]:
    """What on the pages is not as recorded, and what of the record is not as attached; a line each, with the page."""
    if len(pages) != len(record.pages):
        yield f"{len(pages)} pages; {FILE} has the numbers of {len(record.pages)}"
    for number, (page, recorded) in enumerate(zip(pages, record.pages, strict=False), 1):
        yield from (f"page {number}: {fault}" for fault in _changed(page, recorded))
        for one in recorded:
            if isinstance(one, Printed) and (problem := _problem(one, attached)):
                yield f"page {number}: {problem}"


def count(record: Record) -> Count:
    """How many numbers there are of each kind."""
    everything = [one for page in record.pages for one in page]
    sources = [one.source for one in everything if isinstance(one, Printed)]
    evidence, nowhere = sum(map(is_evidence, sources)), sources.count("")
    attached = len(sources) - evidence - nowhere
    return Count(len(everything), attached, evidence, nowhere, len(everything) - len(sources))


def _changed(page: str, recorded: Sequence[str | Printed]) -> Iterator[str]:
    """Where the numbers of a page differ from those recorded; white space in a number does not matter."""
    expected = [one if isinstance(one, str) else one.text for one in recorded]
    printed = _joined(page, expected)
    if printed == expected:
        return
    for what, i, j, k, end in SequenceMatcher(None, expected, printed, autojunk=len(printed) > MANY).get_opcodes():
        if what != "equal":
            there, here = " ".join(expected[i:j]) or "no number", " ".join(printed[k:end]) or "no number"
            beside = " ".join(expected[max(0, i - 2) : i])
            yield f"{here} is printed{f' after {beside}' if beside else ''}, where {there} was printed ({FILE})"


def _joined(page: str, expected: Sequence[str]) -> list[str]:
    """The numbers of a page, put together where only white space parts what is expected to be one."""
    joined, waiting, end = list[str](), iter(expected), 0
    wanted = ""
    for match in NUMBER.finditer(page):
        is_part = wanted != "" and not page[end : match.start()].strip() and wanted.startswith(joined[-1] + match[0])
        if is_part:
            joined[-1] += match[0]
        else:
            joined.append(match[0])
            wanted = next(waiting, "")
        if joined[-1] == wanted:
            wanted = ""
        end = match.end()
    return joined


def _problem(one: Printed, attached: Attached) -> str:
    """What is wrong with a recorded value; nothing where it is what its source says."""
    if not rounds(one.text, one.value):
        return f"{one.text} is printed, and its value is {one.value} ({FILE})"
    if not one.source or (is_evidence(one.source) and one.source.partition("#")[0] not in attached):
        return ""
    said = at(attached, one.source)
    formed = None if said is None else dict(forms(said)).get(one.form)
    if formed is None or not math.isclose(formed, one.value, rel_tol=1e-12):
        return f"{one.text} is printed for {one.value}; {one.source} says {'nothing' if said is None else said}"
    return ""


def _sourced(printed: Sequence[str | Printed], locations: Locations) -> list[str | Printed]:
    """The numbers with their sources, each chosen by the one before."""
    before: Path = ()
    made: list[str | Printed] = []
    for one in printed:
        if isinstance(one, Printed) and not one.source:
            one = _at(one, locations.nearest(one.value, before))
        if isinstance(one, Printed) and one.source:
            before = path_of(one.source)
        made.append(one)
    return made


def _at(one: Printed, location: tuple[Path, Form] | None) -> Printed:
    if location is None:
        return one
    path, form = location
    return Printed(text=one.text, value=one.value, source=pointer(path), form=form)


def _plain(one: str | Printed) -> str | dict[str, Any]:
    return one if isinstance(one, str) else one.model_dump(exclude_defaults=True)
