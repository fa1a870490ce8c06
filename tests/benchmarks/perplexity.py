"""Perplexity: one long text in overlapping windows, and many short texts.

The peers are the loop of the Transformers documentation, lm-eval's rolling log-likelihood and the corpus loop of
`evaluate`'s metric, all on the same weights. The loop of the documentation wastes the last position of every window:
its windows of 1,024 inputs are our context length of 1,023, and then every token has the same context in both.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from functools import partial
from importlib.metadata import version
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from auditor.probes.contract import Sitting
from auditor.probes.perplexity import PerplexityProbe
from auditor.records.types import Document, Perplexity
from tests.benchmarks import limits, materials
from tests.benchmarks.measuring import Work, in_turns, peak_memory, without_huge_pages
from tests.benchmarks.results import Row, Setting, agree

WINDOW, STRIDE = 1024, 512
HEAD_ROWS = 128
LOOP = "loop of the Transformers documentation"
BEGIN = 0
"""The token before the first one."""


def rows(setting: Setting) -> Iterator[Row]:
    place = materials.causal(setting.folder)
    yield from _strided(setting, place)
    if not setting.quick:
        yield from _memory(setting, place)
        yield from _rolling(setting, place)
    yield from _short_texts(setting, place)


def _strided(setting: Setting, place: Path) -> Iterator[Row]:
    n_tokens = 2048 if setting.quick else 4096
    contenders = {name: _on_long_text(place, name)(n_tokens) for name in ("theirs", "ours", "limit")}
    found = in_turns(contenders, setting.rounds(5, 1), warm_up=not setting.quick)
    theirs, ours, limit = (found[name].seconds for name in contenders)
    same = agree("sums", _relative(_nll(found["ours"].result), found["theirs"].result), 1e-4)
    what = f"perplexity, strided, T = {n_tokens:,}"
    yield Row.peer(what, LOOP, theirs, ours, 1.3, f"{same} (relative)")
    yield Row.limit(what, "body + head on scored tokens", limit, ours, 1.15, f"windows of {WINDOW:,}, stride {STRIDE}")


def _memory(setting: Setting, place: Path) -> Iterator[Row]:
    n_tokens, rounds = 4096, setting.rounds(3, 1)
    theirs, ours = (peak_memory(prepare, place, name, n_tokens, rounds=rounds) for name in ("theirs", "ours"))
    what = f"perplexity, strided, T = {n_tokens:,}, peak memory"
    yield Row.peer(what, LOOP, theirs, ours, 4.0, "beyond the loaded model")


def prepare(place: Path, name: str, n_tokens: int) -> tuple[Work, Work]:
    """For a child process: a warm-up of few tokens, and the work."""
    if name != "ours":
        without_huge_pages()
    make = _on_long_text(place, name)
    return make(64), make(n_tokens)


def _on_long_text(place: Path, name: str) -> Callable[[int], Work]:
    """A contender with its model, ready for a text of any number of tokens, the one before the first included."""
    model = materials.ours(place, "text-generation") if name == "ours" else materials.plain(place, AutoModelForCausalLM)
    tokenizer = materials.byte_pairs()

    def make(n_tokens: int) -> Work:
        text = materials.of_tokens(tokenizer, n_tokens - 1)
        if name == "ours":
            return partial(_ours, model, [Document("long", text)], context_length=WINDOW - 1, stride=STRIDE)
        ids = torch.tensor([[BEGIN, *tokenizer(text, verbose=False)["input_ids"]]])
        return partial(_documentation, model, ids) if name == "theirs" else partial(_body_and_head, model, ids)

    return make


def _ours(model: Any, documents: list[Document], **parameters: int) -> list[Perplexity]:
    return list(PerplexityProbe(**parameters).measure(model, documents, Sitting(0)))


def _nll(records: list[Perplexity]) -> float:
    return sum(record.nll for record in records)


def _documentation(model: Any, ids: torch.Tensor) -> float:
    """The loop of the documentation, summed over the tokens that were really scored: nats."""
    total, previous_end = 0.0, 0
    for begin in range(0, ids.shape[1], STRIDE):
        end = min(begin + WINDOW, ids.shape[1])
        inputs = ids[:, begin:end]
        targets = inputs.clone()
        targets[:, : inputs.shape[1] - (end - previous_end)] = -100
        with torch.no_grad():
            loss = model(inputs, labels=targets, use_cache=False).loss
        total += float(loss) * int((targets[:, 1:] != -100).sum())
        previous_end = end
        if end == ids.shape[1]:
            break
    return total


def _body_and_head(model: Any, ids: torch.Tensor) -> None:
    """The same windows, one after the other, and the head on what is scored of each."""
    ends = [WINDOW, *range(WINDOW + STRIDE, ids.shape[1] + 1, STRIDE)]
    with torch.inference_mode():
        for before, end in pairwise([1, *ends]):
            inputs = ids[:, max(0, end - WINDOW) : end - 1]
            states = model.base_model(inputs, use_cache=False).last_hidden_state[:, before - end :]
            _head(model, states.flatten(0, 1))


def _head(model: Any, states: torch.Tensor) -> None:
    for rows in states.split(HEAD_ROWS):
        model.get_output_embeddings()(rows).logsumexp(dim=-1)


def _rolling(setting: Setting, place: Path) -> Iterator[Row]:
    model, n_tokens = materials.ours(place, "text-generation"), 2048
    documents = [Document("long", materials.of_tokens(model.tokenizer, n_tokens))]
    mine = partial(_ours, model, documents, context_length=WINDOW)
    contenders = {"theirs": _lm_eval(place, documents), "ours": mine}
    found = in_turns(contenders, setting.rounds(5, 1))
    same = agree("sums", _relative(_nll(found["ours"].result), -sum(found["theirs"].result)), 1e-4)
    against = f"lm-eval {version('lm_eval')}, loglikelihood_rolling"
    what = f"perplexity, windows side by side, T = {n_tokens:,}"
    yield Row.peer(what, against, found["theirs"].seconds, found["ours"].seconds, 1.1, f"{same} (relative)")


def _lm_eval(place: Path, documents: list[Document]) -> Work:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer = materials.byte_pairs()
        model = materials.plain(place, AutoModelForCausalLM)
        lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, max_length=WINDOW, device="cpu")
    requests = [Instance("loglikelihood_rolling", {}, (d.text,), i) for i, d in enumerate(documents)]

    def run() -> list[float]:
        with redirect_stderr(StringIO()):  # it draws progress bars whatever it is told
            return lm.loglikelihood_rolling(requests)

    return run


def _short_texts(setting: Setting, place: Path) -> Iterator[Row]:
    documents = list(materials.reviews()[:: 12 if setting.quick else 6][:32])
    model = materials.ours(place, "text-generation")
    module = materials.plain(place, AutoModelForCausalLM)
    tokenizer = materials.byte_pairs()
    lengths = [1 + len(ids) for ids in tokenizer([d.text for d in documents])["input_ids"]]
    mean = round(sum(lengths) / len(lengths))
    budgets = (2048,) if setting.quick else limits.TOKENS_PER_BATCH
    body = limits.rectangles(partial(_whole, module), sum(lengths), mean, materials.CAUSAL_VOCABULARY, budgets)
    contenders = {
        "theirs": partial(evaluate_style, module, tokenizer, [d.text for d in documents]),
        "ours": partial(_ours, model, documents),
        "limit": body,
    }
    found = in_turns(contenders, setting.rounds(5, 1), warm_up=not setting.quick)
    mine = np.array([np.mean(record.logprobs) for record in found["ours"].result])
    difference = float(np.abs(-mine / np.array(found["theirs"].result) - 1).max())
    same = agree("mean log-probabilities of every text", difference, 1e-4)
    what = f"perplexity, {len(documents)} short texts"
    yield Row.peer(
        what, "loop of evaluate's metric, batch 16", found["theirs"].seconds, found["ours"].seconds, 3.5, same
    )
    against = "body + head of the real tokens at the best shape"
    yield Row.limit(what, against, found["limit"].seconds, found["ours"].seconds, 1.2, f"{sum(lengths):,} tokens")


def _whole(model: Any, ids: torch.Tensor) -> None:
    _head(model, model.base_model(ids, use_cache=False).last_hidden_state.flatten(0, 1))


def evaluate_style(model: Any, tokenizer: Any, texts: list[str], batch_size: int = 16) -> list[float]:
    """What `evaluate`'s perplexity does: all texts padded to the longest, whole logits. Mean nats of each text."""
    tokenizer.pad_token = tokenizer.eos_token
    batch = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt", return_attention_mask=True)
    entropy, means = torch.nn.CrossEntropyLoss(reduction="none"), []
    for start in range(0, len(texts), batch_size):
        ids, mask = (batch[name][start : start + batch_size] for name in ("input_ids", "attention_mask"))
        begin = torch.full((len(ids), 1), BEGIN)
        ids, mask = torch.cat([begin, ids], dim=1), torch.cat([torch.ones_like(begin), mask], dim=1)
        with torch.no_grad():
            logits = model(ids, attention_mask=mask).logits
        shifted, labels, counted = logits[..., :-1, :].contiguous(), ids[..., 1:].contiguous(), mask[..., 1:]
        losses = (entropy(shifted.transpose(1, 2), labels) * counted).sum(1) / counted.sum(1)
        means += losses.tolist()
    return means


def _relative(a: float, b: float) -> float:
    return abs(a / b - 1)
