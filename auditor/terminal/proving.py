"""`auditor verify`, `sign` and `lock`: whether a run is what was written, who says so, what its models are made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.errors import EXIT_FINE, ConfigError, DiskError, LockedError, NoSuchRunError, StoreError, VerificationError
from auditor.terminal.options import AsJson, Root
from auditor.terminal.printing import complain, print_lines, to_json

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.records.run import Run
    from auditor.running.proving import Verified

Target = Annotated[
    str, typer.Argument(metavar="RUN|PDF", help="A run's folder, its id, the beginning of it, latest; or a report.pdf.")
]
Trust = Annotated[
    list[Path] | None,
    typer.Option(metavar="PEM", help="A certificate: the PDF must be signed by it, or by one it issued."),
]
Recompute = Annotated[int | None, typer.Option(metavar="N", min=1, help="Measure N documents again; needs the model.")]
Base = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="The audit: its models lie beside it.")
]
Seed = Annotated[int, typer.Option(help="Of the draw of --recompute.")]
KeyFile = Annotated[Path, typer.Option(metavar="FILE", help="PKCS #12 (.p12, .pfx), or a key in PEM.")]
Certificate = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Of a key in PEM; those of its issuers behind it.")
]
Passphrase = Annotated[str, typer.Option(metavar="NAME", help="The variable that holds the passphrase.")]
Timestamp = Annotated[str | None, typer.Option(metavar="URL", help="A timestamp server (RFC 3161).")]
Visible = Annotated[bool, typer.Option("--visible", help="On a signature line of page one, which can be read.")]
Line = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="On this line; else the signer's own, or the first free one.")
]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is signed, in 70 characters at most.")]


def verify(
    name: Target,
    root: Root = Path("reports"),
    trust: Trust = None,
    recompute: Recompute = None,
    config: Base = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> int:
    """Check that a run, or a report.pdf alone, is as it was written.

    Checksums, plan, every table, what is attached to the PDF, the numbers on its pages, its signature, the runs before;
    of a PDF that `auditor diff` wrote the same, as far as it carries it.
    """
    from auditor.records.store import open_run
    from auditor.running import proving

    try:
        roots, is_pdf = trust or [], _is_pdf(name)
        verified = proving.verify_pdf(Path(name), roots) if is_pdf else proving.verify_run(open_run(name, root), roots)
    except (DiskError, LockedError, NoSuchRunError, VerificationError):
        raise
    except StoreError as error:
        raise VerificationError(str(error)) from error
    if recompute is not None:
        if is_pdf:
            raise ConfigError("--recompute needs a run: a PDF has neither evidence nor a model")
        _recompute(open_run(name, root), verified, recompute, seed, config)
    code = VerificationError.exit_code if verified.faults else EXIT_FINE
    _print(verified, as_json, code)
    if verified.faults:
        n = len(verified.faults)
        complain(f"{name}: {n:,} fault{'s' if n > 1 else ''}, see above")
    elif not as_json:
        what = "its pages say what is attached" if is_pdf else "checksums, plan, tables and PDF are those of the run"
        print_lines(f"{verified.name}: sound; {what}")
    return code


def _recompute(run: "Run", verified: "Verified", n: int, seed: int, config: Path | None) -> None:
    from auditor.running.recomputing import recompute
    from auditor.terminal.progress import open_progress

    if verified.faults:
        verified.notes.append("nothing was measured again: the run is not what was written")
        return
    with open_progress() as progress:
        made = recompute(run, n, seed=seed, base=config.parent if config else None, progress=progress)
    verified.faults += made.faults
    failed = f"; {made.n_failed:,} could not be measured now" if made.n_failed else ""
    documents = f"{made.n_documents:,} document{'s' if made.n_documents != 1 else ''}"
    verified.notes.append(f"{documents} measured again, {made.n_rows:,} row{'s' if made.n_rows != 1 else ''}{failed}")


def _is_pdf(name: str) -> bool:
    is_pdf = name.lower().endswith(".pdf") and not Path(name).is_dir()
    if is_pdf and not Path(name).is_file():
        raise NoSuchRunError(f"{name}: no such file; expected a report.pdf, or a run")
    return is_pdf


def sign(
    name: Target,
    key: KeyFile,
    certificate: Certificate = None,
    passphrase_variable: Passphrase = "AUDITOR_SIGNING_PASSPHRASE",
    timestamp: Timestamp = None,
    visible: Visible = False,
    line: Line = None,
    reason: Reason = None,
    root: Root = Path("reports"),
    as_json: AsJson = False,
) -> int:
    """Sign the PDF of a run, or a report.pdf alone. PAdES; what was changed since it was written is not signed.

    The passphrase is read from a variable of the environment, never from the command line.
    """
    from auditor.records.store import open_run
    from auditor.report.page import signatures
    from auditor.report.page.signing import SignatureOptions
    from auditor.report.page.signing_key import Key
    from auditor.running import sealing

    options = SignatureOptions(visible or line is not None, line, reason)
    how = Key(key, certificate, passphrase_variable, timestamp), options
    path = sealing.sign_pdf(Path(name), *how) if _is_pdf(name) else sealing.sign_run(open_run(name, root), *how)
    made = signatures.verify(path.read_bytes())[-1]
    if as_json:
        print_lines(to_json({"path": str(path), "signer": made.signer, "time": str(made.time)}))
    else:
        print_lines(f"{path}: signed by {made.signer} at {made.time}")
    return EXIT_FINE


def _print(verified: "Verified", as_json: bool, code: int) -> None:
    if as_json:
        faults = [{"path": fault.path, "problem": fault.problem} for fault in verified.faults]
        told = {"name": verified.name, "sound": not faults, "faults": faults, "notes": verified.notes}
        print_lines(to_json({**told, "exit_code": code}))
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
