r"""Token ids of perturbed texts without tokenising each of them, for tokenizers where that is exact.

Switching segments off deletes characters, and most of what remains is tokenised as before. Two kinds of tokenizers let
that be said exactly:

    deletion   WordPiece behind BERT's pre-tokenizer. White space, punctuation and ideographs cut a text into runs, each
               a word of its own. Where every run lies in one segment or in none, and a cut that cannot be deleted
               stands between any two runs, deleting a segment deletes its tokens.

    chunks     byte-level BPE behind the pre-tokenizers of GPT-2, Llama 3 or Qwen 2. A segment that ends in a letter
               before anything but a letter (a digit before anything but a digit) ends a pre-token, whatever stands
               around. So the text falls into chunks (what lies between two kept segments, and the second of them) that
               are tokenised alone: S² of them instead of N texts. Deleting tokens would be wrong for these tokenizers:
               the space before a word belongs to it.

Everything else (SentencePiece, BPE without pre-tokenizer, texts in which the characters of a special token stand) is
left to the tokenizer itself. The caller compares a sample of every document with the tokenizer's own answer.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from auditor.models.inputs import Sequences, Tokens, ragged

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_PATTERNS = (_CONTRACTIONS + r"\p{N}{1,3}" + _REST, _CONTRACTIONS + r"\p{N}" + _REST)
"""How Llama 3 and Qwen 2 cut a text into pre-tokens."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Where a segment stands in the text that is tokenised."""

    start: int
    stop: int
    segment: int
    second: bool = False
    """Whether it stands in the second of two sentences."""


class Assembler:
    """Assembles token ids for one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        added = [token for token in tokenizer.get_added_vocab() if token]
        self._starts_of_special = frozenset(token[0] for token in added)
        self._beginnings_of_special = tuple({token[:n] for token in added for n in range(1, len(token))})
        self._way = _way(json.loads(tokenizer.backend_tokenizer.to_str()))

    def assemble(
        self,
        texts: tuple[str, str | None],
        tokens: Tokens,
        occurrences: Sequence[Occurrence],
        keep: np.ndarray,
        pieces: Sequence[str] = (),
    ) -> Sequences | None:
        """Token ids of the N texts that remain; None where it is not certain that these are the tokenizer's own.

        Args:
            texts: The undisturbed text, and the second sentence.
            tokens: Its tokens.
            occurrences: Where its S segments stand.
            keep: (N, S) bool, False where a segment is switched off.
            pieces: The text, where parts of it always stay: such a part, one with segments, a part that stays, and so
                on; special tokens may stand in the parts that stay.
        """
        whole = texts[0] + (texts[1] or "")
        if self._way is None or tokens.encoded.truncated or not self._is_plain(pieces or ("", whole, "")):
            return None
        if self._way == "deletion":
            return _deleted(texts, tokens, occurrences, keep)
        if texts[1] is not None or (self._way == "chunks of ascii" and not whole.isascii()):
            return None
        return self._chunked(texts[0], tokens, occurrences, keep)

    def _is_plain(self, pieces: Sequence[str]) -> bool:
        """Whether no special token can come to stand in, or reach into, the parts with segments."""
        before, parts = pieces[:-1:2], pieces[1::2]
        within = any(not self._starts_of_special.isdisjoint(part) for part in parts)
        return not within and not any(part.endswith(self._beginnings_of_special) for part in before)

    def _chunked(
        self, text: str, tokens: Tokens, occurrences: Sequence[Occurrence], keep: np.ndarray
    ) -> Sequences | None:
        ordered = sorted(occurrences, key=lambda occurrence: occurrence.start)
        if not all(_ends_a_pretoken(text, occurrence.stop) for occurrence in ordered):
            return None
        kept = keep[:, [occurrence.segment for occurrence in ordered]]  # N P
        codes, lengths, n_occurrences = _codes(kept)
        distinct, which = np.unique(codes, return_inverse=True)
        chunks = [
            _chunk(text, ordered, code // (n_occurrences + 1) - 1, code % (n_occurrences + 1))
            for code in distinct.tolist()
        ]
        encodings = self._tokenizer.backend_tokenizer.encode_batch_fast(chunks, add_special_tokens=False)
        before, after = _around(tokens)
        return _joined([encoding.ids for encoding in encodings], which, lengths, before, after)


def _way(description: Mapping[str, Any]) -> str | None:
    """How texts of this tokenizer are assembled; None where they are not."""
    model, normalizer = description["model"]["type"], description["normalizer"]
    steps = description["pre_tokenizer"] or {}
    parts = steps.get("pretokenizers", [steps])
    kinds = [part.get("type") for part in parts]
    if model == "WordPiece" and kinds == ["BertPreTokenizer"] and (normalizer or {}).get("type") == "BertNormalizer":
        return "deletion" if normalizer["handle_chinese_chars"] and normalizer["clean_text"] else None
    if model != "BPE" or not kinds or kinds[-1] != "ByteLevel" or parts[-1]["add_prefix_space"]:
        return None
    patterns = [part["pattern"].get("Regex") for part in parts if part.get("type") == "Split"]
    known = {"ByteLevel", "Digits", "Split"}.issuperset(kinds) and all(pattern in _PATTERNS for pattern in patterns)
    if not known or not (patterns or parts[-1]["use_regex"]):
        return None
    if normalizer is None:
        return "chunks"
    return "chunks of ascii" if normalizer["type"] in ("NFC", "NFKC") else None


def _deleted(
    texts: tuple[str, str | None], tokens: Tokens, occurrences: Sequence[Occurrence], keep: np.ndarray
) -> Sequences | None:
    """The tokens of each text without those of its deleted segments."""
    owners: dict[str, np.ndarray] = {}
    for second, name in ((False, "text"), (True, "pair")):
        text = texts[1] or "" if second else texts[0]
        owners[name] = np.full(len(text) + 1, -1)
        for occurrence in occurrences:
            if occurrence.second == second:
                owners[name][occurrence.start : occurrence.stop] = occurrence.segment
        if not _runs_are_whole(text, owners[name]):
            return None
    owner = np.full(len(tokens.spans), -1)
    for i, (span, special) in enumerate(zip(tokens.spans, tokens.special, strict=True)):
        if special or span.start == span.stop:
            continue
        segments = set(owners[span.field][span.start : span.stop].tolist())
        if len(segments) > 1:
            return None
        owner[i] = segments.pop()
    always = np.concatenate([keep, np.ones((len(keep), 1), dtype=bool)], axis=1)  # last: what no segment owns
    kept = always[:, owner]  # N T
    ids = np.array(tokens.encoded.ids, dtype=np.int64)
    types = np.array(tokens.encoded.type_ids, dtype=np.int64) if tokens.encoded.type_ids else None
    at = np.nonzero(kept)[1]
    return Sequences(ids[at], kept.sum(1), None if types is None else types[at])


_SEPARATES = {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Zs"}
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002ceaf\uf900-\ufaff]")


def _runs_are_whole(text: str, owner: np.ndarray) -> bool:
    """Whether every run of a text lies in one segment or in none, and no two runs can come to touch."""
    touchable: int | None = None  # owner of the last run, while nothing behind it is sure to stay
    for character, segment in zip(text, owner.tolist(), strict=False):
        if _separates(character):
            if segment == -1:
                touchable = None
            elif segment != touchable and touchable is not None:
                touchable = _ANY
        elif touchable is not None and segment != touchable:
            return False
        else:
            touchable = segment
    return True


_ANY = -2


def _separates(character: str) -> bool:
    """Whether BERT's pre-tokenizer cuts on both sides of a character."""
    return (
        character in "\t\n\r"
        or character in _ASCII_PUNCTUATION
        or unicodedata.category(character) in _SEPARATES
        or _IDEOGRAPH.match(character) is not None
    )


def _ends_a_pretoken(text: str, stop: int) -> bool:
    """Whether a pre-token ends behind the character before `stop`, whatever is deleted elsewhere."""
    last = unicodedata.category(text[stop - 1])[0]
    if last not in "LN":
        return False
    return stop == len(text) or unicodedata.category(text[stop])[0] not in (last, "M")


def _codes(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """For every kept occurrence, and the end of every text, which one is kept before it: one number for the pair.

    Returns:
        The numbers text by text, how many each text has, and the number P of occurrences; a number is
        (1 + the occurrence before, or 0) · (P + 1) + the occurrence, or P for the end.
    """
    n_texts, n_occurrences = kept.shape
    present = np.concatenate([kept, np.ones((n_texts, 1), dtype=bool)], axis=1)
    numbers = np.where(present, np.arange(1, n_occurrences + 2), 0)
    before = np.maximum.accumulate(numbers, axis=1)
    before = np.concatenate([np.zeros((n_texts, 1), dtype=before.dtype), before[:, :-1]], axis=1)
    rows, columns = np.nonzero(present)
    return before[rows, columns] * (n_occurrences + 1) + columns, present.sum(1), n_occurrences


def _chunk(text: str, occurrences: Sequence[Occurrence], before: int, last: int) -> str:
    """What remains between two kept occurrences, and the second of them."""
    position = occurrences[before].stop if before >= 0 else 0
    pieces = []
    for occurrence in occurrences[before + 1 : last]:
        pieces.append(text[position : occurrence.start])
        position = occurrence.stop
    pieces.append(text[position : occurrences[last].stop] if last < len(occurrences) else text[position:])
    return "".join(pieces)


def _around(tokens: Tokens) -> tuple[list[int], list[int]]:
    """The special tokens before and behind the text."""
    plain = [i for i, special in enumerate(tokens.special) if not special] or [len(tokens.special)]
    ids = list(tokens.encoded.ids)
    return ids[: plain[0]], ids[plain[-1] + 1 :]


def _joined(
    chunks: Sequence[Sequence[int]],
    which: np.ndarray,
    n_chunks: np.ndarray,
    before: Sequence[int],
    after: Sequence[int],
) -> Sequences:
    """The chunks `which`, `n_chunks` to a text, with the special tokens around each text."""
    table = [*chunks, before, after]
    sizes = np.array([len(chunk) for chunk in table])
    flat = np.array([token for chunk in table for token in chunk], dtype=np.int64)
    ends = np.cumsum(n_chunks)
    around = np.stack([ends - n_chunks, ends], axis=1).ravel()
    order = np.insert(which, around, np.tile([len(chunks), len(chunks) + 1], len(ends)))
    starts = np.cumsum(sizes) - sizes
    lengths = np.add.reduceat(sizes[order], np.cumsum(n_chunks + 2) - (n_chunks + 2))
    return Sequences(flat[ragged(starts[order], sizes[order])], lengths)
