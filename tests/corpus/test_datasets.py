"""Parquet, Arrow, folders of the package datasets and the hub: names of classes win over their order."""

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_files import REVIEWS, fault, pairs, write
from pyarrow import feather

from auditor import corpus
from auditor.errors import ConfigError, CorpusError

NAMES = ["positive", "negative"]
IDS = [NAMES.index(label) for _, label in REVIEWS]
LABEL = {"names": NAMES, "_type": "ClassLabel"}


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def table(labels: list[Any], feature: object, **columns: list[Any]) -> pa.Table:
    """A table as the package datasets writes it: ids in the column, names in the metadata of the schema."""
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": feature}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    rows = pa.table({"text": [f"text {number}" for number in range(len(labels))], "label": labels, **columns})
    return rows.replace_schema_metadata(metadata)


def labels_of(path: Path, **options: Any) -> list[tuple[str, ...]]:
    return [document.labels for document in corpus.load(path, **options).documents]


def reviews(**columns: Any) -> datasets.Dataset:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)})
    return datasets.Dataset.from_dict({"text": [text for text, _ in REVIEWS], "label": IDS, **columns}, features)


def test_ids_of_classes_are_read_by_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    path = tmp_path / "classlabel.parquet"
    texts = [text for text, _ in REVIEWS]
    pq.write_table(table(IDS, LABEL).set_column(0, "text", [texts]), path)
    loaded = corpus.load(path)
    positive = [number for number, document in enumerate(loaded.documents, 1) if document.labels == ("positive",)]
    assert positive == [1, 3, 5, 7]
    assert pairs(loaded) == REVIEWS
    assert loaded.dialect.classes == {"label": ("positive", "negative")}
    assert str(loaded.dialect) == "parquet, classes of label: 0 positive, 1 negative"


def test_what_the_package_datasets_writes_itself_is_read_so(tmp_path: Path) -> None:
    reviews().to_parquet(tmp_path / "a.parquet")
    assert pairs(corpus.load(tmp_path / "a.parquet")) == REVIEWS


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": LABEL, "length": -1, "_type": "List"},
        {"feature": LABEL, "length": -1, "_type": "LargeList"},
        {"feature": LABEL, "length": -1, "_type": "Sequence"},
        [LABEL],
    ],
)
def test_lists_of_classes_are_read_by_name(tmp_path: Path, feature: object) -> None:
    pq.write_table(table([[0, 1], [1], [], None], feature), tmp_path / "a.parquet")
    assert labels_of(tmp_path / "a.parquet") == [("positive", "negative"), ("negative",), (), ()]


def test_minus_one_and_null_are_no_class_and_whole_floats_are_ids(tmp_path: Path) -> None:
    pq.write_table(table([0, -1, None, 1], LABEL), tmp_path / "a.parquet")
    pq.write_table(table([0.0, -1.0, float("nan"), 1.0], LABEL), tmp_path / "b.parquet")
    for name in ("a.parquet", "b.parquet"):
        assert labels_of(tmp_path / name) == [("positive",), (), (), ("negative",)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 2], ', row 2: the class 2 in column "label" has no name: the file names 0 to 1; write it again'),
        ([0, -2], ', row 2: the class -2 in column "label" has no name'),
        ([0.0, 0.5], ', row 2: expected the id of a class in column "label", found a number'),
        ([True], ', row 1: expected the id of a class in column "label", found a boolean'),
        (["other"], ', row 1: expected the id of a class in column "label", found a string'),
    ],
)
def test_an_id_without_a_name_is_a_fault(tmp_path: Path, labels: list[Any], expected: str) -> None:
    pq.write_table(table(labels, LABEL), tmp_path / "a.parquet")
    assert fault(tmp_path / "a.parquet").startswith(expected)


def test_names_that_stand_in_the_column_already_stay(tmp_path: Path) -> None:
    pq.write_table(table(["negative", "positive"], LABEL), tmp_path / "a.parquet")
    assert labels_of(tmp_path / "a.parquet") == [("negative",), ("positive",)]


@pytest.mark.parametrize(
    "metadata",
    [{}, {"huggingface": "{"}, {"huggingface": "[]"}, {"huggingface": '{"info": {"features": {"label": 3, "x": []}}}'}],
)
def test_broken_or_absent_features_leave_the_numbers_as_they_are(tmp_path: Path, metadata: dict[str, str]) -> None:
    pq.write_table(table([0, 1], LABEL).replace_schema_metadata(metadata), tmp_path / "a.parquet")
    assert labels_of(tmp_path / "a.parquet") == [("0",), ("1",)]


def test_other_columns_of_classes_slice_by_name(tmp_path: Path) -> None:
    reviews().add_column("topic", [0, 1] * 4, feature=datasets.ClassLabel(names=["film", "book"])).to_parquet(
        tmp_path / "a.parquet"
    )
    assert [document.metadata["topic"] for document in corpus.load(tmp_path / "a.parquet").documents[:2]] == [
        "film",
        "book",
    ]


@pytest.mark.parametrize("name", ["a.arrow", "a.feather"])
@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_arrow_files_are_read_with_their_classes(tmp_path: Path, name: str, compression: str) -> None:
    feather.write_feather(table([0, 1], LABEL), tmp_path / name, compression=compression)
    assert labels_of(tmp_path / name) == [("positive",), ("negative",)]


def test_an_arrow_stream_is_read_too(tmp_path: Path) -> None:
    rows = table([0, 1] * 2000, LABEL)
    with pa.ipc.new_stream(tmp_path / "a.arrow", rows.schema) as stream:
        stream.write_table(rows)
    assert labels_of(tmp_path / "a.arrow") == [("positive",), ("negative",)] * 2000


def test_damaged_tables_are_one_clear_line(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a.arrow", b"FEA1" + bytes(64))).startswith(": is Feather 1, which nothing writes")
    assert fault(write(tmp_path, "a.arrow", b"")).startswith(": not readable as Arrow (")
    assert fault(write(tmp_path, "a.arrow", b"rubbish" * 9)).startswith(": not readable as Arrow (")
    feather.write_feather(table([0, 1] * 5000, LABEL), tmp_path / "b.arrow")
    whole = (tmp_path / "b.arrow").read_bytes()
    assert ": not readable as Arrow (" in fault(write(tmp_path, "c.arrow", whole[: len(whole) // 2]))


def test_an_arrow_file_that_lies_about_its_lengths_is_not_believed(tmp_path: Path) -> None:
    feather.write_feather(pa.table({"text": ["x" * 77_777]}), tmp_path / "a.arrow", compression="uncompressed")
    content = bytearray((tmp_path / "a.arrow").read_bytes())
    position = content.rindex((77_777).to_bytes(4, "little"))
    content[position : position + 4] = (2**30).to_bytes(4, "little")
    assert ": not readable as Arrow (" in fault(write(tmp_path, "a.arrow", bytes(content)))


def test_keys_for_text_are_refused_for_tables_and_folders(tmp_path: Path) -> None:
    pq.write_table(table([0], LABEL), tmp_path / "a.parquet")
    for options in ({"encoding": "utf-8"}, {"delimiter": "comma"}, {"split": "test"}):
        with pytest.raises(ConfigError, match=rf"corpus\.{next(iter(options))}: is not for"):
            corpus.load(tmp_path / "a.parquet", **options)
    with pytest.raises(ConfigError, match=r"corpus\.format: is not for a folder; leave it out"):
        corpus.load(tmp_path, format="parquet")


def test_a_saved_folder_is_read_and_its_hash_is_that_of_its_files(tmp_path: Path) -> None:
    reviews().save_to_disk(tmp_path / "reviews", num_shards=3)
    loaded = corpus.load(tmp_path / "reviews")
    assert pairs(loaded) == REVIEWS
    assert loaded.documents[7].id == "reviews-8"
    assert str(loaded.dialect) == "dataset, classes of label: 0 positive, 1 negative"
    files = sorted((tmp_path / "reviews").iterdir(), key=lambda file: file.name)
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    assert len(files) == 5
    assert loaded.sha256 == hashlib.sha256(sums.encode()).hexdigest()


def test_rows_chosen_from_a_dataset_are_saved_as_chosen(tmp_path: Path) -> None:
    reviews().select([6, 1]).save_to_disk(tmp_path / "reviews")
    assert pairs(corpus.load(tmp_path / "reviews")) == [REVIEWS[6], REVIEWS[1]]


def test_a_folder_of_splits_names_them_and_reads_the_one_that_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    datasets.DatasetDict(train=reviews(), test=reviews().select([0, 1])).save_to_disk(folder)
    assert fault(folder) == ': is in splits; name one in corpus.split or --split: "train", "test"'
    assert pairs(corpus.load(folder, split="test")) == REVIEWS[:2]
    assert corpus.load(folder / "test").sha256 == corpus.load(folder, split="test").sha256
    assert 'has no split "tset"; did you mean "test"?' in fault(folder, split="tset")
    assert "has no split" in fault(folder, split="../reviews/test")
    assert fault(folder / "test", split="test") == ": holds no splits; leave out corpus.split"


def test_a_broken_folder_says_what_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    reviews().save_to_disk(folder)
    state = json.loads((folder / "state.json").read_text())
    for name in ("../reviews/data-00000-of-00001.arrow", "data-00001-of-00001.arrow", 3):
        write(folder, "state.json", json.dumps({**state, "_data_files": [{"filename": name}]}))
        assert fault(folder).endswith("which is not in the folder; save the dataset again")
    write(folder, "state.json", "{}")
    assert fault(folder) == "/state.json: names no data files; save the dataset again"
    write(folder, "state.json", "{")
    assert fault(folder) == "/state.json: not JSON; save the dataset again"
    write(folder, "state.json", json.dumps(state))
    (folder / "dataset_info.json").unlink()
    assert fault(folder) == ": has no dataset_info.json; save the dataset again"


def loads(monkeypatch: pytest.MonkeyPatch, loaded: object) -> list[tuple[Any, ...]]:
    """Lets the package give a dataset that needs no hub; returns what it was asked for."""
    asked: list[tuple[Any, ...]] = []

    def load_dataset(path: str, name: str | None, *, split: str | None, revision: str | None) -> object:
        asked.append((path, name, split, revision))
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_a_dataset_of_the_hub_is_read_by_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = loads(monkeypatch, reviews().select([6, 1]))
    loaded = corpus.load("hf://datasets/org/reviews@v1/plain", split="test")
    assert asked == [("org/reviews", "plain", "test", "v1")]
    assert pairs(loaded) == [REVIEWS[6], REVIEWS[1]]
    assert [document.id for document in loaded.documents] == ["reviews-1", "reviews-2"]
    assert loaded.dialect.classes == {"label": ("positive", "negative")}
    rows = [{"label": IDS[row], "text": REVIEWS[row][0]} for row in (6, 1)]
    content = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    assert loaded.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert corpus.load("hf://datasets/imdb").sha256 == loaded.sha256
    assert asked[-1] == ("imdb", None, None, None)


def test_of_several_splits_of_the_hub_one_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loads(monkeypatch, datasets.DatasetDict(train=reviews(), test=reviews()))
    with pytest.raises(CorpusError, match=r'^hf://datasets/imdb: is in splits; name one .*: "train", "test"$'):
        corpus.load("hf://datasets/imdb")
    loads(monkeypatch, datasets.DatasetDict(train=reviews()))
    assert pairs(corpus.load("hf://datasets/imdb")) == REVIEWS


@pytest.mark.parametrize(
    "error", [datasets.exceptions.DatasetNotFoundError("no\nsuch"), ConnectionError("no such"), ValueError("no such")]
)
def test_what_the_package_says_is_told_on_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    loads(monkeypatch, error)
    with pytest.raises(CorpusError, match=r"^hf://datasets/imdb: no such$"):
        corpus.load("hf://datasets/imdb")


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.corpus.readers.hub.find_spec", lambda _: None)
    with pytest.raises(CorpusError, match=r"^hf://datasets/imdb: needs the package datasets; pip install datasets$"):
        corpus.load("hf://datasets/imdb")


def test_an_address_is_whole_and_no_folder_stands_in_for_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("hf://imdb", "hf://datasets/", "hf://datasets/a/b/c/d", "hf://datasets/../../etc"):
        with pytest.raises(CorpusError, match=r"expected hf://datasets/OWNER/NAME|lies here"):
            corpus.load(address)
    (tmp_path / "imdb").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match="the folder imdb lies here"):
        corpus.load("hf://datasets/imdb")


@pytest.mark.parametrize("name", ["imdb", "stanfordnlp/imdb"])
def test_a_missing_path_that_could_be_a_dataset_says_how_to_write_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    message = fault(Path(name))
    assert message == f": no such file; a dataset of the hub is written hf://datasets/{name}"
    loads(monkeypatch, reviews())
    assert pairs(corpus.load(message.split()[-1])) == REVIEWS


def test_the_folder_is_read_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews().save_to_disk(tmp_path / "reviews")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "datasets" else find_spec(name))
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    assert pairs(corpus.load(tmp_path / "reviews")) == REVIEWS
    shutil.rmtree(tmp_path / "reviews")


def test_names_from_a_file_are_cut_short_and_steer_no_terminal(tmp_path: Path) -> None:
    names = ["a\x1b[31m\u202eb\n", "x" * 99, *map(str, range(20))]
    pq.write_table(table([0], {"names": names, "_type": "ClassLabel"}), tmp_path / "a.parquet")
    shown = str(corpus.load(tmp_path / "a.parquet").dialect)
    assert shown.startswith("parquet, classes of label: 0 a\ufffd[31m\ufffdb\ufffd, 1 " + "x" * 39 + "…, 2 0")
    assert shown.endswith("7 5 …")
