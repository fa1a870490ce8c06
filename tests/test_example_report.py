"""The example report in the repository is what its evidence gives: findings, and page by page the HTML."""

import json
import math
import os
import shutil
from pathlib import Path

import pytest

from auditor import audit, findings, report
from auditor.records.store import open_run
from auditor.records.verification import verify

EXAMPLE = Path(__file__).parents[1] / "reports" / "example"


def same(found: object, wanted: object) -> bool:
    """Equal, numbers to ten digits: the last ones depend on the processor."""
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-10, abs_tol=1e-12)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return found == wanted


@pytest.fixture(scope="module", autouse=True)
def rendered() -> None:
    if os.environ.get("AUDITOR_GOLDEN"):
        audit.rerender(open_run(EXAMPLE, EXAMPLE.parent))


def test_the_golden_example_is_sound() -> None:
    assert verify(open_run(EXAMPLE, EXAMPLE.parent)) == []


def test_the_golden_example_has_the_findings_of_its_evidence() -> None:
    run = open_run(EXAMPLE, EXAMPLE.parent)
    found = findings.write(findings.summarise(audit.read_evidence(run), audit.context(run)))
    assert same(json.loads(found), json.loads(run.read_bytes("findings.json"))), "run `make golden`, read the diff"


def test_the_golden_example_looks_like_a_fresh_rendering() -> None:
    run = open_run(EXAMPLE, EXAMPLE.parent)
    fresh = report.render_html(findings.read(run.read_bytes("findings.json")), audit.read_evidence(run))
    assert fresh.encode() == run.read_bytes("report.html"), "run `make golden`, look at reports/example/report.html"


def test_the_golden_example_is_made_into_a_pdf(tmp_path: Path) -> None:
    copy = shutil.copytree(EXAMPLE, tmp_path / "example")
    result = audit.rerender(open_run(copy, tmp_path))
    assert result.pdf is not None, result.pdf_error
    assert 0.8 < result.pdf.stat().st_size / (EXAMPLE / "report.pdf").stat().st_size < 1.25
