"""Precision, recall and F1 of every label, from who was named and who should have been.

With tp_k the documents that have label k and are given it, s_k those that have it, p_k those given it:
    precision = tp / p,  recall = tp / s,  F1 = 2 tp / (p + s),  macro F1 = mean of the defined F1_k,
    micro F1 = 2 Σtp / Σ(p + s) (multi-label; for single labels it is the accuracy).

What the corpus says about F1_k are the n_k = p + s − tp documents that have label k or are given it (tp + fp + fn);
the others, however many, say nothing. Among them the right ones are a proportion J_k = tp / n_k (Jaccard), and
    F1_k = 2 J_k / (1 + J_k),
which rises with J_k: the ends of the Wilson interval of J_k, put through it, are those of F1_k, and its n is n_k.
    tp = 0, fp = 1, fn = 0     J = 0 of 1: a value, and no interval; 199 other documents change nothing about it
    tp = 8, fp = 1, fn = 1     J = 8 of 10, Wilson 0.490 to 0.943;  F1 = 16/18 = 0.889, 0.658 to 0.971

Precision and recall are proportions too, with Wilson intervals on their own denominators, taken as given. Macro and
micro F1 are functions of sums over labels and are resampled over the documents that have a label or are given one
(multi-label: not all; the others add to no sum). On few documents rare labels are not seen at all, which no resample
can know: macro F1 has an interval from three documents on for each label of the model.

Edge cases: 0/0 has no value (scikit-learn prints 0 and warns). The macro mean is over labels that occur as reference
or as prediction, which is scikit-learn's default.

Agrees with `sklearn.metrics.precision_recall_fscore_support` (1.9) where both are defined.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.findings.analyses.answers import Answer
from auditor.findings.contract.contributions import Contributions, ratio_of
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BCA, WILSON
from auditor.findings.contract.quantity import Prospect, Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import Estimate, bootstrap, divide, wilson
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, say

LEAST_PER_LABEL = 3
"""Documents for each label of the model, without which macro F1 has no interval."""
Flags = NDArray[np.bool_]


def given_labelled(prospect: Prospect) -> tuple[str, ...]:
    """A number of a corpus with reference labels, whose model has labels."""
    return ("",) if prospect.labels and prospect.labelled else ()


def given_multi_label(prospect: Prospect) -> tuple[str, ...]:
    """A number of a corpus whose documents may have several reference labels."""
    return given_labelled(prospect) if prospect.multi_label else ()


def given_each_label(prospect: Prospect) -> tuple[str, ...]:
    """A number for every label of a corpus with reference labels."""
    return prospect.labels if prospect.labelled else ()


MACRO_F1 = Quantity(
    name="macro_f1", title=N_("Macro F1"), unit="share", compared=True, better="high", given=given_labelled
)
MICRO_F1 = Quantity(
    name="micro_f1",
    title=N_("Micro F1"),
    unit="share",
    better="high",
    given=given_multi_label,
    glossary=(Term(N_("Micro F1"), N_("F1 over all labels of all documents together.")),),
)
PRECISION = Quantity(
    name="precision",
    title=N_("Precision, {label}"),
    unit="share",
    better="high",
    given=given_each_label,
    glossary=(
        Term(
            N_("Precision, recall"),
            N_("Of the documents given a label, the share that have it; of those that have it, the share given it."),
        ),
    ),
)
RECALL = Quantity(
    name="recall", title=N_("Recall, {label}"), unit="share", compared=True, better="high", given=given_each_label
)
F1 = Quantity(
    name="f1",
    title=N_("F1, {label}"),
    unit="share",
    better="high",
    given=given_each_label,
    glossary=(Term(N_("F1"), N_("Harmonic mean of precision and recall. Macro F1 is its mean over the labels.")),),
)


class ClassScores(Finding):
    """Scores of one label."""

    label: str
    support: int
    predicted: int
    precision: Number
    recall: Number
    f1: Number


def score(
    answers: Sequence[Answer], labels: Sequence[str], multi_label: bool, seed: int
) -> tuple[tuple[ClassScores, ...], list[Number]]:
    """Scores of every label, and macro F1 (for multi-label micro F1 too), of labelled answers."""
    truth = _flags([answer.reference or () for answer in answers], labels)  # (n, K)
    given = _flags([answer.prediction.predicted for answer in answers], labels)  # (n, K)
    macro, micro = averages(truth, given, seed)
    classes = tuple(_class(label, truth[:, k], given[:, k]) for k, label in enumerate(labels))
    rule = say(
        "Unweighted mean of the F1 scores of the labels that occur as reference or prediction; {interval}, and from "
        "three for each label",
        interval=say(BCA),
    )
    numbers = [MACRO_F1.number(macro, rule)]
    if multi_label:
        rule = say("F1 of all decisions on all labels taken together; {interval}", interval=say(BCA))
        numbers.append(MICRO_F1.number(micro, rule))
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


def averages(truth: Flags, given: Flags, seed: int) -> list[Estimate]:
    """Macro and micro F1 of K labels."""

    def statistic(sums: Floats) -> Floats:
        return np.stack([_macro(sums), _micro(sums)], axis=-1)

    features = _counts(truth, given)[(truth | given).any(axis=1)]
    macro, micro = bootstrap(features, statistic, seed=seed, name="f1", share=True)
    if len(features) < LEAST_PER_LABEL * truth.shape[1]:
        macro = Estimate(macro.value, None, None, macro.n)
    return [macro, micro]


def _counts(truth: Flags, given: Flags) -> Floats:
    """(n, 2K): true positives, then predictions + references."""
    return np.column_stack([truth & given, truth.astype(np.int64) + given]).astype(np.float64)


def _macro(sums: Floats) -> Floats:
    k = sums.shape[-1] // 2
    each = divide(2 * sums[..., :k], sums[..., k:])
    return divide(np.nansum(each, axis=-1), np.sum(sums[..., k:] > 0, axis=-1).astype(np.float64))


def _micro(sums: Floats) -> Floats:
    k = sums.shape[-1] // 2
    return divide(2 * sums[..., :k].sum(axis=-1), sums[..., k:].sum(axis=-1))


def score_contributions(answers: Sequence[Answer], labels: Sequence[str], multi_label: bool) -> Iterator[Contributions]:
    """What each labelled answer adds to the averages of F1 and to the scores of every label."""
    ids, ordered = tuple(answer.document.id for answer in answers), sorted(labels)
    truth = _flags([answer.reference or () for answer in answers], ordered)
    given = _flags([answer.prediction.predicted for answer in answers], ordered)
    counts = _counts(truth, given)
    yield Contributions(MACRO_F1, ids, counts, _macro)
    if multi_label:
        yield Contributions(MICRO_F1, ids, counts, _micro)
    for k, label in enumerate(ordered):
        hits = counts[:, k]
        for quantity, above, below in (
            (PRECISION, hits, given[:, k]),
            (RECALL, hits, truth[:, k]),
            (F1, 2 * hits, counts[:, len(ordered) + k]),
        ):
            yield ratio_of(quantity, zip(ids, above.tolist(), below.tolist(), strict=True), label=label)


def _class(label: str, truth: Flags, given: Flags) -> ClassScores:
    hits, support, predicted = int((truth & given).sum()), int(truth.sum()), int(given.sum())
    f1 = wilson(hits, int((truth | given).sum())).through(lambda jaccard: 2 * jaccard / (1 + jaccard))
    right = say("Share of documents predicted as this label that have it; {interval}", interval=say(WILSON))
    hit = say("Share of documents with this label that are predicted as it; {interval}", interval=say(WILSON))
    mean = say(
        "Harmonic mean of precision and recall; {interval} of the share of documents that have this label and are "
        "predicted as it, among those that have it or are predicted as it, converted to F1",
        interval=say(WILSON),
    )
    return ClassScores(
        label=label,
        support=support,
        predicted=predicted,
        precision=PRECISION.number(wilson(hits, predicted), right, label),
        recall=RECALL.number(wilson(hits, support), hit, label),
        f1=F1.number(f1, mean, label),
    )
