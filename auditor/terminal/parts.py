"""`auditor run --shard-of` and `auditor finish`: a run by several processes, and the end of it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auditor.errors import EXIT_FINE, ConfigError
from auditor.terminal.conclusions import exit_code_of, print_result, run_identity
from auditor.terminal.options import AsJson, Fonts, NoPdf, Root, RunName
from auditor.terminal.printing import complain, print_lines, to_json
from auditor.terminal.signals import finishing_the_shard

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.records.plan import Plan
    from auditor.running.parts import Part

ShardOf = Annotated[str | None, typer.Option(metavar="K/N", help="Measure part K of N only; then auditor finish.")]
_LEFT_OUT: Final = ("--executor", "--workers", "--shard-of", "--ping")
"""Options that stand in no plan: how shards are run, since the work is the same; an address that whoever knows it may
ping."""


def finish(
    name: RunName, root: Root = Path("reports"), fonts: Fonts = None, as_json: AsJson = False, no_pdf: NoPdf = False
) -> int:
    """Conclude a run that was measured in parts. Says which shards are missing, if any are."""
    from auditor import audit
    from auditor.records.store import open_run

    result = audit.finish(open_run(name, root), pdf=not no_pdf, fonts=fonts)
    if result.pdf and not result.reused and _is_to_be_signed(result.run.plan):
        complain(f"report.pdf is not signed, as it should be: `auditor sign {result.run.run_id}` signs it")
    return print_result(result, as_json, exit_code_of(result.findings))


def _is_to_be_signed(plan: "Plan") -> bool:
    report = plan.configuration.get("report")
    return isinstance(report, Mapping) and bool(report.get("signature"))


def part_asked(given: str | None, *, fresh: bool) -> "Part | None":
    """The part that this process is to do, as the option or the environment says.

    Raises:
        ConfigError: There is no such part; or each would begin a run of its own.
    """
    from auditor.running.parts import part_of

    part = part_of(given, os.environ)
    if part and fresh:
        raise ConfigError(
            f"{part}: --fresh would begin a run in every part; delete the complete one, or choose a title"
        )
    return part


def run_part(config: "Config", part: "Part", command: str, *, as_json: bool) -> int:
    """Measures a part and says what is missing."""
    from auditor import audit
    from auditor.running import parts
    from auditor.terminal.progress import open_progress

    with open_progress() as progress, finishing_the_shard() as stop:
        run = audit.run_part(config, part, command=command, stop=stop, progress=progress)
    absent = [] if run.is_complete else parts.missing(run)
    n = len(run.plan.shards)
    if as_json:
        said = {"part": part.number, "parts": part.of, "shards": n, "missing": absent, "complete": run.is_complete}
        print_lines(to_json({**run_identity(run), **said, "exit_code": EXIT_FINE}))
    else:
        rest = f"{len(absent)} of {n} shards still missing" if absent else f"all {n} shards are measured"
        print_lines([f"{part} is done; {rest}; at the end: auditor finish {run.path}"])
    return EXIT_FINE


def provenance(arguments: Sequence[str]) -> Iterator[str]:
    """A command line as the plan keeps it, and with it the report: without `_LEFT_OUT` and their values."""
    is_value = False
    for argument in arguments:
        if not is_value and argument.partition("=")[0] not in _LEFT_OUT:
            yield argument
        is_value = not is_value and argument in _LEFT_OUT
