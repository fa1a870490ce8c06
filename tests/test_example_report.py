"""The example reports in the repository are what their evidence gives: findings, and byte by byte the HTML."""

import json
import math
import os
import shutil
from pathlib import Path

import pytest

from auditor import audit, findings, report
from auditor.records.run import Run
from auditor.records.store import open_run
from auditor.records.verification import verify
from auditor.running import context

REPORTS = Path(__file__).parents[1] / "reports"
EXAMPLES = ("example", "example-zh")


def same(found: object, wanted: object) -> bool:
    """Equal, numbers to ten digits: the last ones depend on the processor."""
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-10, abs_tol=1e-12)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return found == wanted


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Run:
    run = open_run(REPORTS / request.param, REPORTS)
    if os.environ.get("AUDITOR_GOLDEN"):
        audit.rerender(run)
    return run


def test_the_golden_example_is_sound(example: Run) -> None:
    assert verify(example) == []


@pytest.mark.locked
def test_the_golden_example_has_the_findings_of_its_evidence(example: Run) -> None:
    found = findings.write(findings.summarise(context.read_evidence(example), context.context(example)))
    assert same(json.loads(found), json.loads(example.read_bytes("findings.json"))), "run `make golden`, read the diff"


@pytest.mark.locked
def test_the_golden_example_looks_like_a_fresh_rendering(example: Run) -> None:
    stored = findings.read(example.read_bytes("findings.json"))
    fresh = report.render_html(stored, context.read_evidence(example))
    assert fresh.encode() == example.read_bytes("report.html"), f"run `make golden`, look at {example.path}/report.html"


@pytest.mark.locked
def test_the_golden_example_is_made_into_a_pdf(tmp_path: Path) -> None:
    stored = REPORTS / "example-zh"
    result = audit.rerender(open_run(shutil.copytree(stored, tmp_path / "example"), tmp_path))
    assert result.pdf is not None, result.pdf_error
    assert 0.8 < result.pdf.stat().st_size / (stored / "report.pdf").stat().st_size < 1.25
