"""A probe outside the package reads what LIME found in the same documents, and asks the model nothing again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pydantic
import pytest

from auditor import audit, config
from auditor.errors import InterruptedRunError, ProbeError
from auditor.models import Answers
from auditor.probes.contract import STRICT, Sitting
from auditor.probes.lime.surrogate import fit_all, kernel
from auditor.records.explanations import Explanation, Faithfulness
from auditor.records.neighbourhoods import unpack
from auditor.records.types import Document, NotMeasurable, Unmeasured
from auditor.running.probe_order import ordered
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus, sums


@dataclass(frozen=True)
class Width:
    """How far the strongest weight moves with another kernel."""

    document_id: str
    n_masks: int
    moved: float


@pydantic.dataclasses.dataclass(frozen=True, config=STRICT)
class WidthProbe:
    """Fits each explanation again with a wider kernel."""

    name: ClassVar[str] = "width"
    needs: ClassVar[type] = Answers
    record: ClassVar[type] = Width
    after: ClassVar[tuple[str, ...]] = ("lime",)
    kernel_width: float = 75.0
    limit: int | None = None
    model: None = None

    def measure(
        self,
        model: Answers[Any],  # noqa: ARG002
        documents: Sequence[Document],
        sitting: Sitting[object],
    ) -> Iterator[Width | Unmeasured]:
        for document in documents:
            row = sitting.earlier["lime"].get(document.id)
            kept = unpack(row) if isinstance(row, Explanation) else None
            if kept is None:
                yield NotMeasurable(document.id, "not-explained", "nothing to fit again")
                continue
            masks, answers = (np.repeat(values, kept.counts, axis=0) for values in (kept.masks, kept.answers))
            again = fit_all(masks, answers, kernel(masks, self.kernel_width))[0]
            moved = float(np.abs(again.weights - np.array(row.targets[0].weights)).max())
            yield Width(document.id, len(masks), moved)


ASKED = {
    "probes.width": {},
    "probes.prediction": {},
    "probes.lime": {"n_samples": 40, "keep": "all", "limit": 15},
    "run.shard_size": 4,
    "run.cache": False,
}
ALONE = {key: value for key, value in ASKED.items() if key != "probes.width"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("read") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = EntryPoint("width", f"{__name__}:WidthProbe", "auditor.probes")
    monkeypatch.setattr(
        "auditor.registry.entry_points",
        lambda group: [*([own] if own.group == group else []), *entry_points(group=group)],
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(model: Path, here: Path, tables: dict[str, Any]) -> config.Config:
    return config.load(None, {"model.name": model, "corpus.path": corpus(here), **tables}, environment={})


def run(model: Path, here: Path, tables: dict[str, Any], **how: object) -> audit.Result:
    return audit.run(settings(model, here, tables), **{"pdf": False, "progress": Silent(), **how})


def work(result: audit.Result) -> dict[str, int]:
    manifest = result.run.manifest()
    assert manifest is not None
    return {key: value for key, value in manifest["work"].items() if key in ("texts", "tokens", "tokens_computed")}


def test_it_measures_every_explained_document_and_the_model_is_asked_nothing_more(model: Path, here: Path) -> None:
    result = run(model, here, ASKED)
    rows = list(result.run.read("width", Width))
    assert sum(isinstance(row, Width) for row in rows) == 15
    assert {row.kind for row in rows if isinstance(row, NotMeasurable)} == {"not-explained"}
    assert all(row.moved > 0 for row in rows if isinstance(row, Width))
    alone = run(model, here, ALONE)
    assert alone.run.path != result.run.path
    assert work(result) == work(alone)
    assert work(result)["tokens"] > 0


def test_a_run_that_was_stopped_between_two_shards_ends_as_one_that_was_not(model: Path, here: Path) -> None:
    whole = run(model, here, {**ASKED, "run.output": "whole"})
    answers = iter([False, False, True])
    with pytest.raises(InterruptedRunError):
        run(model, here, {**ASKED, "run.output": "parts"}, stop=lambda: next(answers))
    assert sums(run(model, here, {**ASKED, "run.output": "parts"})) == sums(whole)


def test_rows_of_a_shard_that_was_measured_before_are_read_from_the_run(model: Path, here: Path) -> None:
    whole = run(model, here, {**ASKED, "run.output": "whole"})
    parts = run(model, here, {**ASKED, "run.output": "parts"})
    wanted = sums(parts)
    (parts.run.path / "manifest.json").unlink()
    (parts.run.path / "evidence" / "width" / "00001.parquet").unlink()
    again = run(model, here, {**ASKED, "run.output": "parts"})
    assert sums(again) == wanted == sums(whole)
    assert not work(again).get("tokens"), "nothing is asked of the model again"


def test_a_probe_whose_predecessor_does_not_run_is_refused_before_a_weight_is_read(
    model: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.models.load", lambda *_, **__: pytest.fail("a weight is read"))
    message = (
        r"^probes\.width: reads what the probe lime finds in the same documents, which does not run; "
        r"add a table \[probes\.lime\], or leave width out$"
    )
    with pytest.raises(ProbeError, match=message):
        run(model, here, {"probes.width": {}})


def reading(name: str, *after: str) -> Any:
    return type(name, (), {"name": name, "after": after})()


def names(*probes: Any) -> list[str]:
    return [probe.name for probe in ordered(probes)]


def test_probes_keep_their_order_but_for_those_that_read_others() -> None:
    bare = type("Bare", (), {"name": "d"})()
    assert names(reading("c", "b"), reading("a"), reading("b", "a"), bare) == ["a", "b", "c", "d"]
    assert names(reading("a"), bare, reading("b", "a"), reading("c")) == ["a", "d", "b", "c"]


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        ([reading("a", "a")], "a reads a"),
        ([reading("a", "b"), reading("b", "a")], "a reads b, b reads a"),
        (
            [reading("x", "a"), reading("a", "b"), reading("b", "c"), reading("c", "a")],
            "a reads b, b reads c, c reads a",
        ),
    ],
)
def test_a_circle_is_refused_and_named(probes: list[Any], said: str) -> None:
    with pytest.raises(ProbeError, match=f"no order is possible, since {said}; leave one of them out"):
        ordered(probes)


def yielding(name: str, record: type, **more: Any) -> Any:
    return type(name, (), {"name": name, "record": record, **more})()


def test_a_probe_that_gathers_runs_behind_all_that_yield_its_record_whoever_they_are() -> None:
    judge = yielding("judge", Width, gathers=Explanation)
    found = names(judge, yielding("ours", Explanation), yielding("other", Width), yielding("theirs", Explanation))
    assert found.index("judge") > max(found.index("ours"), found.index("theirs"))
    with pytest.raises(ProbeError, match=r"^probes\.judge: reads the rows of every probe that yields an Explanation"):
        ordered([judge, yielding("other", Width)])


def test_explanations_of_two_methods_are_acted_upon_where_there_are_any(model: Path, here: Path) -> None:
    asked = {
        "probes.lime": {"n_samples": 40, "limit": 6},
        "probes.occlusion": {"limit": 9},
        "probes.faithfulness": {},
        "run.shard_size": 4,
    }
    result = run(model, here, asked)
    lime, occlusion = (set(explained(result, probe)) for probe in ("lime", "occlusion"))
    assert lime < occlusion, "the same draw, further"
    acted = {row.document_id: row for row in result.run.read("faithfulness", Faithfulness)}
    assert set(acted) <= occlusion
    by_probe = [{removal.probe for removal in row.removals} for row in acted.values() if isinstance(row, Faithfulness)]
    assert {frozenset(probes) for probes in by_probe} <= {frozenset({"lime", "occlusion"}), frozenset({"occlusion"})}
    coverage = {row.probe: row.asked for row in result.findings.coverage}
    assert (coverage["lime"], coverage["occlusion"], coverage["faithfulness"]) == (6, 9, 9)


def test_a_limit_of_what_gathers_is_drawn_from_the_documents_that_are_explained(model: Path, here: Path) -> None:
    asked = {"probes.lime": {"n_samples": 20, "limit": 9}, "probes.faithfulness": {"limit": 5}, "report.pdf": False}
    preflight = audit.check(settings(model, here, asked))
    lime, faithfulness = (ids for name, ids in preflight.chosen.items() if name != "prediction")
    assert preflight.asked["faithfulness"] == len(faithfulness) == 5
    assert faithfulness < lime


def explained(result: Any, probe: str) -> list[str]:
    return [row.document_id for row in result.run.read(probe, Explanation)]
