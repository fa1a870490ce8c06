"""Writes the sample corpora from their packages, seeded: `python samples/make_corpora.py [--local FOLDER]`.

reviews.jsonl    200 of the 1,000 held-out movie sentences (sentences.py), stratified by label, length and
                 disagreement: each stratum gives its share, fractions settled by largest remainder
speeches.jsonl   from State of the Union messages of 1801 to 1999: 24 passages and 4 longer excerpts

length           words: short up to 13, medium up to 21, long above
disagreement     standard deviation of the ratings: low up to 0.7, medium up to 1.0, high above

passage          a run of whole sentences, 30 to 45 words, drawn from within a speech; none that names a year
excerpt          the first 300 words of a speech, to the end of a sentence
century          nineteenth or twentieth, from the year: the answer that smollm2.toml asks of the model
"""

import argparse
import json
import random
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pinned
from sentences import SEED, Sentence, split

CORPORA = Path(__file__).parent / "corpora"
N_REVIEWS = 200
N_PASSAGES = 24
N_EXCERPTS = 4
EXCERPT_WORDS = 300
PASSAGE_WORDS = range(30, 46)
CENTURIES = {"18": "nineteenth", "19": "twentieth"}

Row = Mapping[str, str]
Speech = Mapping[str, str]


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Write the sample corpora.")
    parser.add_argument("--local", type=Path, help="folder that already holds the packages")
    local = parser.parse_args().local
    held_out = split(pinned.fetch(pinned.RATINGS, local)).held_out
    write(CORPORA / "reviews.jsonl", [review(sentence) for sentence in draw(held_out, N_REVIEWS)])
    write(CORPORA / "speeches.jsonl", speeches(read_speeches(pinned.fetch(pinned.SPEECHES, local))))


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
    print(f"{path}: {len(rows)} documents")


def review(sentence: Sentence) -> Row:
    """A sentence as a row of reviews.jsonl."""
    return {
        "id": sentence.id,
        "text": sentence.text,
        "label": sentence.label,
        "length": band(len(sentence.text.split()), 13, 21, ("short", "medium", "long")),
        "disagreement": band(sentence.deviation, 0.7, 1.0, ("low", "medium", "high")),
    }


def band(value: float, low: float, high: float, names: tuple[str, str, str]) -> str:
    """The name of the band of a value: up to `low`, up to `high`, or above."""
    return names[(value > low) + (value > high)]


def draw(sentences: Sequence[Sentence], n: int) -> list[Sentence]:
    """A seeded sample of n sentences, stratified, in the order of the source."""
    strata: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for sentence in sorted(sentences, key=_number):
        row = review(sentence)
        strata[row["label"], row["length"], row["disagreement"]].append(sentence)
    order = random.Random(SEED)
    sizes = {key: len(strata[key]) for key in sorted(strata)}
    drawn = [s for key, k in shares(sizes, n).items() for s in order.sample(strata[key], k)]
    return sorted(drawn, key=_number)


def shares(sizes: Mapping[tuple[str, ...], int], n: int) -> dict[tuple[str, ...], int]:
    """Stratum → its number of documents among n: proportional, by largest remainder, ties in the order of the keys."""
    total = sum(sizes.values())
    allocated = {key: size * n // total for key, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda key: -(sizes[key] * n % total))
    for key in by_remainder[: n - sum(allocated.values())]:
        allocated[key] += 1
    return allocated


def _number(sentence: Sentence) -> int:
    return int(sentence.id.removeprefix("movie-"))


def read_speeches(package: Path) -> list[Speech]:
    """The messages in the npm package, sorted by year: 1801 to 1899 and 1901 to 1999, whose century is certain."""
    with tarfile.open(package) as archive:
        files = [m for m in archive.getmembers() if re.fullmatch(r"package/data/\w+\.json", m.name)]
        loaded = [json.load(file) for member in files if (file := archive.extractfile(member)) is not None]
    messages = [{key: " ".join(str(value).split()) for key, value in speech.items()} for speech in loaded]
    return sorted(
        (s for s in messages if "1801" <= s["year"] <= "1999" and s["year"] != "1900"),
        key=lambda s: (s["year"], s["name"]),
    )


def speeches(available: Sequence[Speech]) -> list[Row]:
    """Passages and excerpts, half of each from either century, spread evenly over its years."""
    order = random.Random(SEED)
    rows = []
    for century in CENTURIES.values():
        of_century = [speech for speech in available if century_of(speech) == century]
        for_excerpts = _spread(of_century, N_EXCERPTS // 2)
        rest = [speech for speech in of_century if speech not in for_excerpts]
        rows += [_row(speech, "excerpt", beginning(speech["text"])) for speech in for_excerpts]
        rows += [_row(s, "passage", order.choice(passages(s["text"]))) for s in _spread(rest, N_PASSAGES // 2)]
    return sorted(rows, key=lambda row: row["id"])


def century_of(speech: Speech) -> str:
    """`nineteenth` or `twentieth`."""
    return CENTURIES[speech["year"][:2]]


def _spread(speeches: Sequence[Speech], n: int) -> list[Speech]:
    """The middle one of each of n equal stretches."""
    return [speeches[(2 * i + 1) * len(speeches) // (2 * n)] for i in range(n)]


def _row(speech: Speech, kind: str, text: str) -> Row:
    name = re.sub(r"[^a-z]+", "-", speech["name"].lower())
    return {
        "id": f"{speech['year']}-{name}-{kind}",
        "text": text,
        "century": century_of(speech),
        "kind": kind,
        "president": speech["name"],
        "year": speech["year"],
        "party": speech["party"],
    }


def sentences_of(text: str) -> list[str]:
    """The sentences of a text: split after . ! ? before a capital letter, not after one or two letters (Mr., U.S.)."""
    return re.split(r"(?<=[a-z0-9)\"”]{3}[.!?])\s+(?=[\"“]?[A-Z])", text)


def passages(text: str) -> list[str]:
    """All runs of whole sentences that have the length of a passage and name no year."""
    inner = sentences_of(text)[3:-3]
    runs = (_run(inner[start:], PASSAGE_WORDS.start) for start in range(len(inner)))
    return [run for run in runs if len(run.split()) in PASSAGE_WORDS and not re.search(r"\b1[5-9]\d\d\b", run)]


def beginning(text: str) -> str:
    """The first sentences of a text, as many as have `EXCERPT_WORDS` words together."""
    return _run(sentences_of(text), EXCERPT_WORDS)


def _run(sentences: Iterable[str], n_words: int) -> str:
    """The fewest first sentences that have at least n_words words."""
    taken: list[str] = []
    for sentence in sentences:
        taken.append(sentence)
        if sum(len(part.split()) for part in taken) >= n_words:
            break
    return " ".join(taken)


if __name__ == "__main__":
    main()
