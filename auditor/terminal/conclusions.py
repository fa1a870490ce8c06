"""What a run comes to, in lines for people and as one JSON object, and the exit code that follows from it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from auditor.errors import EXIT_CHECK_FAILED, EXIT_FINE, EXIT_NOT_ESTABLISHED, PdfUnavailableError
from auditor.terminal.printing import complain, print_lines, to_json

if TYPE_CHECKING:
    from auditor.findings import Findings
    from auditor.findings.contract.types import Coverage, Number, Waiver
    from auditor.records.store import Run, RunSummary
    from auditor.running.results import Result


def print_result(result: "Result", as_json: bool, code: int, more: Mapping[str, object] | None = None) -> int:
    """Print verdict, checks and where the reports lie, and in JSON what else there is to say; returns the exit code."""
    findings = result.findings
    code = code or (PdfUnavailableError.exit_code if result.pdf_error else EXIT_FINE)
    reports = {"html": str(result.html), "pdf": str(result.pdf) if result.pdf else None}
    if as_json:
        verdict = {**run_identity(result.run), **findings.verdict.model_dump(), "exit_code": code}
        checks = [check.model_dump() for check in findings.checks]
        waivers = [waiver.model_dump() for waiver in findings.waivers]
        reasons = {"reused": result.reused, "pdf_error": result.pdf_error}
        print_lines(to_json({**verdict, "checks": checks, "waivers": waivers, **reports, **reasons, **(more or {})}))
    else:
        if result.reused:
            print_lines("complete already: nothing was computed; `auditor run --fresh` runs it anew")
        print_lines([*verdict_lines(findings), *filter(None, reports.values())])
    if result.pdf_error:
        complain(f"no PDF: {result.pdf_error}")
    return code


def exit_code_of(findings: "Findings") -> int:
    """The exit code of a verdict; without checks there is nothing to establish."""
    codes = {"fail": EXIT_CHECK_FAILED, "not established": EXIT_NOT_ESTABLISHED if findings.checks else EXIT_FINE}
    return codes.get(findings.verdict.result, EXIT_FINE)


def verdict_lines(findings: "Findings") -> Iterator[str]:
    """The verdict, and every check with its number."""
    yield f"{findings.verdict.result}: {findings.verdict.headline}"
    for check in findings.checks:
        bound = f"{check.direction.replace('_', ' ')} {check.bound:g}"
        measured = [value_of(check.number)] if check.number else []
        reason = [check.reason] if check.result == "not judged" else []
        yield f"  {check.result:<10}  {check.title} {bound}: {'; '.join([*measured, *reason])}"
    yield from (f"  {waiver_line(one)}" for one in findings.waivers)


def waiver_line(one: "Waiver") -> str:
    """A waiver, and what became of it."""
    return f"waiver {one.state}: {one.finding}, {one.owner}, until {one.expires}: {one.reason}"


def value_of(number: "Number") -> str:
    """A number with its interval and n, to four digits."""
    from auditor.findings.contract.numbers import as_nats
    from auditor.findings.statistics.exponentials import PRINTED

    if number.is_beyond:
        return f"{PRINTED}, in nats {value_of(as_nats(number))}"
    if number.value is None:
        return "not measured"
    interval = "" if number.low is None or number.high is None else f" ({number.low:.4g} to {number.high:.4g})"
    return f"{number.value:.4g}{interval}, n = {number.n:,}"


def coverage_line(row: "Coverage") -> str:
    """How many documents a probe measured, and why not the others."""
    from auditor.findings.wording.sentences import reason

    if row.left_out:
        return f"{row.probe}: not measured: {row.left_out}"
    reasons = ", ".join(map(reason, row.reasons))
    others = {"failed": row.failed, f"not measurable ({reasons})": row.not_measurable}
    states = [f"{n:,} {state}" for state, n in others.items() if n]
    return ", ".join([f"{row.probe}: {row.measured:,} of {row.asked:,} documents measured", *states])


def run_identity(run: "Run") -> dict[str, str]:
    """What names a run, in every JSON object about one."""
    return {"run_id": run.run_id, "path": str(run.path)}


def run_summary(run: "RunSummary") -> dict[str, str | None]:
    """A run of a listing, for machines."""
    return {
        "run_id": run.run_id,
        "path": str(run.path),
        "title": run.title,
        "created": run.created,
        "state": run.state,
        "verdict": run.manifest.get("verdict"),
    }


def run_state(run: "RunSummary") -> str:
    """The verdict of a complete run, else how far it is."""
    return str(run.manifest.get("verdict", "complete")) if run.state == "complete" else run.state
