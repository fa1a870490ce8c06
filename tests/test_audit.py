"""Whole audits of tiny models: what is written, what is reused, what a kill leaves behind, what is refused."""

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar

import pydantic
import pytest

from auditor import audit, config, findings
from auditor.errors import (
    ConfigError,
    CorpusError,
    InterruptedRunError,
    LockedError,
    ModelError,
    ProbeError,
    TooManyFailuresError,
    VerificationError,
)
from auditor.findings.analyses.attention import AttentionFindings
from auditor.findings.analyses.perplexity import PerplexityFindings
from auditor.findings.analyses.prediction import PredictionFindings
from auditor.models import Classifies
from auditor.probes.contract import Sitting
from auditor.records.explanations import Explanation
from auditor.records.run import Run
from auditor.records.store import open_run
from auditor.records.types import Document, Failure, Prediction
from auditor.records.verification import verify
from tests.models.tiny import TEXTS, save

LABELS = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
SMALL = {"probes.lime.n_samples": 40, "probes.prediction": {}, "probes.attention": {}, "run.shard_size": 4, "seed": 3}


class Silent:
    """A progress that only remembers."""

    def __init__(self) -> None:
        self.total: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.said: list[str] = []

    def start(self, total_documents_by_probe: dict[str, int]) -> None:
        self.total = total_documents_by_probe

    def say(self, text: str) -> None:
        self.said.append(text)

    def advance(self, probe: str, documents: int) -> None:
        self.done[probe] = self.done.get(probe, 0) + documents


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("audited")
    return {
        "classifier": save(root / "classifier", "bert", "text-classification", **LABELS),
        "several": save(
            root / "several",
            "bert",
            "text-classification",
            **LABELS,
            problem_type="multi_label_classification",
        ),
        "writer": save(root / "writer", "llama", "text-generation"),
    }


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    return tmp_path


def corpus(folder: Path, rows: list[dict[str, object]] | None = None, name: str = "corpus.jsonl") -> Path:
    """A small corpus: 18 labelled documents in two lengths."""
    if rows is None:
        rows = [
            {
                "id": f"d{i}",
                "text": f"{text} {i}",
                "label": ("negative", "positive")[i % 2],
                "size": "sl"[len(text) > 30],
            }
            for i, text in enumerate(TEXTS * 3)
        ]
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def run(model: Path, data: Path, more: dict[str, object] | None = None, **how: object) -> audit.Result:
    settings = config.load(None, {"model.name": model, "corpus.path": data, **SMALL, **(more or {})}, environment={})
    return audit.run(settings, **{"pdf": False, "command": "auditor run", "progress": Silent(), **how})


def sums(result: audit.Result) -> str:
    return (result.run.path / "SHA256SUMS").read_text()


def test_a_classifier_is_audited_from_corpus_to_pdf(models: dict[str, Path], here: Path) -> None:
    progress = Silent()
    more = {"probes.perplexity.model": models["writer"], "checks.accuracy.at_least": 0.01, "probes.lime.limit": 10}
    result = run(models["classifier"], corpus(here), more, pdf=True, progress=progress)
    assert result.pdf is not None, result.pdf_error
    assert result.pdf.read_bytes().startswith(b"%PDF")
    found = result.findings
    assert found.verdict.result == "pass"
    assert progress.done == progress.total == {"prediction": 18, "lime": 10, "attention": 18, "perplexity": 18}
    assert {c.probe: (c.asked, c.measured) for c in found.coverage}["lime"] == (10, 10)
    perplexity = found.analysis("perplexity", PerplexityFindings)
    assert perplexity is not None
    assert perplexity.is_reference
    predictions = found.analysis("prediction", PredictionFindings)
    assert predictions is not None
    assert sum(map(sum, predictions.confusion)) == 18
    assert {row.value for row in found.slices} == {"s", "l"}
    assert any("10 of 18" in note for note in found.notes)
    assert "reference model" in result.html.read_text(encoding="utf-8")
    assert not verify(result.run)
    manifest = result.run.manifest()
    assert manifest is not None
    assert 1.03 * manifest["work"]["tokens"] >= manifest["work"]["tokens_computed"] > 1_000
    assert manifest["work"]["halvings"] == 0


def test_a_finished_run_is_reused_and_fresh_makes_another(models: dict[str, Path], here: Path) -> None:
    first = run(models["classifier"], corpus(here))
    again = run(models["classifier"], corpus(here))
    assert (first.reused, again.reused) == (False, True)
    assert again.run.path == first.run.path
    fresh = run(models["classifier"], corpus(here), fresh=True)
    assert fresh.run.path != first.run.path
    nights = (first.run.path.parent / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{made.run.run_id}/report.html">' in nights for made in (first, fresh))
    evidence = [line for line in sums(first).splitlines() if "evidence/" in line]
    assert evidence == [line for line in sums(fresh).splitlines() if "evidence/" in line]


def test_another_seed_corpus_or_parameter_is_another_plan(models: dict[str, Path], here: Path) -> None:
    ids = {run(models["classifier"], corpus(here), more).run.plan_id for more in ({}, {"seed": 4}, {"corpus.limit": 9})}
    rows = [{"id": "a", "text": "Good.", "label": "positive"}] * 1
    ids.add(run(models["classifier"], corpus(here, rows), {"run.max_failures": 1}).run.plan_id)
    assert len(ids) == 4


def test_a_stopped_run_is_resumed_with_equal_sums(models: dict[str, Path], here: Path) -> None:
    whole = run(models["classifier"], corpus(here), {"run.output": "whole"})
    asked = iter([False, False, True, True])
    with pytest.raises(InterruptedRunError, match="2 of 5 shards"):
        run(models["classifier"], corpus(here), stop=lambda: next(asked))
    progress = Silent()
    resumed = run(models["classifier"], corpus(here), progress=progress)
    assert not resumed.reused
    assert progress.said[1] == f"going on with {resumed.run.path}: 2 of 5 shards are measured"
    assert sums(resumed) == sums(whole)


def test_a_run_that_dies_behind_its_last_rows_knows_how_its_models_were_asked(
    models: dict[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(models["classifier"], corpus(here), {"run.output": "whole", "run.shard_size": 50})
    write = Run.write_shard

    def dies(self: Run, probe: str, record: type, shard: int, rows: list[object]) -> None:
        write(self, probe, record, shard, rows)
        if probe == "attention":
            raise InterruptedRunError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Run, "write_shard", dies)
        with pytest.raises(InterruptedRunError):
            run(models["classifier"], corpus(here), {"run.shard_size": 50})
    resumed = run(models["classifier"], corpus(here), {"run.shard_size": 50})
    assert [proof.question for proof in resumed.run.read_again().plan.computing] == ["answers", "attention"]
    assert sums(resumed) == sums(whole)


def killed(work: Callable[[], object], progress: Callable[[], int], more: int, delay: float) -> bool:
    """Does the work in a process of its own and kills it −9 a moment after `more` steps; whether it ended before."""
    goal = progress() + more
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    while progress() < goal:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_ten_kills_at_any_moment_lose_nothing(models: dict[str, Path], here: Path) -> None:
    data, more = corpus(here), {"run.shard_size": 1, "probes.lime.n_samples": 60}
    whole = run(models["classifier"], data, {**more, "run.output": "whole"})

    def files() -> int:
        return sum(1 for _ in (here / "reports").glob("*/*/evidence/*/*.parquet"))

    chance = random.Random(0)
    kills = sum(
        killed(lambda: run(models["classifier"], data, more), files, chance.randint(1, 3), chance.uniform(0, 0.02))
        for _ in range(12)
    )
    assert kills >= 10
    resumed = run(models["classifier"], data, more)
    assert sums(resumed) == sums(whole)
    assert not verify(resumed.run)


def test_two_runs_at_once_do_not_mix(models: dict[str, Path], here: Path) -> None:
    asked = iter([True])
    with pytest.raises(InterruptedRunError):
        run(models["classifier"], corpus(here), stop=lambda: next(asked))
    place = open_run("latest", here / "reports")
    with place.lock(), pytest.raises(LockedError):
        run(models["classifier"], corpus(here))


def test_findings_and_pages_are_made_again_from_the_evidence_alone(models: dict[str, Path], here: Path) -> None:
    first = run(models["classifier"], corpus(here))
    before = {name: first.run.read_bytes(name) for name in ("findings.json", "report.html")}
    again = audit.rerender(open_run(first.run.run_id, here / "reports"), pdf=False)
    assert {name: again.run.read_bytes(name) for name in before} == before
    assert not verify(again.run)


def test_changed_evidence_is_not_rendered_into_a_report_with_fresh_checksums(
    models: dict[str, Path], here: Path
) -> None:
    result = run(models["classifier"], corpus(here))
    result.html.write_text("anything")
    audit.rerender(open_run("latest", here / "reports"), pdf=False)
    shard = next((result.run.path / "evidence" / "prediction").iterdir())
    shutil.copy(result.run.path / "evidence" / "prediction" / "00004.parquet", shard)
    with pytest.raises(VerificationError, match=r"nothing was rendered, since evidence/prediction/.*was changed"):
        audit.rerender(open_run("latest", here / "reports"), pdf=False)


def test_a_report_is_made_again_on_a_machine_without_torch(models: dict[str, Path], here: Path) -> None:
    result = run(models["classifier"], corpus(here))
    before = result.html.read_bytes()
    result.html.write_bytes(b"")
    code = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from auditor.terminal.cli import main
sys.exit(main(["report", "latest", "--no-pdf"]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert result.html.read_bytes() == before


def test_strange_documents_are_a_row_or_a_failure_each(models: dict[str, Path], here: Path) -> None:
    strange = {
        "empty": "",
        "white space": " \n\t ",
        "one word": "Good",
        "long": "a very long film " * 6_000,
        "nul": "bad\x00film",
        "surrogate": "bad \ud800 film",
        "rtl": "الفيلم طويل جدا ‮لكن رائع",
        "emoji": "🎬 👍🏽 👨‍👩‍👧",
        "one emoji": "🎬",
        "zero width": "a\u200bb\u200dc",
        "marks": "e" + "\u0301" * 2_000,
        "punctuation": "?!…",
        "markup": "</script><b>{{7*7}}</b> $\\frac{1}{2}$ =cmd()",
        "one long word": "x" * 10_000,
    }
    rows = [{"id": key, "text": text, "label": "positive"} for key, text in strange.items()]
    path = here / "strange.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shown = ["prediction", "lime", "attention", "perplexity", "failures", "documents"]
    more = {"run.max_failures": 1, "probes.perplexity.model": models["writer"], "report.sections": shown}
    result = run(models["classifier"], path, more, pdf=True)
    for probe, record in (("prediction", Prediction), ("lime", Explanation)):
        assert [row.document_id for row in result.run.read(probe, record)] == list(strange)
    predictions = {row.document_id: row for row in result.run.read("prediction", Prediction)}
    assert {key for key, row in predictions.items() if isinstance(row, Failure)} == {"empty", "white space"}
    assert predictions["long"].truncated
    documents = {row.id: row for row in result.run.read("documents", Document)}
    assert (documents["nul"].n_cleaned, documents["surrogate"].n_cleaned) == (1, 1)
    page = result.html.read_text(encoding="utf-8")
    assert "&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    assert result.pdf is not None


def test_label_numbers_are_the_models_label_ids(models: dict[str, Path], here: Path) -> None:
    rows = [{"text": text, "label": i % 2} for i, text in enumerate(TEXTS)]
    found = run(models["classifier"], corpus(here, rows)).findings
    predictions = found.analysis("prediction", PredictionFindings)
    assert predictions is not None
    assert predictions.n_labelled == len(TEXTS)
    assert found.notes[0] == "Numbers in the corpus were read as the model's label ids: 0 = negative, 1 = positive."


def test_several_labels_and_pairs(models: dict[str, Path], here: Path) -> None:
    rows = [
        {"text": text, "other": TEXTS[-1 - i], "label": [["negative", "positive"], [], ["positive"]][i % 3]}
        for i, text in enumerate(TEXTS)
    ]
    result = run(models["several"], corpus(here, rows), {"corpus.pair": "other"})
    predictions = result.findings.analysis("prediction", PredictionFindings)
    assert predictions is not None
    assert predictions.multi_label
    explanation = next(row for row in result.run.read("lime", Explanation) if isinstance(row, Explanation))
    assert {span.field for s in explanation.segments for span in s.spans} == {"text", "pair"}


def test_a_language_model_is_audited_with_candidates(models: dict[str, Path], here: Path) -> None:
    rows = [{"text": text[:30], "label": ("good", "bad")[i % 2]} for i, text in enumerate(TEXTS)]
    more = {
        "model.prompt": "{text}\nIt is",
        "model.candidates": [" good", " bad"],
        "probes.perplexity": {"context_length": 16, "stride": 4},
        "checks.recall[good].at_least": 0.01,
        "checks.generation.candidate_mass.at_most": 0.99,
    }
    found = run(models["writer"], corpus(here, rows), more).findings
    predictions = found.analysis("prediction", PredictionFindings)
    assert predictions is not None
    assert predictions.labels == ("good", "bad")
    perplexity = found.analysis("perplexity", PerplexityFindings)
    assert perplexity is not None
    assert (perplexity.context_length, perplexity.stride) == (16, 4)
    attention = found.analysis("attention", AttentionFindings)
    assert attention is not None
    assert attention.causal
    assert [check.number is not None for check in found.checks] == [True, True]


def test_a_language_model_is_audited_by_its_own_continuation(models: dict[str, Path], here: Path) -> None:
    rows = [{"text": text[:30]} for text in TEXTS]
    result = run(models["writer"], corpus(here, rows), {"model.max_new_tokens": 4})
    records = [row for row in result.run.read("lime", Explanation) if isinstance(row, Explanation)]
    assert {record.unit for record in records} == {"log-probability"}
    predictions = [row for row in result.run.read("prediction", Prediction) if isinstance(row, Prediction)]
    assert all(row.continuation and row.mean_logprob and row.mean_logprob < 0 for row in predictions)
    page = result.html.read_text(encoding="utf-8")
    assert "continuation" in page


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"probes.limee": {}}, ConfigError, r"probes\.limee: there is no such probe, did you mean 'lime'"),
        ({"probes.lime.n_sample": 9}, ConfigError, r"probes\.lime\.n_sample: .*did you mean 'n_samples'"),
        ({"probes.lime.n_samples": 1}, ConfigError, r"probes\.lime\.n_samples: .*greater than or equal to 20.*found 1"),
        (
            {"probes.lime.kernel_width": float("inf")},
            ConfigError,
            r"lime\.kernel_width: expected a finite number, found",
        ),
        ({"probes.perplexity": {}}, ProbeError, r'model = "a text-generation model"'),
        ({"checks.acuracy.at_least": 0.8}, ConfigError, r"checks\.acuracy: .*did you mean accuracy"),
        ({"model.prompt": "{text}"}, ConfigError, r"model\.prompt: is not for text-classification"),
        ({"model.task": "text-generation"}, ModelError, "expected a model for text-generation"),
        ({"model.device": "cuda:9"}, ModelError, "not on this machine"),
        ({"corpus.path": "nothing.jsonl"}, CorpusError, "no such file"),
        ({"probes.perplexity.model": "./nowhere"}, ModelError, "expected a folder with a model"),
    ],
)
def test_faults_are_found_before_anything_expensive_starts(
    models: dict[str, Path],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setattr("auditor.models.load", lambda *_, **__: pytest.fail("a weight was loaded"))
    with pytest.raises(error, match=message):
        run(models["classifier"], corpus(here), more)
    assert not (here / "reports").exists()


def test_a_label_the_model_does_not_know_is_named(models: dict[str, Path], here: Path) -> None:
    rows = [{"id": "x7", "text": "Good.", "label": "postive"}]
    with pytest.raises(ConfigError, match='the model does not know "postive"') as caught:
        run(models["classifier"], corpus(here, rows))
    assert '"postive" = "positive"  # 1 document' in caught.value.__notes__[0]


def test_all_faults_of_the_probes_are_told_at_once(models: dict[str, Path], here: Path) -> None:
    more = {"probes.lime.n_samples": 1, "probes.lime.kernel_width": -1, "probes.attention.limit": 0}
    with pytest.raises(ConfigError) as caught:
        run(models["classifier"], corpus(here), more)
    assert len(str(caught.value).splitlines()) == 3


def test_a_hopeless_run_is_stopped_and_its_evidence_kept(models: dict[str, Path], here: Path) -> None:
    rows = [{"text": "" if i % 2 else f"word {i}", "label": "positive"} for i in range(12)]
    with pytest.raises(TooManyFailuresError, match=r"2 of 12 documents failed.*max_failures = 0\.05"):
        run(models["classifier"], corpus(here, rows))
    place = open_run("latest", here / "reports")
    assert not place.is_complete
    assert place.has("documents", 0)


def test_a_hopeless_run_stays_hopeless_however_often_it_is_resumed(models: dict[str, Path], here: Path) -> None:
    rows = [{"text": "" if i % 4 == 3 else f"word {i}", "label": "positive"} for i in range(16)]  # one in each shard
    for _ in range(4):
        with pytest.raises(TooManyFailuresError, match="1 of 16 documents failed"):
            run(models["classifier"], corpus(here, rows))
    place = open_run("latest", here / "reports")
    assert [place.has("prediction", shard) for shard in range(4)] == [True, False, False, False]
    assert not run(models["classifier"], corpus(here, rows), {"run.max_failures": 0.5}).reused


def test_a_document_that_breaks_a_probe_is_found_by_bisection(
    models: dict[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.models import TextClassification

    encode = TextClassification.encode

    def brittle(self: TextClassification, texts: list[tuple[str, str | None]]) -> object:
        if any("waste" in text for text, _ in texts):
            raise RuntimeError("a bug in a model's own code")
        return encode(self, texts)

    monkeypatch.setattr(TextClassification, "encode", brittle)
    more = {"probes.lime.limit": 1, "run.max_failures": 1}
    result = run(models["classifier"], corpus(here), more)
    rows = {row.document_id: row for row in result.run.read("prediction", Prediction)}
    broken = {key: row for key, row in rows.items() if isinstance(row, Failure)}
    assert set(broken) == {"d1", "d7", "d13"}
    assert broken["d1"].kind == "RuntimeError"
    assert broken["d1"].message == "a bug in a model's own code"
    assert {c.probe: c.failed for c in result.findings.coverage}["prediction"] == 3


@dataclasses.dataclass(frozen=True)
class Length:
    """What a third party's probe keeps."""

    document_id: str
    characters: int
    per_word: float


@pydantic.dataclasses.dataclass(frozen=True)
class LengthProbe:
    """A probe in one file, as a third party would write it."""

    name: ClassVar[str] = "length"
    needs: ClassVar[type] = Classifies
    record: ClassVar[type] = Length
    limit: int | None = None
    model: None = None

    def measure(self, model: Classifies, documents: Sequence[Document], sitting: Sitting[object]) -> Iterator[Length]:  # noqa: ARG002
        assert model.identity.labels
        for document in documents:
            yield Length(document.id, len(document.text), len(document.text) / (1 + document.text.count(" ")))


def with_one_more(own: EntryPoint) -> Callable[..., list[EntryPoint]]:
    """The registry, as it is where one more package is installed."""
    return lambda group: [*entry_points(group=group), *([own] if own.group == group else [])]


def test_a_third_partys_probe_is_in_the_report_on_its_first_day(
    models: dict[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = EntryPoint("length", f"{__name__}:LengthProbe", "auditor.probes")
    monkeypatch.setattr("auditor.registry.entry_points", with_one_more(own))
    result = run(models["classifier"], corpus(here), {"probes.length": {}})
    assert {c.probe: c.measured for c in result.findings.coverage}["length"] == 18
    page = result.html.read_text(encoding="utf-8")
    assert "What the probe length found, by document." in page
    assert "per_word" in page


def test_a_probe_whose_name_could_not_stand_in_an_address_is_refused_before_anything_runs(
    models: dict[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = EntryPoint("my <length>", f"{__name__}:LengthProbe", "auditor.probes")
    monkeypatch.setattr("auditor.registry.entry_points", with_one_more(own))
    with pytest.raises(ConfigError, match="my <length>: a probe's name is made of a-z, 0-9 and _; tell who wrote"):
        run(models["classifier"], corpus(here), {"probes": {"my <length>": {}}})


def test_findings_json_is_valid_under_the_shipped_schema(models: dict[str, Path], here: Path) -> None:
    import jsonschema

    result = run(models["classifier"], corpus(here))
    jsonschema.validate(json.loads(result.run.read_bytes("findings.json")), findings.schema())
