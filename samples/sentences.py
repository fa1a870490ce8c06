"""Reads the human-rated movie sentences, cleans and labels them, removes duplicates, and splits them.

    label       sign of the mean rating (-4 … 4, 15 to 29 raters); |mean| < 0.5 is dropped as near-neutral: a mean of
                15 ratings with the usual standard deviation of 0.8 has a standard error of 0.2, so that the sign of
                a mean below 0.5 is uncertain
    duplicates  equal after normalisation (lower case, letters and digits only): one is kept
    held out    1,000 drawn by a fixed seed; a training sentence that nearly repeats one of them is dropped

Two sentences nearly repeat each other if their word sets A, B have |A∩B| / |A∪B| ≥ 0.6, or, from five words on,
|A∩B| / min(|A|, |B|) ≥ 0.8 (one is contained in the other).

Source of the data: Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
Text", ICWSM 2014. The sentences come from reviews on rotten.tomatoes.com (Pang & Lee).
"""

import hashlib
import html
import io
import random
import re
import tarfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

SEED = 20140601
NEAR_NEUTRAL = 0.5
N_HELD_OUT = 1000
DIGEST_DIGITS = 12
_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_TEXTS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
_RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_anonDataRatings.txt"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Sentence:
    """A sentence with the mean and the deviation of its ratings."""

    id: str
    text: str
    mean: float
    """Mean rating, -4 to 4."""
    deviation: float
    """Standard deviation of the ratings (population)."""

    @property
    def label(self) -> str:
        """`positive` or `negative`: the sign of the mean."""
        return "positive" if self.mean > 0 else "negative"


@dataclass(frozen=True)
class Split(Generic[Item]):
    """Texts for training and texts held out."""

    train: tuple[Item, ...]
    held_out: tuple[Item, ...]
    dropped: dict[str, int]
    """Reason → number of texts that are in neither."""


def split(sdist: Path, seed: int = SEED) -> Split[Sentence]:
    """Read the sentences from the source distribution of vaderSentiment and split them."""
    rated = read(sdist)
    clear = [sentence for sentence in rated if abs(sentence.mean) >= NEAR_NEUTRAL]
    unique = list({normalise(sentence.text): sentence for sentence in reversed(clear)}.values())[::-1]
    random.Random(seed).shuffle(unique)
    held_out, rest = unique[:N_HELD_OUT], unique[N_HELD_OUT:]
    repeats = near_repeats([s.text for s in rest], [s.text for s in held_out])
    train = [sentence for i, sentence in enumerate(rest) if i not in repeats]
    dropped = {
        "near_neutral": len(rated) - len(clear),
        "duplicate": len(clear) - len(unique),
        "near_repeat_of_held_out": len(repeats),
    }
    return Split(tuple(train), tuple(held_out), dropped)


def read(sdist: Path) -> list[Sentence]:
    """All rated sentences, cleaned, in the order of the file."""
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=outer.extractfile(_ARCHIVE)) as inner:
        texts, ratings = (_rows(inner, name) for name in (_TEXTS, _RATINGS))
    deviations = {row[0]: float(row[2]) for row in ratings}
    return [Sentence(f"movie-{id_}", clean(text), float(mean), deviations[id_]) for id_, mean, text in texts]


def _rows(archive: tarfile.TarFile, name: str) -> list[list[str]]:
    member = archive.extractfile(name)
    assert member is not None, name
    with io.TextIOWrapper(member, encoding="utf-8") as lines:
        return [line.rstrip("\r\n").split("\t") for line in lines]


def clean(text: str) -> str:
    """A text with the artefacts of its source undone: entities, '' for ", ? for an apostrophe, stray spaces."""
    text = html.unescape(text).replace("''", '"')
    text = re.sub(r"(?<=\w)\?s\b", "'s", text)
    return " ".join(text.split())


def normalise(text: str) -> str:
    """The form in which sentences are compared: lower case, without accents, letters and digits only."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", plain.lower()))


def digest(text: str, normalise: Callable[[str], str] = normalise) -> str:
    """First 48 bits of the SHA-1 of the normalised text, in hexadecimal."""
    return hashlib.sha1(normalise(text).encode(), usedforsecurity=False).hexdigest()[:DIGEST_DIGITS]


def words(text: str) -> set[str]:
    """The words of a normalised English text, for `near_repeats`."""
    return set(normalise(text).split())


def near_repeats(texts: Sequence[str], others: Iterable[str], parts: Callable[[str], set[str]] = words) -> set[int]:
    """Indices of the texts that nearly repeat one of the others (rule in the module's docstring).

    Args:
        texts: Texts to test.
        others: Texts to compare them with.
        parts: Text → the set by which two texts are compared.
    """
    parts_of_texts = [parts(text) for text in texts]
    texts_with: dict[str, list[int]] = defaultdict(list)  # part → indices of the texts that have it
    for i, parts_of_text in enumerate(parts_of_texts):
        for part in parts_of_text:
            texts_with[part].append(i)
    repeats: set[int] = set()
    for other in map(parts, others):
        shared = Counter(i for part in other for i in texts_with.get(part, ()))
        repeats.update(i for i, n in shared.items() if _repeats(n, len(parts_of_texts[i]), len(other)))
    return repeats


def _repeats(n_shared: int, n_left: int, n_right: int) -> bool:
    """The rule, for two sets of n_left and n_right parts that share n_shared."""
    smaller = min(n_left, n_right)
    return n_shared >= 0.6 * (n_left + n_right - n_shared) or (smaller >= 5 and n_shared >= 0.8 * smaller)
