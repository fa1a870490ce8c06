"""What machines around a run read: JUnit XML for test reports, and a summary in Markdown on GitHub's page of the job.

A check that passes or is to be watched is a passed test; one that fails is a failure; a required one that could not be
judged is an error. Where the run was compared with its baseline, so is every number that is judged there, but that one
that could not be compared is a skipped test, as is whatever is waived.
"""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from auditor.terminal.conclusions import value_of, waiver_line
from auditor.terminal.printing import complain

if TYPE_CHECKING:
    from auditor.findings import Findings
    from auditor.findings.comparing import RunComparison

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable of the environment: the file that GitHub Actions shows."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no character for."""


def write_junit(path: Path, findings: "Findings", comparison: "RunComparison | None" = None) -> None:
    """Writes checks, and judged differences from the baseline, as JUnit XML.

    Raises:
        DiskError: the file cannot be written.
    """
    from auditor.records import disk

    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name=_xml(findings.title), timestamp=findings.created)
    cases = [*_checks(findings), *(_differences(findings, comparison) if comparison else ())]
    for group, name, outcome, text in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=group, name=_xml(name))
        if outcome:
            ElementTree.SubElement(case, outcome, message=_xml(text))
        elif text:
            ElementTree.SubElement(case, "system-out").text = _xml(text)
    outcomes = [outcome for _, _, outcome, _ in cases]
    counts = {f"{kind}s": outcomes.count(kind) for kind in ("failure", "error")}
    counts |= {"tests": len(cases), "skipped": outcomes.count("skipped")}
    for element in (suites, suite):
        element.attrib |= {key: str(n) for key, n in counts.items()}
    disk.write(path, ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True))


def append_summary(findings: "Findings", comparison: "RunComparison | None" = None) -> None:
    """Appends verdict and checks to the page of a job of GitHub Actions; nothing elsewhere.

    The run is done: where the page cannot be written, that is said and no more.
    """
    path = os.environ.get(SUMMARY)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write("\n".join(_markdown(findings, comparison)) + "\n")
    except OSError as error:
        complain(f"{SUMMARY}: {path}: {error.strerror}; the night itself is done")


def _checks(findings: "Findings") -> Iterator[tuple[str, str, str, str]]:
    from auditor.findings.judgement.verdict import waits
    from auditor.findings.judgement.waivers import BROKEN, applied

    waived = applied(findings.waivers)
    outcomes = {"fail": "failure", "not judged": "error"}
    for check in findings.checks:
        is_waived = check.result == "fail" and check.id in waived
        outcome = "skipped" if waits(check) or is_waived else outcomes.get(check.result, "") if check.required else ""
        yield "auditor.checks", check.name, outcome, check.reason
    for one in findings.waivers:
        yield "auditor.waivers", one.finding, "failure" if one.state in BROKEN else "", waiver_line(one)


def _differences(findings: "Findings", comparison: "RunComparison") -> Iterator[tuple[str, str, str, str]]:
    from auditor.findings.comparing.wording import shown
    from auditor.findings.judgement.waivers import OF_BASELINE, applied

    waived, outcomes = applied(findings.waivers), {"worse": "failure", "not compared": "skipped"}
    for one in comparison.numbers:
        if one.judged:
            figures = shown(one)
            told = one.reason or f"{figures.before} before, {figures.after} now, difference {figures.difference}"
            outcome = "skipped" if f"{OF_BASELINE}{one.name}" in waived else outcomes.get(one.change, "")
            yield "auditor.baseline", one.name, outcome, f"{one.title}: {told}"


def _markdown(findings: "Findings", comparison: "RunComparison | None") -> Iterator[str]:
    yield from (f"## {_text(findings.title)}", "", f"**{findings.verdict.result}**: {_text(findings.verdict.headline)}")
    if findings.checks:
        yield from ("", "| check | result | bound | measured |", "|---|---|---|---|")
    for check in findings.checks:
        bound = f"{check.direction.replace('_', ' ')} {check.bound:g}"
        measured = value_of(check.number) if check.number else ""
        yield f"| {_text(check.title)} | {check.result} | {bound} | {measured} |"
    yield from ["", *(f"- {_text(waiver_line(one))}" for one in findings.waivers)] if findings.waivers else []
    if comparison:
        yield from ("", f"Since {comparison.before.run_id}: {_text(comparison.headline)}")


def _text(text: str) -> str:
    """A text that cannot be markup, nor end a cell or a line."""
    return html.escape(" ".join(text.split())).replace("|", "&#124;").replace("`", "&#96;").replace("[", "&#91;")


def _xml(text: str) -> str:
    """Without characters that XML does not have."""
    return _NOT_XML.sub("\ufffd", text)
