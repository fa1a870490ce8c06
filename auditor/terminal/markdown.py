"""Markdown on a terminal: headings at the left, code in the terminal's own colours."""

import sys
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement
from rich.text import Text
from rich.theme import Theme

_STYLES = Theme({"markdown.code": "bold", "markdown.h1": "bold", "markdown.h2": "bold underline"})


class _Heading(Heading):
    """A line of its own, where rich would centre and frame it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        if self.tag != "h1":
            yield Text("")
        yield self.text


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "heading_open": _Heading}


def print_markdown(text: str, *, width: int) -> None:
    """Prints to stdout, at most so many columns wide."""
    console = Console(file=sys.stdout, width=width, theme=_STYLES, highlight=False)
    console.print(_Page(text, code_theme="ansi_dark"))
