"""The audit: check, plan, measure, conclude, write."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor import findings, report
from auditor.config import Config
from auditor.errors import InterruptedRunError, PdfUnavailableError, RenderError, StoreError, VerificationError
from auditor.findings import Findings
from auditor.findings.history import manifest_facts
from auditor.records import chain, reused, sums
from auditor.records.plan import write
from auditor.records.run import DOCUMENTS, PLAN, Run
from auditor.records.store import find_or_create
from auditor.records.types import Document
from auditor.records.verification import verify
from auditor.report import Look
from auditor.running import appearance, index, pilot, request, sealing
from auditor.running.checking import check
from auditor.running.context import context, read_evidence
from auditor.running.cost import Cost
from auditor.running.executors import executor_named
from auditor.running.executors.contract import Outcome, Receipt
from auditor.running.failures import Failures
from auditor.running.planning import plan
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress, Unheard, tell
from auditor.running.results import Result, reopened
from auditor.running.sealing import Seal
from auditor.running.worker import WorkerFactory

__all__ = ["Preflight", "Progress", "Result", "check", "estimate", "rerender", "run"]

RETRIES = 1
"""How often a shard is tried again whose worker broke: a device or a disk may be lost for a moment."""


def run(
    config: Config,
    *,
    fresh: bool = False,
    again: bool = False,
    pdf: bool = True,
    command: str = "",
    stop: Callable[[], bool] = lambda: False,
    progress: Progress,
) -> Result:
    """Audits a model: starts a run, resumes an interrupted one, or reopens a complete one of the same plan.

    Args:
        config: From `auditor.config.load`.
        fresh: Whether to begin a new run even where one of the same plan is there.
        again: Whether to begin one where that of the same plan is complete.
        pdf: Whether to make the PDF.
        command: The command line, for the provenance page.
        stop: Asked between shards; when it says yes, what is done is kept and the run can be resumed.
        progress: Told how far the work is.

    Raises:
        AuditorError: Anything a user can cause; what was measured is kept.
    """
    asked, preflight = request.settings(config), check(config)
    started = datetime.now(UTC)
    run = find_or_create(Path(config.run.output), plan(preflight, command), fresh=fresh, again=again, now=started)
    if run.is_complete:
        run.annotate({request.KEY: request.described(config, asked, run.plan)})
        return reopened(run)
    with run.lock():
        if run.is_complete:  # another process finished it while this one waited for the lock
            return reopened(run)
        progress.say(f"read as {preflight.corpus.dialect}: {config.corpus.path}")
        work = measure(preflight, run, stop=stop, progress=progress)
        progress.say("drawing conclusions and writing the report")
        facts = {**timing(started), "work": work, request.KEY: request.described(config, asked, run.plan)}
        look, seal = preflight.appearance.look, sealing.seal_of(config)
        del preflight  # its documents: the conclusions are drawn from those of the evidence
        return _concluded(run.read_again(), look, pdf=pdf and config.report.pdf, facts=facts, seal=seal)


def estimate(config: Config, *, progress: Progress) -> Cost:
    """What an audit would cost on this machine: models are loaded, probes tried on a few documents, nothing is written.

    Raises:
        AuditorError: Anything a user can cause.
    """
    return pilot.estimate(check(config), progress)


def _concluded(run: Run, look: Look, *, pdf: bool, facts: Mapping[str, Any], seal: Seal | None) -> Result:
    """The result of `conclude`; where the reader's templates are faulty, the report is written without them first.

    Raises:
        RenderError: The templates are faulty.
    """
    try:
        return conclude(run, look, pdf=pdf, facts=facts, seal=seal)
    except RenderError as fault:
        if not look.templates.files:
            raise
        conclude(run, Look(fonts=look.fonts), pdf=pdf, facts=facts, seal=seal)
        raise RenderError(
            f"{fault}\n{run.path}: the report was written without your templates; mend them, then "
            f"`auditor report {run.run_id} --templates DIR`"
        ) from fault


def rerender(run: Run, *, pdf: bool = True, templates: Path | None = None, fonts: Path | None = None) -> Result:
    """Draws the conclusions and writes the report again, from the evidence alone: without torch or the model.

    Args:
        run: A finished run.
        pdf: Whether to make the PDF.
        templates: A folder of templates; by default those that the plan keeps.
        fonts: A folder of fonts; needed where the run was drawn with some.

    Raises:
        RenderError: Templates or fonts are faulty; the report that was there is untouched.
        StoreError: The evidence is not complete.
        VerificationError: The plan or the evidence is not what was measured.
    """
    with run.lock():
        if run.manifest() is None:
            raise StoreError(f"{run.path}: the run is not finished; resume it with the command that started it")
        _require_untouched(run)
        before = run.manifest() or {}
        look = appearance.look_again(run.plan.look, templates, fonts)
        facts = {key: before.get(key) for key in ("started", "finished", "seconds", "work", request.KEY)}
        return conclude(run, look, pdf=pdf, facts=facts)


def measure(preflight: Preflight, run: Run, *, stop: Callable[[], bool], progress: Progress) -> Counter[str]:
    """Measures the shards that are missing; returns how much the models computed for it.

    Raises:
        InterruptedRunError: `stop` said yes before all were done.
    """
    shards, executor = preflight.shards, executor_named(preflight.config.run.executor)
    kept = sum(all(run.has(probe.name, shard.index) for probe in preflight.probes) for shard in shards)
    if kept:
        progress.say(f"going on with {run.path}: {kept} of {len(shards)} shards are measured")
    for shard in shards:
        if not run.has(DOCUMENTS, shard.index):
            run.write_shard(DOCUMENTS, Document, shard.index, preflight.documents[shard.start : shard.stop])
    progress.start(preflight.asked)
    failures, done, work = Failures.of_run(preflight, run), 0, Counter[str]()
    factory = WorkerFactory(preflight, run, failures, progress if executor.in_process else Unheard())
    for outcome in executor.map(factory, shards, retries=RETRIES, stop=stop):
        receipt = _received(outcome, failures)
        tell(progress, outcome.shard, receipt, heard=executor.in_process)
        done += 1
        work.update(receipt.work)
    if done < len(shards):
        raise InterruptedRunError(
            f"stopped after {done} of {len(shards)} shards; nothing is lost: the same command does the rest"
        )
    if rows := reused.read(run.path):
        progress.say(reused.told(rows))
    return work


def _received(outcome: Outcome, failures: Failures) -> Receipt:
    """The receipt of a shard that went well, its failures counted with those of all workers."""
    if outcome.receipt is None:
        raise outcome.error or RuntimeError(f"shard {outcome.shard.index} came back with neither receipt nor error")
    for probe, rows in outcome.receipt.failures.items():
        failures.add(probe, rows)
        failures.require_few(probe)
    return outcome.receipt


def conclude(run: Run, look: Look, *, pdf: bool, facts: Mapping[str, Any], seal: Seal | None = None) -> Result:
    """Draws conclusions from the evidence of a measured run, writes the report, and closes the run.

    Args:
        run: A run whose shards are all there.
        look: The reader's templates and fonts.
        pdf: Whether to make the PDF.
        facts: For the manifest: what may differ between two runs of one plan.
        seal: Signs the PDF, where it is to be signed.
    """
    evidence = read_evidence(run)
    pages = report.render_pages(findings.summarise(evidence, context(run, look)), evidence, look)
    results = pages.findings
    as_json = findings.write(results)
    run.write("findings.json", as_json)
    run.write("report.html", pages.html.encode("utf-8"))
    _write_documents(run, pages.documents)
    problem = _write_pdf(run, pages.html, results, as_json, look, seal) if pdf else None
    if problem or not pdf:
        run.remove("report.pdf")
    rows = {probe: asdict(rows) for probe, rows in reused.read(run.path).items()}
    run.finish({**facts, "rows": rows, chain.KEY: chain.links(run), **manifest_facts(results)})
    index.renew(run)
    return replace(reopened(run), reused=False, pdf_error=problem)


def timing(started: datetime) -> dict[str, Any]:
    """Start, end (ISO 8601, UTC) and duration in seconds, for the manifest."""
    finished = datetime.now(UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": round((finished - started).total_seconds(), 1),
    }


def _require_untouched(run: Run) -> None:
    """Refuses changed evidence, which new conclusions would give valid checksums; the pages may have changed.

    Raises:
        VerificationError: Names the first file that has changed.
    """
    changed = [fault for fault in verify(run) if fault.path not in sums.ARTEFACTS] if run.is_complete else []
    if changed:
        raise VerificationError(f"{run.path}: nothing was rendered, since {changed[0]}; `auditor verify` tells all")


def _write_documents(run: Run, files: Mapping[str, bytes]) -> None:
    """Writes the table of all documents where it is not on the page; takes away one of before where it is."""
    for name in sums.DOCUMENTS:
        if name in files:
            run.write(name, files[name])
        else:
            run.remove(name)


def _write_pdf(run: Run, html: str, results: Findings, as_json: bytes, look: Look, seal: Seal | None) -> str | None:
    """Writes report.pdf; returns None, or why the machine cannot write one."""
    attachments = {"findings.json": as_json, PLAN: write(run.plan)}
    try:
        content = report.render_pdf(html, results, attachments, look)
        run.write("report.pdf", seal(content) if seal else content)
    except PdfUnavailableError as error:
        return str(error)
    return None
