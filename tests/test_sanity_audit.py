"""An audit that looks whether its explainers react to the model, one of somebody else among them."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.errors import InterruptedRunError, ProbeError
from auditor.findings.analyses.sanity import SanityFindings
from auditor.findings.contract.registry import summaries
from auditor.probes.occlusion import OcclusionProbe
from auditor.records.plan import read
from auditor.records.proof import SelfCheck
from auditor.records.sanity import Sanity
from auditor.report.chapters import chapters
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

PACKAGE = Path(__file__).parent / "extensions" / "explaining"
WORDS = ("not", "bad", "at", "all", "a", "dull", "waste", "of", "two", "hours", "film")


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGE)
        patch.setenv("SOURCE_DATE_EPOCH", "1790000000")
        importlib.invalidate_caches()
        for registry in (summaries, chapters):
            registry.cache_clear()
        yield
    for registry in (summaries, chapters):
        registry.cache_clear()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("sane") / "classifier", "bert", "text-classification", **LABELS)


def settings(model: Path, here: Path, output: str) -> config.Config:
    lines = [" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 9)) for n in range(1, 11)]
    (here / "corpus.csv").write_text("text\n" + "\n".join([*lines, "dull"]), encoding="utf-8")
    tables = {
        "model.name": model,
        "corpus.path": here / "corpus.csv",
        "model.device": "cpu",
        "run.output": here / output,
        "run.shard_size": 6,
        "probes.prediction": {},
        "probes.occlusion": {},
        "probes.lengths": {},
        "probes.saliency": {},
        "probes.sanity": {"limit": 11},
        "checks": {"sanity.similarity": {"at_most": 0.9}},
    }
    return config.load(None, tables, environment={})


def run(model: Path, here: Path, output: str = "runs", **how: object) -> audit.Result:
    return audit.run(settings(model, here, output), pdf=False, progress=Silent(), **how)


@pytest.fixture(scope="module")
def result(model: Path, tmp_path_factory: pytest.TempPathFactory) -> audit.Result:
    return run(model, tmp_path_factory.mktemp("whole"))


def test_whoever_does_not_react_is_named_on_page_one(result: audit.Result) -> None:
    found = result.findings.analysis("sanity", SanityFindings)
    reactions = {one.probe: one.reaction for one in found.explainers}
    assert reactions["lengths"] == "does not react"
    assert reactions["occlusion"] == "reacts"
    assert {one.probe for one in found.explainers} == {"occlusion", "lengths", "saliency"}
    assert [part.name for part in found.parts] == ["head", "layers", "layers", "embeddings"]
    rows = [row for row in result.run.read("sanity", Sanity) if isinstance(row, Sanity)]
    assert len(rows) == 10
    assert all(one.correlation == pytest.approx(1) for row in rows for one in row.likenesses if one.step == 0)
    page = result.html.read_text(encoding="utf-8")
    front = page[page.index("<main") : page.index("<section")]
    assert "Explanations by lengths do not react to the model" in front
    assert '<section id="sanity" class="part">' in page
    assert "every weight drawn anew" in page
    (check,) = result.findings.checks
    assert check.result == "pass"


def test_self_checks_are_kept_with_the_plan_and_printed(result: audit.Result) -> None:
    (check,) = read(result.run.path / "plan.json").self_checks
    assert (check.probe, check.passes) == ("occlusion", True)
    assert result.findings.self_checks == (check,)
    page = result.html.read_text(encoding="utf-8")
    assert f"Self-check before the run: over {check.n_weights} weights of toy models" in page


def test_a_run_that_was_stopped_between_two_shards_ends_as_one_that_was_not(
    model: Path, result: audit.Result, tmp_path: Path
) -> None:
    answers = iter([False, True])
    with pytest.raises(InterruptedRunError):
        run(model, tmp_path, stop=lambda: next(answers))
    again = run(model, tmp_path)
    assert sums(again) == sums(result)


def sums(result: audit.Result) -> list[str]:
    """The evidence: plan and report name the folder of the corpus."""
    lines = (result.run.path / "SHA256SUMS").read_text().splitlines()
    return [line for line in lines if "evidence/" in line]


def test_a_run_whose_self_check_fails_is_refused(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OcclusionProbe, "self_check", lambda _: SelfCheck("occlusion", 3, 0.1, tolerance=1e-9))
    with pytest.raises(ProbeError, match=r"probes\.occlusion: the self-check failed"):
        run(model, tmp_path)
    assert not (tmp_path / "runs").exists()
