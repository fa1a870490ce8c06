"""Which documents are mapped, and that nothing but the seed and the documents decides it."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor import audit, config
from auditor.errors import ProbeError
from auditor.models import find, load
from auditor.probes.attention import CHARACTERS, MAP_KEYS, AttentionProbe
from auditor.probes.contract import Prepares, Sitting
from auditor.records.schema import from_bytes, to_bytes
from auditor.records.store import find_or_create
from auditor.records.types import AttentionMap, AttentionStatistics, Document, Failure
from auditor.running import planning
from auditor.running.failures import Failures
from auditor.running.worker import WorkerFactory, measure
from tests.models.architectures import build
from tests.models.tiny import TEXTS, save


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("attends")
    return {
        "bert": save(root / "bert", "bert", "text-classification"),
        "llama": save(root / "llama", "llama", "text-generation"),
    }


@pytest.fixture(scope="module")
def encoder(folders: dict[str, Path]) -> Any:
    return load(find("tiny", folders["bert"]), device="cpu")


@pytest.fixture(scope="module")
def decoder(folders: dict[str, Path]) -> Any:
    return load(find("tiny", folders["llama"]), device="cpu")


DOCUMENTS = [Document(f"d{i}", text) for i, text in enumerate(TEXTS * 4)]
LONG = Document("long", "Not a bad film at all, and it is moving. " * 12)


def mapped(rows: Sequence[AttentionStatistics | Failure]) -> dict[str, AttentionMap]:
    return {row.document_id: row.map for row in rows if not isinstance(row, Failure) and row.map}


def prepared(
    probe: AttentionProbe, model: Any, documents: Sequence[Document]
) -> tuple[AttentionProbe, Sitting[Mapping[str, int]]]:
    return probe, Sitting(1, prepared=probe.prepare(model, documents, 1))


def test_as_many_documents_are_mapped_as_were_asked_for(encoder: Any) -> None:
    probe, sitting = prepared(AttentionProbe(maps=3), encoder, DOCUMENTS)
    rows = list(probe.measure(encoder, DOCUMENTS, sitting))
    found = mapped(rows)
    assert found.keys() == (sitting.prepared or {}).keys()
    assert sorted(one.rank for one in found.values()) == [0, 1, 2]
    row = next(r for r in rows if isinstance(r, AttentionStatistics) and r.map)
    size = row.n_layers * row.n_heads * row.n_tokens
    assert row.map is not None
    assert (row.map.n_tokens, row.map.n_keys) == (row.n_tokens, MAP_KEYS)
    assert len(row.map.keys) == len(row.map.weights) == size * MAP_KEYS
    assert len(row.map.kept) == row.n_layers * row.n_heads
    assert all(0 < kept <= 1 + 1e-6 for kept in row.map.kept)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_documents(encoder: Any) -> None:
    probe = AttentionProbe(maps=4)
    shuffled = random.Random(0).sample(DOCUMENTS, len(DOCUMENTS))
    assert probe.prepare(encoder, shuffled, 1) == probe.prepare(encoder, DOCUMENTS, 1)
    assert probe.prepare(encoder, DOCUMENTS, 2) != probe.prepare(encoder, DOCUMENTS, 1)


def test_parts_and_halves_have_the_maps_of_the_whole_byte_for_byte(encoder: Any) -> None:
    probe, sitting = prepared(AttentionProbe(maps=4), encoder, DOCUMENTS)
    whole = mapped(list(probe.measure(encoder, DOCUMENTS, sitting)))
    parts = [row for i in range(0, len(DOCUMENTS), 5) for row in probe.measure(encoder, DOCUMENTS[i : i + 5], sitting)]
    assert mapped(parts) == whole
    alone = [row for document in DOCUMENTS for row in measure(probe, encoder, [document], sitting)]
    assert mapped(alone) == whole


def test_a_document_on_which_the_probe_breaks_changes_no_map(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    probe, sitting = prepared(AttentionProbe(maps=4), encoder, DOCUMENTS)
    whole = mapped(measure(probe, encoder, DOCUMENTS, sitting))
    broken = next(document for document in DOCUMENTS if document.id not in whole)
    attention = encoder.attention

    def breaks(tokens: Sequence[Any], punctuation: Any) -> Any:
        if any(text.texts == encoder.tokens([(broken.text + "!!", None)])[0].texts for text in tokens):
            raise RuntimeError("cannot")
        return attention(tokens, punctuation)

    monkeypatch.setattr(encoder, "attention", breaks)
    spoilt = [Document(broken.id, broken.text + "!!") if d is broken else d for d in DOCUMENTS]
    rows = measure(probe, encoder, spoilt, sitting)
    assert [row.document_id for row in rows if isinstance(row, Failure)] == [broken.id]
    assert mapped(rows) == whole


def test_long_and_tiny_documents_are_not_mapped_by_an_encoder(encoder: Any) -> None:
    tiny, blank = Document("tiny", "Good."), Document("blank", "  ")
    endless = Document("endless", "a" * (CHARACTERS * 64 + 1))
    ranks = AttentionProbe(maps=9).prepare(encoder, [LONG, tiny, blank, endless, DOCUMENTS[0]], 0)
    assert ranks == {"d0": 0}


def test_of_a_long_document_a_decoder_maps_the_beginning_which_sees_nothing_else(decoder: Any) -> None:
    probe, sitting = prepared(AttentionProbe(maps=1, map_tokens=16), decoder, [LONG])
    [row] = probe.measure(decoder, [LONG], sitting)
    assert isinstance(row, AttentionStatistics)
    assert row.map is not None
    assert row.map.n_tokens == 16 < row.n_tokens
    whole = decoder.attention_maps(decoder.tokens([(LONG.text, None)]), MAP_KEYS)[0]
    assert whole.weights[:, :, :16].tobytes() == row.map.weights
    assert whole.keys[:, :, :16].tobytes() == row.map.keys


def test_without_maps_nothing_is_drawn(encoder: Any) -> None:
    probe, sitting = prepared(AttentionProbe(maps=0), encoder, DOCUMENTS)
    assert not mapped(list(probe.measure(encoder, DOCUMENTS, sitting)))
    assert not mapped(list(AttentionProbe().measure(encoder, DOCUMENTS, Sitting(1))))


def test_maps_survive_the_store_and_files_without_them_can_be_read(encoder: Any) -> None:
    probe, sitting = prepared(AttentionProbe(maps=2), encoder, DOCUMENTS)
    rows = list(probe.measure(encoder, DOCUMENTS, sitting))
    stored = to_bytes(AttentionStatistics, rows)
    assert from_bytes(AttentionStatistics, stored) == rows
    assert to_bytes(AttentionStatistics, list(rows)) == stored


class Silent:
    """A progress that hears nothing."""

    def start(self, total_documents_by_probe: dict[str, int]) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, probe: str, documents: int) -> None: ...


@pytest.mark.parametrize("shard_size", [3, 100])
def test_a_run_maps_the_same_documents_however_it_is_cut(
    folders: dict[str, Path], encoder: Any, tmp_path: Path, shard_size: int
) -> None:
    data = tmp_path / "corpus.csv"
    data.write_text("id,text,label\n" + "".join(f'{d.id},"{d.text}",LABEL_{i % 2}\n' for i, d in enumerate(DOCUMENTS)))
    settings = config.load(
        None,
        {
            "model.name": folders["bert"],
            "corpus.path": data,
            "probes.attention.maps": 4,
            "run.shard_size": shard_size,
            "seed": 1,
            "model.device": "cpu",
        },
        environment={},
    )
    preflight = audit.check(settings)
    place = find_or_create(tmp_path / "runs", planning.plan(preflight, ""), now=datetime.now(UTC))
    worker = WorkerFactory(preflight, place, Failures.of_run(preflight, place))()
    for shard in preflight.shards:
        worker(shard)
    found = mapped(list(place.read("attention", AttentionStatistics)))
    wanted = AttentionProbe(maps=4).prepare(encoder, preflight.documents, 1)
    assert {name: one.rank for name, one in found.items()} == wanted
    assert isinstance(AttentionProbe(), Prepares)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose architecture computes attention in its own way."""
    return save(tmp_path_factory.mktemp("hides") / "deberta", "deberta-v2", "text-classification")


def settings(model: Path, here: Path, more: dict[str, Any]) -> config.Config:
    (here / "c.jsonl").write_text("".join(f'{{"text": "{text}"}}\n' for text in ("A good film.", "Dull, dull, dull!")))
    given = {"model.name": model, "corpus.path": here / "c.jsonl", "run.output": str(here / "reports")}
    return config.load(None, {**given, **more}, environment={})


def test_a_model_that_hides_its_attention_is_audited_without_and_the_report_says_so(
    hidden: Path, tmp_path: Path
) -> None:
    result = audit.run(settings(hidden, tmp_path, {}), pdf=False, progress=Silent())
    *ran, attention, rollout = result.findings.coverage
    assert [row.probe for row in ran] == ["prediction", "lime", "occlusion", "faithfulness"]
    page = result.html.read_text(encoding="utf-8")
    for row, probe, title in (
        (rollout, "attention_rollout", "attention rollout"),
        (attention, "attention", "attention"),
    ):
        assert (row.probe, row.asked, row.left_out) == (probe, 0, "the model does not show its attention")
        cells = f'<th scope="row">{title}</th><td colspan="4">not measured: the model does not show its attention</td>'
        assert page.index(cells) < page.index("<section"), "on page one"
        assert f'id="{probe}"' not in page
    assert result.findings.verdict.result == "not established", "no check was declared; nothing is missing"
    assert "too few documents" not in result.findings.verdict.headline
    note = "Attention was not measured: models of the class DebertaV2ForSequenceClassification do not show it."
    assert note in result.findings.notes
    assert note in page


def test_what_only_the_weights_tell_is_not_measurable_and_said_on_page_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save(tmp_path / "bert", "bert", "text-classification")
    monkeypatch.setattr("auditor.models.attention.reading._apart", lambda *_: 1.0)  # no statistic is that of the model
    more = {"probes.prediction": {}, "probes.attention": {}, "probes.attention_rollout": {}, "run.max_failures": 0}
    result = audit.run(settings(model, tmp_path, more), pdf=False, progress=Silent())
    page = result.html.read_text(encoding="utf-8").partition("<section")[0]
    for row in result.findings.coverage[1:]:
        assert (row.measured, row.failed, row.not_measurable) == (0, 0, row.asked)
        assert row.reasons == {"unseen-attention": row.asked}
        assert "without changing what it computes" in row.unmeasurable[0][2]
    assert [row.probe for row in result.findings.coverage] == ["prediction", "attention_rollout", "attention"]
    assert "not measurable: the model does not show its attention" in page


def test_a_hybrid_has_statistics_of_the_layers_that_attend_and_no_rollout(tmp_path: Path) -> None:
    model = build(tmp_path / "hybrid", "lfm2", "text-generation")
    more = {"probes.prediction": {}, "probes.attention": {}, "probes.attention_rollout": {}}
    candidates = {"model.candidates": [" good", " bad"]}
    result = audit.run(settings(model, tmp_path, {**more, **candidates}), pdf=False, progress=Silent())
    coverage = {row.probe: row for row in result.findings.coverage}
    assert coverage["attention"].measured == coverage["attention"].asked
    assert coverage["attention_rollout"].reasons == {"hybrid-attention": coverage["attention_rollout"].asked}
    assert "not measurable: layers that do not attend" in result.html.read_text(encoding="utf-8")


def test_attention_that_was_asked_for_by_name_is_refused_before_a_weight_is_read(
    hidden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = settings(hidden, tmp_path, {"probes.attention.limit": 2})
    monkeypatch.setattr("auditor.models.load", lambda *_, **__: pytest.fail("a weight is read"))
    with pytest.raises(ProbeError, match=r"probes\.attention: DebertaV2.* computes attention in a way of its own"):
        audit.run(asked, pdf=False, progress=Silent())


def test_probes_that_were_asked_for_without_attention_run(hidden: Path, tmp_path: Path) -> None:
    found = audit.check(settings(hidden, tmp_path, {"probes.prediction": {}, "probes.lime": {"n_samples": 20}}))
    assert [probe.name for probe in found.probes] == ["prediction", "lime"]
    assert found.notes == ()
