"""Precision, recall and F1 of every label, from who was named and who should have been.

With tp_k the documents that have label k and are given it, s_k those that have it, p_k those given it:
    precision = tp / p,  recall = tp / s,  F1 = 2 tp / (p + s),  macro F1 = mean of the defined F1_k,
    micro F1 = 2 Σtp / Σ(p + s) (multi-label; for single labels it is the accuracy).

Edge cases: 0/0 has no value (scikit-learn prints 0 and warns). The macro mean is over labels that occur as reference
or as prediction, which is scikit-learn's default. Precision and recall are proportions (Wilson on their own
denominators, taken as given); F1 is resampled over documents, all labels in the same resamples.

Agrees with `sklearn.metrics.precision_recall_fscore_support` (1.9) where both are defined.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.findings.answers import Answer
from auditor.findings.intervals import Estimate, Floats, bootstrap, divide, wilson
from auditor.findings.numbers import BOOTSTRAP, WILSON, number, of_label
from auditor.findings.types import ClassScores, Number
from auditor.languages import say

Flags = NDArray[np.bool_]


def score(
    answers: Sequence[Answer], labels: Sequence[str], multi_label: bool, seed: int
) -> tuple[tuple[ClassScores, ...], list[Number]]:
    """Scores of every label, and macro F1 (for multi-label micro F1 too), of labelled answers."""
    truth = _flags([answer.reference or () for answer in answers], labels)  # (n, K)
    given = _flags([answer.prediction.predicted for answer in answers], labels)  # (n, K)
    *each, macro, micro = _f1(truth, given, seed)
    classes = tuple(_class(label, truth[:, k], given[:, k], each[k]) for k, label in enumerate(labels))
    rule = say(
        "Unweighted mean of the F1 scores of the labels that occur as reference or prediction; {interval}",
        interval=say(BOOTSTRAP),
    )
    numbers = [number("macro_f1", say("Macro F1"), macro, "share", rule)]
    if multi_label:
        rule = say("F1 of all decisions on all labels taken together; {interval}", interval=say(BOOTSTRAP))
        numbers.append(number("micro_f1", say("Micro F1"), micro, "share", rule))
    return classes, numbers


def confuse(answers: Sequence[Answer], labels: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """K × K counts of single-label answers: rows reference, columns predicted."""
    position = {label: k for k, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for answer in answers:
        if answer.reference and answer.prediction.predicted:
            counts[position[answer.reference[0]], position[answer.prediction.predicted[0]]] += 1
    return tuple(tuple(int(n) for n in row) for row in counts)


def _flags(sets: Sequence[Sequence[str]], labels: Sequence[str]) -> Flags:
    return np.array([[label in names for label in labels] for names in sets], dtype=bool).reshape(-1, len(labels))


def _f1(truth: Flags, given: Flags, seed: int) -> list[Estimate]:
    """F1 of each of K labels, then macro, then micro."""
    k = truth.shape[1]

    def statistic(sums: Floats) -> Floats:  # (…, 2K): true positives, then predictions + references
        hits, named = 2 * sums[..., :k], sums[..., k:]
        each = divide(hits, named)
        defined = np.sum(named > 0, axis=-1, keepdims=True).astype(np.float64)
        macro = divide(np.nansum(each, axis=-1, keepdims=True), defined)
        micro = divide(hits.sum(axis=-1, keepdims=True), named.sum(axis=-1, keepdims=True))
        return np.concatenate([each, macro, micro], axis=-1)

    features = np.column_stack([truth & given, truth.astype(np.int64) + given]).astype(np.float64)
    return bootstrap(features, statistic, seed=seed, name="f1")


def _class(label: str, truth: Flags, given: Flags, f1: Estimate) -> ClassScores:
    hits, support, predicted = int((truth & given).sum()), int(truth.sum()), int(given.sum())
    right = say("Share of documents predicted as this label that have it; {interval}", interval=say(WILSON))
    found = say("Share of documents with this label that are predicted as it; {interval}", interval=say(WILSON))
    mean = say("Harmonic mean of precision and recall; {interval}", interval=say(BOOTSTRAP))
    titles = (
        say("Precision, {label}", label=label),
        say("Recall, {label}", label=label),
        say("F1, {label}", label=label),
    )
    return ClassScores(
        label=label,
        support=support,
        predicted=predicted,
        precision=number(of_label("precision", label), titles[0], wilson(hits, predicted), "share", right),
        recall=number(of_label("recall", label), titles[1], wilson(hits, support), "share", found),
        f1=number(of_label("f1", label), titles[2], f1, "share", mean),
    )
