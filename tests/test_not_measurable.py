"""Audits of documents that hold nothing for some probe to measure: a state of its own, never a failure."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor import audit, config
from auditor.errors import TooManyFailuresError
from auditor.records.explanations import Explanation
from auditor.records.types import AttentionStatistics, Failure, NotMeasurable, Perplexity
from auditor.records.verification import verify
from tests.models.tiny import save
from tests.test_audit import LABELS, Silent

SMALL = {"probes.lime.n_samples": 40, "run.shard_size": 10, "report.pdf": False}
WORDLESS = ("?!", "…", "!!!", "* * *")


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that puts no special tokens around a text: one character is one token."""
    return save(tmp_path_factory.mktemp("states") / "gpt2", "gpt2", "text-classification", **LABELS, pad_token_id=0)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("states") / "bert", "bert", "text-classification", **LABELS)


def run(folder: Path, model: Path, texts: Sequence[str], **more: object) -> audit.Result:
    rows = [{"id": f"d{i:02}", "text": text, "label": ("negative", "positive")[i % 2]} for i, text in enumerate(texts)]
    path = folder / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = {"model.name": model, "corpus.path": path, "run.output": folder / "reports", **SMALL, **more}
    return audit.run(config.load(None, given, environment={}), progress=Silent())


def films(n: int) -> list[str]:
    return [f"a dull film that never ends, part {i}" for i in range(n)]


def test_four_of_fifty_documents_without_a_word_stop_nothing(encoder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, encoder, [*films(45), "🎬🍿", *WORDLESS], **{"run.max_failures": 0})
    rows = {row.document_id: row for row in result.run.read("lime", Explanation)}
    assert {key for key, row in rows.items() if isinstance(row, NotMeasurable)} == {"d46", "d47", "d48", "d49"}
    assert len(rows["d45"].segments) == 2
    coverage = {row.probe: row for row in result.findings.coverage}
    lime = coverage["lime"]
    assert (lime.asked, lime.measured, lime.failed, lime.not_measurable) == (50, 46, 0, 4)
    assert lime.reasons == {"no-segments": 4}
    assert coverage["prediction"].measured == coverage["attention"].measured == 50
    numbers = {number.name: number for number in result.findings.numbers}
    assert (numbers["coverage.failed_share"].value, numbers["coverage.failed_share"].n) == (0, 50)
    assert numbers["lime.fidelity"].n == 46
    assert [row.not_measurable for row in result.findings.documents[44:47]] == [
        *((), ("faithfulness",)),  # a word or two
        ("lime", "occlusion", "attention_rollout", "faithfulness"),
    ]


def test_page_one_counts_them_with_their_reason(encoder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, encoder, [*films(20), *WORDLESS])
    front = result.html.read_text(encoding="utf-8").partition("<section")[0]
    assert "LIME: 4 not measurable: nothing to switch off" in front
    assert '<th scope="row">LIME</th><td class="number">24</td><td class="number">20</td>' in front


@pytest.mark.parametrize("limit", [None, 30])
def test_single_tokens_have_nothing_to_attend_to_or_to_score(
    decoder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, limit: int | None
) -> None:
    writer = save(tmp_path_factory.mktemp("writer"), "gpt2", "text-generation")
    tokenizer = json.loads((writer / "tokenizer_config.json").read_text())
    (writer / "tokenizer_config.json").write_text(
        json.dumps({key: value for key, value in tokenizer.items() if key not in ("bos_token", "eos_token")})
    )
    more = {"probes.attention.limit": limit, "probes.perplexity.model": writer, "run.max_failures": 0}
    result = run(tmp_path, decoder, ["a", "b", *films(8)] * 4, **more)
    for probe, record in (("attention", AttentionStatistics), ("perplexity", Perplexity)):
        rows = list(result.run.read(probe, record))
        assert not any(isinstance(row, Failure) for row in rows)
        without = [row for row in rows if isinstance(row, NotMeasurable)]
        assert 0 < len(without) == sum(len(_text(row.document_id)) == 1 for row in rows)
    assert "too few documents" not in result.findings.verdict.headline


def _text(document_id: str) -> str:
    return (["a", "b", *films(8)] * 4)[int(document_id[1:])]


def test_where_no_document_is_measurable_the_audit_still_ends(encoder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, encoder, WORDLESS * 3, **{"probes.prediction.limit": 12})
    lime = next(row for row in result.findings.coverage if row.probe == "lime")
    assert (lime.measured, lime.failed, lime.not_measurable) == (0, 0, 12)
    assert "lime" not in result.findings.analyses
    assert "12 hold nothing for this probe to measure: nothing to switch off." in result.html.read_text("utf-8")


def test_such_a_run_is_verified_reused_and_rendered_again(encoder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, encoder, [*films(20), *WORDLESS])
    assert verify(result.run) == []
    page = result.html.read_bytes()
    assert audit.rerender(result.run, pdf=False).html.read_bytes() == page
    assert run(tmp_path, encoder, [*films(20), *WORDLESS]).reused


def test_a_resumed_run_still_knows_who_failed_and_who_was_not_measurable(encoder: Path, tmp_path: Path) -> None:
    texts = [*WORDLESS, "", *films(35)]  # 1 of 40 fails, in the first shard
    with pytest.raises(TooManyFailuresError, match=r"1 of 40 documents failed, a share of 0\.025;.*allows 0 of 40"):
        run(tmp_path, encoder, texts, **{"run.max_failures": 0.02})
    result = run(tmp_path, encoder, texts, **{"run.max_failures": 0.025})
    lime = next(row for row in result.findings.coverage if row.probe == "lime")
    assert (lime.measured, lime.failed, lime.not_measurable) == (35, 1, 4)


@pytest.mark.parametrize(
    ("blanks", "of", "share", "stops"),
    [
        (1, 10, 0.05, True),
        (1, 20, 0.05, False),
        (2, 20, 0.05, True),
        (1, 1, 0.5, True),
        (1, 1, 1.0, False),
        (1, 3, 0.0, True),
        (0, 3, 0.0, False),
        (7, 100, 0.07, False),
        (29, 100, 0.29, False),
    ],
)
def test_max_failures_is_the_share_that_it_says(
    encoder: Path, tmp_path: Path, blanks: int, of: int, share: float, stops: bool
) -> None:
    more = {"probes.prediction.limit": of, "run.max_failures": share}
    texts = [" "] * blanks + films(of - blanks)
    if stops:
        with pytest.raises(TooManyFailuresError, match=rf"{blanks} of {of} documents failed"):
            run(tmp_path, encoder, texts, **more)
    else:
        assert run(tmp_path, encoder, texts, **more).findings.coverage[0].failed == blanks
