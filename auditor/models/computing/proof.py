r"""What is proven of a faster way of asking a model: that it gives what the model gives for each text alone.

The truth is what the model of the checkpoint answers, as transformers built it, to one text without padding or
neighbours. Answers, log-probabilities, attention and continuations can be asked for in several ways, fastest first:

    packed          texts without padding between them in one row (`auditor.models.computing.packing`), up to a length
    padded          texts of different lengths in a batch, padded on the right and masked
    equal lengths   only texts of the same length in a batch
    one by one      each text alone, through the model as transformers built it

The first whose results are the truth up to rounding is taken. If not even the last one gives it again, the answers are
not determined by the text, and the model is refused.

The texts have a few tokens, and as many as every threshold that the configuration names and one more (windows, blocks,
chunks, kernels, the length of the original training), and as many as the longest text of the audit. They are drawn from
the tokens of the vocabulary that are not special, between the special tokens that the tokenizer puts around a text. Of
short ones there are two of each length, so that batches of equal length have neighbours too, and beginnings that others
share. Batches of the proof are filled with padding to the budget, which those of an audit never are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from auditor.models.inputs import Encoded, Sequences, ragged

FEW = 24
"""Tokens of the texts that are packed twice."""
SHORT = (1, 2, 4, 7, 12)
"""Tokens of the short texts, without the special tokens around them."""
TWINS = 256
"""Up to so many tokens there are two texts of a length."""
_THRESHOLDS = re.compile(r"window|chunk|block_size|kernel|landmark|segment_means|local|original_max|mem_len")
"""Names under which configurations keep numbers of tokens at which a model changes its ways."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What the model of the checkpoint says about each text alone."""

    texts: Sequences
    """Those that it can read."""
    rows: tuple[tuple[int, ...], ...]
    """The positions whose states are compared."""
    states: torch.Tensor | None
    """(R, D) float32, last hidden states; None where no part of the model gives them."""
    answers: torch.Tensor
    """(…, C) what the adapter makes of the logits, text by text."""
    counts: np.ndarray
    """Rows that each text has in `answers`."""
    reset: tuple[str, ...]
    """Classes of the parts that remember what they have read."""
    unread: int | None
    """Tokens of the longest text that the model itself failed on."""

    def shorter(self, limit: int) -> "Truth":
        """The texts of at most so many tokens."""
        return self._take(np.flatnonzero(self.texts.lengths <= limit))

    def twice(self) -> "Truth":
        """The short texts, each two times: what is computed once for equal tokens is handed out among them."""
        at = np.flatnonzero(self.texts.lengths <= max(FEW, self.texts.lengths.min()))
        return self._take(np.concatenate([at, at]))

    def _take(self, at: np.ndarray) -> "Truth":
        n_states = np.array([len(rows) for rows in self.rows])
        states = (
            None if self.states is None else self.states[ragged(np.cumsum(n_states)[at] - n_states[at], n_states[at])]
        )
        answers = self.answers[ragged(np.cumsum(self.counts)[at] - self.counts[at], self.counts[at])]
        rows = tuple(self.rows[i] for i in at)
        return Truth(self.texts.take(at), rows, states, answers, self.counts[at], self.reset, self.unread)


def thresholds(config: Any) -> list[int]:
    """The numbers of tokens at which something changes, as far as a configuration names them, in order."""
    numbers = set(_named(config.to_dict()))
    block, n_random = (getattr(config, name, None) for name in ("block_size", "num_random_blocks"))
    if isinstance(block, int) and isinstance(n_random, int):
        numbers.add((5 + 2 * n_random) * block)  # BigBird: in shorter texts every token sees every other
    if "dynamic" in str(getattr(config, "rope_parameters", "")):
        numbers.add(int(config.max_position_embeddings))
    return sorted(numbers)


def _named(table: Mapping[str, Any]) -> Iterator[int]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _named(value)
        elif _THRESHOLDS.search(str(name)):
            several = value if isinstance(value, list | tuple) else [value]
            yield from (n for n in several if type(n) is int and n > 1)


def lengths(config: Any, longest: int) -> list[int]:
    """How many tokens the texts of a proof have, special tokens around them included, in order."""
    sides = (n for t in thresholds(config) for n in (t, t + 1))
    return sorted({n for n in (*sides, longest) if n <= longest})


def draw(ordinary: np.ndarray, frame: tuple[Encoded, int], longer: Iterable[int], longest: int) -> Sequences:
    """The texts of a proof.

    Args:
        ordinary: Ids of tokens that are not special.
        frame: A tokenised text of one token, and how many special tokens stand before it.
        longer: Tokens of the longer texts, as `lengths` gives them.
        longest: No text has more tokens than this.
    """
    random = np.random.default_rng(0)
    around = len(frame[0].ids) - 1
    sizes = [around + n for n in SHORT for _ in range(2)]
    sizes += [n for n in longer if n > around for _ in range(2 if n <= TWINS else 1)]
    stream = random.choice(ordinary, max(sizes))
    drawn = []
    for i, size in enumerate(sizes):
        fresh = random.choice(ordinary, size)
        shared = size // 2 if i % 2 else 0
        drawn.append(_framed(np.concatenate([stream[:shared], fresh[shared:]])[: size - around], frame))
    return Sequences.of([text for text in drawn if len(text.ids) <= longest] or drawn[:1])


def _framed(content: np.ndarray, frame: tuple[Encoded, int]) -> Encoded:
    encoded, before = frame
    after = before + 1
    kinds = encoded.type_ids
    ids = (*encoded.ids[:before], *content.tolist(), *encoded.ids[after:])
    types = (*kinds[:before], *[kinds[before]] * len(content), *kinds[after:]) if kinds else ()
    return Encoded(ids, types)


def close(given: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether two results (R, D) of weights of that dtype differ by rounding only.

    In no row may √mean_c (d_c / s_c)² be more than a small number; d_c is the difference in channel c, s_c the RMS of
    that channel over all rows, or the median of these over all channels where that is larger. So neither a few channels
    of large values nor the rows that agree hide a difference.
    """
    return given.shape == expected.shape and bool((apart(given, expected) <= _ROUNDING.get(dtype, 1e-4)).all())


def close_in_most(given: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether derivatives (R, D) differ by rounding only: as `close`, but in half of the rows, and nowhere by far.

    Where a function is steep rounding is magnified: a few rows may differ a hundred times more, in half precision five
    times. What reaches a text from its neighbours is in most of its rows.
    """
    least = _ROUNDING.get(dtype, 1e-4)
    rows = apart(given, expected)
    return bool(rows.median() <= least) and bool(rows.max() <= least * (5 if dtype in _ROUNDING else 100))


def apart(given: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """How far apart two results (R, D) are, (R,); see `close`."""
    given, expected = given.float(), expected.float()
    usual = expected.square().mean(0).sqrt()
    scale = usual.clamp(min=max(float(usual.median()), torch.finfo(torch.float32).tiny))
    return ((given - expected) / scale).square().mean(-1).sqrt()


_ROUNDING = {torch.bfloat16: 0.1, torch.float16: 0.02}
"""What rounding may do to a result."""
