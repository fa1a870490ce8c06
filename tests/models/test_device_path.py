"""What a GPU would feel: no loop over batches waits for the device; compiled and spread models answer alike."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from auditor.errors import ModelError
from auditor.models import find, load
from auditor.models.inputs import Points
from auditor.probes.attention import punctuation
from auditor.records.types import Document
from tests.models.tiny import TEXTS, load_on_cpu, save

WAITING = {
    "item",
    "cpu",
    "tolist",
    "numpy",
    "nonzero",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "masked_select",
}


class Waits(TorchFunctionMode):
    """Counts the calls that would make the host wait for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in WAITING:
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    root = tmp_path_factory.mktemp("device")
    cases = [("bert", "text-classification"), ("gpt2", "text-classification"), ("llama", "text-generation")]
    return {case: save(root / "-".join(case), *case) for case in cases}


def opened(folder: Path, **settings: Any) -> Any:
    more = {"candidates": (" good", " bad, really"), "prompt": "{text}\nIt is"} if "generation" in folder.name else {}
    return load_on_cpu(find("tiny", folder), **more, **settings)


def asked(model: Any) -> None:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS * 3)]
    model.outputs(model.encode([(d.text, None) for d in documents]), model.ask(documents))


def attended(model: Any) -> None:
    tokens = model.tokens([(text, None) for text in TEXTS])
    model.attention(tokens, [punctuation(text) for text in tokens])


def observed(model: Any) -> None:
    model.hidden_states(model.tokens([(text, None) for text in TEXTS]))


def differentiated(model: Any) -> np.ndarray:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS * 3)]
    n = len(documents)
    points = Points(np.arange(n), np.zeros(n, np.int64), np.ones(n))
    return model.gradients(documents, model.ask(documents), points).norms


@pytest.mark.parametrize(
    ("case", "packs", "work"),
    [
        ("bert-text-classification", True, asked),
        ("bert-text-classification", True, attended),
        ("bert-text-classification", False, attended),
        ("gpt2-text-classification", True, asked),
        ("gpt2-text-classification", True, attended),
        ("llama-text-generation", True, asked),
        ("llama-text-generation", False, asked),
        ("llama-text-generation", True, attended),
    ],
)
def test_more_batches_do_not_wait_more_often(
    folders: dict[tuple[str, str], Path], case: str, packs: bool, work: Any
) -> None:
    waits = []
    for budget in (1, 4096):
        model = opened(next(folder for folder in folders.values() if folder.name == case), batch_tokens=budget)
        model.packs = packs
        with Waits() as mode:
            work(model)
        waits.append((model.batcher.n_batches, sum(mode.found.values())))
    (many, waits_of_many), (few, waits_of_few) = waits
    assert many > few
    assert waits_of_many == waits_of_few


@pytest.mark.parametrize("case", ["bert-text-classification", "gpt2-text-classification", "llama-text-generation"])
def test_more_batches_of_hidden_states_do_not_wait_more_often(folders: dict[tuple[str, str], Path], case: str) -> None:
    waits = []
    for budget in (1, 4096):
        model = opened(next(folder for folder in folders.values() if folder.name == case), batch_tokens=budget)
        observed(model)  # which proves the way, and waits for it
        before = model.batcher.n_batches
        with Waits() as mode:
            observed(model)
        waits.append((model.batcher.n_batches - before, sum(mode.found.values())))
    (many, waits_of_many), (few, waits_of_few) = waits
    assert many > few
    assert waits_of_many == waits_of_few


@pytest.mark.parametrize("case", ["bert-text-classification", "gpt2-text-classification", "llama-text-generation"])
def test_more_batches_of_gradients_do_not_wait_more_often(folders: dict[tuple[str, str], Path], case: str) -> None:
    waits = []
    for budget in (1, 16384):
        model = opened(next(folder for folder in folders.values() if folder.name == case), batch_tokens=budget)
        differentiated(model)  # which proves the way, and waits for it
        before = model.batcher.n_batches
        with Waits() as mode:
            differentiated(model)
        n_batches, n_calls = (
            model.batcher.n_batches - before,
            len(model.ask([Document("d", "a")])[0].continuations) or 1,
        )
        assert mode.found.pop("__bool__", 0) <= 2 * n_batches * n_calls  # transformers looks at its mask and positions
        waits.append((n_batches, mode.found))
    (many, waits_of_many), (few, waits_of_few) = waits
    assert many > few
    assert waits_of_many == waits_of_few


def test_compiling_asks_for_shapes_that_may_change(
    folders: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda _, **settings: calls.append(settings))
    opened(folders["bert", "text-classification"], compile=True)
    assert calls == [{"dynamic": True}]


def test_a_spread_model_answers_as_it_does_in_one_place(folders: dict[tuple[str, str], Path]) -> None:
    folder = folders["bert", "text-classification"]
    plain, spread = opened(folder), load(find("tiny", folder), device_map="auto")
    sequences = plain.encode([(text, None) for text in TEXTS])
    questions = [plain.question] * len(TEXTS)
    torch.testing.assert_close(spread.outputs(sequences, questions), plain.outputs(sequences, questions))
    np.testing.assert_allclose(differentiated(spread), differentiated(plain), rtol=1e-4)


def test_spreading_needs_accelerate(folders: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    monkeypatch.setattr("auditor.models.checkpoints.loading.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="pip install accelerate"):
        load(find("tiny", folders["bert", "text-classification"]), device_map="auto")
