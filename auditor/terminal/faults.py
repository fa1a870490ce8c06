"""What a command that fails says: lines on stderr, and with `--json` one object on stdout too.

A machine that reads stdout so finds an object whatever happens:

    {"error": {"kind": "ConfigError", "message": "audit.toml: …", "notes": []}, "exit_code": 2}
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from auditor.terminal.printing import complain, print_lines, print_notes, to_json

_FLAG = "--json"
_TO_STDOUT = "-"


def report(arguments: Sequence[str], kind: str, message: str, code: int, notes: Iterable[str] = ()) -> int:
    """Says what is wrong; returns the exit code.

    Args:
        arguments: The command line, without the name of this program.
        kind: The class of the error.
        message: One line or several.
        code: The exit code.
        notes: Text to be copied.
    """
    lines = list(notes)
    complain(message)
    print_notes(lines)
    return print_object(arguments, kind, message, code, lines)


def print_object(arguments: Sequence[str], kind: str, message: str, code: int, notes: Sequence[str] = ()) -> int:
    """Prints the object where the command line asks for JSON on stdout; returns the exit code."""
    if wants_json(arguments):
        error = {"kind": kind, "message": message, "notes": list(notes)}
        print_lines(to_json({"error": error, "exit_code": code}))
    return code


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON on stdout; `auditor diff` has the name of a file behind `--json`."""
    if arguments[:1] != ["diff"]:
        return _FLAG in arguments
    return (_FLAG, _TO_STDOUT) in pairwise(arguments) or f"{_FLAG}={_TO_STDOUT}" in arguments
