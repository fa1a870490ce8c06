from dataclasses import replace
from math import exp, log

import pytest
from worked_example import concluded, context, evidence, of_records, with_rows

from auditor.findings import Evidence, Prospect, names, summarise
from auditor.findings.analyses.perplexity import PerplexityFindings, document_nats
from auditor.findings.analyses.pseudo_perplexity import SUMMARY, PseudoPerplexityFindings, n_in_split_words
from auditor.findings.contract.summary import Setting
from auditor.records.types import Failure, PseudoPerplexity, Span

N = 40


def pseudo(i, nats=None, tokens=6):
    """Document i: its tokens cost 1 + i/40 nats each; the second and third are one word."""
    nats = 1 + i / N if nats is None else nats
    words = (0, 1, 1, *range(2, tokens - 1))[:tokens]
    return PseudoPerplexity(
        f"d{i:02}", "tiny-mlm", ("x",) * tokens, (Span(0, 1),) * tokens, words, (-nats,) * tokens, "within-word", 64
    )


def summarised(records, **setting):
    return concluded(SUMMARY, of_records("pseudo_perplexity", records), **setting)


def test_a_uniform_model_over_v_tokens_has_pseudo_perplexity_v_however_it_is_averaged():
    _, numbers = summarised([pseudo(i, log(50), 3 + i) for i in range(20)])
    assert set(numbers) == {f"pseudo_perplexity.{name}" for name in ("corpus", "mean", "median")}
    for number in numbers.values():
        assert number.value == pytest.approx(50)


def test_the_corpus_value_weighs_tokens_and_the_mean_weighs_documents():
    _, numbers = summarised([pseudo(0, log(100), 1), pseudo(1, log(10), 9)])
    assert numbers["pseudo_perplexity.corpus"].value == pytest.approx(exp((log(100) + 9 * log(10)) / 10))
    assert numbers["pseudo_perplexity.mean"].value == pytest.approx(55)


def test_the_protocol_names_variant_and_context():
    findings, _ = summarised([pseudo(i) for i in range(N)], references={"pseudo_perplexity": "tiny-mlm"})
    assert findings.corpus.value == pytest.approx(exp(1 + 19.5 / N))
    assert "over all 240 tokens" in findings.corpus.protocol
    assert findings.corpus.protocol.endswith("variant within-word, context 64")
    assert findings.is_reference
    assert (findings.n_documents, findings.n_tokens, findings.n_split) == (N, 240, 80)


def test_tokens_in_split_words_are_those_whose_word_has_others():
    assert n_in_split_words(replace(pseudo(0), words=(0, 1, 1, 2, 3, 3))) == 4
    assert n_in_split_words(replace(pseudo(0), words=(0, 1, 2, 3, 4, 5))) == 0


def test_the_most_surprising_documents_have_the_largest_pseudo_perplexity():
    findings, _ = summarised([pseudo(i) for i in range(N)])
    assert [e.document_id for e in findings.most_surprising] == ["d39", "d38", "d37", "d36", "d35", "d34"]


def test_strips_hold_the_sorted_values_of_each_slice():
    findings, _ = summarised([pseudo(i) for i in range(N)], columns={"length": ("long", "short")})
    own = findings.nats_by_slice["length"]["short"]
    assert own == tuple(sorted(document_nats(pseudo(i)) for i in range(0, N, 2)))


def test_what_cannot_be_written_is_ranked_and_kept_by_its_nats():
    findings, numbers = summarised([pseudo(i, 900.0 + i) for i in range(N)])
    assert [e.document_id for e in findings.most_surprising][:2] == ["d39", "d38"]
    for number in numbers.values():
        assert number.value is None
        assert 900 < number.nats.low < number.nats.value < number.nats.high <= 942


def test_nothing_measured_gives_nothing():
    assert SUMMARY.summarise(Evidence(()), Setting()) is None


def test_it_stands_beside_a_causal_perplexity_and_never_in_its_place():
    records = {f"d{i:02}": pseudo(i) for i in range(N - 1)} | {"d39": Failure("d39", "too-short", "nothing")}
    masked = Evidence(evidence().documents, {**evidence().rows, "prediction": {}, "lime": {}})
    asked = dict.fromkeys(("attention", "perplexity", "pseudo_perplexity"), N)
    given = context(task="fill-mask", kind="masked", checks={}, asked=asked)
    found = summarise(with_rows(masked, pseudo_perplexity=records), given)
    perplexity = found.analysis("perplexity", PerplexityFindings)
    filled = found.analysis("pseudo_perplexity", PseudoPerplexityFindings)
    assert perplexity is not None
    assert perplexity.is_reference
    assert filled is not None
    assert not filled.is_reference
    assert found.key_numbers[0].name == "pseudo_perplexity.corpus"
    assert found.documents[0].values["pseudo_perplexity"] == pytest.approx(exp(1))
    assert found.documents[0].values["perplexity"] is not None
    assert found.documents[39].values["pseudo_perplexity"] is None
    assert "pseudo_perplexity" in found.documents[39].failed
    by_name = {number.name for number in found.numbers}
    possible = names(Prospect(frozenset({"pseudo_perplexity"})), {"length": ("short", "long")})
    assert {name for name in by_name if "pseudo" in name} == possible - {"coverage.failed_share"}
    assert "pseudo_perplexity.median{length=short}" in by_name
    assert not any("bits" in name for name in by_name if "pseudo" in name)
