"""What has been registered by entry point: probes, tasks, executors, whoever wrote them.

Ours stand in `pyproject.toml` the same way as anybody's, so that a source tree which was never installed knows none of
them: that is said in one line, before it looks like a probe or a task that is missing.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib import metadata
from importlib.metadata import EntryPoint, EntryPoints, PackageNotFoundError, distribution
from typing import Any

from auditor.errors import InstallationError

PACKAGE = "auditor"
CURE = "pip install -e ."


def entry_points(*, group: str) -> EntryPoints:
    """What all installed packages have registered in a group; they are looked through once for each `sys.path`."""
    return _entry_points(group, tuple(sys.path))


@cache
def _entry_points(group: str, path: tuple[str, ...]) -> EntryPoints:  # noqa: ARG001
    return metadata.entry_points(group=group)


def registered(group: str) -> dict[str, EntryPoint]:
    """All that is registered in a group, by name: ours first, then the others', each in the order of their names.

    Raises:
        InstallationError: Ours are not there, or two packages have registered one name.
    """
    entries = sorted(entry_points(group=group), key=lambda entry: (not is_ours(entry), entry.name))
    if not any(map(is_ours, entries)):
        raise InstallationError(_why_none_is_ours(group))
    for name, n in Counter(entry.name for entry in entries).items():
        if n > 1:
            several = " and ".join(entry.value for entry in entries if entry.name == name)
            raise InstallationError(f"{group}: {name!r} is registered by {several}: uninstall one of the two packages")
    return {entry.name: entry for entry in entries}


def load(entry: EntryPoint) -> Any:
    """What an entry point names.

    Raises:
        InstallationError: It is not there, or its package cannot be imported.
    """
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        cure = CURE if is_ours(entry) else "install another release of its package, or tell who wrote it"
        raise InstallationError(
            f"{entry.group}: {entry.name} = {entry.value} cannot be loaded: {error}; {cure}"
        ) from error


def foreign(group: str) -> frozenset[str]:
    """The names in a group that packages of others have registered."""
    return frozenset(entry.name for entry in entry_points(group=group) if not is_ours(entry))


def is_ours(entry: EntryPoint) -> bool:
    """Whether this package has registered it."""
    return entry.value.partition(":")[0].split(".")[0] == PACKAGE


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, as the end of a sentence; nothing where none is near."""
    near = get_close_matches(word, list(known), 1)
    return f", did you mean {near[0]!r}" if near else ""


def require_installation() -> None:
    """Refuses to go on in a source tree that was never installed.

    Raises:
        InstallationError: There is no distribution called auditor.
    """
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        raise InstallationError(f"{PACKAGE} is not installed in this environment: {CURE}") from None


def _why_none_is_ours(group: str) -> str:
    try:
        require_installation()
    except InstallationError as fault:
        return str(fault)
    return f"{PACKAGE} was installed in this environment before its code had {group}; once more: {CURE}"
