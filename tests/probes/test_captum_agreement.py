"""Gradient explanations are those of captum, token by token, of the same models and texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, LayerIntegratedGradients, Saliency
from transformers import AutoModelForSequenceClassification

from auditor.models import TextClassification
from auditor.probes.gradients.integrated_gradients import IntegratedGradientsProbe
from auditor.records.types import Document
from tests.models.tiny import TEXTS
from tests.probes.differentiable import NAMES, PROBES, exact, opened, rows, shelf


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return shelf(tmp_path_factory.mktemp("captum"))


def _captum(folder: Path, model: TextClassification, text: tuple[str, str | None], n_steps: int) -> dict[str, Any]:
    """What captum finds for the tokens of one text, with the same model alone."""
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).double().eval()
    batch = model.tokenizer(*([text[0]] if text[1] is None else text), return_tensors="pt", truncation=True)
    special = torch.tensor(model.tokens([text])[0].special)
    label = int(theirs(**batch).logits.argmax())
    others = {name: value for name, value in batch.items() if name != "input_ids"}

    def of_ids(ids: torch.Tensor) -> torch.Tensor:
        rest = {name: value.expand(len(ids), -1) for name, value in others.items()}
        return theirs(input_ids=ids, **rest).logits.softmax(-1)[:, label]

    def of_vectors(vectors: torch.Tensor) -> torch.Tensor:
        return theirs(inputs_embeds=vectors, **others).logits.softmax(-1)[:, label]

    layer, pad = theirs.get_input_embeddings(), model.tokenizer.pad_token_id
    baseline = torch.where(special, batch["input_ids"], model.tokenizer.eos_token_id if pad is None else pad)
    vectors = layer(batch["input_ids"]).detach().requires_grad_()
    along = LayerIntegratedGradients(of_ids, layer)
    return {
        "label": NAMES[label],
        "special": special.numpy(),
        "saliency": Saliency(of_vectors).attribute(vectors, abs=False)[0].norm(dim=-1).detach().numpy(),
        "input_x_gradient": InputXGradient(of_vectors).attribute(vectors)[0].sum(-1).detach().numpy(),
        "integrated_gradients": along.attribute(batch["input_ids"], baseline, n_steps=n_steps, internal_batch_size=1)[0]
        .sum(-1)
        .detach()
        .numpy(),
    }


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "gpt2", "llama"])
def test_token_by_token_they_are_those_of_captum(folders: Callable[[str], Path], name: str) -> None:
    model, documents = exact(folders(name)), [Document(str(i), text) for i, text in enumerate(TEXTS[:3])]
    if name == "bert":
        documents.append(Document("pair", TEXTS[0], pair=TEXTS[1]))
    for probe in PROBES:
        steps = {"n_steps": 24, "max_steps": 24} if probe is IntegratedGradientsProbe else {}
        for document, row in zip(
            documents, rows(probe, model, *documents, segmenter="tokens", bow=False, **steps), strict=True
        ):
            theirs = _captum(folders(name), model, (document.text, document.pair), 24)
            values, special = theirs[probe.name], theirs["special"]
            assert row.targets[0].label == theirs["label"]
            # Float64 throughout, but that captum rounds the weights of its quadrature to float32.
            tolerance = 1e-7 if probe is IntegratedGradientsProbe else 1e-12
            largest = np.abs(values).max()
            assert row.targets[0].weights == pytest.approx(values[~special], abs=tolerance * largest)
            assert row.targets[0].remainder == pytest.approx(values[special].sum(), abs=tolerance * largest)


def test_in_float32_they_are_those_of_float64(folders: Callable[[str], Path]) -> None:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS[:3])]
    for probe in PROBES:
        single, double = (rows(probe, model, *documents) for model in (opened(folders("bert")), exact(folders("bert"))))
        for ours, precise in zip(single, double, strict=True):
            largest = np.abs(precise.targets[0].weights).max()
            # Of 24 bits of float32 two layers of this model lose about seven.
            assert ours.targets[0].weights == pytest.approx(precise.targets[0].weights, abs=1e-5 * largest)
