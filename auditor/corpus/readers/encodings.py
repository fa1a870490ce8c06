"""Detects the encoding of a text file.

In this order: the encoding that the user states; a byte order mark; UTF-16 or UTF-32 where the first character is ASCII
and its other bytes are zero (as RFC 4627 tells them apart); UTF-8 where all of the file is UTF-8; else a guess among
Windows-1252, GB18030 and Big5 where the text is evidently of their languages (`auditor.corpus.readers.evidence`) and
all of the file decodes; else the file is refused, with a sample of its text in the encodings that can decode it.
Characters are never replaced.
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
"""Suggested to the user for a file that is refused: those that can decode all of it, the likeliest first."""
_MOST_SUGGESTIONS = 4
_NEED_A_MARK = ("utf-16", "utf-32")
_NOT_OF_FILES = ("idna", "punycode", "unicodeescape", "rawunicodeescape")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CHUNK = 2**20
_MOST_EVIDENCE = 2**20
"""A guess is made from at most so many bytes, of lines that are not ASCII."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a file."""

    name: str
    """A codec of Python."""
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Undecodable:
    """The first byte that cannot be decoded."""

    line: int
    byte: int
    position: int
    """Within the line, in characters from 1."""

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02x} at position {self.position}"


def detect(content: Content, requested: str | None) -> Encoding:
    """The encoding in which all of a file can be decoded.

    Args:
        content: The file.
        requested: `corpus.encoding`, a codec of Python; None detects it.

    Raises:
        ConfigError: Python does not know the requested encoding.
        CorpusError: the file is not in the requested encoding or that of its mark, or its encoding cannot be detected.
    """
    with content.open() as file:
        beginning = file.read(4)
    marked = next((name for mark, name in _MARKS.items() if beginning.startswith(mark)), "")
    evident = next((name for name, zeros in _ZEROS.items() if zeros.match(beginning)), "")
    if requested is not None:
        return Encoding(_requested(content, requested, marked, evident))
    name = marked or evident or "utf-8"
    error = _undecodable(content, name)
    if error is None:
        return Encoding(name, is_guessed=bool(evident) and not marked)
    if name != "utf-8":
        what = f"begins as {name}, but is not ({error}); it may be cut short: make or copy it again"
        raise fault(content.path, f"line {error.line}", what)
    return _guessed(content, error)


def _requested(content: Content, requested: str, marked: str, evident: str) -> str:
    """The codec of the requested encoding, with the byte order of the file.

    Raises:
        ConfigError: Python does not know it.
        CorpusError: the file is not in it.
    """
    name = _codec(requested)
    if marked and not _plain(marked).startswith(_plain(name).removesuffix("sig")):
        what = f"begins with the byte order mark of {marked}, but corpus.encoding says {quote(requested)}"
        raise fault(content.path, "", f"{what}; leave out corpus.encoding")
    name = marked or (evident if evident.startswith(name) else name)
    if name in _NEED_A_MARK:
        what = f"has no byte order mark, which {name} needs: say {name}-le or {name}-be in corpus.encoding"
        raise fault(content.path, "", what)
    error = _undecodable(content, name)
    if error is not None:
        what = f"not {requested}, which corpus.encoding says ({error}); leave it out to have the encoding recognised"
        raise fault(content.path, f"line {error.line}", what)
    return name


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "")


def _codec(name: str) -> str:
    """The name of Python's codec for an encoding of text.

    Raises:
        ConfigError: there is none.
    """
    try:
        "".encode(name)  # unlike a look-up, refuses codecs that are no encodings of text, such as rot13
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = ""
    if not codec or _plain(codec) in _NOT_OF_FILES:
        raise ConfigError(f"corpus.encoding: Python knows no encoding {quote(name)} of text files")
    return codec


def _undecodable(content: Content, encoding: str) -> _Undecodable | None:
    """The first byte that an encoding cannot decode; None where it decodes the file. Reads the whole file once."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, position = 1, 1
    with content.open() as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line, position = _advance(line, position, error.object[: error.start].decode(encoding, "replace"))
                return _Undecodable(line, error.object[error.start], position)
            if not chunk:
                return None
            line, position = _advance(line, position, text)


def _advance(line: int, position: int, text: str) -> tuple[int, int]:
    """The line and the position within it after a text that starts at the given ones."""
    n_lines = text.count("\n")
    return line + n_lines, len(text) - text.rfind("\n") if n_lines else position + len(text)


def _guessed(content: Content, error: _Undecodable) -> Encoding:
    """The guessed encoding of a file that is not UTF-8; `error` says where.

    Raises:
        CorpusError: most of the file is UTF-8, or there is no evidence for one encoding.
    """
    evidence = b"".join(_evidence(content))
    in_utf8 = sum(len(sequence) for sequence in _UTF8_SEQUENCE.findall(evidence))
    if 2 * in_utf8 > len(_BEYOND_ASCII.findall(evidence)):
        advice = "the rest of the file is UTF-8: mend or remove that line"
        raise fault(content.path, f"line {error.line}", f"not UTF-8 ({error}); {advice}")
    guess = _guess(evidence)
    if guess and _undecodable(content, guess) is None:
        return Encoding(guess, is_guessed=True)
    raise _unknown(content, error, evidence)


def _evidence(content: Content) -> Iterator[bytes]:
    """The lines that are not ASCII, up to `_MOST_EVIDENCE` bytes."""
    n_bytes = 0
    with content.open() as file:
        while n_bytes < _MOST_EVIDENCE and (line := file.readline(_MOST_EVIDENCE)):
            if not line.isascii():
                n_bytes += len(line)
                yield line


def _guess(evidence: bytes) -> str:
    """The encoding that the evidence speaks for; empty where it speaks for none."""
    if is_western(_decoded(evidence, "cp1252")):
        return "cp1252"
    shares = {name: chinese_share(_decoded(evidence, name)) for name in ("gb18030", "big5", "cp950")}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0 else ""


def _decoded(evidence: bytes, encoding: str) -> str:
    """The decoded text, without a character that is cut in two at the end; empty where it cannot be decoded."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(evidence)
    except UnicodeDecodeError:
        return ""


def _unknown(content: Content, error: _Undecodable, evidence: bytes) -> CorpusError:
    """The error for an encoding that cannot be detected, with a sample in each encoding that decodes the file."""
    line = f"line {error.line}"
    texts = {name: _decoded(evidence, name) for name in _CANDIDATES}
    fitting = [name for name, text in texts.items() if text and is_text(text) and _undecodable(content, name) is None]
    if not fitting:
        return fault(content.path, line, f"not UTF-8 ({error}), nor text in another encoding; save it as UTF-8")
    likely = sorted(fitting, key=lambda name: breaks(texts[name]))[:_MOST_SUGGESTIONS]
    options = ", ".join(f"{quote(name)} reads {quote(_sample(texts[name]))}" for name in likely)
    advice = f"state it, as in corpus.encoding = {quote(likely[0])} or --encoding {likely[0]}"
    return fault(content.path, line, f"not UTF-8 ({error}), and its encoding cannot be told; {advice}: {options}")


def _sample(text: str) -> str:
    """A few words of a text, from the first character beyond ASCII on."""
    start = next(position for position, character in enumerate(text) if character > "\x7f")
    return " ".join(text[max(0, start - 10) : start + 20].split())
