"""A sparse regression against scikit-learn asked directly, and what is said of rows it was not fitted to."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LinearRegression

from auditor.findings.statistics import sparse_regression
from auditor.findings.statistics.sparse_regression import features, held_out, weights

RNG = np.random.default_rng(5)
X = (RNG.random((60, 8)) < 0.4).astype(float)
Y = X @ np.array([2.0, -1.0, 0, 0, 0, 0, 0, 0]) + 0.5 * RNG.normal(size=60)
SPARSE = features([np.flatnonzero(row).tolist() for row in X], 8)
FOLDS = np.arange(60) % 5


def test_features_are_one_where_a_row_has_a_column():
    assert np.array_equal(SPARSE.toarray(), X)
    assert features([[], [2]], 3).toarray().tolist() == [[0, 0, 0], [0, 0, 1]]


def test_what_is_said_of_a_fold_does_not_know_its_answers():
    before = held_out(SPARSE, Y[:, None], FOLDS)
    changed = np.where(FOLDS == 2, Y + 100.0, Y)
    after = held_out(SPARSE, changed[:, None], FOLDS)
    assert np.array_equal(before.predictions[FOLDS == 2], after.predictions[FOLDS == 2])
    assert np.array_equal(before.means[FOLDS == 2], after.means[FOLDS == 2])
    assert before.means[0, 0] == Y[FOLDS != 0].mean()


def test_the_weights_are_those_of_scikit_learn_at_a_penalty_of_the_path(monkeypatch):
    monkeypatch.setattr(sparse_regression, "RESAMPLES", 20)
    found = weights(SPARSE, Y, seed=0, name="w")
    centred = X - X.mean(axis=0)
    largest = np.abs(centred.T @ (Y - Y.mean())).max() / (60 * 0.5)
    path = np.geomspace(largest, largest / 100, 10)
    fits = [ElasticNet(alpha=alpha, l1_ratio=0.5).fit(X, Y).coef_ for alpha in path]
    assert min(np.abs(found.value - fit).max() for fit in fits) < 1e-3  # tolerance of the descent
    assert found.low[0] > 0 > found.high[1]
    assert found.same_sign[:2].tolist() == [1.0, 1.0]


def test_the_penalty_shrinks_and_never_turns_a_deciding_weight(monkeypatch):
    monkeypatch.setattr(sparse_regression, "RESAMPLES", 20)
    found, plain = weights(SPARSE, Y, seed=0, name="w"), LinearRegression().fit(X, Y).coef_
    assert 0 < found.value[0] < plain[0]
    assert plain[1] < found.value[1] < 0


def test_weights_are_rounded_to_seven_digits(monkeypatch):
    monkeypatch.setattr(sparse_regression, "RESAMPLES", 5)
    found = weights(SPARSE, Y, seed=0, name="w").value
    assert [float(f"{value:.7g}") for value in found] == pytest.approx(found.tolist(), rel=1e-15)
