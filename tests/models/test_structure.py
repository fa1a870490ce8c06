"""What a model is made of: weights set by hand, torch's own statistics, shared, quantised and offloaded weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from auditor.models import find, load
from auditor.models.checkpoints.loading import load_model, outline
from auditor.models.computing import structure
from auditor.models.computing.structure import describe
from tests.models.architectures import build
from tests.models.tiny import save


def opened(folder: Path, task: str | None = None) -> Any:
    return load_model(find("tiny", folder, task=task), torch.device("cpu"), torch.float32)


@pytest.fixture
def bert(tmp_path: Path) -> Any:
    return opened(save(tmp_path / "bert", "bert", "text-classification"))


def weights_of(model: Any, block: Any) -> torch.Tensor:
    """All weights of a BERT's block, one behind the other."""
    layer = f"bert.encoder.layer.{block.layer - 1}." if block.layer else None
    names = {"embeddings": lambda n: "embeddings" in n, "layer": lambda n: n.startswith(str(layer))}
    names["head"] = lambda n: "embeddings" not in n and "encoder" not in n
    return torch.cat([p.detach().flatten() for n, p in model.named_parameters() if names[block.name](n)])


def test_every_block_has_torchs_statistics_of_its_weights(bert: Any) -> None:
    found = describe(bert, "tiny")
    assert [(block.name, block.layer) for block in found.blocks] == [
        ("embeddings", None),
        ("layer", 1),
        ("layer", 2),
        ("head", None),
    ]
    for block in found.blocks:
        weights = weights_of(bert, block)
        deviation, mean = torch.std_mean(weights.double(), correction=0)
        assert block.n_parameters == block.n_summarised == weights.numel()
        assert block.deviation == pytest.approx(float(deviation), rel=1e-5)
        assert block.mean == pytest.approx(float(mean), rel=1e-5, abs=1e-12)
        assert block.greatest == pytest.approx(float(weights.abs().max()), rel=1e-5)
    assert found.n_parameters == sum(p.numel() for p in bert.parameters())
    assert (found.n_bytes, found.dtypes) == (4 * found.n_parameters, {"float32": found.n_parameters})
    assert (found.tied, dict(found.quantised), found.n_offloaded) == ((), {}, 0)


def test_weights_set_by_hand_have_the_statistics_that_they_were_given(bert: Any) -> None:
    with torch.no_grad():
        for parameter in bert.bert.encoder.layer[1].parameters():
            parameter.fill_(2.0)
        bert.classifier.weight.zero_()
        bert.bert.encoder.layer[0].output.dense.weight[3, 4] = -100.0
    _, first, second, head = describe(bert, "tiny").blocks
    assert (second.mean, second.deviation, second.greatest, second.n_zeros) == (2.0, 0.0, 2.0, 0)
    assert first.greatest == 100.0
    assert head.n_zeros == bert.classifier.weight.numel()


def test_what_is_not_finite_is_counted_and_left_out(bert: Any) -> None:
    with torch.no_grad():
        for parameter in bert.bert.encoder.layer[0].parameters():
            parameter.fill_(3.0)
        bert.bert.encoder.layer[0].output.dense.weight[0, :3] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    layer = describe(bert, "tiny").blocks[1]
    assert (layer.n_not_finite, layer.mean, layer.deviation, layer.greatest, layer.n_zeros) == (3, 3.0, 0.0, 3.0, 0)


def test_a_block_without_a_finite_weight_has_no_statistics(bert: Any) -> None:
    with torch.no_grad():
        for parameter in bert.bert.encoder.layer[0].parameters():
            parameter.fill_(torch.nan)
    layer = describe(bert, "tiny").blocks[1]
    assert (layer.mean, layer.deviation, layer.greatest) == (None, None, None)
    assert layer.n_not_finite == layer.n_parameters


def test_pieces_add_up_to_the_whole(bert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = describe(bert, "tiny")
    monkeypatch.setattr(structure, "PIECE", 7)
    assert describe(bert, "tiny") == whole


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_summed_in_double(bert: Any, dtype: torch.dtype) -> None:
    half = bert.to(dtype)
    found = describe(half, "tiny")
    weights = weights_of(half, found.blocks[1]).double()
    assert found.blocks[1].mean == pytest.approx(float(weights.mean()), rel=1e-5)
    assert (found.n_bytes, list(found.dtypes)) == (2 * found.n_parameters, [str(dtype).removeprefix("torch.")])


def test_shared_weights_are_counted_once_and_named(tmp_path: Path) -> None:
    model = opened(save(tmp_path / "gpt2", "gpt2", "text-generation"))
    found = describe(model, "tiny")
    assert found.tied == (("transformer.wte.weight", "lm_head.weight"),)
    assert found.n_parameters == sum(p.numel() for p in model.parameters())
    assert [block.name for block in found.blocks] == ["embeddings", "layer", "layer", "head"]
    assert found.blocks[-1].n_parameters == 2 * 32, "the norm behind the last layer"


class Packed(nn.Module):
    """A linear layer as GPTQ and its like keep it: integers in buffers, no float weight."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("qweight", torch.ones(8, 4, dtype=torch.int32))
        self.register_buffer("scales", torch.ones(4, dtype=torch.float16))
        self.register_buffer("position_ids", torch.arange(5))


class Int8(nn.Module):
    """A linear layer whose parameter holds integers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 5, dtype=torch.int8), requires_grad=False)


def test_quantised_modules_are_counted_and_not_summarised(bert: Any) -> None:
    before = describe(bert, "tiny")
    bert.bert.encoder.layer[0].extra, bert.bert.encoder.layer[0].more = Packed(), Int8()
    found = describe(bert, "tiny")
    assert dict(found.quantised) == {"Int8": 1, "Packed": 1}
    assert found.n_parameters == before.n_parameters + 30
    assert found.n_bytes == before.n_bytes + 30 + 8 * 4 * 4 + 4 * 2 + 5 * 8
    assert (found.blocks[1].n_parameters, found.blocks[1].n_summarised) == (
        before.blocks[1].n_parameters + 30,
        before.blocks[1].n_parameters,
    )
    assert found.blocks[1].mean == before.blocks[1].mean


def test_a_model_without_contents_is_counted_and_not_summarised(tmp_path: Path) -> None:
    model = outline(find("tiny", save(tmp_path / "bert", "bert", "text-classification")))
    found = describe(model, "tiny")
    assert found.n_offloaded == found.n_parameters == sum(p.numel() for p in model.parameters())
    assert {(block.n_summarised, block.mean) for block in found.blocks} == {(0, None)}


@pytest.mark.parametrize(
    ("name", "task", "blocks"),
    [
        ("albert", "text-classification", ["embeddings", "body", "head"]),
        ("xlm", "text-classification", ["embeddings", "body", "head"]),
        ("t5", "text-classification", ["embeddings", *["layer"] * 6, "head"]),
    ],
)
def test_models_without_a_plain_list_of_layers(tmp_path: Path, name: str, task: str, blocks: list[str]) -> None:
    model = opened(build(tmp_path, name, task), task)
    found = describe(model, "tiny")
    kinds = [block.name for block in found.blocks]
    assert list(dict.fromkeys(kinds)) == list(dict.fromkeys(blocks))
    assert sum(block.n_parameters for block in found.blocks) == sum(p.numel() for p in model.parameters())


def test_modules_are_listed_down_to_the_parts_of_a_layer_and_equal_ones_together(bert: Any) -> None:
    rows = {one.path: one for one in describe(bert, "tiny").modules}
    assert list(rows)[:3] == ["", "bert", "bert.embeddings"]
    layers = rows["bert.encoder.layer.0–1"]
    assert (layers.kind, layers.n) == ("BertLayer", 2)
    assert layers.n_parameters == sum(p.numel() for p in bert.bert.encoder.layer[0].parameters())
    assert rows["bert.encoder.layer.0–1.attention"].kind == "BertAttention"
    assert "bert.encoder.layer.0–1.attention.self.query" not in rows
    assert not any("dropout" in path for path in rows), "it holds no weight"
    assert rows[""].n_parameters == sum(p.numel() for p in bert.parameters())
    bert.bert.encoder.layer[1].output.dense = nn.Linear(48, 32, bias=False)
    assert "bert.encoder.layer.1" in {one.path for one in describe(bert, "tiny").modules}


def test_a_loaded_model_knows_what_it_is_made_of(tmp_path: Path) -> None:
    model = load(find("tiny", save(tmp_path / "bert", "bert", "text-classification")), device="cpu")
    made = model.identity.structure
    assert made is not None
    assert made == describe(model.model, "tiny")
    assert np.isclose(made.n_parameters, model.identity.n_parameters)
