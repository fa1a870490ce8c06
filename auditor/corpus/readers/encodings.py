"""How the characters of a text file are written in bytes.

In this order: what the user says; a byte order mark; UTF-16 or UTF-32 where the first character is plain and its other
bytes are zero (as RFC 4627 tells them apart); UTF-8 where all of the file is UTF-8; else a guess among Windows-1252,
GB18030 and Big5 where the text is evidently of their languages (`auditor.corpus.readers.evidence`) and all of the file
decodes; else the file is refused, with what it would read as in the encodings that can decode it. Nothing is ever
replaced.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.corpus.faults import fault, quote
from auditor.corpus.readers.archives import Content
from auditor.corpus.readers.evidence import breaks, chinese_share, is_text, is_western
from auditor.errors import ConfigError, CorpusError

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_ZEROS = {
    "utf-32-le": re.compile(rb"[\x09-\x7e]\0\0\0"),
    "utf-32-be": re.compile(rb"\0\0\0[\x09-\x7e]"),
    "utf-16-le": re.compile(rb"[\x09-\x7e]\0"),
    "utf-16-be": re.compile(rb"\0[\x09-\x7e]"),
}
_CANDIDATES = ("gb18030", "big5", "shift_jis", "euc_jp", "cp949", "cp1252", "cp1251", "cp1250", "cp1254", "mac_roman")
"""What a file is tried as that is refused: those that can decode all of it are suggested, the likeliest first."""
_MOST_SUGGESTIONS = 4
_NEED_A_MARK = ("utf-16", "utf-32")
_NOT_OF_FILES = ("idna", "punycode", "unicodeescape", "rawunicodeescape")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CHUNK = 2**20
_MOST_EVIDENCE = 2**20
"""Bytes of the lines that are looked at for a guess."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec of Python, and whether it was guessed."""

    name: str
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Undecodable:
    """The first byte that an encoding does not know."""

    line: int
    byte: int
    position: int
    """Within the line, in characters from 1."""

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02x} at position {self.position}"


def recognise(content: Content, asked: str | None) -> Encoding:
    """The encoding in which all of a file can be read.

    Args:
        content: The file.
        asked: What the user says, as Python names it.

    Raises:
        ConfigError: Python does not know the encoding asked for.
        CorpusError: the file is not in the encoding that was asked for or that its mark names, or it cannot be told.
    """
    with content.open() as file:
        beginning = file.read(4)
    marked = next((name for mark, name in _MARKS.items() if beginning.startswith(mark)), "")
    evident = next((name for name, zeros in _ZEROS.items() if zeros.match(beginning)), "")
    if asked is not None:
        return Encoding(_agreed(content, asked, marked, evident))
    name = marked or evident or "utf-8"
    wrong = _undecodable(content, name)
    if wrong is None:
        return Encoding(name, is_guessed=bool(evident) and not marked)
    if name != "utf-8":
        what = f"begins as {name}, but is not ({wrong}); it may be cut short: make or copy it again"
        raise fault(content.path, f"line {wrong.line}", what)
    return _guessed(content, wrong)


def _agreed(content: Content, asked: str, marked: str, evident: str) -> str:
    """The encoding asked for, where the file is in it."""
    name = _known(asked)
    if marked and not _plain(marked).startswith(_plain(name).removesuffix("sig")):
        what = f"begins with the byte order mark of {marked}, but corpus.encoding says {quote(asked)}"
        raise fault(content.path, "", f"{what}; leave out corpus.encoding")
    name = marked or (evident if evident.startswith(name) else name)
    if name in _NEED_A_MARK:
        what = f"has no byte order mark, which {name} needs: say {name}-le or {name}-be in corpus.encoding"
        raise fault(content.path, "", what)
    wrong = _undecodable(content, name)
    if wrong is not None:
        what = f"not {asked}, which corpus.encoding says ({wrong}); leave it out to have the encoding recognised"
        raise fault(content.path, f"line {wrong.line}", what)
    return name


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "")


def _known(name: str) -> str:
    try:
        "".encode(name)  # unlike a look-up, refuses codecs that are no encodings of text, such as rot13
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    if not known or _plain(known) in _NOT_OF_FILES:
        raise ConfigError(f"corpus.encoding: Python knows no encoding {quote(name)} of text files")
    return known


def _undecodable(content: Content, encoding: str) -> _Undecodable | None:
    """Where a file is not in an encoding; None where all of it is. Reads the whole file once."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, position = 1, 1
    with content.open() as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line, position = _moved(line, position, error.object[: error.start].decode(encoding, "replace"))
                return _Undecodable(line, error.object[error.start], position)
            if not chunk:
                return None
            line, position = _moved(line, position, text)


def _moved(line: int, position: int, text: str) -> tuple[int, int]:
    """Line and position behind a text."""
    n_lines = text.count("\n")
    return line + n_lines, len(text) - text.rfind("\n") if n_lines else position + len(text)


def _guessed(content: Content, wrong: _Undecodable) -> Encoding:
    """A guess for a file that is not UTF-8.

    Raises:
        CorpusError: nothing speaks for one encoding.
    """
    evidence = b"".join(_evidence(content))
    in_utf8 = sum(len(sequence) for sequence in _UTF8_SEQUENCE.findall(evidence))
    if 2 * in_utf8 > len(_BEYOND_ASCII.findall(evidence)):
        advice = "the rest of the file is UTF-8: mend or remove that line"
        raise fault(content.path, f"line {wrong.line}", f"not UTF-8 ({wrong}); {advice}")
    guess = _guess(evidence)
    if guess and _undecodable(content, guess) is None:
        return Encoding(guess, is_guessed=True)
    raise _unknown(content, wrong, evidence)


def _evidence(content: Content) -> Iterator[bytes]:
    """The lines that are not ASCII, as far as a guess needs them."""
    n_bytes = 0
    with content.open() as file:
        while n_bytes < _MOST_EVIDENCE and (line := file.readline(_MOST_EVIDENCE)):
            if not line.isascii():
                n_bytes += len(line)
                yield line


def _guess(evidence: bytes) -> str:
    if is_western(_decoded(evidence, "cp1252")):
        return "cp1252"
    shares = {name: chinese_share(_decoded(evidence, name)) for name in ("gb18030", "big5", "cp950")}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0 else ""


def _decoded(evidence: bytes, encoding: str) -> str:
    """The text in an encoding; empty where it is not in it, but for a character cut in two at the end."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(evidence)
    except UnicodeDecodeError:
        return ""


def _unknown(content: Content, wrong: _Undecodable, evidence: bytes) -> CorpusError:
    """The refusal, with what the file would read as in the encodings that can decode all of it."""
    line = f"line {wrong.line}"
    texts = {name: _decoded(evidence, name) for name in _CANDIDATES}
    fitting = [name for name, text in texts.items() if text and is_text(text) and _undecodable(content, name) is None]
    if not fitting:
        return fault(content.path, line, f"not UTF-8 ({wrong}), nor text in another encoding; save it as UTF-8")
    likely = sorted(fitting, key=lambda name: breaks(texts[name]))[:_MOST_SUGGESTIONS]
    options = ", ".join(f"{quote(name)} reads {quote(_sample(texts[name]))}" for name in likely)
    advice = f"state it, as in corpus.encoding = {quote(likely[0])} or --encoding {likely[0]}"
    return fault(content.path, line, f"not UTF-8 ({wrong}), and its encoding cannot be told; {advice}: {options}")


def _sample(text: str) -> str:
    """A few words of a text, from the first character beyond ASCII on."""
    start = next(position for position, character in enumerate(text) if character > "\x7f")
    return " ".join(text[max(0, start - 10) : start + 20].split())
