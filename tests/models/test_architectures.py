"""Every architecture of the table: whatever stands beside a text, its answers are the stock model's to it alone."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auditor.models import FillMask, TextClassification, TextGeneration, Window, find
from auditor.models.computing.stock import takes
from auditor.models.inputs import Cloze, Encoded
from auditor.records.types import Document
from tests.models.architectures import ARCHITECTURES, CASES, LONGEST, build
from tests.models.tiny import load_on_cpu

WORDS = "the film was not bad at all and its end is quietly moving dull a waste of two hours really good"
LENGTHS = (1, 2, 5, 9, 14, 15, 33)


def texts() -> list[str]:
    """Two texts of each number of words."""
    random = np.random.default_rng(7)
    return [" ".join(random.choice(WORDS.split(), n)) for n in LENGTHS for _ in range(2)]


def thinned() -> list[Any]:
    """All cases; every third is always tried, the others where every case is asked for."""
    marks = [(), pytest.mark.exhaustive, pytest.mark.exhaustive]
    return [pytest.param(case, marks=marks[i % 3], id="-".join(case)) for i, case in enumerate(CASES)]


@pytest.fixture(params=thinned())
def model(request: pytest.FixtureRequest, tmp_path: Path) -> TextClassification | TextGeneration | FillMask:
    folder = build(tmp_path / "m", *request.param)
    return load_on_cpu(find("tiny", folder, task=request.param[1]), max_new_tokens=6)


def alone(model: TextClassification | TextGeneration | FillMask) -> torch.nn.Module:
    """The model as transformers builds it, which has read nothing."""
    fresh = type(model.model).from_pretrained(model.model.name_or_path)
    return fresh.eval()


def test_answers_are_those_of_the_stock_model_to_each_text_alone(
    model: TextClassification | TextGeneration | FillMask,
) -> None:
    stock = alone(model)
    if isinstance(model, TextClassification):
        compare_probabilities(model, stock)
    elif isinstance(model, TextGeneration):
        compare_log_probabilities(model, stock)
        compare_continuations(model, stock)
    else:
        compare_hidden_tokens(model, stock)


def arguments(model: TextClassification | TextGeneration | FillMask, text: Encoded) -> dict[str, torch.Tensor]:
    """What the tokenizer hands to the model."""
    ids = torch.tensor([text.ids])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if text.type_ids:
        given["token_type_ids"] = torch.tensor([text.type_ids])
    return {name: value for name, value in given.items() if takes(model.model, name)}


def asked(stock: torch.nn.Module, given: dict[str, torch.Tensor]) -> torch.Tensor:
    """Logits of one text from a copy that has read nothing before."""
    with torch.inference_mode():
        return copy.deepcopy(stock)(**given).logits[0].double()


def compare_probabilities(model: TextClassification, stock: torch.nn.Module) -> None:
    sequences = model.encode([(text, None) for text in texts()])
    readable, wanted = [], []
    for i, text in enumerate(sequences):
        try:
            wanted.append(asked(stock, arguments(model, text)).softmax(-1))
            readable.append(i)
        except RuntimeError:  # Funnel: too short for its pooling
            assert len(text.ids) < 5
    outputs = model.outputs(sequences.take(np.array(readable)), [model.question] * len(readable))
    given = model.probabilities(outputs, model.question)
    torch.testing.assert_close(given, torch.stack(wanted), rtol=0, atol=1e-5)


def compare_log_probabilities(model: TextGeneration, stock: torch.nn.Module) -> None:
    spelled = [(0, *model.spell(text).encoded.ids)[:LONGEST] for text in texts()]
    given = model.logprobs([Window(ids[:-1], ids[1:]) for ids in spelled])
    for ids, values in zip(spelled, given, strict=True):
        logits = asked(stock, {"input_ids": torch.tensor([ids[:-1]])}).log_softmax(-1)
        wanted = logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
        np.testing.assert_allclose(values, wanted.numpy(), rtol=0, atol=1e-4)


def compare_continuations(model: TextGeneration, stock: torch.nn.Module) -> None:
    documents = [Document(str(i), text) for i, text in enumerate(texts())]
    prompts = model.encode([(document.text, None) for document in documents])
    questions = model.ask(documents)
    for prompt, question in list(zip(prompts, questions, strict=True))[::2]:
        ids = torch.tensor([prompt.ids])
        with torch.inference_mode():
            whole = copy.deepcopy(stock).generate(ids, do_sample=False, max_new_tokens=6, pad_token_id=0)
        assert question.continuations[0] == tuple(whole[0, len(prompt.ids) :].tolist())


def compare_hidden_tokens(model: FillMask, stock: torch.nn.Module) -> None:
    encoded = [spelling.tokens.encoded for spelling in model.spellings(texts())]
    gaps = [(len(text.ids) // 2, len(text.ids) // 2 + 1) for text in encoded]
    given = model.fill([Cloze(text, (gap,)) for text, gap in zip(encoded, gaps, strict=True)])
    for text, (start, _), values in zip(encoded, gaps, given, strict=True):
        ids = list(text.ids)
        ids[start] = model.tokenizer.mask_token_id
        logits = asked(stock, arguments(model, Encoded(tuple(ids), text.type_ids))).log_softmax(-1)
        assert values[0] == pytest.approx(float(logits[start, text.ids[start]]), abs=1e-4)


def test_the_table_has_every_kind() -> None:
    by_task = {task: {name for name, t in CASES if t == task} for _, task in CASES}
    assert len(by_task["text-generation"]) >= 25
    assert {"mamba", "jamba", "qwen3-next", "mixtral", "rwkv", "llama-dynamic-ntk"} <= by_task["text-generation"]
    assert {"xlnet", "convbert", "fnet", "big-bird", "nystromformer", "bart"} <= by_task["text-classification"]
    assert len(ARCHITECTURES) >= 60
