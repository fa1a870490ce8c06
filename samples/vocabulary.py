"""Prunes a WordPiece vocabulary for English.

Tokens are kept in this order, until the size is reached: the special tokens; every single character that is a Latin
letter or no letter (digits, punctuation, symbols), alone and as a continuation; every token that occurs at least twice
in the training texts; then the most frequent. The vocabulary of bert-base-uncased is ordered by frequency, so these
are the tokens with the lowest ids.

As all characters are kept, whatever the full vocabulary can spell in Latin script the pruned one can spell too, at
worst in more pieces. Other scripts become [UNK].
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
"""A token that occurs less often is learnt no better than its pieces."""


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer with fewer tokens, and their ids in the full one."""

    tokenizer: dict[str, Any]
    """The content of tokenizer.json."""
    old_ids: tuple[int, ...]
    """old_ids[new id] = id in the full vocabulary: the rows of the embedding matrix to keep, in order."""


def prune(tokenizer_json: Path, texts: Iterable[str], size: int) -> Vocabulary:
    """The tokenizer with `size` tokens only: special tokens first, the others in their old order."""
    full = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    ids: dict[str, int] = full["model"]["vocab"]
    counts = _counts(tokenizer_json, texts)
    ordered = sorted((token for token in ids if not _is_dropped(token)), key=ids.__getitem__)
    tiers = sorted(ordered, key=lambda token: 0 if _is_character(token) else 1 if counts[token] >= MIN_COUNT else 2)
    kept = set(tiers[: size - len(SPECIAL)])
    tokens = [*SPECIAL, *(t for t in ordered if t in kept)]
    return Vocabulary(_renumbered(full, tokens), tuple(ids[t] for t in tokens))


def _counts(tokenizer_json: Path, texts: Iterable[str]) -> Counter[str]:
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Counter(token for text in texts for token in tokenizer.encode(text, add_special_tokens=False).tokens)


def _is_dropped(token: str) -> bool:
    """Whether a token is reserved, or a character that is not kept."""
    reserved = token.startswith("[") and len(token) > 1
    return reserved or (_is_character(token) and not _is_kept(token.removeprefix("##")))


def _is_character(token: str) -> bool:
    return len(token.removeprefix("##")) == 1


def _is_kept(character: str) -> bool:
    """Whether a character is a Latin letter or no letter."""
    return not unicodedata.category(character).startswith("L") or "LATIN" in unicodedata.name(character, "")


def _renumbered(full: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    """The content of tokenizer.json with these tokens only, numbered from 0."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    pruned = {**full, "truncation": None, "padding": None, "model": {**full["model"], "vocab": vocabulary}}
    pruned["added_tokens"] = [{**entry, "id": vocabulary[entry["content"]]} for entry in full["added_tokens"]]
    special = full["post_processor"]["special_tokens"]
    renumbered = {token: {**entry, "ids": [vocabulary[token]]} for token, entry in special.items()}
    pruned["post_processor"] = {**full["post_processor"], "special_tokens": renumbered}
    return pruned
