"""Two models in two threads do not mix: each answers, bit for bit, as it does when nobody else is there.

The threads meet at a barrier in every layer of every forward pass, so that each is inside its own batch while the other
is inside another one.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from auditor.models import Window, find, load
from tests.models.tiny import TEXTS, save

ROUNDS = 16
Work = Callable[[Any, int], list[torch.Tensor]]


def answers(model: Any, number: int) -> list[torch.Tensor]:
    """The answers to a few texts of several lengths, another handful every time, in one packed batch."""
    n = len(model.identity.name)  # another batch for another model
    texts = [(TEXTS[(number + i) % len(TEXTS)][: 8 + n + 3 * number % 17 + 5 * i], None) for i in range(n)]
    return [model.outputs(model.encode(texts), [model.question] * len(texts))]


def scores(model: Any, number: int) -> list[torch.Tensor]:
    """Log-probabilities of a few windows that share their beginnings, in one packed batch."""
    windows = [Window((*range(3, 12 + number), 40 + i), (5 + i, 9)) for i in range(len(model.identity.name))]
    return [torch.from_numpy(one) for one in model.logprobs(windows)]


def attention(model: Any, number: int) -> list[torch.Tensor]:
    """The attention of one text, another one every time."""
    tokens = model.tokens([(TEXTS[(number + len(model.identity.name)) % len(TEXTS)][: 10 + number], None)])
    (found,) = model.attention(tokens, [[i % 3 == 0 for i in range(len(tokens[0].texts))]])
    return [torch.from_numpy(values) for values in (*found.by_name.values(), found.received)]


def maps(model: Any, number: int) -> list[torch.Tensor]:
    """The heaviest keys of one text."""
    (found,) = model.attention_maps(model.tokens([(TEXTS[number % len(TEXTS)][: 10 + number], None)]), 3)
    return [torch.from_numpy(values) for values in (found.keys, found.weights, found.kept)]


KINDS = {
    "bert": ("bert", "text-classification"),
    "distilbert": ("distilbert", "text-classification"),
    "gpt2": ("gpt2", "text-generation"),
    "llama": ("llama", "text-generation"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("models")
    return {name: load(find(name, save(folder / name, *kind)), device="cpu") for name, kind in KINDS.items()}


@contextmanager
def meeting(model: Any, barrier: Barrier) -> Iterator[None]:
    """Whoever asks the model waits for the other thread before every layer."""
    layers = next(own for own in model.model.modules() if isinstance(own, torch.nn.ModuleList))

    def wait(*_: object) -> None:
        barrier.wait(60)

    hooks = [layer.register_forward_pre_hook(wait) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def all_rounds(model: Any, work: Work, barrier: Barrier | None = None) -> list[list[torch.Tensor]]:
    if barrier is None:
        return [work(model, number) for number in range(ROUNDS)]
    try:
        with meeting(model, barrier):
            return [work(model, number) for number in range(ROUNDS)]
    except BaseException:
        barrier.abort()  # the other thread waits for nobody
        raise


def same(found: list[list[torch.Tensor]], wanted: list[list[torch.Tensor]]) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(torch.equal(a, b) for own, other in pairs for a, b in zip(own, other, strict=True))


@pytest.mark.parametrize(
    "pair",
    [
        (("bert", answers), ("distilbert", answers)),
        (("bert", answers), ("llama", scores)),
        (("gpt2", scores), ("llama", scores)),
        (("bert", attention), ("gpt2", attention)),
        (("bert", attention), ("distilbert", answers)),
        (("llama", attention), ("gpt2", scores)),
        (("distilbert", maps), ("llama", attention)),
    ],
    ids=lambda pair: " and ".join(f"{work.__name__} of {name}" for name, work in pair),
)
def test_two_models_in_two_threads_answer_as_each_alone(
    models: dict[str, Any], pair: tuple[tuple[str, Work], tuple[str, Work]]
) -> None:
    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        alone = [threads.submit(all_rounds, models[name], work).result() for name, work in pair]
        together = [threads.submit(all_rounds, models[name], work, barrier) for name, work in pair]
        assert all(same(future.result(), wanted) for future, wanted in zip(together, alone, strict=True))
    assert not any(same([one], [following]) for found in alone for one, following in pairwise(found))


def test_models_are_built_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build, counting, inside, most = AutoModelForSequenceClassification.from_pretrained, Lock(), [0], [0]

    def slowly(*args: Any, **settings: Any) -> Any:
        with counting:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.2)
        try:
            return build(*args, **settings)
        finally:
            inside[0] -= 1

    monkeypatch.setattr(AutoModelForSequenceClassification, "from_pretrained", slowly)
    checkpoints = [find(name, save(tmp_path / name, *KINDS[name])) for name in ("bert", "distilbert")]
    alone = [answers(load(checkpoint, device="cpu"), 1) for checkpoint in checkpoints]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(partial(load, device="cpu"), checkpoints))
    assert most == [1]
    assert same([answers(model, 1) for model in together], alone)
