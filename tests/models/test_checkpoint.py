"""A model that cannot be audited is refused in one clear line, before a weight is read."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BloomConfig, PreTrainedConfig

from auditor.errors import ConfigError, ModelError
from auditor.models import Window, find, load
from auditor.models.checkpoints.checkpoint import told_apart
from auditor.models.checkpoints.loading import max_length_of
from tests.models.tiny import byte_pairs, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "bert", "bert", "text-classification")


def changed(folder: Path, **values: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
    return folder


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"models/none: expected a folder with a model, found nothing"):
        find("models/none", tmp_path / "none")


def test_a_hub_id_that_cannot_be_reached_says_what_to_check() -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        find("nobody/no-such-model", None)


def test_a_name_that_is_neither_folder_nor_hub_id() -> None:
    with pytest.raises(ModelError, match="neither a folder nor a hub id"):
        find("no/such/folder at all", None)


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"found only pytorch_model\.bin"):
        find("m", folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        find("m", tmp_path)


def test_a_model_of_another_task_says_what_it_is_for(folder: Path) -> None:
    with pytest.raises(ModelError, match="expected a model for text-generation, found BertForSequenceClassification"):
        find("m", folder, task="text-generation")


def test_a_model_of_no_task_we_know(folder: Path) -> None:
    with pytest.raises(ModelError, match="found BertForTokenClassification"):
        find("m", changed(folder, architectures=["BertForTokenClassification"]))


def test_an_unknown_task_gets_a_suggestion(folder: Path) -> None:
    with pytest.raises(ConfigError, match="there is no task 'text-classificaton', did you mean 'text-classification'"):
        find("m", folder, task="text-classificaton")


def test_an_untrained_head_is_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if "classifier" not in k}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ModelError, match="it would answer at random"):
        load(find("m", folder), device="cpu")


def test_a_truncated_file_is_called_damaged(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        load(find("m", folder), device="cpu")


def test_a_pointer_of_git_lfs_is_no_checkpoint(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ModelError, match="a pointer to them of Git LFS; run git lfs pull"):
        find("m", folder)


def test_a_tokenizer_of_another_model_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = save(tmp_path / "gpt2", "gpt2", "text-generation")
    for file in other.glob("tokenizer*"):
        shutil.copy(file, folder)
    with pytest.raises(ModelError, match="do not belong together"):
        load(find("m", folder), device="cpu")


def test_a_missing_tokenizer_is_noticed(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match="expected a tokenizer"):
        find("m", folder)


def test_a_device_that_is_not_here(folder: Path) -> None:
    with pytest.raises(ModelError, match="not on this machine"):
        load(find("m", folder), device="cuda:7")


def test_more_tokens_than_the_model_sees_are_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="sees at most 64"):
        load(find("m", folder), device="cpu", max_length=100)


def test_hashes_change_with_a_flipped_bit(folder: Path) -> None:
    before = find("m", folder)
    hashes = before.weights_sha256, before.tokenizer_sha256
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    after = find("m", folder)
    assert after.weights_sha256 != hashes[0]
    assert after.tokenizer_sha256 == hashes[1]


def test_auto_is_float32_on_a_cpu(folder: Path) -> None:
    assert load(find("m", changed(folder, dtype="bfloat16")), device="cpu").identity.dtype == "float32"


def test_a_hub_id_is_found_in_the_hub_cache_with_its_commit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    place = tmp_path / "hub" / "models--somebody--sentiment"
    shutil.copytree(folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for revision in (None, "main", commit):
        found = find("somebody/sentiment", None, revision=revision)
        assert (found.name, found.revision) == ("somebody/sentiment", commit)
    assert load(found, device="cpu").identity.model_class == "BertForSequenceClassification"
    with pytest.raises(ModelError, match="cannot be reached"):
        find("somebody/sentiment", None, revision="v2")


def test_labels_that_utf_8_cannot_write_are_mended(folder: Path) -> None:
    found = find("m", changed(folder, id2label={"0": "good", "1": "\ud800bad"}, label2id={"good": 0, "\ud800bad": 1}))
    assert found.labels == ("good", "?bad")


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["bad", "good"], ("bad", "good")),
        (["good", "bad", "good"], ("good (id 0)", "bad", "good (id 2)")),
        (["good", " good "], ("good (id 0)", "good (id 1)")),
        (["Good", "good", " bad"], ("Good", "good", " bad")),
        (["", "good", " "], ("(id 0)", "good", "(id 2)")),
    ],
)
def test_labels_of_one_name_or_of_none_are_told_apart_by_their_ids(names: list[str], labels: tuple[str, ...]) -> None:
    assert told_apart(names) == labels


@pytest.mark.parametrize(
    ("id2label", "message"),
    [
        (
            {"1": "bad", "2": "good"},
            "id2label in config.json to name the outputs of the model from 0, found the ids 1, 2",
        ),
        ({"0": "a", "1": "a", "2": "a (id 1)"}, "two labels in id2label of config.json have one name"),
    ],
)
def test_labels_that_cannot_be_told_apart_or_counted_are_refused(
    folder: Path, id2label: dict[str, str], message: str
) -> None:
    label2id = {name: int(i) for i, name in id2label.items()}
    with pytest.raises(ModelError, match=message):
        find("m", changed(folder, id2label=id2label, label2id=label2id))


def sharded(folder: Path) -> Path:
    """The weights in two files with an index, as large models have them."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    of = {key: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, key in enumerate(weights)}
    for name in set(of.values()):
        save_file({key: weights[key] for key in weights if of[key] == name}, folder / name, {"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": of}))
    return folder


def test_a_second_copy_of_the_weights_is_neither_counted_nor_hashed(folder: Path) -> None:
    before = find("m", folder)
    wanted = before.n_parameters, before.weights_sha256
    assert before.n_parameters == sum(w.numel() for w in load_file(folder / "model.safetensors").values())
    shutil.copy(folder / "model.safetensors", folder / "consolidated.safetensors")
    assert (find("m", folder).n_parameters, find("m", folder).weights_sha256) == wanted


def test_the_files_that_the_index_names_are_the_weights(folder: Path) -> None:
    n_parameters = find("m", folder).n_parameters
    shutil.copy(folder / "model.safetensors", folder / "consolidated.safetensors")
    found = find("m", sharded(folder))
    assert found.n_parameters == n_parameters
    assert [file.name[:11] for file in found.weight_files] == ["model-00001", "model-00002"]
    assert load(found, device="cpu").identity.model_class == "BertForSequenceClassification"


def test_a_shard_that_is_not_there_is_named(folder: Path) -> None:
    (sharded(folder) / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match=r"found model-00001-of-00002\.safetensors but not model-00002-of-00002"):
        find("m", folder)


def test_an_index_that_is_none_is_refused(folder: Path) -> None:
    (sharded(folder) / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(ModelError, match=r"index\.json cannot be understood"):
        find("m", folder)


@pytest.mark.parametrize(
    ("values", "tokenizer_limit", "wanted"),
    [
        ({"max_position_embeddings": 64}, 10**30, 64),
        ({"max_position_embeddings": 64}, 32, 32),
        ({"max_position_embeddings": -1}, 10**30, 1024),
        ({"max_position_embeddings": -1}, 512, 512),
        ({"max_position_embeddings": None}, 10**30, 1024),
        ({"max_position_embeddings": None, "seq_length": 2048}, 10**30, 2048),
        ({"max_position_embeddings": None, "max_seq_len": 256}, 10**30, 256),
        ({"max_position_embeddings": 64, "seq_length": 16}, 10**30, 64),
    ],
)
def test_how_much_a_model_sees(values: dict[str, int], tokenizer_limit: int, wanted: int) -> None:
    class Model(torch.nn.Module):
        config = PreTrainedConfig(**values)

    tokenizer = byte_pairs()
    tokenizer.model_max_length = tokenizer_limit
    assert max_length_of(cast("Any", Model()), tokenizer) == wanted


def test_a_model_with_no_stated_limit_is_loaded_and_answers(tmp_path: Path) -> None:
    tokenizer = byte_pairs()
    config = BloomConfig(vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=4)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = load(find("m", tmp_path), device="cpu")
    assert model.identity.max_length == 1024
    assert np.isfinite(model.logprobs([Window((1, 2, 3), (2, 3))])[0]).all()


def test_quantised_weights_whose_package_is_missing_are_refused_before_they_are_read(tmp_path: Path) -> None:
    folder = save(tmp_path, "bert", "text-classification")
    config = json.loads((folder / "config.json").read_text())
    for method in ("aqlm", "no-such-method"):
        quantised = config | {"quantization_config": {"quant_method": method, "in_group_size": 8}}
        (folder / "config.json").write_text(json.dumps(quantised))
        with pytest.raises(ModelError, match=rf"are quantised \({method}\) and cannot be read here: .*{method}"):
            find("tiny", folder)
