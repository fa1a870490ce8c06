"""Heads that are switched off: the model with the columns of a head's output projection at zero; one head alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from auditor.models import find, load
from auditor.records.types import Document
from tests.models.tiny import TEXTS, load_on_cpu, save

DOCUMENTS = [Document(str(i), text) for i, text in enumerate(TEXTS)]
PROJECTIONS = {"bert": "attention.output.dense", "gpt2": "attn.c_proj", "llama": "self_attn.o_proj"}
N_LAYERS, N_HEADS = 2, 4
CANDIDATES = (" good", " a bad film")


def opened(folder: Path, family: str, task: str) -> Any:
    save(folder / family, family, task)
    more = {"candidates": CANDIDATES} if task == "text-generation" else {}
    return load_on_cpu(find("tiny", folder / family, task=task), **more)


def projections(model: Any, family: str) -> list[torch.Tensor]:
    """(D, D) weight of the output projection of each layer, transposed where need be to have the heads' columns."""
    modules = [part for name, part in model.model.named_modules() if name.endswith(PROJECTIONS[family])]
    return [part.weight if isinstance(part, nn.Linear) else part.weight.T for part in modules]


def silence(weight: torch.Tensor, head: int) -> None:
    size = weight.shape[1] // N_HEADS
    with torch.no_grad():
        weight[:, head * size : (head + 1) * size] = 0


def answer(model: Any, document: Document, label: int) -> float:
    """What the stock model says, one text at a time."""
    (question,) = model.ask([document])
    outputs = model.outputs(model.encode([(document.text, None)]), [question])
    return float(model.probabilities(outputs, question)[0, label])


@pytest.mark.parametrize(
    ("family", "task"),
    [
        ("bert", "text-classification"),
        ("gpt2", "text-classification"),
        ("llama", "text-classification"),
        ("llama", "text-generation"),
    ],
)
def test_it_is_the_model_with_the_columns_of_that_head_at_zero(family: str, task: str, tmp_path: Path) -> None:
    model = opened(tmp_path, family, task)
    labels = [i % 2 for i in range(len(DOCUMENTS))]
    found = model.head_effects(DOCUMENTS, model.ask(DOCUMENTS), labels)
    weights = projections(model, family)
    assert len(weights) == N_LAYERS
    for document, label, one in zip(DOCUMENTS, labels, found, strict=True):
        assert one.answer == pytest.approx(answer(model, document, label), abs=1e-6)
        assert one.without.shape == (N_LAYERS, N_HEADS)
    for layer, head in ((0, 0), (0, 3), (1, 2)):
        kept = weights[layer].clone()
        silence(weights[layer], head)
        for document, label, one in zip(DOCUMENTS[:3], labels, found, strict=False):
            assert one.without[layer, head] == pytest.approx(answer(model, document, label), abs=1e-6)
        with torch.no_grad():
            weights[layer].copy_(kept)
    assert np.ptp(found[0].without) > 1e-5


def test_where_one_head_alone_carries_the_answer_all_others_do_nothing(tmp_path: Path) -> None:
    model: Any = opened(tmp_path, "bert", "text-classification")
    weights = projections(model, "bert")
    for layer, head in ((i, h) for i in range(N_LAYERS) for h in range(N_HEADS) if (i, h) != (1, 2)):
        silence(weights[layer], head)
    model.model.save_pretrained(tmp_path / "bert")
    model = load(find("tiny", tmp_path / "bert", task="text-classification"), device="cpu")
    found = model.head_effects(DOCUMENTS, model.ask(DOCUMENTS), [1] * len(DOCUMENTS))
    silence(projections(model, "bert")[1], 2)
    nothing_read = answer(model, DOCUMENTS[0], 1)  # the first token sees no other: the same for every text
    for document, one in zip(DOCUMENTS, found, strict=True):
        effects = one.answer - one.without
        assert effects[1, 2] == pytest.approx(one.answer - nothing_read, abs=1e-6)
        effects[1, 2] = 0
        assert np.abs(effects).max() < 1e-6
        assert answer(model, document, 1) == pytest.approx(nothing_read, abs=1e-6)
    assert np.ptp([one.answer for one in found]) > 1e-3


def test_what_each_head_receives_is_the_mean_over_the_queries_of_its_matrix(tmp_path: Path) -> None:
    model = opened(tmp_path, "llama", "text-classification")
    found = model.head_effects(DOCUMENTS, model.ask(DOCUMENTS), [0] * len(DOCUMENTS))
    model.model.set_attn_implementation("eager")
    for tokens, one in zip(model.read_as(DOCUMENTS), found, strict=True):
        with torch.no_grad():
            out = model.model.base_model(torch.tensor([tokens.encoded.ids]), output_attentions=True)
        expected = torch.stack([layer[0] for layer in out.attentions]).double().mean(-2)
        np.testing.assert_allclose(one.received, expected, atol=1e-6)
        assert one.received.sum(-1) == pytest.approx(np.ones((N_LAYERS, N_HEADS)), abs=1e-6)
