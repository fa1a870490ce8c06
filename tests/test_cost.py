"""What a run costs, before it runs: bounds that hold, estimates that are right where everything was tried."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import audit, config, models
from auditor.probes.contract import Evaluations, Prepares, Sitting, gathered, predecessors
from auditor.records.types import Document
from auditor.running import extrapolation, pilot
from auditor.running.cost import Cost, Estimate, ProbeCost
from auditor.running.extrapolation import Load, Pace, Tried, grown, spread
from auditor.running.probe_selection import choose
from auditor.terminal.cli import main
from tests.models.tiny import TEXTS, save
from tests.test_audit import LABELS, Silent, corpus

EXPLAINERS = {"lime": {"max_samples": 60}, "occlusion": {}, "saliency": {}, "input_x_gradient": {}}
INTEGRATED = {"n_steps": 4, "max_steps": 20, "tolerance": 1e-9}
TABLES = {
    "text-classification": {
        "prediction": {},
        **EXPLAINERS,
        "integrated_gradients": INTEGRATED,
        "attention_rollout": {},
        "mean_attention": {},
        "shap": {"max_evaluations": 60},
        "anchors": {"max_samples": 200, "limit": 18},
        "faithfulness": {},
        "attention": {"maps": 2},
        "head_ablation": {},
    },
    "text-generation": {"perplexity": {"context_length": 8, "stride": 4}},
    "fill-mask": {"pseudo_perplexity": {}},
}
RANDOMISED = {"prediction": {}, "lime": {"max_samples": 60}, "saliency": {}, "attention_rollout": {}, "sanity": {}}
EXACT = {
    "prediction",
    "occlusion",
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "attention",
    "perplexity",
    "head_ablation",
}
TEXT = Document("one", TEXTS[0])


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("cost")
    return {
        "text-classification": save(root / "classifier", "bert", "text-classification", **LABELS),
        "text-generation": save(root / "writer", "llama", "text-generation"),
        "fill-mask": save(root / "filler", "bert", "fill-mask"),
    }


@pytest.fixture
def settings(checkpoints: dict[str, Path], tmp_path: Path) -> Callable[..., config.Config]:
    def make(task: str = "text-classification", **tables: Any) -> config.Config:
        probes = {f"probes.{name}": table for name, table in (tables or TABLES[task]).items()}
        named = {"model.name": checkpoints[task], "corpus.path": corpus(tmp_path), "run.output": tmp_path / "reports"}
        return config.load(None, {**named, **probes}, environment={})

    return make


@pytest.mark.parametrize(("task", "tables"), [*TABLES.items(), ("text-classification", RANDOMISED)])
def test_no_probe_asks_more_often_than_it_says(
    settings: Callable[..., config.Config], checkpoints: dict[str, Path], task: str, tables: dict[str, Any]
) -> None:
    made = settings(task, **tables)
    probes, found = choose(made, task), models.find("m", checkpoints[task], task=task)
    model = models.load(found, models.Settings(texts=[(text, None) for text in TEXTS]), device="cpu")
    documents = [Document(f"d{i}", text, labels=("positive",)) for i, text in enumerate(TEXTS)]
    rows: dict[str, dict[str, Any]] = {}
    for probe in (one for one in probes if one.name in tables):
        stated = probe.evaluations(model, documents, probes)
        before = model.batcher.work
        prepared = probe.prepare(model, documents, 0) if isinstance(probe, Prepares) else None
        earlier = {name: rows[name] for name in predecessors(probe, probes)}
        sitting = Sitting(0, earlier, prepared, gathered(probe, probes))
        rows[probe.name] = {row.document_id: row for row in probe.measure(model, documents, sitting)}
        work = Counter(model.batcher.work)
        work.subtract(before)
        asked = Evaluations(work["texts"] - work["gradients"], work["gradients"])
        most = Load(documents, stated).most
        assert most is not None
        assert asked.forward <= most.forward, probe.name
        assert asked.backward <= most.backward, probe.name
        assert probe.name not in EXACT or asked.forward == most.forward, probe.name
        assert asked.forward + asked.backward > 0


def test_where_every_document_is_tried_the_estimate_is_what_the_run_computes(
    settings: Callable[..., config.Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extrapolation, "SECONDS", 1e6)
    monkeypatch.setattr(pilot, "PATIENCE", 1e6)
    made = settings()
    cost = audit.estimate(made, progress=Silent())
    assert not Path(made.run.output).exists(), "nothing is written"
    result = audit.run(made, pdf=False, progress=Silent())
    work = (result.run.manifest() or {})["work"]
    tried = {one.probe: one.tried for one in cost.probes}
    assert tried == dict.fromkeys(tried, 18) | {"faithfulness": tried["faithfulness"]}
    estimates = [one.estimate for one in cost.probes if one.estimate]
    assert sum(one.evaluations for one in estimates) == work["texts"]
    assert sum(one.gradients for one in estimates) == work["gradients"] > 0
    assert sum(one.tokens for one in estimates) == work["tokens"]
    assert cost.seconds is not None
    assert cost.seconds > cost.once > 0


def test_where_a_document_would_take_too_long_every_evaluation_counts_at_the_pace_of_the_model(
    settings: Callable[..., config.Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot, "PATIENCE", 0.0)
    cost = audit.estimate(settings(lime={"max_samples": 60}, faithfulness={}), progress=Silent())
    for one in cost.probes:
        assert one.most is not None
        assert one.estimate is not None
        if one.probe in ("lime", "faithfulness"):
            assert one.tried == 0
            assert one.estimate.evaluations == one.most.forward > one.documents
            assert one.estimate.seconds > 0


def test_a_probe_that_does_not_say_how_often_it_asks_is_tried_all_the_same(
    settings: Callable[..., config.Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.probes.prediction import PredictionProbe

    made = settings(occlusion={}, prediction={})
    known = audit.estimate(made, progress=Silent())
    monkeypatch.setattr(pilot, "Bounded", PredictionProbe)
    cost = audit.estimate(made, progress=Silent())
    assert [one.most is None for one in cost.probes] == [one.probe == "occlusion" for one in cost.probes]
    evaluations = [[one.estimate and one.estimate.evaluations for one in each.probes] for each in (known, cost)]
    assert evaluations[0] == evaluations[1]
    assert any("not stated" in line for line in cost.lines)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_prints_it(
    settings: Callable[..., config.Config], as_json: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = settings(prediction={})
    options = ["--model", made.model.name, "--data", made.corpus.path, "--output", str(tmp_path / "reports")]
    chosen = ["--set", "probes.prediction.limit=5", "--dry-run", *(["--json"] if as_json else [])]
    assert main(["run", *options, *chosen]) == 0
    out = capsys.readouterr().out
    assert not (tmp_path / "reports").exists()
    if as_json:
        probes = json.loads(out)["probes"]
        assert probes["prediction"]["most"] == {"forward": 5, "backward": 0}
        assert probes["prediction"]["estimate"]["evaluations"] == 5
    else:
        assert out.splitlines()[1].split()[:4] == ["prediction", "5", "5", "5"]


def test_the_table_says_what_is_known_and_what_is_not() -> None:
    known = ProbeCost("one", 1200, Evaluations(1200, 24_000), 3, Estimate(25_200, 24_000, 600_000, 5400.0))
    lines = list(Cost((known, ProbeCost("other", 2, None, 0, None)), 3.0, 4.0, "cpu").lines)
    assert lines[1].split("  ")[0] == "one"
    assert "1,200 + 24,000 gradients" in lines[1]
    assert lines[1].endswith("90 min")
    assert lines[2].split() == ["other", "2", "not", "stated", "not", "known"]
    assert lines[4].startswith("estimated: about 90 min, and what other takes besides, on cpu, 3 s of it")


@given(st.lists(st.integers(1, 500), min_size=1, max_size=200))
def test_every_beginning_of_the_order_has_short_and_long_documents_in_proportion(lengths: list[int]) -> None:
    documents = [Document(f"d{i:03}", "x" * n) for i, n in enumerate(lengths)]
    order = spread(documents)
    assert sorted(order, key=lambda d: d.id) == documents
    rank = {d.id: i for i, d in enumerate(sorted(documents, key=lambda d: (len(d.text), d.id)))}
    first = [rank[d.id] for d in order[:3]]
    if len(documents) == 200:
        assert first == [128, 64, 192]


def test_the_first_is_measured_then_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extrapolation, "SECONDS", 1.0)
    asked: list[int] = []

    def measure(n: int) -> Tried:
        asked.append(n)
        return Tried(0.05 + 0.01 * n, Counter(texts=2 * n, tokens=20 * n))

    n, tried = grown(measure, 1000)
    assert (asked, n) == ([1, 16, 76], 76)
    assert tried.times(10).tokens == 15_200
    assert grown(measure, 10)[0] == 10


def test_a_weight_is_evaluations_times_length_and_a_gradient_counts_three() -> None:
    load = Load([TEXT, TEXT], [Evaluations(2, 1), Evaluations(1)])
    n = len(TEXT.text) + 8
    assert load.weights().tolist() == [5 * n, n]
    assert load.most == Evaluations(3, 1)
    assert Load([TEXT], None).weights().tolist() == [n]
    whole = Pace.of(Tried(2.0, Counter(tokens=10)), n).estimate(load)
    assert whole == Estimate(4, 1, 40, 12.0)
    assert Pace(1.0, 1.0).estimate(Load([TEXT], None)) is None
