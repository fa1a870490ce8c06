"""A complete run with a report that was really drawn: two documents, one probe."""

from datetime import UTC, datetime

from invented_runs import tiny

from auditor import findings
from auditor.findings.history import manifest_facts
from auditor.languages import speaking
from auditor.records import store
from auditor.records.types import Document
from auditor.report import render_html
from auditor.report.page import pdf
from tests.records.planned import planned

FOUND, EVIDENCE = tiny()


def small_run(root, **presentation):
    """The run, presented so; its findings are read from it."""
    run = store.find_or_create(root, planned(1, title="Tiny"), now=datetime(2026, 1, 1, tzinfo=UTC))
    presented = FOUND.presentation.model_copy(update=presentation)
    found = FOUND.model_copy(update={"plan_id": run.plan_id, "run_id": run.run_id, "presentation": presented})
    run.write_shard("documents", Document, 0, [Document("a", "Not bad at all")])
    attached = {"findings.json": findings.write(found), "plan.json": (run.path / "plan.json").read_bytes()}
    run.write("findings.json", attached["findings.json"])
    run.write("report.html", b"<html>")
    with speaking(presented.language):
        run.write("report.pdf", pdf.render(render_html(found, EVIDENCE), found, attached))
    run.finish(manifest_facts(found))
    return run
