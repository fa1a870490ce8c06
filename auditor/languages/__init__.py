"""Translates what the report says into the current language: the one that `speaking` sets, else English.

A message is its own English. Other languages have a gettext catalogue in `locale/`, which is read from its `.po` text,
so that there is nothing to compile. `say` and `plural` translate when they are called; texts in constants are marked
with `N_` and given to `say` or `translated` later. `auditor.languages.numbers` writes numbers, lists and dates.

    with speaking("zh"):
        plural(3, "{n} document", "{n} documents")  →  3 篇文档
"""

import functools
import gettext
import io
from pathlib import Path

from auditor.languages.current import HTML_TAGS, LANGUAGES, Language, speaking, spoken
from auditor.languages.numbers import count

__all__ = [
    "HTML_TAGS",
    "LANGUAGES",
    "N_",
    "Language",
    "catalogue_path",
    "plural",
    "say",
    "speaking",
    "spoken",
    "translated",
]


def say(message: str, **values: object) -> str:
    """A message in the current language, with its placeholders filled.

    Args:
        message: English, with placeholders such as `{share}`; a literal brace is doubled.
        values: Values of the placeholders, which are not translated; braces in them are not placeholders.
    """
    return _catalogue(spoken()).gettext(message).format(**values)


def plural(n: int, one: str, several: str, **values: object) -> str:
    """A message that depends on a count, in the current language; its placeholder `{n}` is the formatted count.

    Args:
        n: The count.
        one: English for a count of 1: "{n} document".
        several: English for any other count: "{n} documents".
        values: Values of the other placeholders.
    """
    return _catalogue(spoken()).ngettext(one, several, n).format(n=count(n), **values)


def translated(text: str) -> str:
    """The translation of a text that may be in the catalogue, such as the name of a setting; else the text itself.

    Braces are not placeholders, so that the text may come from outside.
    """
    return _catalogue(spoken()).gettext(text) if text else text


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """The text unchanged; the call marks it for the catalogues, and `say` translates it later."""
    return message


def catalogue_path(language: Language) -> Path:
    """The path of a language's catalogue."""
    return Path(__file__).parent / "locale" / language / "LC_MESSAGES" / "auditor.po"


@functools.cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    """The translations of a language, compiled in memory; none for English."""
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
