"""`auditor nightly`: one night of an audit, from the run to the removal of old ones, for a scheduler to repeat.

run, or resume → compare with the baseline → page of all runs → JUnit, summary → remove old runs → ping
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from auditor import __version__
from auditor.errors import EXIT_CHECK_FAILED, EXIT_FINE, ConfigError, DiskError
from auditor.terminal.announcing import append_summary, write_junit
from auditor.terminal.conclusions import exit_code_of, print_result
from auditor.terminal.keeping import Daily, Monthly, Weekly, prune_audit
from auditor.terminal.options import AsJson
from auditor.terminal.printing import complain, print_lines
from auditor.terminal.signals import finishing_the_shard

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.findings.comparing import RunComparison
    from auditor.running.results import Result

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_PATIENCE = 10.0
"""Seconds that a ping may take."""

Deadline = Annotated[str | None, typer.Option(metavar="TIME", help="Stop at a shard after 5h, 90m or 1h30m; exit 5.")]
IfChanged = Annotated[bool, typer.Option("--if-changed", help="No new run where nothing changed since the last one.")]
Ping = Annotated[str | None, typer.Option(metavar="URL", help="Get this address when the night is over.")]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the checks as JUnit XML.")]


def nightly(
    context: typer.Context,
    config: "Config",
    deadline: Deadline = None,
    if_changed: IfChanged = False,
    ping: Ping = None,
    junit: Junit = None,
    keep_daily: Daily = 14,
    keep_weekly: Weekly = 8,
    keep_monthly: Monthly = 12,
    as_json: AsJson = False,
) -> int:
    """Audit for the night. Run or resume, compare with the baseline, remove old runs, ping.

    Every night is a run of its own; one that was interrupted is resumed. Ends as `run` does, and with 1 if a number
    that is judged is worse than that of the baseline.
    """
    from auditor.records.retention import Retention

    limit, address = _seconds(deadline), _address(ping)
    result = _run(config, str(context.obj), limit, if_changed)
    comparison = result.comparison
    unwritten = _write_junit(junit, result)
    append_summary(result.findings, comparison)
    removed = prune_audit(result.run.path, Retention(keep_daily, keep_weekly, keep_monthly))
    code = EXIT_CHECK_FAILED if _is_worse(result) else exit_code_of(result.findings) or unwritten
    code = print_result(result, as_json, code, {"baseline": _since(comparison), "removed": removed})
    if not as_json:
        print_lines(_compared(result))
        runs = "run" if len(removed) == 1 else "runs"
        print_lines([f"{len(removed):,} old {runs} removed: {', '.join(removed)}"] if removed else [])
    _ping(address)
    return code


def _write_junit(path: Path | None, result: "Result") -> int:
    """The exit code; where the file cannot be written, the rest of the night is done all the same."""
    try:
        if path:
            write_junit(path, result.findings, result.comparison)
    except DiskError as error:
        complain(str(error))
        return error.exit_code
    return EXIT_FINE


def _is_worse(result: "Result") -> bool:
    """Whether a number is worse than the baseline's that nobody waives."""
    from auditor.findings.judgement.waivers import OF_BASELINE, applied

    if result.comparison is None:
        return False
    waived = applied(result.findings.waivers)
    worse = (one.name for one in result.comparison.numbers if one.judged and one.change == "worse")
    return any(f"{OF_BASELINE}{name}" not in waived for name in worse)


def _compared(result: "Result") -> list[str]:
    """The line about the comparison with the baseline; none where nothing was computed."""
    from auditor.records import baselines

    if result.comparison:
        return [f"since {result.comparison.before.run_id}: {result.comparison.headline}"]
    if result.reused:
        return []
    name = baselines.settled(result.run)
    return [f"not compared with {name}: the report says why" if name else "no baseline to compare with"]


def _since(comparison: "RunComparison | None") -> dict[str, str] | None:
    if comparison is None:
        return None
    return {"run_id": comparison.before.run_id, "result": comparison.result, "headline": comparison.headline}


def _run(config: "Config", command: str, limit: float | None, if_changed: bool) -> "Result":
    from auditor import audit
    from auditor.terminal.progress import open_progress

    end = None if limit is None else time.monotonic() + limit
    with open_progress() as progress, finishing_the_shard() as stopped:
        stop: Callable[[], bool] = lambda: stopped() or (end is not None and time.monotonic() > end)  # noqa: E731
        return audit.run(config, again=not if_changed, command=command, stop=stop, progress=progress)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ConfigError(f"--deadline {text}: expected a time such as 5h, 90m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def _address(text: str | None) -> str | None:
    """The same, where it is an address that can be asked for.

    Raises:
        ConfigError: It is none.
    """
    if text is not None and not _is_address(text):
        raise ConfigError(
            f"--ping {text}: expected an address that begins with https:// or http://; characters that are not ASCII, "
            "and blanks, are written as %C3%BC, %20"
        )
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # read, so that it is looked at
    except ValueError:
        return False
    is_written_out = text.isascii() and text.isprintable() and " " not in text
    return is_written_out and parts.scheme in ("http", "https") and bool(parts.hostname)


def _ping(address: str | None) -> None:
    """Says that the night is over; that nobody answers, or too slowly, is no fault of it."""
    if address is None:
        return
    problems: list[str] = []
    asking = Thread(target=lambda: problems.append(_problem_of(address)), daemon=True)
    asking.start()
    asking.join(_PATIENCE)  # the time of urlopen is that of each piece that comes
    problem = problems[0] if problems else f"no answer within {_PATIENCE:g} seconds"
    if problem:
        complain(f"--ping {address}: {problem}; the night itself is done")


def _problem_of(address: str) -> str:
    """Asks for an address; why there was no answer, empty where there was one."""
    from http.client import HTTPException  # imports the package email too
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(address, headers={"User-Agent": f"auditor/{__version__}"}), timeout=_PATIENCE):
            return ""
    except (OSError, ValueError, HTTPException) as error:
        return " ".join(str(error).split()) or type(error).__name__
