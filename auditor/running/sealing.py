"""Signs the PDF of a run: as it is written, where the configuration says so, or later."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from auditor.config import Config
from auditor.errors import StoreError, VerificationError
from auditor.records import disk
from auditor.records.run import Run
from auditor.records.verification import verify
from auditor.report.page import signing
from auditor.report.page.signing import SignatureOptions
from auditor.report.page.signing_key import Key
from auditor.running.proving import PDF, verify_pdf

Seal = Callable[[bytes], bytes]
"""The PDF → the signed PDF."""


def seal_of(config: Config) -> Seal | None:
    """How the configuration wants the PDF signed; None where it does not. The key is opened once to try it.

    Raises:
        ConfigError: The key cannot be opened.
        InstallationError: pyHanko is not installed.
    """
    wanted = config.report.signature
    if wanted is None or not config.report.pdf:
        return None
    certificate = config.locate("report.signature.certificate") if wanted.certificate else None
    key = Key(config.locate("report.signature.key"), certificate, wanted.passphrase_variable, wanted.timestamp)
    options = SignatureOptions(wanted.visible or wanted.line is not None, wanted.line, wanted.reason)
    signing.require_signer(key, options)
    return partial(signing.sign, key=key, options=options)


def sign_run(run: Run, key: Key, options: SignatureOptions) -> Path:
    """Signs report.pdf of a complete run; its sums and manifest are those of the signed file.

    Raises:
        VerificationError: The run is not what was written: a signature would vouch for it.
        StoreError: It has no PDF, or is not complete.
        ConfigError: The key cannot be used, or there is no place for one signature more.
    """
    with run.lock():
        if not run.is_complete:
            raise StoreError(f"{run.path}: the run is not finished; resume it with the command that started it")
        if faults := verify(run):
            raise VerificationError(f"{run.path}: nothing was signed, since {faults[0]}; `auditor verify` tells all")
        if not (run.path / PDF).is_file():
            raise StoreError(f"{run.path}: has no {PDF}; `auditor report {run.run_id}` writes one")
        run.write(PDF, signing.sign(run.read_bytes(PDF), key, options))
        run.finish(run.manifest() or {})
    return run.path / PDF


def sign_pdf(path: Path, key: Key, options: SignatureOptions) -> Path:
    """Signs a PDF that lies alone, in its place.

    Raises:
        VerificationError: It is no report, or its pages do not say what is attached.
        ConfigError: The key cannot be used, or there is no place for one signature more.
        DiskError: It cannot be written.
    """
    if faults := verify_pdf(path).faults:
        raise VerificationError(f"{path}: nothing was signed, since {faults[0]}")
    disk.write(path, signing.sign(disk.read(path), key, options))
    return path
