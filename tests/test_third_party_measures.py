"""A second explainer and a probe with numbers, brought by a package of somebody else, have the rights of ours."""

import importlib
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.errors import ConfigError
from auditor.findings.contract.registry import summaries
from auditor.records.explanations import Explanation
from auditor.records.verification import verify
from auditor.report.chapters import chapters
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

PACKAGE = Path(__file__).parent / "extensions" / "explaining"
LOUD, QUIET = "A GREAT FILM {n}", "what a dull film {n}"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(PACKAGE)
    importlib.invalidate_caches()
    for registry in (summaries, chapters):
        registry.cache_clear()
    yield
    monkeypatch.undo()
    for registry in (summaries, chapters):
        registry.cache_clear()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("measured") / "classifier", "bert", "text-classification", **LABELS)


def settings(model: Path, here: Path, **checks: dict[str, float]) -> config.Config:
    lines = [f"{(LOUD if n % 2 else QUIET).format(n=n)},{'loud' if n % 2 else 'quiet'}" for n in range(80)]
    (here / "corpus.csv").write_text("text,tone\n" + "\n".join(lines))
    tables = {
        "model.name": model,
        "corpus.path": here / "corpus.csv",
        "model.device": "cpu",
        "run.output": here / "runs",
        "probes.prediction": {},
        "probes.lime": {"n_samples": 40},
        "probes.twin": {"n_samples": 40},
        "probes.shouting": {},
        "checks": checks,
        "seed": 3,
    }
    return config.load(None, tables, environment={})


@pytest.fixture
def result(classifier: Path, tmp_path: Path) -> audit.Result:
    bounds = {"twin.fidelity": {"at_least": -5.0}, "shouting.mean_share{tone=quiet}": {"at_most": 0.1}}
    return audit.run(settings(classifier, tmp_path, **bounds), pdf=False, progress=Silent())


def test_both_explainers_keep_their_rows_and_have_their_chapters(result: audit.Result) -> None:
    lime, twin = (list(result.run.read(probe, Explanation)) for probe in ("lime", "twin"))
    assert [row.document_id for row in lime] == [row.document_id for row in twin]
    assert [row.segments for row in lime] == [row.segments for row in twin]
    assert {row.method for row in twin} == {"twin"}
    assert verify(result.run) == []
    page = result.html.read_text(encoding="utf-8")
    assert '<section id="lime" class="part">' in page
    assert '<section id="probe-twin" class="part">' in page
    assert "Explanations of the twin" in page
    assert page.count('<article class="card" id="probe-twin-') == page.count('<article class="card" id="lime-') > 0


def test_their_numbers_are_checked_sliced_listed_and_explained(result: audit.Result) -> None:
    findings = result.findings
    assert {check.name: check.result for check in findings.checks} == {
        "twin.fidelity": "pass",
        "shouting.mean_share{tone=quiet}": "pass",
    }
    by_slice = {row.value: {n.name.partition("{")[0]: n.value for n in row.numbers} for row in findings.slices}
    assert by_slice["quiet"]["shouting.mean_share"] == 0.0
    assert by_slice["loud"]["shouting.mean_share"] == 1.0
    assert "twin.fidelity" in by_slice["loud"]
    page = result.html.read_text(encoding="utf-8")
    front = page[page.index("<main") : page.index("<section")]
    assert "Twin fidelity" in front, "the check stands on page one"
    assert "Letters in capitals" in front, "a key number by its rank"
    slices = page[page.index('id="slices"') : page.index('id="documents"')]
    assert "Letters in capitals" in slices
    documents = page[page.index('id="documents"') :]
    assert "R² twin" in documents
    assert ">Caps<" in documents
    glossary = page[page.index('<section id="glossary"') :]
    assert "Upper-case letters." in glossary


def test_an_impossible_bound_on_their_numbers_is_refused_before_anything_runs(classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"checks\.twin\.fidelity: at_least = 2 cannot be kept"):
        audit.check(settings(classifier, tmp_path, **{"twin.fidelity": {"at_least": 2.0}}))
    with pytest.raises(ConfigError, match=r"cannot give such a number; did you mean .*shouting\.mean_share"):
        audit.check(settings(classifier, tmp_path, **{"shouting.mean_shares": {"at_least": 0.5}}))
