"""Weights are drawn anew from the output down, at their own scale, and come back bit for bit."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, T5Config

from auditor.models import Randomises, TextClassification, find, load, offers
from auditor.models.computing.randomising import draw, parts_of, randomised
from auditor.models.inputs import FixedWeightsError
from auditor.models.text.classification import TextModel
from auditor.records.sanity import Part
from auditor.records.types import Document
from tests.models.tiny import config_of, load_on_cpu, save

DOCUMENTS = [Document("a", "The film is not bad at all."), Document("b", "Dull, dull, dull: a mess!")]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> TextClassification:
    folder = save(tmp_path_factory.mktemp("bert"), "bert", "text-classification", hidden_act="gelu_new")
    model = load(find("tiny", folder), device="cpu")
    assert isinstance(model, TextClassification)
    return model


def answers(model: TextModel) -> torch.Tensor:
    return model.outputs(model.encode([(document.text, None) for document in DOCUMENTS]), model.ask(DOCUMENTS))


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("fault", [None, KeyError])
def test_weights_come_back_bit_for_bit_whatever_happens(
    classifier: TextClassification, fault: type[Exception] | None
) -> None:
    before, said, proofs = weights(classifier.model), answers(classifier), dict(classifier.proofs)
    try:
        with classifier.randomising(3) as parts:
            for _ in parts:
                assert not torch.equal(answers(classifier), said)
                if fault:
                    raise fault
    except KeyError:
        assert fault
    after = weights(classifier.model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(answers(classifier), said)
    assert classifier.proofs == proofs


def test_each_step_draws_one_part_more_from_the_head_down(classifier: TextClassification) -> None:
    before, changed = weights(classifier.model), []
    with classifier.randomising(3) as parts:
        names = []
        for part in parts:
            names.append(part)
            now = weights(classifier.model)
            changed.append({name for name in now if not torch.equal(now[name], before[name])})
    assert names == [Part("head"), Part("layers", 2, 2), Part("layers", 1, 1), Part("embeddings")]
    assert all(a < b for a, b in pairwise(changed))
    assert {name.split(".")[0] for name in changed[0]} == {"classifier", "bert"}
    assert all(name.startswith(("classifier", "bert.pooler")) for name in changed[0])
    assert all("layer.1" in name for name in changed[1] - changed[0])
    assert all("embeddings" in name for name in changed[3] - changed[2])
    assert changed[3] == set(before), "no weight is left"


def test_draws_depend_on_the_seed_and_nothing_of_the_process(classifier: TextClassification) -> None:
    def drawn(seed: int) -> torch.Tensor:
        with classifier.randomising(seed) as parts:
            list(parts)
            return answers(classifier)

    first, state = drawn(3), torch.get_rng_state()
    torch.manual_seed(99)
    assert torch.equal(drawn(3), first)
    assert not torch.equal(drawn(4), first)
    torch.set_rng_state(state)
    drawn(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_tensor_keeps_its_mean_and_its_scale() -> None:
    tensor = torch.randn(200, 300) * 0.3 + 2
    drawn = draw(tensor, "name", 1)
    assert float(drawn.mean()) == pytest.approx(2, abs=0.01)
    assert float(drawn.std()) == pytest.approx(0.3, rel=0.01)
    assert abs(float(torch.corrcoef(torch.stack([tensor.flatten(), drawn.flatten()]))[0, 1])) < 0.02
    assert not torch.equal(draw(tensor, "other", 1), drawn)
    assert draw(tensor.bfloat16(), "name", 1).dtype == torch.bfloat16
    assert torch.equal(draw(torch.full((3,), 0.7), "name", 1), torch.full((3,), 0.7)), "nothing to draw by"


def steps(model: nn.Module) -> list[tuple[str, int | None, int | None]]:
    return [(part.name, part.first, part.last) for part, _ in parts_of(model, getattr(model, "base_model", model))]


def test_layers_are_drawn_in_four_groups_at_most() -> None:
    config = config_of("bert", 50)
    config.num_hidden_layers = 10
    model = AutoModelForSequenceClassification.from_config(config)
    groups = [("layers", 8, 10), ("layers", 5, 7), ("layers", 3, 4), ("layers", 1, 2)]
    assert steps(model) == [("head", None, None), *groups, ("embeddings", None, None)]


@pytest.mark.parametrize("family", ["distilbert", "roberta", "electra", "gpt2", "llama", "deberta-v2"])
def test_every_weight_of_a_family_is_in_one_part(family: str) -> None:
    model = AutoModelForSequenceClassification.from_config(config_of(family, 50))
    cascade = parts_of(model, model.base_model)
    names = [name for _, parameters in cascade for name, _ in parameters]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    assert steps(model) == [("head", None, None), ("layers", 2, 2), ("layers", 1, 1), ("embeddings", None, None)]


def test_a_head_that_is_tied_to_the_embeddings_is_drawn_with_them() -> None:
    model = AutoModelForCausalLM.from_config(config_of("gpt2", 50))
    cascade = {part.name: [name for name, _ in parameters] for part, parameters in parts_of(model, model.base_model)}
    assert "transformer.wte.weight" in cascade["embeddings"]
    assert all("ln_f" in name for name in cascade["head"])


def test_the_decoder_is_above_the_encoder() -> None:
    config = T5Config(vocab_size=50, d_model=16, d_kv=4, d_ff=16, num_layers=2, num_heads=4, num_decoder_layers=2)
    model = AutoModelForSequenceClassification.from_config(config)
    layers = [names for part, names in parts_of(model, model.base_model) if part.name == "layers"]
    kinds = ["decoder" if all("decoder" in name for name, _ in names) else "encoder" for names in layers]
    assert kinds == ["decoder", "decoder", "encoder", "encoder"]


def test_a_model_without_a_list_of_layers_is_one_layer() -> None:
    model = nn.Sequential(nn.EmbeddingBag(5, 3), nn.Linear(3, 2))
    assert steps(model) == [("layers", 1, 1)]
    body = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 3))
    whole = nn.Sequential(body, nn.Linear(3, 2))
    assert [part.name for part, _ in parts_of(whole, body)] == ["head", "layers", "embeddings"]


def test_weights_that_are_no_numbers_in_memory_are_refused() -> None:
    meta = nn.Linear(2, 2, device="meta")
    integers = nn.Linear(2, 2)
    integers.weight = nn.Parameter(torch.zeros(2, 2, dtype=torch.int8), requires_grad=False)
    for model in (meta, integers):
        with pytest.raises(FixedWeightsError, match="quantised or not in memory"), randomised(model, model, 0):
            pytest.fail("the block was entered")


def test_models_that_answer_offer_it() -> None:
    assert offers("text-classification", Randomises)
    assert offers("text-generation", Randomises)
    assert not offers("fill-mask", Randomises)


def test_a_longer_text_inside_does_not_leave_a_proof_of_another_model(tmp_path: Path) -> None:
    folder = save(tmp_path, "bert", "text-classification")
    model = load_on_cpu(find("tiny", folder), texts=[("Good.", None)])
    with model.randomising(0) as parts:
        next(parts)
        answers(model)
    truth = load_on_cpu(find("tiny", folder), texts=[(document.text, None) for document in DOCUMENTS]).truth
    assert torch.equal(model.truth.answers, truth.answers)
