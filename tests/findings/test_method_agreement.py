"""Agreement of methods: constructed weights, scipy, and random rankings drawn in earnest."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr
from worked_example import explanation

from auditor.findings.analyses.method_agreement import agreements, least_alike, same_sign, shared_by_chance
from auditor.findings.statistics.likeness import pearson, top_shared

A = np.array([0.5, -0.3, 0.2, 0.0, 0.01, -0.02])
B = np.array([0.4, 0.3, 0.0, -0.2, 0.01, 0.02])


def explained(weights, n=12, **changes):
    return {f"d{i:02}": replace(explanation(i, weights=tuple(weights)), **changes) for i in range(n)}


def test_correlation_is_that_of_scipy_and_none_without_variation():
    assert pearson(A, B) == pytest.approx(pearsonr(A, B).statistic, abs=1e-12)
    assert pearson(A, np.full(6, 0.1)) is None


def test_the_first_three_and_their_signs_are_compared():
    assert top_shared(A, B) == pytest.approx(2 / 4), "0, 1, 2 and 0, 1, 3"
    assert same_sign(A, B) == pytest.approx(1 / 4), "of 0, 1, 2, 3 only 0"
    assert same_sign(A, A) == top_shared(A, A) == 1.0


@pytest.mark.parametrize("n", [1, 2, 3, 5, 20])
def test_chance_is_the_mean_over_random_rankings(n):
    random = np.random.default_rng(0)
    drawn = [top_shared(random.random(n), random.random(n)) for _ in range(4000)]
    assert shared_by_chance(n) == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(4000) + 1e-12)


def test_every_pair_of_methods_has_its_means():
    found = agreements({"lime": explained(A), "occlusion": explained(B), "twin": explained(A)}, seed=0)
    assert [(pair.one, pair.other, pair.n_documents) for pair in found] == [
        *(("lime", "occlusion", 12), ("lime", "twin", 12), ("occlusion", "twin", 12)),
    ]
    assert found[1].correlation.value == pytest.approx(1)
    assert found[0].top_shared.value == pytest.approx(0.5)
    assert found[0].by_chance.value == pytest.approx(shared_by_chance(6))
    assert found[0].tau.value == pytest.approx(kendalltau(A, B).statistic, abs=1e-12)


def test_the_documents_of_which_methods_say_the_least_alike_are_chosen_once_each():
    lime = {**explained(A, 5), "d01": replace(explanation(1, weights=tuple(B)))}
    explained_by = {"lime": lime, "occlusion": explained(A, 4), "twin": explained(-A, 2)}
    chosen = least_alike(explained_by, {"d00", "d01", "d02", "d03", "d04"})
    assert [(one.document_id, one.other) for one in chosen] == [("d00", "twin"), ("d01", "twin"), ("d02", "occlusion")]
    assert [one.correlation for one in chosen] == pytest.approx([-1, -pearson(A, B), 1])
    assert [one.document_id for one in least_alike(explained_by, {"d03"})] == ["d03"]
    assert least_alike({"lime": lime}, {"d00"}) == ()


def test_other_segments_or_labels_are_not_compared():
    theirs = explained(B, segments=explanation(0).segments[::-1])
    assert agreements({"lime": explained(A), "other": theirs}, seed=0) == ()
    apart = {"lime": {"d00": explanation(0)}, "other": {"d01": explanation(1)}}
    assert agreements(apart, seed=0) == ()


def test_a_method_without_signs_has_no_share_of_them():
    (pair,) = agreements({"lime": explained(A), "saliency": explained(np.abs(B))}, seed=0)
    assert pair.same_sign is None
