"""Documents that a probe is given by name: beside its sample, counted, and refused where the corpus lacks them."""

from pathlib import Path

import pytest

from auditor import config
from auditor.errors import ConfigError
from auditor.running.checking import check
from auditor.running.planning import plan
from auditor.running.preflight import Preflight
from tests.models.tiny import save
from tests.test_audit import LABELS, corpus

SMALL = {"probes.anchors.limit": 2, "probes.anchors.max_samples": 200, "probes.prediction": {}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("picked") / "classifier", "bert", "text-classification", **LABELS)


def settings(model: Path, folder: Path, **anchors: object) -> config.Config:
    more = {f"probes.anchors.{key}": value for key, value in anchors.items()}
    named = {"model.name": model, "corpus.path": corpus(folder), "run.output": folder / "reports"}
    return config.load(None, {**named, **SMALL, **more}, environment={})


def checked(model: Path, folder: Path, **anchors: object) -> tuple[Preflight, frozenset[str]]:
    found = check(settings(model, folder, **anchors))
    (probe,) = (one for one in found.probes if one.name == "anchors")
    return found, found.chosen[probe.name]


def test_documents_picked_by_name_come_to_those_of_the_sample_and_are_counted(model: Path, tmp_path: Path) -> None:
    _, drawn = checked(model, tmp_path)
    assert len(drawn) == 2
    others = sorted({f"d{i}" for i in range(18)} - drawn)[:3]
    found, chosen = checked(model, tmp_path, ids=[*others, next(iter(drawn)), others[0]])
    assert chosen == drawn | set(others)
    assert found.asked["anchors"] == plan(found, "").probes["anchors"].n_documents == 5
    assert "4 documents were picked by name for the anchors probe, beside its sample." in found.notes


def test_an_id_that_the_corpus_does_not_have_is_refused_before_anything_loads(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.models.load", lambda *_, **__: pytest.fail("a weight was loaded"))
    with pytest.raises(ConfigError, match=r"probes\.anchors\.ids: expected ids of the 18 .*found 'd99', did you mean"):
        checked(model, tmp_path, ids=["d1", "d99"])
    with pytest.raises(ConfigError, match=r"found 'x', 'y', 'z' and 1 more; the first of them is 'd0'"):
        checked(model, tmp_path, ids=["x", "y", "d3", "z", "zz"])
    with pytest.raises(ConfigError, match=r"probes\.anchors\.ids"):
        checked(model, tmp_path, ids="d1")
