"""Attention statistics: matrices asked for with `output_attentions=True` and reduced afterwards, against ours.

The peer does what a notebook does: an eager model, all T × T matrices of all heads kept until the end, then the same
nine statistics and the mass every token receives. Tokens and punctuation flags are given to it for nothing.
"""

import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel

from auditor.probes.attention import AttentionProbe, punctuation
from auditor.probes.contract import Sitting
from auditor.records.types import AttentionStatistics, Document
from tests.benchmarks import materials
from tests.benchmarks.measuring import Work, in_turns, peak_memory, without_huge_pages
from tests.benchmarks.results import DisagreementError, Row, Setting, agree

STATISTICS = (
    "entropy",
    "distance",
    "self_share",
    "previous_share",
    "next_share",
    "first_share",
    "first4_share",
    "special_share",
    "punctuation_share",
)
LONG, SHORT = 2048, 512
VOCABULARY = 12_288


def rows(setting: Setting) -> Iterator[Row]:
    yield from _compare(setting, "BERT-like", SHORT, 4, at_least=1.3, at_most=1.5)
    yield from _compare(setting, "BERT-like", LONG, 1, at_least=2.2, at_most=1.9)
    if not setting.quick:
        yield from _memory(setting, "BERT-like", LONG)
        yield from _compare(setting, "GPT-2-like", LONG, 1, at_least=1.5, at_most=1.25)


def _place(folder: Path, kind: str) -> tuple[Path, str]:
    if kind == "BERT-like":
        return materials.classifier(folder, max_position_embeddings=LONG), "text-classification"
    return materials.causal(folder, n_positions=LONG, vocabulary=VOCABULARY), "text-generation"


def _contender(folder: Path, kind: str, name: str) -> Callable[[int, int], Work]:
    """A contender with its model, ready for any number of tokens and documents."""
    place, task = _place(folder, kind)
    reader = materials.ours(place, task)
    module = materials.plain(place, AutoModel, "eager" if name == "theirs" else "sdpa")

    def make(n_tokens: int, n_documents: int) -> Work:
        n_real = n_tokens - reader.tokenizer.num_special_tokens_to_add()
        texts = [materials.of_tokens(reader.tokenizer, n_real, 500 * i) for i in range(n_documents)]
        documents = [Document(str(i), text) for i, text in enumerate(texts)]
        if name == "ours":
            return lambda: list(AttentionProbe().measure(reader, documents, Sitting(0)))
        tokens = reader.tokens([(text, None) for text in texts])
        ids = torch.tensor([text.encoded.ids for text in tokens])
        if name == "limit":
            return partial(_forward, module, ids)
        flags = torch.tensor([list(zip(text.special, punctuation(text), strict=True)) for text in tokens]).float()
        return partial(_notebook, module, ids, flags, task == "text-generation")

    return make


def _compare(
    setting: Setting, kind: str, n_tokens: int, n_documents: int, at_least: float, at_most: float
) -> Iterator[Row]:
    contenders = {n: _contender(setting.folder, kind, n)(n_tokens, n_documents) for n in ("theirs", "ours", "limit")}
    found = in_turns(contenders, setting.rounds(7, 1), warm_up=not setting.quick)
    same = _same(found["ours"].result, found["theirs"].result)
    what = f"attention statistics, {kind}, T = {n_tokens:,}"
    theirs, ours, limit = (found[name].seconds for name in contenders)
    yield Row.peer(what, "output_attentions=True", theirs, ours, at_least, same)
    yield Row.limit(what, "SDPA forward of the same tokens", limit, ours, at_most, "no statistics at all")


def _memory(setting: Setting, kind: str, n_tokens: int) -> Iterator[Row]:
    _place(setting.folder, kind)
    rounds = setting.rounds(3, 1)
    theirs, ours = (
        peak_memory(prepare, setting.folder, kind, n_tokens, name, rounds=rounds) for name in ("theirs", "ours")
    )
    what = f"attention statistics, {kind}, T = {n_tokens:,}, peak memory"
    yield Row.peer(what, "output_attentions=True", theirs, ours, 15.0, "beyond the loaded model")


def prepare(folder: Path, kind: str, n_tokens: int, name: str) -> tuple[Work, Work]:
    """For a child process: a warm-up of few tokens, and the work."""
    if name != "ours":
        without_huge_pages()
    make = _contender(folder, kind, name)
    return make(64, 1), make(n_tokens, 1)


def of_text(model: Any, tokenizer: Any, text: str) -> dict[str, np.ndarray]:
    """The peer on one text, from the tokenizer on: statistics (L, H) by name."""
    batch = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    pieces = [text[start:stop] for start, stop in batch["offset_mapping"]]
    points = [bool(piece) and all(unicodedata.category(c)[0] in "PS" for c in piece) for piece in pieces]
    flags = torch.tensor([list(zip(batch["special_tokens_mask"], points, strict=True))]).float()
    found = _notebook(model, torch.tensor([batch["input_ids"]]), flags, causal=False)
    return {name: values[0] for name, values in found.items()}


def _forward(model: Any, ids: torch.Tensor) -> None:
    with torch.inference_mode():
        model(input_ids=ids, **_without_cache(model))


def _without_cache(model: Any) -> dict[str, bool]:
    return {"use_cache": False} if model.config.model_type == "gpt2" else {}


def _notebook(model: Any, ids: torch.Tensor, flags: torch.Tensor, causal: bool) -> dict[str, np.ndarray]:
    """Statistics (B, L, H) by name, and `received` (B, T)."""
    with torch.inference_mode():
        matrices = model(input_ids=ids, output_attentions=True, **_without_cache(model)).attentions
        if len(matrices) != model.config.num_hidden_layers:
            raise DisagreementError("the peer returned no attention matrices")
        layers = [_reduce(weights, flags, causal) for weights in matrices]
    found = {name: torch.stack([layer[name] for layer in layers], dim=1).numpy() for name in STATISTICS}
    return {**found, "received": torch.stack([layer["received"] for layer in layers]).mean(0).numpy()}


def _reduce(weights: torch.Tensor, flags: torch.Tensor, causal: bool) -> dict[str, torch.Tensor]:
    """The statistics (B, H) of one layer from its matrices (B, H, T, T)."""
    n_tokens = weights.shape[-1]
    places = torch.arange(n_tokens)
    distance = (places[:, None] - places[None]).abs().float()

    def beside(offset: int) -> torch.Tensor:
        return torch.diagonal(weights, offset, -2, -1).sum(-1) / n_tokens

    def first(size: int) -> torch.Tensor:
        return weights[:, :, size if causal else 0 :, :size].sum(-1).mean(-1)

    marked = weights @ flags[:, None]  # B H T 2
    return {
        "entropy": -torch.special.xlogy(weights, weights).sum(-1).mean(-1),
        "distance": (weights * distance).sum(-1).mean(-1),
        "self_share": beside(0),
        "previous_share": beside(-1),
        "next_share": beside(1),
        "first_share": first(1),
        "first4_share": first(4),
        "special_share": marked[..., 0].mean(-1),
        "punctuation_share": marked[..., 1].mean(-1),
        "received": weights.mean((1, 2)),
    }


def difference(record: AttentionStatistics, theirs: dict[str, np.ndarray]) -> float:
    """The largest of all statistics of all heads; relative where they are above 1."""
    pairs = [(np.array(getattr(record, name)).reshape(values.shape), values) for name, values in theirs.items()]
    return max(float((np.abs(own - values) / np.maximum(1, np.abs(values))).max()) for own, values in pairs)


def _same(mine: list[Any], theirs: dict[str, np.ndarray]) -> str:
    one_by_one = [{name: values[i] for name, values in theirs.items()} for i in range(len(mine))]
    return agree("statistics", max(difference(a, b) for a, b in zip(mine, one_by_one, strict=True)), 1e-4)
