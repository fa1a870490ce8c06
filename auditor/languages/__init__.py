"""The languages in which a report speaks, and which of them is being spoken.

English is the message itself; other languages have a gettext catalogue in `locale/`, read from its `.po` text, so that
there is nothing to compile and nothing to forget. `say` and `plural` translate at the moment they are called; texts
kept in constants are marked with `N_` and said later. `auditor.languages.numbers` writes numbers, lists and dates.

    with speaking("zh"):
        plural(3, "{n} document", "{n} documents")  →  3 篇文档
"""

import contextlib
import functools
import gettext
import io
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
HTML_TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}
"""What a page says in `lang`."""

_spoken: ContextVar[Language] = ContextVar("language", default="en")


@contextlib.contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Everything said inside is said in this language."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> Language:
    """The language being spoken."""
    return _spoken.get()


def say(message: str, **values: object) -> str:
    """A message in the language being spoken, with its placeholders filled.

    Args:
        message: English, with placeholders such as `{share}`; a brace is doubled.
        values: What stands in the placeholders; never translated, never looked into.
    """
    return _catalogue(spoken()).gettext(message).format(**values)


def plural(n: int, one: str, several: str, **values: object) -> str:
    """A message that depends on a count; `{n}` in it is the count as it is printed.

    Args:
        n: The count.
        one: English for one: "{n} document".
        several: English for any other count: "{n} documents".
        values: The other placeholders.
    """
    from auditor.languages.numbers import count

    return _catalogue(spoken()).ngettext(one, several, n).format(n=count(n), **values)


def translated(text: str) -> str:
    """A text that may have been marked elsewhere, such as the name of a setting; one that was not stays as it is.

    Nothing is filled in, so that the text may come from outside.
    """
    return _catalogue(spoken()).gettext(text) if text else text


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """Marks a text for the catalogues; it is translated where it is said."""
    return message


def catalogue_path(language: Language) -> Path:
    """Where the messages of a language lie."""
    return Path(__file__).parent / "locale" / language / "LC_MESSAGES" / "auditor.po"


@functools.cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalogue_path(language).open(encoding="utf-8") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
