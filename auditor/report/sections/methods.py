"""How was each number computed, with which parameters?"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup, escape

from auditor.findings.contract.numbers import is_of_slice
from auditor.findings.contract.registry import owner_of
from auditor.findings.contract.types import Findings, Number
from auditor.languages import plural, say
from auditor.languages.numbers import separator
from auditor.report.chapters import chapter_of, template_of
from auditor.report.contract import Column, Section, Sources, Table
from auditor.report.drawing import formats
from auditor.report.sections import parameters

_SYMBOL = re.compile(r"\*(\w+?)(?:_(\w+))?\*")
"""`*p_k*` in a message is an italic p with the index k."""


@dataclass(frozen=True, slots=True)
class Part:
    """Formulas, set by a template, and what their letters mean."""

    formulas: str
    title: str
    prose: Markup


@dataclass(frozen=True, slots=True)
class Names:
    """The numbers that one section is about, as `[checks]` names them."""

    section: str
    """Id; empty for page one."""
    title: str
    names: tuple[str, ...]


def compose(sources: Sources, others: Sequence[Section] = ()) -> Section:
    """The section on methods; what `others` say beside their numbers is not said again."""
    findings = sources.findings
    numbers = [number for name, number in sources.numbers.items() if not is_of_slice(name)]
    return Section(
        id="methods",
        title=say("Methods"),
        question=say("How was each number computed, with which parameters?"),
        answer=plural(
            len(numbers),
            "{n} number over the whole corpus; every parameter is the one this run used.",
            "{n} numbers over the whole corpus; every parameter is the one this run used.",
        ),
        method=say(
            "Intervals are 95%: Wilson for proportions, bootstrap over documents with a fixed seed for means, order "
            "statistics for quantiles. Where documents are too few for an interval that holds (fewer than ten for a "
            "mean), or too much alike, a number has a value only. A check passes where the whole interval lies on the "
            "right side of its bound, fails where it lies on the wrong side, is watched where it straddles the bound, "
            "and is not judged where there are too few documents."
        ),
        limits=say(
            "Intervals speak of sampling, of documents and perturbations; not of wrong labels or a shifted corpus."
        ),
        template="sections/methods.html.j2",
        content={
            "parts": list(_parts(findings)),
            "parameters": parameters.groups(findings),
            "names": _names(numbers, others),
            "separator": separator(),
            "protocols": _protocols(numbers, others),
        },
    )


def _parts(findings: Findings) -> Iterator[Part]:
    """The formulas of the probes that measured something."""
    for probe in findings.analyses:
        chapter = chapter_of(probe)
        for method in chapter.methods if chapter else ():
            if method.applies(findings):
                yield Part(template_of(probe, method.formulas), say(method.title), _prose(say(method.prose)))


def _prose(text: str) -> Markup:
    def symbol(match: re.Match[str]) -> str:
        letter, index = match.groups()
        return f"<i>{letter}</i><sub><i>{index}</i></sub>" if index else f"<i>{letter}</i>"

    return Markup(_SYMBOL.sub(symbol, str(escape(text))))


def _names(numbers: Iterable[Number], others: Sequence[Section]) -> tuple[Names, ...]:
    """The names by section, in the order of the report; of a family of labels only one."""
    titles = {section.id: section.title for section in others}
    by_section: dict[str, list[str]] = {}
    for number in numbers:
        section = _section_of(number.name)
        by_section.setdefault(section if section in titles else "", []).append(_family(number.name))
    return tuple(
        Names(section, titles.get(section, say("Page one")), tuple(dict.fromkeys(names)))
        for section, names in by_section.items()
    )


def _section_of(name: str) -> str:
    """Id of the section of the summary that declares a number; empty where none does."""
    summary = owner_of(name)
    return summary.section_id if summary else ""


def _family(name: str) -> str:
    family, bracket, _ = name.partition("[")
    return f"{formats.middle(family, 60)}[…]" if bracket else formats.middle(name, 60)


def _protocols(numbers: Iterable[Number], others: Sequence[Section]) -> Table | None:
    """How the numbers were computed whose protocol stands nowhere else; one row per family."""
    printed = {cell for section in others for table in _tables(section) for row in table.rows for cell in row}
    by_family: dict[str, list[str]] = {}
    for number in numbers:
        if number.protocol not in printed:
            by_family.setdefault(_family(number.name), []).append(number.protocol)
    if not by_family:
        return None
    columns = (Column(say("Name in [checks]"), "id", 30), Column(say("Computed as")))
    rows = tuple((family, _merged(protocols)) for family, protocols in by_family.items())
    caption = say("Numbers whose computation is not printed beside them; … is what differs within a family.")
    return Table(caption, columns, rows)


def _merged(protocols: list[str]) -> str:
    """What the protocols have in common, around an ellipsis; of equal ones the text itself."""
    if len(set(protocols)) == 1:
        return protocols[0]
    start = _beginning(protocols)
    end = _beginning([protocol[len(start) :][::-1] for protocol in protocols])[::-1]
    return f"{start}…{end}"


def _beginning(texts: list[str]) -> str:
    """The longest beginning that all texts share."""
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in shared)


def _tables(section: Section) -> list[Table]:
    return [value for value in section.content.values() if isinstance(value, Table)]
