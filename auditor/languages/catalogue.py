"""Gathers the messages of code and templates into the catalogues: `make messages`.

Translations are kept, messages that nothing says any more are dropped, new ones stand empty until someone writes them.
The files carry no line numbers and no dates, and messages stand in the order of the alphabet, so that a diff shows
what changed and nothing else.
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
"""English; for a plural the one and the several."""

MARKS = {"say": (0,), "plural": (1, 2), "N_": (0,)}
"""Function → which of its arguments, from 0, are messages."""
WIDTH = 120
_CHURN = re.compile(
    rb'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|'
    rb"MIME-Version|Content-Transfer-Encoding|Generated-By): .*\n",
    re.MULTILINE,
)
"""Lines of the header that say nothing, or another thing every day."""


def gather() -> "Catalog":
    """All messages that the code and the templates can say."""
    from babel.messages import Catalog

    package = Path(__file__).parents[1]
    found = Catalog(fuzzy=False)
    for path in sorted(package.rglob("*.py")):
        for message in in_code(path.read_text(encoding="utf-8")):
            found.add(message)
    for path in sorted((package.parent / "templates").rglob("*.j2")):
        for message in in_template(path.read_text(encoding="utf-8")):
            found.add(message)
    return found


def in_code(source: str) -> Iterator[Message]:
    """The messages of a Python file, in its order."""
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
    """The messages of a Jinja template."""
    from babel.messages.extract import extract

    keywords = {name: tuple(i + 1 for i in places) for name, places in MARKS.items()}
    file = io.BytesIO(source.encode())
    for _, message, _, _ in extract("jinja2", file, keywords, options={"silent": "false"}):
        yield message


def load(language: Language) -> "Catalog":
    """The catalogue of a language as it lies in its file."""
    from babel.messages.pofile import read_po

    with catalogue_path(language).open(encoding="utf-8") as file:
        return read_po(file, locale=language)


def renewed(language: Language) -> bytes:
    """The file of a language's catalogue as it should be, with the messages of now."""
    from babel.messages.pofile import write_po

    catalogue = load(language)
    catalogue.update(gather(), no_fuzzy_matching=True)
    file = io.BytesIO()
    write_po(file, catalogue, width=WIDTH, sort_output=True, ignore_obsolete=True)
    return _CHURN.sub(b"", file.getvalue())


def untranslated(language: Language) -> list[str]:
    """Messages without a translation; of a plural the one."""
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
