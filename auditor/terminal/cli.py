"""The command line. stdout is the result, stderr is progress and errors.

Everything heavy is imported inside the command that needs it, so that `auditor --help` and `auditor list` answer at
once. Exit codes stand in `auditor.errors`.
"""

import enum
import errno
import json
import shlex
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor import __version__
from auditor.errors import (
    EXIT_BUG,
    EXIT_FINE,
    AuditorError,
    DiskError,
    InterruptedRunError,
)
from auditor.terminal import faults, streams
from auditor.terminal.conclusions import (
    coverage_line,
    exit_code_of,
    print_result,
    run_identity,
    run_state,
    run_summary,
    value_of,
    verdict_lines,
)
from auditor.terminal.diff import diff
from auditor.terminal.exporting import export
from auditor.terminal.history import history
from auditor.terminal.keeping import baseline, prune
from auditor.terminal.manual import open_manual
from auditor.terminal.nightly import nightly
from auditor.terminal.options import AsJson, Fonts, NoPdf, Root, RunName, Templates, configured
from auditor.terminal.parts import ShardOf, finish, part_asked, provenance, run_part
from auditor.terminal.printing import complain, print_lines, to_json
from auditor.terminal.proving import lock, sign, verify
from auditor.terminal.signals import finishing_the_shard, interrupt, signals
from auditor.terminal.starting import init

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.records.store import Run

_UsageError: type[Any] = typer.BadParameter.__bases__[0]  # typer exports only this subclass of it
_FULL_OR_READ_ONLY = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)

app = typer.Typer(
    name="auditor",
    help="Audits of transformers models: explanations, attention and perplexity in a report a reviewer can sign.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Schema(enum.StrEnum):
    """What `auditor schema` knows."""

    config = "config"
    findings = "findings"
    comparison = "comparison"
    printed = "printed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, with one line on stderr where something is wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    streams.mend()
    with signals(interrupt):
        try:
            code = _invoke(given)
            sys.stdout.flush()
            return code
        except AuditorError as error:
            notes = getattr(error, "__notes__", ())
            return faults.report(given, type(error).__name__, str(error), error.exit_code, notes)
        except KeyboardInterrupt:
            text = "interrupted; what is measured is kept: resume with the same command"
            return faults.report(given, InterruptedRunError.__name__, text, InterruptedRunError.exit_code)
        except OSError as error:
            if error.errno not in _FULL_OR_READ_ONLY:
                return _bug(given, error)
            text = f"{error.filename or 'the disk'}: {error.strerror}; what was written before is kept"
            return faults.report(given, DiskError.__name__, text, DiskError.exit_code)
        except Exception as error:
            return _bug(given, error)


def _bug(arguments: list[str], error: Exception) -> int:
    """What is left is a fault of this program: whoever reports it needs the whole traceback."""
    traceback.print_exc()
    text = "this is a fault of auditor, not of your input: please report it; what is measured is kept"
    return faults.report(arguments, type(error).__name__, text, EXIT_BUG)


def _invoke(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    written = shlex.join(["auditor", *provenance(arguments)]).encode(errors="backslashreplace").decode()
    try:
        with command.make_context("auditor", arguments, obj=written) as context:
            return int(command.invoke(context) or EXIT_FINE)
    except typer.Exit as done:
        return int(done.exit_code)
    except _UsageError as error:
        error.show()
        return faults.print_object(arguments, "UsageError", error.format_message(), int(error.exit_code))


def _print_version(asked: bool) -> None:
    if asked:
        print_lines(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
    ] = False,
) -> None:
    """What stands before a command."""


@app.command()
@configured
def run(
    context: typer.Context,
    config: "Config",
    fresh: Annotated[bool, typer.Option("--fresh", help="Run anew, even if this audit is complete.")] = False,
    as_json: AsJson = False,
    no_pdf: NoPdf = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Load the models, estimate what the run costs, and write nothing.")
    ] = False,
    shard_of: ShardOf = None,
) -> int:
    """Audit a model and write the report. Interrupted, the same command does what is missing."""
    if dry_run:
        return _print_cost(config, as_json)
    from auditor.running import request

    part = part_asked(shard_of, fresh=fresh)
    known = None if fresh else request.answered(config)
    if known:
        return print_result(known, as_json, exit_code_of(known.findings))
    if part:
        return run_part(config, part, str(context.obj), as_json=as_json)
    from auditor import audit
    from auditor.terminal.progress import open_progress

    pdf = config.report.pdf and not no_pdf
    with open_progress() as progress, finishing_the_shard() as stop:
        result = audit.run(config, fresh=fresh, pdf=pdf, command=str(context.obj), stop=stop, progress=progress)
    return print_result(result, as_json, exit_code_of(result.findings))


def _print_cost(config: "Config", as_json: bool) -> int:
    from auditor import audit
    from auditor.terminal.progress import open_progress

    with open_progress() as progress:
        cost = audit.estimate(config, progress=progress)
    print_lines(to_json(cost.as_json()) if as_json else cost.lines)
    return EXIT_FINE


@app.command()
@configured
def check(config: "Config", as_json: AsJson = False) -> int:
    """Check configuration and inputs. Says what would run; no weights are loaded."""
    from auditor import audit

    preflight = audit.check(config)
    print_lines(to_json(preflight.as_json()) if as_json else preflight.lines)
    return EXIT_FINE


@app.command()
def report(
    name: RunName,
    root: Root = Path("reports"),
    templates: Templates = None,
    fonts: Fonts = None,
    as_json: AsJson = False,
    no_pdf: NoPdf = False,
) -> int:
    """Render the report of a run again. From its evidence: needs neither the model nor torch."""
    from auditor import audit

    run = _open(name, root)
    had_pdf, was_signed = (run.path / "report.pdf").exists(), _is_signed(run)
    result = audit.rerender(run, pdf=not no_pdf, templates=templates, fonts=fonts)
    if had_pdf and result.pdf is None:
        complain("report.pdf was removed: it belonged to the page as it was before")
    elif was_signed:
        complain("report.pdf was signed and is not any more: `auditor sign` signs what is there now")
    return print_result(result, as_json, EXIT_FINE)


@app.command(name="list")
def list_runs(root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """List all runs, oldest first."""
    from auditor.records.store import runs

    listed = runs(root)
    if as_json:
        print_lines(to_json({"runs": [run_summary(run) for run in listed]}))
    elif listed:
        width = max(len(run.run_id) for run in listed)
        print_lines(f"{run.run_id:<{width}}  {run_state(run):<20}  {run.title}" for run in listed)
    else:
        print_lines(f"no runs in {root}")
    return EXIT_FINE


@app.command()
def show(name: RunName, root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """Show what a run found."""
    from auditor.findings import read

    run = _open(name, root)
    content = run.read_bytes("findings.json")
    findings = read(content)
    if as_json:
        print_lines(to_json({**run_identity(run), "complete": run.is_complete, "findings": json.loads(content)}))
    else:
        print_lines([findings.title, f"{run.run_id}  {run.path}{'' if run.is_complete else '  (unfinished)'}", ""])
        print_lines([*verdict_lines(findings), "", *(f"{one.topic}: {one.text}" for one in findings.conclusion), ""])
        print_lines(f"{number.title}: {value_of(number)}" for number in findings.key_numbers)
        print_lines(coverage_line(row) for row in findings.coverage)
        print_lines(findings.notes)
    return EXIT_FINE


@app.command()
def doctor(
    output: Annotated[Path, typer.Option(help="Where runs are to be written.")] = Path("reports"),
    as_json: AsJson = False,
) -> int:
    """Look for what an audit needs on this machine."""
    from auditor.terminal.doctor import examine

    examined = examine(output)
    code = min((finding.exit_code for finding in examined if finding.exit_code), default=EXIT_FINE)
    if as_json:
        print_lines(to_json({"findings": list(map(asdict, examined)), "exit_code": code}))
    else:
        print_lines(f"{finding.state:<8} {finding.subject:<13} {finding.text}" for finding in examined)
    return code


@app.command()
def schema(
    of: Annotated[Schema, typer.Argument(help="Of the configuration, or of a file of that name.")],
    as_json: Annotated[bool, typer.Option("--json", help="As without it: a JSON Schema is JSON.")] = False,  # noqa: ARG001
) -> int:
    """Print a JSON Schema."""
    from auditor import config, findings
    from auditor.findings import comparing
    from auditor.report.page import record

    schemas = {
        Schema.config: config.schema,
        Schema.findings: findings.schema,
        Schema.comparison: comparing.schema,
        Schema.printed: record.schema,
    }
    print_lines(to_json(schemas[of]()))
    return EXIT_FINE


app.command()(init)
app.add_typer(baseline, name="baseline")
app.command()(prune)
app.command()(verify)
app.command()(sign)
app.command()(history)
app.command()(export)
app.command()(finish)
app.command()(configured(nightly))
app.command()(configured(lock))
app.command(name="diff")(diff)
app.command(name="help")(open_manual)


def _is_signed(run: "Run") -> bool:
    from auditor.report.page import signatures

    path = run.path / "report.pdf"
    return path.is_file() and signatures.is_signed(path.read_bytes())


def _open(name: str, root: Path) -> "Run":
    from auditor.records.store import open_run

    return open_run(name, root)
