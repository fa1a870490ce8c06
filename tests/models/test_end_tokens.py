"""Classifiers that pool the last end token, as BART's and T5's, and texts in which end tokens stand literally."""

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BartConfig,
    MBartConfig,
    PreTrainedConfig,
    T5Config,
)

from auditor.models import TextClassification, find, load
from auditor.models.inputs import Question, Sequences
from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.prediction import PredictionProbe
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Prediction
from tests.models.tiny import TEXTS, byte_pairs

ENDED = [
    *TEXTS,
    "Dull. </s> The film is not bad at all.",
    "</s>",
    "</s></s> Good.",
    "A mess </s> from </s> first to </s> last",
    "Good. </s>",
]
BART = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 80,
}
ENDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "num_labels": 3}
CONFIGS = {
    "bart": lambda size: BartConfig(vocab_size=size, **BART, **ENDS),
    "mbart": lambda size: MBartConfig(vocab_size=size, **BART, **ENDS),
    "t5": lambda size: T5Config(vocab_size=size, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, **ENDS),
}


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(request.param)
    tokenizer = byte_pairs(roberta=True)
    tokenizer.model_max_length = 64
    tokenizer.save_pretrained(place)
    config: PreTrainedConfig = CONFIGS[request.param](len(tokenizer))
    torch.manual_seed(2)
    model = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(place)
    return place


class Alone:
    """The stock model, asked about one text at a time."""

    def __init__(self, folder: Path) -> None:
        self.stock = AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def outputs(self, sequences: Sequences, questions: list[Question]) -> torch.Tensor:  # noqa: ARG002
        with torch.inference_mode():
            return torch.cat([self.stock(input_ids=torch.tensor([text.ids])).logits for text in sequences])


@pytest.fixture(scope="module")
def model(folder: Path) -> TextClassification:
    found = load(find("m", folder), device="cpu")
    assert isinstance(found, TextClassification)
    return found


def test_texts_with_any_number_of_end_tokens_are_answered_as_alone(model: TextClassification, folder: Path) -> None:
    tokenizer, stock = AutoTokenizer.from_pretrained(folder), Alone(folder).stock
    documents = [Document(str(i), text) for i, text in enumerate(ENDED)]
    for document, found in zip(documents, PredictionProbe().measure(model, documents, Sitting(0)), strict=True):
        assert isinstance(found, Prediction), found
        with torch.inference_mode():
            wanted = stock(**tokenizer(document.text, return_tensors="pt")).logits.softmax(-1)[0]
        assert found.probabilities == pytest.approx(wanted.tolist(), abs=1e-5)
        assert found.special_tokens == ("</s>",) * document.text.count("</s>")


@pytest.mark.parametrize("text", [*ENDED[len(TEXTS) :], "Good </s> film </s> bad"])
def test_perturbations_that_delete_end_tokens_are_explained_as_alone(
    model: TextClassification, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    document, probe = Document("d", text), LimeProbe(n_samples=150)
    [found] = probe.measure(model, [document], Sitting(0))
    monkeypatch.setattr(model, "outputs", Alone(folder).outputs)
    [wanted] = probe.measure(model, [document], Sitting(0))
    assert isinstance(found, Explanation), found
    assert isinstance(wanted, Explanation), wanted
    assert found.neighbourhood.n_evaluations == wanted.neighbourhood.n_evaluations
    for own, alone in zip(found.targets, wanted.targets, strict=True):
        assert own.label == alone.label
        assert own.weights == pytest.approx(alone.weights, abs=1e-4)
