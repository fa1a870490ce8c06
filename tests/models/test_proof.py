"""What is proven when a model is loaded, on models whose faults are made: state, noise, leaks, refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification, BertLMHeadModel, BigBirdConfig, LlamaConfig, MistralConfig

from auditor.errors import ModelError
from auditor.models import TextClassification, find, load
from auditor.models.attention.matrices import of_matrices
from auditor.models.computing.architecture import attending
from auditor.models.computing.batching import Way
from auditor.models.computing.proof import SHORT, draw, lengths, thresholds
from auditor.models.computing.state import Snapshot
from auditor.models.inputs import Encoded, UnreadableError
from auditor.probes.attention import punctuation
from auditor.records.types import Document, Failure
from tests.models.architectures import build
from tests.models.tiny import TEXTS, load_on_cpu, save

Forward = Callable[..., Any]


def wrapped(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, dict[str, Any], Any], None]) -> None:
    """Lets every forward pass of BERT classifiers be followed by a change of its output."""
    forward = BertForSequenceClassification.forward

    def changed(self: Any, **inputs: Any) -> Any:
        output = forward(self, **inputs)
        change(self, inputs, output)
        return output

    monkeypatch.setattr(BertForSequenceClassification, "forward", changed)


def classifier(folder: Path, **settings: Any) -> TextClassification:
    model = load_on_cpu(find("tiny", save(folder, "bert", "text-classification")), **settings)
    assert isinstance(model, TextClassification)
    return model


def test_thresholds_are_the_numbers_that_a_configuration_names() -> None:
    assert thresholds(MistralConfig(sliding_window=16)) == [16]
    assert {64, 704} <= set(thresholds(BigBirdConfig(block_size=64, num_random_blocks=3)))
    rope = {"rope_type": "longrope", "original_max_position_embeddings": 24, "rope_theta": 1.0}
    assert 24 in thresholds(LlamaConfig(rope_parameters=rope | {"short_factor": [1.0] * 64, "long_factor": [2.0] * 64}))
    dynamic = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1.0}
    assert thresholds(LlamaConfig(max_position_embeddings=40, rope_parameters=dynamic)) == [40]


def test_a_proof_has_texts_on_both_sides_of_every_threshold_and_the_longest() -> None:
    wanted = lengths(MistralConfig(sliding_window=16), 50)
    assert wanted == [16, 17, 50]
    texts = draw(np.arange(5, 99), (Encoded((2, 7, 3), (0, 0, 1)), 1), wanted, 50)
    assert sorted(set(texts.lengths.tolist())) == sorted({2 + n for n in SHORT} | set(wanted))
    assert all((text.ids[0], text.ids[-1], text.type_ids[-1]) == (2, 3, 1) for text in texts)
    assert all(5 <= token < 99 for text in texts for token in text.ids[1:-1])
    assert draw(np.arange(5, 99), (Encoded((7,)), 0), lengths(MistralConfig(), 3), 3).lengths.max() == 3


def test_a_snapshot_puts_back_attributes_parts_and_buffers() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    before = Snapshot(model)
    assert before.changed() == set()
    first, mean = model[0], model[1].running_mean
    model.seen = 3
    model._modules["0"] = torch.nn.Identity()
    model[1].running_mean.add_(1)
    assert before.changed() == {"Sequential", "BatchNorm1d"}
    before.restore()
    assert not hasattr(model, "seen")
    assert model[0] is first
    assert model[1].running_mean is mean
    assert float(mean.sum()) == 0


def test_what_a_model_remembers_is_reset_before_every_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def remember(self: Any, inputs: dict[str, Any], output: Any) -> None:
        self.longest = max(getattr(self, "longest", 0), inputs["input_ids"].shape[1])
        output.logits = output.logits + self.longest / 10

    wrapped(monkeypatch, remember)
    model = classifier(tmp_path)
    proof = model.proofs["answers"]
    assert proof.reset == ("BertForSequenceClassification",)
    sequences = model.encode([(text, None) for text in TEXTS])
    wanted = [model.outputs(sequences.take(np.array([i])), [model.question])[0] for i in range(len(TEXTS))]
    torch.testing.assert_close(model.outputs(sequences, [model.question] * len(TEXTS)), torch.stack(wanted))


def test_a_model_that_looks_at_its_batch_is_asked_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(self: Any, inputs: dict[str, Any], output: Any) -> None:  # noqa: ARG001
        output.logits = output.logits + output.logits.mean(0) * (len(output.logits) > 1)

    wrapped(monkeypatch, look)
    proof = classifier(tmp_path).proofs["answers"]
    assert (proof.way, proof.difference) == (Way.ALONE, 0.0)


def test_a_model_that_gives_no_finite_answer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(self: Any, inputs: dict[str, Any], output: Any) -> None:  # noqa: ARG001
        output.logits = output.logits * torch.nan

    wrapped(monkeypatch, overflow)
    with pytest.raises(ModelError, match="gives no finite answers for any text that was tried, in float32;"):
        classifier(tmp_path)


def test_a_model_that_answers_at_random_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def toss(self: Any, inputs: dict[str, Any], output: Any) -> None:  # noqa: ARG001
        output.logits = output.logits + torch.rand_like(output.logits)

    wrapped(monkeypatch, toss)
    with pytest.raises(ModelError, match="type bert does not give the same answers for the same text twice"):
        classifier(tmp_path)


def test_a_model_that_fails_on_everything_is_refused_with_its_own_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, inputs: dict[str, Any], output: Any) -> None:  # noqa: ARG001
        raise KeyError("no such expert")

    wrapped(monkeypatch, fail)
    with pytest.raises(ModelError, match=r"type bert\) fails when it is asked for answers: KeyError: 'no such expert'"):
        classifier(tmp_path)


def test_a_text_that_the_model_cannot_read_says_so_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, inputs: dict[str, Any], output: Any) -> None:  # noqa: ARG001
        if inputs["input_ids"].shape[1] < 5:
            raise RuntimeError("shape [1, 4] is invalid")

    wrapped(monkeypatch, fail)
    model = classifier(tmp_path)
    assert model.proofs["answers"].unread == 4
    short = model.encode([("good", None)])
    with pytest.raises(
        UnreadableError, match=r"cannot read a text of 3 tokens: RuntimeError: shape \[1, 4\] is invalid"
    ):
        model.outputs(short, [model.question])


def test_longer_texts_than_the_proof_has_are_proven_when_they_come(tmp_path: Path) -> None:
    model = classifier(tmp_path, texts=[("good film", None)])
    assert model.proofs["answers"].longest < 10
    model.outputs(model.encode([("good film " * 12, None)]), [model.question])
    assert model.proofs["answers"].longest == len(model.encode([("good film " * 12, None)])[0].ids)


def test_a_model_that_sees_what_it_is_asked_for_is_no_language_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path, "bert", "fill-mask", is_decoder=True)
    BertLMHeadModel.from_pretrained(folder, is_decoder=True).save_pretrained(folder)
    monkeypatch.setattr("transformers.models.bert.modeling_bert.BertConfig.is_decoder", False, raising=False)
    config = (folder / "config.json").read_text().replace('"is_decoder": true', '"is_decoder": false')
    (folder / "config.json").write_text(config)
    with pytest.raises(ModelError, match="sees the tokens behind the one it is asked for"):
        load(find("tiny", folder, task="text-generation"), device="cpu")


def test_a_hybrid_shows_the_attention_of_the_layers_that_have_it(tmp_path: Path) -> None:
    model = load(find("tiny", build(tmp_path, "qwen3-next", "text-generation")), device="cpu")
    others, layers = attending(model.model, 3)
    assert layers == (1,)
    assert others == {0: "Qwen3NextGatedDeltaNet", 2: "Qwen3NextGatedDeltaNet"}
    tokens = model.tokens([(text, None) for text in TEXTS[:2]])
    first = model.attention(tokens, [punctuation(one) for one in tokens])[0]
    assert (first.layers, first.others) == ((1,), ("0 Qwen3NextGatedDeltaNet", "2 Qwen3NextGatedDeltaNet"))
    assert first.by_name["entropy"].shape == (1, 4)
    assert model.proofs["attention"].difference < 1e-4


def test_statistics_of_whole_matrices_are_those_of_the_definitions() -> None:
    uniform = torch.full((1, 1, 4, 4), 0.25)
    entropy, distance, self_share, previous, following, first, first4 = of_matrices(uniform)[:, 0, 0].tolist()
    assert entropy == pytest.approx(np.log(4))
    assert distance == pytest.approx(1.25)
    assert (self_share, previous, following) == pytest.approx((0.25, 0.1875, 0.1875))
    assert (first, first4) == pytest.approx((0.25, 1.0))
    causal = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])[None, None]
    assert of_matrices(causal)[5, 0, 0] == pytest.approx(0.35)  # the first query is left out
    assert of_matrices(causal)[6, 0, 0] == 1


def test_a_failure_of_the_model_has_a_kind_of_its_own() -> None:
    from auditor.probes.contract import Sitting
    from auditor.running.worker import measure

    class Fails:
        def measure(self, *_: object) -> None:
            raise UnreadableError("the model itself (type x) cannot read a text of 3 tokens: ValueError: too short")

    (row,) = measure(Fails(), None, [Document("d", "x")], Sitting(0))
    assert row == Failure(
        "d", "unreadable", "the model itself (type x) cannot read a text of 3 tokens: ValueError: too short"
    )
