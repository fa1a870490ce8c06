"""`auditor help [TOPIC]`: the manual, a Markdown file for each topic in the folder `topics`.

Line 1 of a file is `# NAME`, line 3 a sentence that says what is in it. Lines have at most 80 characters, so that a
file reads well as it stands; a terminal gets it rendered.
"""

import difflib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from auditor.errors import EXIT_FINE, ConfigError
from auditor.terminal.options import AsJson
from auditor.terminal.printing import print_lines, to_json

FOLDER: Final = Path(__file__).parent / "topics"
WIDTH: Final = 80
TOPICS: Final = (
    *("start", "install", "commands", "configuration", "corpus", "labels", "models", "hub", "probes", "checks"),
    *("report", "templates", "languages", "nightly", "exit-codes", "evidence", "large", "extending", "glossary"),
)
"""In the order in which they are listed."""
_MOST_NAMED = 3

Topic = Annotated[str | None, typer.Argument(metavar="TOPIC", help="One of those that `auditor help` lists.")]


def open_manual(context: typer.Context, topic: Topic = None, as_json: AsJson = False) -> int:
    """Read the manual. Without a topic, list the topics."""
    if topic is not None and topic not in TOPICS:
        raise ConfigError(f"help: there is no topic {topic!r}; {_remedy(topic, _commands(context))}")
    if as_json:
        answer = {"topic": topic, "text": read(topic)} if topic else {"topics": {one: summary(one) for one in TOPICS}}
        print_lines(to_json(answer))
    elif topic is None:
        typer.echo(contents())
    elif sys.stdout.isatty():
        from auditor.terminal.markdown import print_markdown

        print_markdown(read(topic), width=min(WIDTH, shutil.get_terminal_size().columns))
    else:
        typer.echo(read(topic), nl=False)
    return EXIT_FINE


def contents() -> str:
    """All topics, a line each."""
    width = max(map(len, TOPICS))
    lines = (f"  {topic:<{width}}  {summary(topic)}" for topic in TOPICS)
    return "\n".join(["`auditor help TOPIC` prints one of these topics.", "", *lines])


def read(topic: str) -> str:
    """A topic as Markdown."""
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def summary(topic: str) -> str:
    """The sentence below a topic's title."""
    return read(topic).splitlines()[2]


def _remedy(word: str, commands: Sequence[str]) -> str:
    """What to type instead of a topic that there is not."""
    if word in commands:
        return f"auditor {word} --help describes that command"
    if near := difflib.get_close_matches(word.lower(), TOPICS, n=1):
        return f"did you mean {near[0]}?"
    if mentions := [topic for topic in TOPICS if f"`{word.lower()}`" in read(topic).lower()]:
        return f"see auditor help {' or '.join(mentions[:_MOST_NAMED])}"
    return f"there are {', '.join(TOPICS)}"


def _commands(context: typer.Context) -> list[str]:
    program = context.find_root().command
    return list(program.commands) if isinstance(program, TyperGroup) else []
