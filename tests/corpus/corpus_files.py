"""Files to read, written byte by byte, and what is said of those that cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from auditor import corpus
from auditor.errors import CorpusError

REVIEWS = [
    ("the actors were wonderful and the story moved me", "positive"),
    ("a dull film that never ends", "negative"),
    ("one of the finest comedies of the year", "positive"),
    ("badly written and worse acted", "negative"),
    ("i laughed from the first scene to the last", "positive"),
    ("a waste of two hours", "negative"),
    ("tender , funny and beautifully shot", "positive"),
    ("loud , stupid and far too long", "negative"),
]


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        corpus.load(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path)), "the file is named first"
    assert "\n" not in message, "one line"
    return message.removeprefix(str(path))


def pairs(loaded: corpus.Corpus) -> list[tuple[str, ...]]:
    """Text and labels of every document."""
    return [(document.text, *document.labels) for document in loaded.documents]
