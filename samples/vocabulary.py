"""A smaller WordPiece vocabulary for English.

Kept, in this order, until the size is reached: the special tokens; every single character that is a Latin letter or
no letter at all (digits, punctuation, symbols), alone and as a continuation; every token that stands at least twice
in the training text; then the commonest. The vocabulary of bert-base-uncased is ordered by frequency, so these are
the tokens with the lowest numbers.

Because the characters stay, anything in Latin script that the full vocabulary can spell the small one can spell too,
in more pieces at worst. Other scripts become [UNK].
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MIN_COUNT = 2
"""A token seen once teaches nothing that its pieces do not."""


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer.json with fewer tokens, and the old number of each of them."""

    tokenizer: dict[str, Any]
    old_ids: tuple[int, ...]
    """old_ids[new id] = id in the full vocabulary: the rows of the embedding matrix to keep, in order."""


def prune(tokenizer_json: Path, texts: Iterable[str], size: int) -> Vocabulary:
    """Keep `size` tokens, special tokens first, the others in their old order."""
    full = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    numbers: dict[str, int] = full["model"]["vocab"]
    counts = _counts(tokenizer_json, texts)
    ordered = sorted((token for token in numbers if not _is_unwanted(token)), key=numbers.__getitem__)
    tiers = sorted(ordered, key=lambda token: 0 if _is_character(token) else 1 if counts[token] >= MIN_COUNT else 2)
    kept = set(tiers[: size - len(SPECIAL)])
    tokens = [*SPECIAL, *(t for t in ordered if t in kept)]
    return Vocabulary(_renumbered(full, tokens), tuple(numbers[t] for t in tokens))


def _counts(tokenizer_json: Path, texts: Iterable[str]) -> Counter[str]:
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Counter(token for text in texts for token in tokenizer.encode(text, add_special_tokens=False).tokens)


def _is_unwanted(token: str) -> bool:
    reserved = token.startswith("[") and len(token) > 1
    return reserved or (_is_character(token) and not _is_kept(token.removeprefix("##")))


def _is_character(token: str) -> bool:
    return len(token.removeprefix("##")) == 1


def _is_kept(character: str) -> bool:
    return not unicodedata.category(character).startswith("L") or "LATIN" in unicodedata.name(character, "")


def _renumbered(full: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    vocabulary = {token: i for i, token in enumerate(tokens)}
    small = {**full, "truncation": None, "padding": None, "model": {**full["model"], "vocab": vocabulary}}
    small["added_tokens"] = [{**entry, "id": vocabulary[entry["content"]]} for entry in full["added_tokens"]]
    special = full["post_processor"]["special_tokens"]
    renumbered = {token: {**entry, "ids": [vocabulary[token]]} for token, entry in special.items()}
    small["post_processor"] = {**full["post_processor"], "special_tokens": renumbered}
    return small
