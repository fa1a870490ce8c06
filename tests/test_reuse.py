"""Rows of runs before: the evidence of a warm run is that of a cold one, and nothing is measured that is known."""

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor import audit, config
from auditor import models as doors
from auditor.errors import ModelError, VerificationError
from auditor.probes.prediction import PredictionProbe
from auditor.records import reused, schema, sums
from auditor.records.cache import FILE, FOLDER, Cache
from auditor.records.explanations import Explanation
from auditor.records.run import Run
from auditor.records.store import find_or_create, open_run
from auditor.records.types import Failure, Prediction
from auditor.records.verification import verify
from auditor.running import planning, rechecking
from auditor.running.row_keys import RowKeys
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent, corpus

ASKED = {
    "probes.prediction": {},
    "probes.lime": {"n_samples": 40, "limit": 12},
    "probes.occlusion": {"limit": 12},
    "probes.faithfulness": {},
    "probes.attention": {"maps": 3},
    "run.shard_size": 9,
    "seed": 3,
}
FEW = {"probes.prediction": {}, "probes.lime": {"n_samples": 20}, "run.shard_size": 9}
WORK = Counter[str]()
"""What the last run computed."""
FIRST, SECOND = 1_790_000_000, 1_790_090_000
"""The nights begin so many seconds after 1970: 25 hours apart."""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("cached") / "classifier", "bert", "text-classification", **LABELS)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIRST))
    monkeypatch.setattr(rechecking, "SHARE", 0.0)
    return tmp_path


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda seconds: monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))


def settings(model: Path, data: Path, more: dict[str, Any] | None) -> config.Config:
    return config.load(None, {"model.name": model, "corpus.path": data, **FEW, **(more or {})}, environment={})


def run(model: Path, data: Path, more: dict[str, Any] | None = None, *, fresh: bool = True) -> Run:
    """A run that is measured, and no report."""
    asked = settings(model, data, more)
    preflight = audit.check(asked)
    made = find_or_create(Path(asked.run.output), planning.plan(preflight, ""), fresh=fresh, now=datetime.now(UTC))
    with made.lock():
        WORK.clear()
        WORK.update(audit.measure(preflight, made, stop=lambda: False, progress=Silent()).work)
    return made.read_again()


def audited(model: Path, data: Path, more: dict[str, Any], progress: Silent) -> audit.Result:
    return audit.run(settings(model, data, more), fresh=True, pdf=False, progress=progress)


def evidence(run: Run) -> dict[str, str]:
    """File → SHA-256."""
    return {name: digest for name, digest in sums.compute(run.path).items() if name.startswith("evidence/")}


def rows(run: Run) -> dict[str, tuple[int, int]]:
    """Probe → rows measured and reused."""
    return {name: (one.computed, one.reused) for name, one in reused.read(run.path).items()}


def no_model(*_: object, **__: object) -> None:
    raise ModelError("a model is loaded")


def documents(n: int, **others: str) -> list[dict[str, object]]:
    def text(i: int) -> str:
        return others.get(f"d{i}", f"The film number {i} was {'not ' * (i % 3)}good, and {'very ' * (i % 5)}long.")

    return [{"id": f"d{i}", "text": text(i), "label": ("negative", "positive")[i % 2]} for i in range(n)]


@pytest.mark.usefixtures("no_embedded_fonts")
def test_an_unchanged_night_has_the_same_evidence_and_loads_no_model(
    classifier: Path, here: Path, night: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cold, progress = run(classifier, corpus(here), ASKED), Silent()
    assert set(rows(cold).values()) == {(18, 0), (12, 0)}
    night(SECOND)
    monkeypatch.setattr(doors, "load", no_model)
    result = audited(classifier, corpus(here), ASKED, progress)
    warm = result.run.read_again()
    assert evidence(warm) == evidence(cold)
    assert warm.plan_id == cold.plan_id
    assert warm.plan.computing == cold.plan.computing
    assert set(rows(warm).values()) == {(0, 18), (0, 12)}
    told = next(text for text in progress.said if text.startswith("reused"))
    assert told.startswith("reused 72 of 72 rows, measured since 2026-09-21T14:13:20Z: attention 18 of 18, ")
    lime = {"computed": 0, "reused": 12, "since": "2026-09-21T14:13:20Z"}
    assert (warm.manifest() or {})["rows"]["lime"] == lime
    assert result.findings.provenance["Reused"] == "72 of 72 rows, measured since 21 September 2026"
    before = result.html.read_bytes()
    audit.rerender(open_run(warm.path, here), pdf=False)
    assert result.html.read_bytes() == before
    assert not verify(warm)


def test_a_new_bound_title_language_or_reviewer_needs_no_model(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = run(classifier, corpus(here))
    monkeypatch.setattr(doors, "load", no_model)
    (here / "own").mkdir()
    (here / "own" / "user.css").write_text("p { color: black }")
    look = {"report.language": "zh", "report.reviewers": ["A. Reader"], "report.templates": here / "own"}
    for more in ({"checks.accuracy.at_least": 0.01}, {"title": "Another title"}, look):
        other = run(classifier, corpus(here), more)
        assert other.plan_id != cold.plan_id
        assert evidence(other) == evidence(cold)
    other = run(classifier, corpus(here), {"run.shard_size": 7, "model.batch_tokens": 512})
    assert {n for n, _ in rows(other).values()} == {0}, "another limit or shard size asks for rows that are known"


def keys(model: Path, data: Path, more: dict[str, Any]) -> dict[str, list[bytes] | None]:
    """Probe → keys of its rows, without anything being measured."""
    tables = {"model.name": model, "corpus.path": data, **ASKED, **more}
    preflight = audit.check(config.load(None, tables, environment={}))
    found = RowKeys(preflight, planning.plan(preflight, ""))
    for probe in preflight.probes:
        found.prepare(probe, frozenset({"d1"}) if probe.name == "lime" else {"d1": 0})
    return {probe.name: found.of(probe, preflight.documents[:12]) for probe in preflight.probes}


EVERY = frozenset({"prediction", "lime", "occlusion", "faithfulness", "attention"})


@pytest.mark.parametrize(
    ("more", "new"),
    [
        ({}, set()),
        ({"title": "Another"}, set()),
        ({"run.shard_size": 3, "corpus.metadata": "[]", "model.batch_tokens": 64}, set()),
        ({"seed": 4}, EVERY),
        ({"model.max_length": 12}, EVERY),
        ({"model.multi_label": True}, EVERY),
        ({"model.dtype": "bfloat16"}, EVERY),
        ({"probes.lime": {"n_samples": 41, "limit": 12}}, {"lime", "faithfulness"}),
        ({"probes.attention": {"maps": 4}}, {"attention"}),
    ],
)
def test_a_key_says_all_that_decides_a_row_and_no_more(
    classifier: Path, here: Path, more: dict[str, Any], new: set[str]
) -> None:
    before, now = (keys(classifier, corpus(here), one) for one in ({}, more))
    assert {name for name in EVERY if before[name] != now[name]} == new
    assert all(keys is not None and len(set(keys)) == 12 for keys in before.values())


def test_a_document_is_its_id_text_and_labels(classifier: Path, here: Path) -> None:
    plain = documents(12)
    before = keys(classifier, corpus(here, plain), {})
    for field, value in (("id", "other"), ("text", "Another text."), ("label", "positive")):
        now = keys(classifier, corpus(here, [{**plain[0], field: value}, *plain[1:]]), {})
        for name in EVERY - {"attention"}:
            pairs = zip(before[name] or [], now[name] or [], strict=True)
            assert [i for i, (one, other) in enumerate(pairs) if one != other] == [0]


def test_other_weights_under_the_same_name_are_another_model(classifier: Path, here: Path) -> None:
    model = Path(shutil.copytree(classifier, here / "model"))
    run(model, corpus(here))
    shutil.rmtree(model)
    save(model, "bert", "text-classification", **LABELS, hidden_act="relu")
    assert {reused for _, reused in rows(run(model, corpus(here))).values()} == {0}


def test_of_a_corpus_that_changed_only_the_new_documents_are_measured(classifier: Path, here: Path) -> None:
    everything = {"probes.lime": {"n_samples": 40, "keep": "all"}, "probes.occlusion": {}, "probes.faithfulness": {}}
    run(classifier, corpus(here, documents(20)), everything)
    changed = documents(24, d3="Something else entirely was written here.")[1:]
    warm = run(classifier, corpus(here, changed), everything)
    n = {"prediction": (5, 18), "lime": (5, 18), "occlusion": (5, 18), "faithfulness": (5, 18)}
    assert {name: rows(warm)[name] for name in n} == n
    cold = run(classifier, corpus(here, changed), {**everything, "run.output": "cold", "run.cache": False})
    assert not rows(cold)
    assert not (here / "cold" / FOLDER).exists()
    for probe, record in (("prediction", Prediction), ("lime", Explanation)):
        before, now = (list(one.read(probe, record)) for one in (warm, cold))
        rechecking.require_same(before, now, dtype="float32", where=probe, cure="")


def test_a_reference_model_is_one_of_the_facts(classifier: Path, here: Path) -> None:
    save(here / "writer", "llama", "text-generation")
    more = {"probes.perplexity.model": here / "writer"}
    cold = run(classifier, corpus(here), more)
    warm = run(classifier, corpus(here), more)
    assert (evidence(warm), warm.plan.computing) == (evidence(cold), cold.plan.computing)
    assert rows(warm)["perplexity"] == (0, 18)
    save(here / "writer", "llama", "text-generation", hidden_size=48)
    other = rows(run(classifier, corpus(here), more))
    assert (other["perplexity"], other["lime"]) == ((18, 0), (0, 18))


def test_a_failure_is_measured_again_and_so_is_what_follows_from_it(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.probes.lime.probe import LimeProbe

    study = LimeProbe.study

    def fails(self: LimeProbe, document: Any, *arguments: Any) -> Any:
        if document.id == "d3":
            raise RuntimeError("out of luck")
        return study(self, document, *arguments)

    more = {**ASKED, "probes.lime": {"n_samples": 40}, "run.max_failures": 0.5}
    with monkeypatch.context() as patched:
        patched.setattr(LimeProbe, "study", fails)
        run(classifier, corpus(here, documents(12)), more)
    warm = run(classifier, corpus(here, documents(12)), more)
    assert rows(warm)["lime"] == (1, 11)
    assert rows(warm)["faithfulness"] == (1, 11)
    assert not [row for row in warm.read("lime", Explanation) if isinstance(row, Failure)]


def plant(here: Path) -> None:
    """Puts another row, with hashes that hold, into the place of a prediction."""
    cache = Cache(here / "reports", 10**9, "2026-09-21T14:13:20Z")
    for (number,) in cache._ask("SELECT id FROM chunks", []):
        chunk = cache.chunk(number)
        assert chunk is not None
        try:
            kept = schema.from_bytes(Prediction, chunk.content, whole=True)
        except schema.StoreError:
            continue
        first = kept[0]
        assert isinstance(first, Prediction)
        kept[0] = dataclasses.replace(first, probabilities=(0.25, 0.75))
        cache.keep(dataclasses.replace(chunk, content=schema.to_bytes(Prediction, kept)))
        return


def test_a_wrong_row_is_found_by_measuring_it_again(
    classifier: Path, here: Path, night: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = run(classifier, corpus(here))
    plant(here)
    monkeypatch.setattr(rechecking, "SHARE", 1.0)
    assert run(classifier, corpus(here)), "too young to be measured again"
    night(SECOND)
    with pytest.raises(VerificationError) as found:
        run(classifier, corpus(here))
    message = str(found.value)
    for part in (
        f"probe prediction, rows of run {cold.run_id} in run 20260922-151320-",
        "document 'd0': probabilities[0] was 0.25 and is ",
        "measure all with --no-cache, or delete reports/.cache",
    ):
        assert part in message
    shutil.rmtree(here / "reports" / FOLDER)
    assert evidence(run(classifier, corpus(here), fresh=False)) == evidence(cold)


def test_right_rows_are_measured_again_once_a_night_and_stay(
    classifier: Path, here: Path, night: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = run(classifier, corpus(here))
    monkeypatch.setattr(rechecking, "SHARE", 1.0)
    night(SECOND)
    checked = run(classifier, corpus(here))
    assert evidence(checked) == evidence(cold)
    assert WORK["tokens"] > 0
    assert {n for n, _ in rows(checked).values()} == {0}
    run(classifier, corpus(here))
    assert not WORK, "measured again a moment ago"


def test_a_damaged_cache_is_an_empty_one(classifier: Path, here: Path) -> None:
    cold = run(classifier, corpus(here))
    file = here / "reports" / FOLDER / FILE
    file.write_bytes(file.read_bytes()[:5_000])
    for ending in ("-wal", "-shm"):
        file.with_name(FILE + ending).unlink(missing_ok=True)
    assert evidence(run(classifier, corpus(here))) == evidence(cold)
    warm = run(classifier, corpus(here))
    assert (evidence(warm), {n for n, _ in rows(warm).values()}) == (evidence(cold), {0})


def test_text_stands_in_the_rows_alone(classifier: Path, here: Path) -> None:
    run(classifier, corpus(here, documents(8, d2="A canary sings in the mine.")))
    cache = Cache(here / "reports", 10**9, "2026-09-21T14:13:20Z")
    others = [
        *cache._ask("SELECT sha256, keys, proofs, run, measured, checked, used FROM chunks", []),
        *cache._ask("SELECT key, json FROM facts", []),
        *cache._ask("SELECT * FROM rows", []),
    ]
    assert others
    assert all(word not in repr(others) for word in ("canary", str(classifier), "corpus.jsonl"))


def test_a_model_that_forgets_the_weights_it_had_keeps_nothing(classifier: Path, here: Path) -> None:
    """The probe `sanity` asks others again under changed weights: their rows are those of the true ones."""
    cold = run(classifier, corpus(here), {"probes.sanity": {"limit": 2}})
    alone = run(classifier, corpus(here), {"run.output": "alone", "run.cache": False})
    warm = run(classifier, corpus(here))
    assert evidence(warm) == evidence(alone)
    assert {n for n, _ in rows(warm).values()} == {0}
    assert rows(cold)["sanity"][1] == 0


def test_a_probe_that_prepares_what_is_not_plain_is_measured_each_time(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PredictionProbe, "prepare", lambda *_: object(), raising=False)
    for _ in range(2):
        result = run(classifier, corpus(here))
        assert rows(result)["prediction"] == (18, 0)
        assert rows(result)["lime"] == (18, 0), "it reads the rows of one that has no keys"


def test_lines_that_were_cut_are_passed_over(tmp_path: Path) -> None:
    reused.note(tmp_path, "lime", 0, reused.Rows(3, 2, "2026-01-02"))
    reused.note(tmp_path, "lime", 0, reused.Rows(1, 4, "2026-01-01"))
    reused.note(tmp_path, "lime", 1, reused.Rows(5, 0))
    with (tmp_path / reused.FILE).open("a") as file:
        file.write(json.dumps({"probe": "lime", "shard": 2})[:20])
    assert reused.read(tmp_path) == {"lime": reused.Rows(6, 4, "2026-01-01")}
