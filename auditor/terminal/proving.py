"""`auditor verify` and `auditor lock`: whether a run is what it says, and what its models are made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.errors import EXIT_FINE, DiskError, LockedError, NoSuchRunError, StoreError, VerificationError
from auditor.terminal.options import AsJson, Root
from auditor.terminal.printing import print_lines, to_json

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.running.proving import Verified

Target = Annotated[
    str, typer.Argument(metavar="RUN|PDF", help="A run's folder, its id, the beginning of it, latest; or a report.pdf.")
]


def verify(name: Target, root: Root = Path("reports"), as_json: AsJson = False) -> int:
    """Check that a run, or a report.pdf alone, is as it was written.

    Checksums, plan, every table, what is attached to the PDF, the numbers on its pages, the runs before it.
    """
    from auditor.records.store import open_run
    from auditor.running import proving

    try:
        is_pdf = name.lower().endswith(".pdf") and Path(name).is_file()
        verified = proving.verify_pdf(Path(name)) if is_pdf else proving.verify_run(open_run(name, root))
    except (DiskError, LockedError, NoSuchRunError, VerificationError):
        raise
    except StoreError as error:
        raise VerificationError(str(error)) from error
    _print(verified, as_json)
    if verified.faults:
        n = len(verified.faults)
        raise VerificationError(f"{name}: {n:,} fault{'s' if n > 1 else ''}, see above")
    if not as_json:
        what = "its pages say what is attached" if is_pdf else "checksums, plan, tables and PDF are those of the run"
        print_lines(f"{verified.name}: sound; {what}")
    return EXIT_FINE


def _print(verified: "Verified", as_json: bool) -> None:
    if as_json:
        faults = [{"path": fault.path, "problem": fault.problem} for fault in verified.faults]
        print_lines(to_json({"name": verified.name, "sound": not faults, "faults": faults, "notes": verified.notes}))
    else:
        print_lines([*map(str, verified.faults), *(f"note: {note}" for note in verified.notes)])


def lock(config: "Config", as_json: AsJson = False) -> int:
    """Write the hashes of all model files. A run that requires this lock refuses any other model.

    Written beside the configuration as audit.lock, or where --lock says.
    """
    from auditor.running import locking

    path = config.locate(locking.KEY) if config.model.lock else config.base / locking.FILE
    models = locking.make(config)
    locking.write(path, models)
    if as_json:
        print_lines(to_json({"path": str(path), "models": {key: len(model.files) for key, model in models.items()}}))
    else:
        print_lines(f"{key}: {model.name}: {len(model.files)} files" for key, model in models.items())
        print_lines(f"{path}: written; require it with --lock, or with lock under [model]")
    return EXIT_FINE
