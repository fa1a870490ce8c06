"""Gathers the messages of code and templates into the catalogues: `make messages`.

Translations are kept, messages that are no longer used are dropped, and new ones are added without a translation.
The files have neither line numbers nor dates, and their messages are sorted, so that a diff shows only what changed.
"""

import ast
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.languages import LANGUAGES, Language, catalogue_path

if TYPE_CHECKING:
    from babel.messages import Catalog

Message = str | tuple[str, ...]
"""The English text; for a plural the pair of singular and plural."""

MARKS = {"say": (0,), "plural": (1, 2), "N_": (0,)}
"""Function → positions, from 0, of its arguments that are messages."""
WIDTH = 120
_VOLATILE_HEADER = re.compile(
    rb'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|'
    rb"MIME-Version|Content-Transfer-Encoding|Generated-By): .*\n",
    re.MULTILINE,
)
"""Lines of a catalogue's header that are dropped: dates, versions, and what is the same in every file."""


def gather() -> "Catalog":
    """A catalogue of all messages in the code and the templates, without translations."""
    from babel.messages import Catalog

    package = Path(__file__).parents[1]
    catalogue = Catalog(fuzzy=False)
    for path in sorted(package.rglob("*.py")):
        for message in in_code(path.read_text(encoding="utf-8")):
            catalogue.add(message)
    for path in sorted((package.parent / "templates").rglob("*.j2")):
        for message in in_template(path.read_text(encoding="utf-8")):
            catalogue.add(message)
    return catalogue


def in_code(source: str) -> Iterator[Message]:
    """The messages in the source of a Python file."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS:
            texts = tuple(
                argument.value
                for i, argument in enumerate(call.args)
                if i in MARKS[call.func.id] and isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
            if texts:
                yield texts if len(texts) > 1 else texts[0]


def in_template(source: str) -> Iterator[Message]:
    """The messages in the source of a Jinja template."""
    from babel.messages.extract import extract

    keywords = {name: tuple(i + 1 for i in positions) for name, positions in MARKS.items()}
    file = io.BytesIO(source.encode())
    for _, message, _, _ in extract("jinja2", file, keywords, options={"silent": "false"}):
        yield message


def load(language: Language) -> "Catalog":
    """The catalogue of a language, read from its file."""
    from babel.messages.pofile import read_po

    with catalogue_path(language).open(encoding="utf-8") as file:
        return read_po(file, locale=language)


def renewed(language: Language) -> bytes:
    """The content of a language's catalogue file, updated with the messages that the code and templates have now."""
    from babel.messages.pofile import write_po

    catalogue = load(language)
    catalogue.update(gather(), no_fuzzy_matching=True)
    file = io.BytesIO()
    write_po(file, catalogue, width=WIDTH, sort_output=True, ignore_obsolete=True)
    return _VOLATILE_HEADER.sub(b"", file.getvalue())


def untranslated(language: Language) -> list[str]:
    """The messages of a catalogue that have no translation; of a plural its singular."""
    return [_first(message.id) for message in load(language) if message.id and not _first(message.string or "")]


def _first(texts: str | Sequence[str]) -> str:
    return texts if isinstance(texts, str) else texts[0]


def _main() -> None:
    for language in LANGUAGES:
        if language != "en":
            catalogue_path(language).write_bytes(renewed(language))
            print(f"{language}: {len(untranslated(language))} of {len(load(language))} to be translated")  # noqa: T201


if __name__ == "__main__":
    _main()
