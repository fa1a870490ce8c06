r"""What a text may not hold: characters that no file format, font or terminal carries safely.

NUL and the C0 controls other than tab, line feed and carriage return, and lone surrogates (JSON's "\ud800") become
U+FFFD, one for one, so that positions stay. Everything else is data: right-to-left overrides, zero-width characters,
combining marks and emoji reach the model as they stand.
"""

import re

REPLACEMENT = "\ufffd"
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def clean(text: str) -> tuple[str, int]:
    """Replace unsafe characters; returns the text, of unchanged length, and how many were replaced."""
    return _UNSAFE.subn(REPLACEMENT, text)


def plain(text: str) -> str:
    """The cleaned text alone, for labels, ids and names of columns."""
    return _UNSAFE.sub(REPLACEMENT, text)
