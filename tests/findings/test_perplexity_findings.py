import json
from dataclasses import replace
from math import exp, log

import jsonschema
import numpy as np
import pytest
from worked_example import TEXT, N, concluded, context, evidence, of_records, perplexity, with_rows

from auditor.findings import Bound, Evidence, read, schema, summarise, write
from auditor.findings.analyses.perplexity import SUMMARY, document_bits_per_byte, document_perplexity
from auditor.findings.contract.summary import Setting
from auditor.findings.judgement.checks import judge
from auditor.findings.statistics import exponentials


def summarised(records, **setting):
    return concluded(SUMMARY, of_records("perplexity", records), **setting)


def uniform(i, tokens, vocabulary, n_bytes=10):
    return replace(perplexity(i), logprobs=(-log(vocabulary),) * tokens, n_bytes=n_bytes, n_words=max(tokens // 2, 1))


def test_a_uniform_model_over_v_tokens_has_perplexity_v_however_it_is_averaged():
    _, numbers = summarised([uniform(i, 3 + i, 50) for i in range(20)])
    for name in ("perplexity.corpus", "perplexity.mean", "perplexity.median"):
        assert numbers[name].value == pytest.approx(50)
    assert (numbers["perplexity.corpus"].low, numbers["perplexity.mean"].low) == (None, None)  # resamples all agree


def test_the_corpus_perplexity_weighs_tokens_and_the_mean_weighs_documents():
    _, numbers = summarised([uniform(0, 1, 100), uniform(1, 9, 10)])
    assert numbers["perplexity.corpus"].value == pytest.approx(exp((log(100) + 9 * log(10)) / 10))
    assert numbers["perplexity.mean"].value == pytest.approx(55)
    assert numbers["perplexity.median"].value == pytest.approx(55)


def test_bits_per_byte_is_the_base_two_logarithm_of_the_byte_perplexity():
    records = [perplexity(i) for i in range(N)]
    _, numbers = summarised(records)
    nll = sum(record.nll for record in records)
    assert numbers["perplexity.bits_per_byte"].value == pytest.approx(nll / log(2) / (N * len(TEXT)))
    assert 2 ** numbers["perplexity.bits_per_byte"].value == pytest.approx(exp(nll / (N * len(TEXT))))
    assert numbers["perplexity.word"].value == pytest.approx(exp(nll / (N * 6)))


def test_the_worked_examples_corpus_perplexity_is_the_exponential_of_its_mean():
    findings, numbers = summarised([perplexity(i) for i in range(N)], references={"perplexity": "tiny-lm"})
    assert numbers["perplexity.corpus"].value == pytest.approx(exp(1 + 19.5 / 40))
    assert findings.n_tokens == 240
    assert findings.corpus == numbers["perplexity.corpus"]
    assert "context 64, stride 64, prefix <s>" in findings.corpus.protocol
    assert findings.is_reference
    assert not summarised([perplexity(0)])[0].is_reference


def test_appended_documents_give_the_token_weighted_geometric_mean():
    first, second = uniform(0, 4, 10), uniform(1, 6, 1000)
    both = replace(first, logprobs=first.logprobs + second.logprobs)
    _, apart = summarised([first, second])
    assert document_perplexity(both) == pytest.approx(apart["perplexity.corpus"].value)


def test_the_interval_resamples_documents_and_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(60):
        rates = rng.normal(3.0, 0.5, size=60)
        records = [replace(perplexity(i), logprobs=(-r,) * int(rng.integers(5, 60))) for i, r in enumerate(rates)]
        number = summarised(records, seed=seed)[1]["perplexity.corpus"]
        covered.append(number.low <= exp(3.0) <= number.high)
    assert np.mean(covered) >= 0.85


def test_the_most_surprising_documents_are_those_with_the_most_bits_per_byte():
    findings, _ = summarised([perplexity(i) for i in range(N)])
    assert [e.document_id for e in findings.most_surprising] == ["d39", "d38", "d37", "d36", "d35", "d34"]
    assert document_bits_per_byte(perplexity(39)) > document_bits_per_byte(perplexity(38))


def test_strips_hold_the_sorted_logarithms_of_each_value():
    findings, _ = summarised([perplexity(i) for i in range(N)], columns={"length": ("long", "short", "endless")})
    strips = findings.nats_by_slice["length"]
    assert set(strips) == {"long", "short"}
    assert strips["short"] == pytest.approx(tuple(sorted(1 + i / N for i in range(0, N, 2))))


def absurd(i, nats=800.0):
    """A document whose every token costs 800 nats and more: exp overflows at 709.8."""
    return replace(perplexity(i), logprobs=(-(nats + i),) * 5, n_words=5)


@pytest.mark.parametrize("name", ["corpus", "mean", "median", "word"])
def test_a_perplexity_that_cannot_be_written_keeps_its_nats_and_an_honest_interval(name):
    number = summarised([absurd(i) for i in range(N)])[1][f"perplexity.{name}"]
    assert (number.value, number.low, number.high) == (None, None, None)
    assert number.is_measured
    assert number.is_beyond
    mean = log(sum(exp(i - 39) for i in range(N)) / N) + 839
    expected = {"corpus": 819.5, "word": 819.5, "median": 819 + log((1 + exp(1)) / 2), "mean": mean}
    assert number.nats.value == pytest.approx(expected[name])
    assert 800 < number.nats.low < number.nats.value < number.nats.high <= 839
    assert number.n == N


def test_an_interval_that_reaches_beyond_is_kept_in_nats():
    number = summarised([absurd(i, 670.0) for i in range(N)])[1]["perplexity.corpus"]
    assert number.value == pytest.approx(exp(689.5))
    assert number.low is not None
    assert number.high is None
    assert number.is_beyond
    assert number.nats.low < 689.5 < exponentials.BEYOND < number.nats.high


@pytest.mark.parametrize(
    ("bound", "result"),
    [
        (Bound(at_most=1e299), "fail"),
        (Bound(at_least=1e299), "pass"),
        (Bound(at_most=25.0), "fail"),
        (Bound(at_least=25.0), "pass"),
    ],
)
def test_bounds_are_held_against_the_nats(bound, result):
    number = summarised([absurd(i) for i in range(N)])[1]["perplexity.corpus"]
    assert judge(number, bound)[0] == result
    assert "> 1e300 (819.50 nats, 95% interval" in judge(number, bound)[1]


def test_a_bound_inside_the_interval_is_watched_and_one_outside_is_not():
    number = summarised([perplexity(i) for i in range(N)])[1]["perplexity.corpus"]
    assert judge(number, Bound(at_most=(number.low + number.high) / 2))[0] == "watch"
    assert judge(number, Bound(at_most=number.high * 1.001))[0] == "pass"
    assert judge(number, Bound(at_most=number.low * 0.999))[0] == "fail"


def test_findings_of_an_absurd_model_are_json_and_say_it_everywhere():
    records = {f"d{i:02}": absurd(i) for i in range(N - 1)} | {"d39": perplexity(39)}
    bounds = {"perplexity.median": Bound(at_most=100.0)}
    found = summarise(with_rows(evidence(), perplexity=records), context(checks=bounds))
    jsonschema.Draft202012Validator(schema()).validate(json.loads(write(found)))
    assert read(write(found)) == found
    assert found.verdict.result == "fail"
    assert found.key_numbers[0].name == "perplexity.median"
    first = found.documents[0].values
    assert (first["perplexity"], first["perplexity_nats"]) == (None, pytest.approx(800))
    assert found.documents[39].values["perplexity"] == pytest.approx(document_perplexity(perplexity(39)))
    assert "perplexity.mean{length=long}" in {number.name for number in found.numbers if number.is_beyond}


def test_nothing_measured_gives_nothing():
    assert SUMMARY.summarise(Evidence(()), Setting()) is None
