"""The errors that a user can cause or mend, and the exit codes of the command line.

    AuditorError             shown as one line, without a traceback
    ├── ConfigError          the file and the key
    ├── CorpusError          the file and the line
    ├── ModelError           the model and the task; what the checkpoint offers instead
    ├── ProbeError           the probe, what it needs, which tasks have it
    ├── InstallationError    this package, or one that extends it, and how to install it
    ├── StoreError           the folder; the format found and the one understood
    │   ├── NoSuchRunError   the name, and where it was looked for
    │   ├── DiskError        the disk is full or the folder cannot be written
    │   ├── LockedError      another run holds the folder
    │   └── VerificationError  a checksum, a schema or an attachment does not hold
    ├── TooManyFailuresError more documents failed than `max_failures` allows
    ├── InterruptedRunError  stopped between two shards; the same command does the rest
    │   └── DeviceLostError  this process cannot use the device any more; another can
    └── RenderError          the template and the name missing
        └── PdfUnavailableError  WeasyPrint's system libraries are missing; the HTML was written

A message says what was expected, what was found, and what to do. Text to copy, such as a table of the configuration, is
a note of the error (`BaseException.add_note`).

The command line ends with the `exit_code` of the error's class; without an error with 0, with 1 where a declared check
failed, and with 8 where checks were declared but not established: one could not be judged, or too little was measured.
70 is a bug of this program.
"""

from typing import ClassVar

EXIT_FINE = 0
EXIT_CHECK_FAILED = 1
EXIT_NOT_ESTABLISHED = 8
EXIT_BUG = 70


class AuditorError(Exception):
    """An error with a cause outside this program; its message is written for the person who can mend it."""

    exit_code: ClassVar[int] = 2


class ConfigError(AuditorError):
    """The configuration is wrong: names the file and the key."""


class CorpusError(AuditorError):
    """The corpus cannot be read: names the file and the line."""

    exit_code = 4


class ModelError(AuditorError):
    """The model cannot be loaded or run: names the model and the task."""

    exit_code = 4


class ProbeError(AuditorError):
    """A probe cannot be used here: names the probe, what it needs and which tasks have it."""


class InstallationError(AuditorError):
    """This package is not installed, or what a package has registered cannot be used: says how to install it."""


class StoreError(AuditorError):
    """A run folder cannot be read: names the folder and the format."""


class NoSuchRunError(StoreError):
    """No run, or more than one, has the given name."""


class DiskError(StoreError):
    """The disk is full, or the folder cannot be written."""

    exit_code = 74


class LockedError(StoreError):
    """Another process is working on this run."""

    exit_code = 75


class VerificationError(StoreError):
    """A file of the run is not the one that its manifest lists."""

    exit_code = 6


class TooManyFailuresError(AuditorError):
    """More documents failed than `max_failures` allows; the evidence is kept."""

    exit_code = 3


class InterruptedRunError(AuditorError):
    """The run was asked to stop; what was measured is kept."""

    exit_code = 5


class DeviceLostError(InterruptedRunError):
    """After an error of the device this process cannot use it any more; another one can."""


class RenderError(AuditorError):
    """A template is missing, or uses a variable that does not exist."""


class PdfUnavailableError(RenderError):
    """The PDF could not be made; the HTML was written."""

    exit_code = 7


def first_line(fault: BaseException) -> str:
    """The first line of the message of something raised, at most 300 characters."""
    return str(fault).strip().split("\n", 1)[0][:300]


def one_line(fault: BaseException) -> str:
    """The class of something raised, and the first line of its message where it has one."""
    message = first_line(fault)
    return f"{type(fault).__name__}: {message}" if message else type(fault).__name__
