import random
from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from worked_example import N, attention, concluded, explanation, of_records

from auditor.findings import Evidence
from auditor.findings.analyses.agreement import agree, document_agreements, received_by_segment
from auditor.findings.analyses.attention import SUMMARY
from auditor.findings.contract.summary import Setting
from auditor.findings.statistics.intervals import wilson
from auditor.findings.statistics.likeness import kendall_tau_b
from auditor.records.explanations import Segment
from auditor.records.types import AttentionMap, Span


def summarised(records):
    return concluded(SUMMARY, of_records("attention", records))


RECORDS = [attention(i) for i in range(N)]


def test_statistics_are_means_over_documents_laid_out_layers_by_heads():
    findings, _ = summarised(RECORDS)
    assert np.array(findings.statistics["previous_share"]) == pytest.approx(np.array([[0.6995, 0.05], [0.125, 0.2]]))
    assert (findings.n_layers, findings.n_heads, findings.n_documents) == (2, 2, N)
    assert findings.uniform_entropy == pytest.approx(log(8))


def test_the_half_width_is_students_of_the_most_uncertain_head():
    findings, _ = summarised(RECORDS)
    wobble = np.arange(N) / 1000
    assert findings.half_widths["previous_share"] == pytest.approx(2.022691 * wobble.std(ddof=1) / N**0.5, rel=1e-6)
    assert findings.half_widths["self_share"] == pytest.approx(0, abs=1e-15)


def test_heads_are_classed_by_clarks_thresholds():
    findings, _ = summarised(RECORDS)
    heads = {c.name: [(layer, head) for layer, head, _ in c.heads] for c in findings.classes}
    assert heads == {"previous": [(0, 0)], "next": [(1, 1)], "broad": [(1, 0)], "special": [(0, 1)], "punctuation": []}
    broad = next(c for c in findings.classes if c.name == "broad")
    assert broad.rule == "entropy above 3.8 nats (uniform attention over these texts has 2.08)"


def test_no_share_of_broad_heads_is_given_of_texts_too_short_for_one():
    _, numbers = summarised(RECORDS)
    short = numbers["attention.head_share[broad]"]
    assert (short.value, short.low, short.n) == (None, None, N)
    _, numbers = summarised([replace(record, uniform_entropy=log(64)) for record in RECORDS])
    assert numbers["attention.head_share[broad]"].value == 0.25


def test_causal_heads_have_sinks_and_never_look_ahead():
    findings, numbers = summarised([attention(i, causal=True) for i in range(N)])
    names = [c.name for c in findings.classes]
    assert "next" not in names
    assert findings.classes[names.index("sink")].heads == ((0, 1, pytest.approx(0.7995)),)
    assert numbers["attention.head_share[sink]"].value == 0.25
    assert "its own query left out" in numbers["attention.sink_share"].protocol


def test_the_share_of_a_class_is_as_uncertain_as_its_heads():
    _, numbers = summarised(RECORDS)
    certain, open_ = numbers["attention.head_share[previous]"], numbers["attention.head_share[next]"]
    assert (certain.low, certain.value, certain.high) == (0.25, 0.25, 0.25)
    assert (open_.low, open_.value, open_.high) == (0.0, 0.25, 0.25)
    assert open_.n == N


def test_the_sink_share_is_the_mean_over_heads_and_documents():
    _, numbers = summarised(RECORDS)
    assert numbers["attention.sink_share"].value == pytest.approx((0.1 + 0.7995 + 0.125 + 0.2) / 4)


def test_causal_documents_without_a_query_that_counts_are_left_out_of_the_sink():
    tiny = replace(attention(30, causal=True), n_tokens=1, first_share=(0.0,) * 4)
    _, numbers = summarised([attention(i, causal=True) for i in range(20)] + [tiny])
    assert numbers["attention.sink_share"].n == 20


@pytest.mark.parametrize("causal", [True, False])
def test_documents_of_one_token_have_no_sinks_because_they_could_look_nowhere_else(causal):
    tiny = [replace(with_map(i, i, n_tokens=1), causal=causal, first_share=(1.0,) * 4) for i in range(42)]
    findings, numbers = summarised(tiny)
    sink = numbers["attention.sink_share"]
    if not causal:
        assert (sink.value, sink.n) == (1.0, 42)
        return
    share = numbers["attention.head_share[sink]"]
    assert (sink.value, sink.low, sink.n) == (share.value, share.low, share.n) == (None, None, 0)
    assert next(c for c in findings.classes if c.name == "sink").heads == ()
    assert "sink" not in [head.name for head in findings.mapped_heads]
    assert not {"first_share", "first4_share"} & {*findings.statistics, *findings.half_widths}
    assert {"entropy", "self_share"} <= set(findings.statistics)


def test_the_share_of_sinks_rests_on_the_documents_its_heads_were_averaged_over():
    tiny = [replace(with_map(i, i - 40, n_tokens=1, first_share=(1.0,) * 4), causal=True) for i in range(40, 80)]
    real = [replace(with_map(i, 60 + i), causal=True) for i in range(2)]
    findings, numbers = summarised([*tiny, *real])
    assert (numbers["attention.head_share[sink]"].value, numbers["attention.head_share[sink]"].n) == (0.25, 2)
    assert numbers["attention.head_share[previous]"].n == 42
    assert findings.statistics["first_share"][0][0] == pytest.approx(0.1)
    shown = next(head for head in findings.mapped_heads if head.name == "sink")
    assert (shown.document_id, shown.here) == ("d00", attention(0).first_share[1])


def test_first_tokens_that_get_everything_in_every_document_are_not_certain_to_get_it_in_others():
    number = summarised([replace(attention(i), first_share=(1.0,) * 4) for i in range(20)])[1]["attention.sink_share"]
    assert (number.value, number.low, number.high) == pytest.approx((1.0, wilson(20, 20).low, 1.0))


def test_one_document_has_no_half_widths_and_no_intervals():
    findings, numbers = summarised([attention(0)])
    assert findings.half_widths == {}
    assert numbers["attention.head_share[special]"].low is None


def test_nothing_measured_gives_nothing():
    assert SUMMARY.summarise(Evidence(()), Setting()) is None


def with_map(i, rank, n_tokens=8, **changes):
    kept = (0.9, 0.8, 0.7, 0.6)
    size = 4 * n_tokens * 2
    return replace(
        attention(i), n_tokens=n_tokens, map=AttentionMap(rank, n_tokens, 2, bytes(size), bytes(size), kept), **changes
    )


def test_the_strongest_head_of_each_class_is_shown_on_the_document_drawn_first():
    findings, _ = summarised([attention(0), with_map(1, rank=1), with_map(2, rank=0), *RECORDS[3:]])
    assert findings.mapped == ("d02", "d01")
    shown = {head.name: (head.layer, head.head, head.document_id, head.kept) for head in findings.mapped_heads}
    assert shown == {
        "previous": (0, 0, "d02", 0.9),
        "next": (1, 1, "d02", 0.6),
        "broad": (1, 0, "d02", 0.7),
        "special": (0, 1, "d02", 0.8),
    }
    previous = findings.mapped_heads[0]
    assert previous.value == findings.classes[0].heads[0][2]
    assert previous.here == attention(2).previous_share[0]


def test_a_head_is_shown_where_all_can_be_read_and_where_it_follows_its_pattern_as_far_as_possible():
    long, other = with_map(1, rank=0, n_tokens=40), with_map(2, rank=1, previous_share=(0.2, 0.05, 0.125, 0.2))
    telling = with_map(3, rank=2)

    def shown(*records):
        findings, _ = summarised([*records, *RECORDS[4:]])
        return next(head.document_id for head in findings.mapped_heads if head.name == "previous")

    assert shown(long, other, telling) == "d03"
    assert shown(long, other) == "d02"
    assert shown(long) == "d01"


def test_without_maps_nothing_is_shown():
    findings, _ = summarised(RECORDS)
    assert (findings.mapped, findings.mapped_heads) == ((), ())


sequences = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 6), min_size=n, max_size=n), st.lists(st.integers(0, 6), min_size=n, max_size=n)
    )
)


@settings(deadline=None)
@given(sequences)
def test_kendalls_tau_agrees_with_scipy(pair):
    x, y = map(np.array, pair)
    ours = kendall_tau_b(x, y)
    if len(set(pair[0])) == 1 or len(set(pair[1])) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


def test_kendalls_tau_of_a_long_document_is_computed_in_blocks():
    x, y = np.random.default_rng(0).normal(size=(2, 1300))
    assert kendall_tau_b(x, y) == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


def segment(text, *spans):
    return Segment(text, tuple(Span(*span) for span in spans))


def test_a_token_gives_its_attention_to_the_segments_it_overlaps_in_proportion():
    #  "ab cdef": tokens "ab c" and "def"; the white space belongs to no segment
    segments = (segment("ab", (0, 2)), segment("cdef", (3, 7)))
    mass, seen = received_by_segment([segments], [(Span(0, 4), Span(4, 7), Span(0, 0))], [(0.6, 0.3, 9.0)])
    assert mass.tolist() == pytest.approx([0.4, 0.2 + 0.3])
    assert seen.all()


def test_a_segment_gathers_all_its_places_in_both_sentences():
    segments = (segment("a", (0, 1), (4, 5), (2, 3, "pair")), segment("b", (2, 3)))
    spans = (Span(0, 1), Span(2, 3), Span(4, 5), Span(2, 3, "pair"), Span(9, 12, "pair"))
    mass, _ = received_by_segment([segments], [spans], [(0.1, 0.2, 0.3, 0.4, 5.0)])
    assert mass.tolist() == pytest.approx([0.8, 0.2])


def test_many_documents_at_once_are_each_as_alone():
    chance = random.Random(0)
    documents = [_cut_at_random(chance) for _ in range(60)]
    mass, seen = received_by_segment(*map(list, zip(*documents, strict=True)))
    expected = [one for document in documents for one in _received_pair_by_pair(*document)]
    assert mass.tolist() == pytest.approx([received for received, _ in expected], abs=1e-12)
    assert seen.tolist() == [is_seen for _, is_seen in expected]
    assert 0 < seen.sum() < len(seen)


def _cut_at_random(chance):
    """Segments with gaps, some at several places of both texts; tokens that do not respect them; special tokens."""
    places, tokens = [], [Span(0, 0)]
    for field in ("text", "pair")[: chance.randint(1, 2)]:
        edges = sorted(chance.sample(range(60), 12))
        places += [Span(start, stop, field) for start, stop in pairwise(edges) if chance.random() < 0.7]
        cuts = sorted(chance.sample(range(50), 9))
        tokens += [*(Span(start, stop, field) for start, stop in pairwise(cuts)), Span(0, 0, field)]
    chance.shuffle(places)
    n = chance.randint(1, len(places) or 1)
    segments = [Segment(str(i), tuple(places[i::n])) for i in range(n)]
    return segments, tokens, [chance.random() for _ in tokens]


def _received_pair_by_pair(segments, tokens, received):
    mass, seen = [0.0] * len(segments), [False] * len(segments)
    for token, share in zip(tokens, received, strict=True):
        shared = [sum(_common(token, span) for span in segment.spans) for segment in segments]
        for i, n in enumerate(shared):
            mass[i] += share * n / sum(shared) if n else 0.0
            seen[i] = seen[i] or n > 0
    return list(zip(mass, seen, strict=True))


def _common(a, b):
    return max(0, min(a.stop, b.stop) - max(a.start, b.start)) if a.field == b.field else 0


def test_a_token_without_its_share_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        received_by_segment([[segment("ab", (0, 2))]], [[Span(0, 2), Span(2, 3)]], [[1.0]])


def test_segments_the_model_did_not_read_are_left_out():
    segments = (segment("ab", (0, 2)), segment("cd", (3, 5)))
    _, seen = received_by_segment([segments], [(Span(0, 2),)], [(1.0,)])
    assert seen.tolist() == [True, False]


def test_agreement_of_one_document_is_tau_between_attention_and_size_of_weight():
    weights = (0.0, 0.02, 0.0, 0.3, 0.05, -0.4)
    expected = kendalltau((0.05, 0.1, 0.06, 0.15, 0.11, 0.12), np.abs(weights)).statistic
    assert document_agreements([(explanation(0), attention(0))]) == pytest.approx([expected])


def test_segments_the_surrogate_may_not_use_have_no_rank():
    weights = (0.0, 0.02, 0.01, 0.3, 0.05, -0.4)
    target = replace(explanation(0, weights).targets[0], selected=(False, *(True,) * 5))
    expected = kendalltau((0.1, 0.06, 0.15, 0.11, 0.12), np.abs(weights[1:])).statistic
    assert document_agreements([(replace(explanation(0), targets=(target,)), attention(0))]) == pytest.approx(
        [expected]
    )
    few = replace(target, selected=(False, False, *(True,) * 4))
    assert document_agreements([(replace(explanation(0), targets=(few,)), attention(0))]) == [None]


def test_agreement_is_the_mean_over_documents_with_enough_segments():
    short = replace(
        explanation(5),
        segments=explanation(5).segments[:4],
        targets=(replace(explanation(5).targets[0], weights=(0.1, 0.2, 0.3, 0.4), selected=(True,) * 4),),
    )
    number = agree([(explanation(i), attention(i)) for i in range(20)] + [(short, attention(5))], seed=0)
    assert number.n == 20
    assert [number.value] == pytest.approx(document_agreements([(explanation(0), attention(0))]))
    assert agree([(short, attention(5))], seed=0).value is None
