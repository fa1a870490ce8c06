"""Two probes that give the same type of record keep their rows beside each other, ours or a third party's."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar

import pydantic
import pytest

from auditor import audit, config
from auditor.errors import ConfigError, InterruptedRunError
from auditor.models import Classifies
from auditor.probes.contract import STRICT, Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.records import schema
from auditor.records import sums as checksums
from auditor.records.explanations import Explanation
from auditor.records.run import Run
from auditor.records.types import Document, Prediction
from auditor.records.verification import verify
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus, sums


@pydantic.dataclasses.dataclass(frozen=True, config=STRICT)
class Twin(LimeProbe):
    """A second explainer whose rows are our `Explanation`."""

    name: ClassVar[str] = "twin"


@dataclasses.dataclass(frozen=True)
class Length:
    """A third party's record."""

    document_id: str
    length: int


@pydantic.dataclasses.dataclass(frozen=True)
class Characters:
    name: ClassVar[str] = "characters"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Length
    limit: int | None = None
    model: None = None

    def measure(self, model: Classifies, documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Length]:  # noqa: ARG002
        yield from (Length(document.id, len(document.text)) for document in documents)


@pydantic.dataclasses.dataclass(frozen=True)
class Words(Characters):
    name: ClassVar[str] = "words"

    def measure(self, model: Classifies, documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Length]:  # noqa: ARG002
        yield from (Length(document.id, len(document.text.split())) for document in documents)


class Misnamed(Characters):
    name: ClassVar[str] = "prediction"


@pydantic.dataclasses.dataclass(frozen=True)
class Documents(Characters):
    name: ClassVar[str] = "documents"


PROBES = {
    "twin": "Twin",
    "characters": "Characters",
    "words": "Words",
    "stranger": "Misnamed",
    "documents": "Documents",
}
ASKED = {
    "probes.lime": {"n_samples": 40, "limit": 6},
    "probes.twin": {"n_samples": 20, "limit": 9},
    "probes.characters": {},
    "probes.words": {},
    "run.shard_size": 5,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("twins") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    foreign = [EntryPoint(name, f"{__name__}:{cls}", "auditor.probes") for name, cls in PROBES.items()]
    monkeypatch.setattr(
        "auditor.registry.entry_points",
        lambda group: [*entry_points(group=group), *(one for one in foreign if one.group == group)],
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(model: Path, here: Path, more: dict[str, object] | None = None, **how: object) -> audit.Result:
    tables = {"model.name": model, "corpus.path": corpus(here), **(ASKED if more is None else more)}
    settings = config.load(None, tables, environment={})
    return audit.run(settings, **{"pdf": False, "progress": Silent(), **how})


def damage_with_forged_sums(run: Run, path: Path) -> None:
    path.write_bytes(b"not Parquet")
    content = checksums.render(checksums.compute(run.path))
    (run.path / "SHA256SUMS").write_bytes(content)
    manifest = json.loads((run.path / "manifest.json").read_text())
    (run.path / "manifest.json").write_text(json.dumps({**manifest, "sums": checksums.sha256(content)}))


def test_two_probes_of_our_record_both_keep_their_rows(model: Path, here: Path) -> None:
    result = run(model, here)
    lime, twin = (list(result.run.read(probe, Explanation)) for probe in ("lime", "twin"))
    assert (len(lime), len(twin)) == (6, 9)
    assert {row.neighbourhood.n_samples for row in lime if isinstance(row, Explanation) and row.is_sampled} == {40}
    assert {row.neighbourhood.n_samples for row in twin if isinstance(row, Explanation) and row.is_sampled} == {20}
    assert {row.probe: row.measured for row in result.findings.coverage}["twin"] == 9


def test_two_probes_of_a_third_partys_record_both_keep_their_rows(model: Path, here: Path) -> None:
    result = run(model, here)
    characters, words = (
        {row.document_id: row.length for row in result.run.read(probe, Length) if isinstance(row, Length)}
        for probe in ("characters", "words")
    )
    assert characters.keys() == words.keys()
    assert len(words) == 18
    assert all(characters[key] > words[key] for key in words)


def test_both_are_resumed_with_the_sums_of_an_undisturbed_run(model: Path, here: Path) -> None:
    whole = run(model, here, {**ASKED, "run.output": "whole"})
    asked = iter([False, False, True, True])
    with pytest.raises(InterruptedRunError):
        run(model, here, stop=lambda: next(asked))
    assert sums(run(model, here)) == sums(whole)


@pytest.mark.parametrize("probe", ["documents", "prediction", "lime", "twin", "characters", "words"])
def test_every_table_of_every_probe_is_verified_even_with_forged_sums(model: Path, here: Path, probe: str) -> None:
    result = run(model, here)
    assert verify(result.run) == []
    shard = result.run.path / "evidence" / probe / "00002.parquet"
    damage_with_forged_sums(result.run, shard)
    (fault,) = verify(result.run)
    assert fault.path == f"evidence/{probe}/00002.parquet"
    assert fault.problem.startswith("not a readable Parquet file")


def test_the_columns_of_our_record_are_verified_whatever_the_folder_is_called(model: Path, here: Path) -> None:
    result = run(model, here)
    path = result.run.path / "evidence" / "twin" / "00000.parquet"
    table = schema.to_table(Prediction, []).replace_schema_metadata(schema.arrow_schema(Explanation).metadata)
    path.unlink()
    schema.pq.write_table(table, path)
    problems = {fault.problem for fault in verify(result.run) if fault.path == "evidence/twin/00000.parquet"}
    assert any(problem.startswith("has columns that Explanation does not know: continuation") for problem in problems)


def test_a_third_partys_class_that_is_called_like_ours_is_not_taken_for_it() -> None:
    theirs = dataclasses.make_dataclass("Explanation", [("document_id", str), ("score", float)], frozen=True)
    content = schema.to_bytes(theirs, [theirs("1", 0.5)])
    assert schema.check(content) == f"{theirs.__module__}.Explanation" != schema.record_name(Explanation)
    assert schema.from_bytes(theirs, content) == [theirs("1", 0.5)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stranger", "expected a probe that calls itself 'stranger', found 'prediction'"),
        ("documents", "the documents themselves are kept under that name"),
    ],
)
def test_a_probe_that_would_write_into_anothers_folder_is_refused(
    model: Path, here: Path, name: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=rf"probes\.{name}: .*{said}; tell who wrote {__name__}:"):
        run(model, here, {f"probes.{name}": {}})
    assert not (here / "reports").exists()
