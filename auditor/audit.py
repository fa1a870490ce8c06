"""The audit: check, plan, measure, conclude, write."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import findings, report
from auditor.config import Config
from auditor.errors import InterruptedRunError, PdfUnavailableError, RenderError, StoreError, VerificationError
from auditor.findings import Findings, comparing
from auditor.findings.comparing import Night, Since
from auditor.findings.history import manifest_facts
from auditor.records import baselines, chain, reused, sums
from auditor.records.plan import write
from auditor.records.run import DOCUMENTS, PLAN, Run
from auditor.records.store import find_or_create, find_or_create_together
from auditor.records.types import Document
from auditor.records.verification import verify
from auditor.report import Look
from auditor.running import appearance, index, parts, pilot, request, resources, sealing
from auditor.running.checking import check
from auditor.running.comparing import compare_with_baseline
from auditor.running.context import context, read_evidence
from auditor.running.cost import Cost
from auditor.running.executors import executor_named
from auditor.running.executors.contract import Outcome, Receipt, Shard
from auditor.running.failures import Failures
from auditor.running.parts import Part
from auditor.running.planning import plan
from auditor.running.preflight import Preflight
from auditor.running.progress import Progress, Unheard, tell
from auditor.running.results import Result, reopened
from auditor.running.sealing import Seal
from auditor.running.worker import WorkerFactory

if TYPE_CHECKING:
    from auditor.report.page.said import Said

__all__ = ["Preflight", "Progress", "Result", "check", "estimate", "finish", "rerender", "run", "run_part"]

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
    asked, preflight, started = request.settings(config), check(config), datetime.now(UTC)
    run = find_or_create(Path(config.run.output), plan(preflight, command), fresh=fresh, again=again, now=started)
    if run.is_complete:
        run.annotate({request.KEY: request.described(config, asked, run.plan)})
        return reopened(run)
    with run.lock():
        if run.is_complete:  # another process finished it while this one waited for the lock
            return reopened(run)
        baselines.settle(run)
        progress.say(f"read as {preflight.corpus.dialect}: {config.corpus.path}")
        total = measure(preflight, run, stop=stop, progress=progress)
        progress.say("drawing conclusions and writing the report")
        facts = {**timing(started), **total.as_facts(), request.KEY: request.described(config, asked, run.plan)}
        look, seal = preflight.appearance.look, sealing.seal_of(config)
        del preflight  # its documents: the conclusions are drawn from those of the evidence
        return _concluded(run.read_again(), look, pdf=pdf and config.report.pdf, facts=facts, seal=seal)


def run_part(
    config: Config, part: Part, *, command: str = "", stop: Callable[[], bool] = lambda: False, progress: Progress
) -> Run:
    """Measures one part of a run, of which other processes measure others; `finish` concludes.

    Args:
        config: From `auditor.config.load`; the same for all parts.
        part: Which one.
        command: The command line, for the provenance page.
        stop: Asked between shards.
        progress: Told how far the work is.

    Raises:
        AuditorError: Anything a user can cause; what was measured is kept.
    """
    preflight = check(config)
    run = find_or_create_together(Path(config.run.output), plan(preflight, command), now=datetime.now(UTC))
    if not run.is_complete:
        with run.share(part.name):
            baselines.settle(run)
            chosen = part.among(preflight.shards)
            progress.say(f"{part}: {len(chosen)} of {len(preflight.shards)} shards of {run.path}")
            total = measure(preflight.without_cache(), run, shards=chosen, stop=stop, progress=progress)
            parts.leave(run, part, total, config.run.max_failures)
    return run


def finish(run: Run, *, pdf: bool = True, fonts: Path | None = None) -> Result:
    """Concludes a run whose parts are all measured, without torch or the model.

    Args:
        run: From `run_part`, in whatever process.
        pdf: Whether to make the PDF, where the configuration does not say otherwise.
        fonts: A folder of fonts; needed where the configuration names one.

    Raises:
        InterruptedRunError: Shards are missing.
        LockedError: A part is still at work.
    """
    with run.lock():
        if run.is_complete:
            return reopened(run)
        parts.require_all(run)
        started = datetime.fromisoformat(run.created)
        look = appearance.look_again(run.plan.look, None, fonts)
        facts = {**timing(started), **parts.total_of(run).as_facts()}
        try:
            return _concluded(run.read_again(), look, pdf=pdf and _wants_pdf(run), facts=facts, seal=None)
        finally:
            if run.is_complete:  # else what the parts left is needed again
                parts.forget(run)


def _wants_pdf(run: Run) -> bool:
    report = run.plan.configuration["report"]
    return not isinstance(report, Mapping) or report.get("pdf") is not False


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
        kept = ("started", "finished", "seconds", "work", "batch_tokens", request.KEY)
        facts = {key: before[key] for key in kept if key in before}
        return conclude(run, look, pdf=pdf, facts=facts)


def measure(
    preflight: Preflight,
    run: Run,
    *,
    shards: Sequence[Shard] | None = None,
    stop: Callable[[], bool],
    progress: Progress,
) -> Receipt:
    """Measures the shards that are missing, of all or of these; returns how much the models computed for them together.

    Raises:
        InterruptedRunError: `stop` said yes before all were done.
    """
    shards = preflight.shards if shards is None else shards
    executor = executor_named(preflight.config.run.executor, resources.planned(preflight, progress.say))
    kept = sum(all(run.has(probe.name, shard.index) for probe in preflight.probes) for shard in shards)
    if kept:
        progress.say(f"going on with {run.path}: {kept} of {len(shards)} shards are measured")
    _keep_documents(preflight, run, shards)
    progress.start(preflight.asked if len(shards) == len(preflight.shards) else parts.asked(preflight, shards))
    failures, done, total = Failures.of_run(preflight, run), 0, Receipt()
    factory = WorkerFactory(preflight, run, failures, progress if executor.in_process else Unheard())
    with closing(_closable(executor.map(factory, shards, retries=RETRIES, stop=stop))) as outcomes:
        for outcome in outcomes:
            receipt = _received(outcome, failures)
            tell(progress, outcome, receipt, heard=executor.in_process)
            done += 1
            total.add_work(receipt)
    if done < len(shards):
        raise InterruptedRunError(
            f"stopped after {done} of {len(shards)} shards; nothing is lost: the same command does the rest"
        )
    if rows := reused.read(run.path):
        progress.say(reused.told(rows))
    return total


def _keep_documents(preflight: Preflight, run: Run, shards: Sequence[Shard]) -> None:
    for shard in shards:
        if not run.has(DOCUMENTS, shard.index):
            run.write_shard(DOCUMENTS, Document, shard.index, preflight.documents[shard.start : shard.stop])


def _closable(outcomes: Iterator[Outcome]) -> Generator[Outcome, None, None]:
    """The same; closed, it closes what the executor gave, so that no worker outlives an error."""
    yield from outcomes


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
    after = Night(run.plan, context(run, look), read_evidence(run))
    baseline, since = compare_with_baseline(run, after)
    made = findings.summarise(after.evidence, replace(after.context, baseline=baseline))
    pages = report.render_pages(made, after.evidence, look, since)
    results, as_json = pages.findings, findings.write(pages.findings)
    run.write("findings.json", as_json)
    run.write("report.html", pages.html.encode("utf-8"))
    _write_documents(run, pages.documents)
    attachments = {"findings.json": as_json, PLAN: write(run.plan), **_write_comparison(run, since)}
    said = report.read_said(results, after.evidence, look, since) if pdf else None
    problem = _write_pdf(run, pages.html, results, attachments, look, seal, said) if pdf else None
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


def _write_comparison(run: Run, since: Since | None) -> dict[str, bytes]:
    """Writes comparison.json, and comparison.html unless the earlier run is gone; returns what the PDF attaches.

    Takes away those of before where there is no comparison any more.
    """
    if since is None:
        run.remove(sums.COMPARISON)
        run.remove(sums.COMPARISON_PAGE)
        return {}
    content = comparing.write(since.comparison)
    run.write(sums.COMPARISON, content)
    if since.before is not None:
        page = report.render_comparison(since.comparison, since.before, since.after)
        run.write(sums.COMPARISON_PAGE, page.encode("utf-8"))
    return {sums.COMPARISON: content}


def _write_pdf(
    run: Run,
    html: str,
    results: Findings,
    attachments: Mapping[str, bytes],
    look: Look,
    seal: Seal | None,
    said: "Said | None",
) -> str | None:
    """Writes report.pdf; returns None, or why the machine cannot write one."""
    try:
        content = report.render_pdf(html, results, attachments, look, said)
        with look.applied():  # a visible signature is drawn in the reader's fonts too
            run.write("report.pdf", seal(content) if seal else content)
    except PdfUnavailableError as error:
        return str(error)
    return None
