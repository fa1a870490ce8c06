"""The command line. stdout is the result, stderr is progress and errors.

Everything heavy is imported inside the command that needs it, so that `auditor --help` and `auditor list` answer at
once. Exit codes stand in `auditor.errors`.
"""

import enum
import errno
import json
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor import __version__
from auditor.errors import (
    EXIT_BUG,
    EXIT_FINE,
    AuditorError,
    ConfigError,
    DiskError,
    InterruptedRunError,
)
from auditor.terminal import streams
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
from auditor.terminal.history import history
from auditor.terminal.keeping import baseline, prune
from auditor.terminal.manual import open_manual
from auditor.terminal.nightly import nightly
from auditor.terminal.options import AsJson, Fonts, Root, RunName, Templates, configured
from auditor.terminal.printing import complain, print_lines, print_notes, to_json
from auditor.terminal.proving import lock, sign, verify
from auditor.terminal.signals import finishing_the_shard, interrupt, signals

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


NoPdf = Annotated[bool, typer.Option("--no-pdf", help="Write report.html only; a report.pdf of before is removed.")]


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
            complain(str(error))
            print_notes(getattr(error, "__notes__", ()))
            return error.exit_code
        except KeyboardInterrupt:
            complain("interrupted; what is measured is kept: resume with the same command")
            return InterruptedRunError.exit_code
        except OSError as error:
            if error.errno not in _FULL_OR_READ_ONLY:
                return _bug()
            complain(f"{error.filename or 'the disk'}: {error.strerror}; what was written before is kept")
            return DiskError.exit_code
        except Exception:
            return _bug()


def _bug() -> int:
    """What is left is a fault of this program: whoever reports it needs the whole traceback."""
    traceback.print_exc()
    complain("this is a fault of auditor, not of your input: please report it; what is measured is kept")
    return EXIT_BUG


def _invoke(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("auditor", arguments, obj=shlex.join(["auditor", *arguments])) as context:
            return int(command.invoke(context) or EXIT_FINE)
    except typer.Exit as done:
        return int(done.exit_code)
    except _UsageError as error:
        error.show()
        return int(error.exit_code)


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
) -> int:
    """Audit a model and write the report. Interrupted, the same command does what is missing."""
    if dry_run:
        return _print_cost(config, as_json)
    from auditor.running import request

    known = None if fresh else request.answered(config)
    if known:
        return print_result(known, as_json, exit_code_of(known.findings))
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
def doctor(output: Annotated[Path, typer.Option(help="Where runs are to be written.")] = Path("reports")) -> int:
    """Look for what an audit needs on this machine."""
    from auditor.terminal.doctor import examine

    examined = examine(output)
    print_lines(f"{finding.state:<8} {finding.subject:<13} {finding.text}" for finding in examined)
    return min((finding.exit_code for finding in examined if finding.exit_code), default=EXIT_FINE)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What to write.")] = Path("audit.toml"),
    model: Annotated[str | None, typer.Option(help="A model's folder, or its id on the hub.")] = None,
    data: Annotated[str | None, typer.Option(help="The documents.")] = None,
) -> int:
    """Write a commented configuration to start from."""
    from auditor.config import starter
    from auditor.records import disk

    if path.suffix.lower() != ".toml":
        raise ConfigError(f"{path}: what is written is TOML; give a name that ends in .toml")
    if path.exists():
        raise ConfigError(f"{path}: exists already and is left as it is; give another name")
    disk.write(path, starter(_seen_from(path, model), _seen_from(path, data)).encode())
    print_lines(f"{path}: written; edit it, then `auditor check {shlex.quote(str(path))}`")
    return EXIT_FINE


def _seen_from(path: Path, value: str | None) -> str | None:
    """A file or folder that is here, as the configuration at `path` must name it; anything else as it stands."""
    return os.path.relpath(value, path.parent) if value and Path(value).exists() else value


@app.command()
def schema(
    of: Annotated[Schema, typer.Argument(help="Of the configuration, or of a file of that name.")],
) -> int:
    """Print a JSON Schema."""
    from auditor import config, findings
    from auditor.findings import comparing

    schemas = {Schema.config: config.schema, Schema.findings: findings.schema, Schema.comparison: comparing.schema}
    print_lines(to_json(schemas[of]()))
    return EXIT_FINE


app.add_typer(baseline, name="baseline")
app.command()(prune)
app.command()(verify)
app.command()(sign)
app.command()(history)
app.command()(configured(nightly))
app.command()(configured(lock))
app.command(name="diff")(diff)
app.command(name="help")(open_manual)


def _is_signed(run: "Run") -> bool:
    from auditor.report.page import signing

    path = run.path / "report.pdf"
    return path.is_file() and signing.is_signed(path.read_bytes())


def _open(name: str, root: Path) -> "Run":
    from auditor.records.store import open_run

    return open_run(name, root)
