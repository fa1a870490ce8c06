"""The current language of a thread or task, English unless it is set."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
HTML_TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}
"""Language → value of the attribute `lang` of a page."""

_current: ContextVar[Language] = ContextVar("language", default="en")


@contextlib.contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Set the current language within a `with` block, for this thread or task only."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def spoken() -> Language:
    """The current language."""
    return _current.get()
