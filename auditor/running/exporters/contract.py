"""What is exported, and what an export came to."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from auditor import findings
from auditor.errors import InstallationError, StoreError
from auditor.findings import Findings
from auditor.records.run import Run


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run and what it found."""

    run: Run
    findings: Findings


@dataclass(frozen=True, slots=True)
class Exported:
    """Where an export is, and what else there is to say of it."""

    written: tuple[str, ...]
    """Files, or the address of a run."""
    facts: dict[str, Any] = field(default_factory=dict)
    """For machines; whatever JSON can say."""


def opened(run: Run) -> Finished:
    """The run with its findings.

    Raises:
        StoreError: It is not finished, or its findings cannot be read.
    """
    if not run.is_complete:
        raise StoreError(f"{run.path}: the run is not finished; resume it with the command that started it")
    return Finished(run, findings.read(run.read_bytes("findings.json")))


def require(package: str, extra: str) -> None:
    """Refuses an export whose package is not here.

    Raises:
        InstallationError: Says how to install it.
    """
    try:
        is_here = find_spec(package) is not None
    except ValueError:  # a module that stands for one that must not be imported
        is_here = False
    if not is_here:
        raise InstallationError(f"--to {package}: the package is not installed: pip install 'auditor[{extra}]'")
