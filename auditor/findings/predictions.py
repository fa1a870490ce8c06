"""Does the model answer right, and does it know when it does not?

Accuracy is the share of labelled documents whose predicted labels are exactly the reference; for multi-label that is
the exact match (subset accuracy), printed under both names. Without references everything else is still given.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from auditor.findings.answers import Answer, scored
from auditor.findings.calibration import calibrate
from auditor.findings.intervals import bootstrap_mean, wilson
from auditor.findings.numbers import BOOTSTRAP, WILSON, number
from auditor.findings.scores import confuse, score
from auditor.findings.types import CalibrationBin, ClassScores, Example, Number, PredictionFindings

EXAMPLES = 6


def summarise_predictions(
    answers: Sequence[Answer], multi_label: bool, seed: int
) -> tuple[PredictionFindings | None, list[Number]]:
    """The findings and the numbers of the prediction probe; None and [] where it measured nothing."""
    if not answers:
        return None, []
    labels = answers[0].prediction.labels
    labelled = scored(answers)
    entropy = mean_entropy(answers, seed) if labels else None
    numbers = [accuracy(labelled)] if labelled else []
    classes: tuple[ClassScores, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    if labelled:
        classes, averages = score(labelled, labels, multi_label, seed)
        calibration, error = calibrate(labelled, multi_label, seed)
        numbers += [exact_match(labelled)] if multi_label else []
        numbers += averages + [n for c in classes for n in (c.precision, c.recall, c.f1)] + [error]
    numbers += [entropy] if entropy else []
    numbers += [] if labels else [mean_logprob(answers, seed)]
    found = PredictionFindings(
        labels=labels,
        multi_label=multi_label,
        n_documents=len(answers),
        n_labelled=len(labelled),
        confusion=confuse(labelled, labels) if labelled and not multi_label else (),
        classes=classes,
        calibration=calibration,
        predicted_counts=_predicted_counts(answers),
        mean_entropy=entropy,
        confident_errors=confident_errors(answers),
        least_certain=least_certain(answers),
        continuations=not labels,
    )
    return found, numbers


def accuracy(answers: Sequence[Answer], name: str = "accuracy", title: str = "Accuracy") -> Number:
    """Share of labelled answers that are right; those without a reference are left out."""
    labelled = scored(answers)
    share = wilson(sum(answer.correct for answer in labelled), len(labelled))
    exactly = any(answer.multi_label for answer in labelled)
    rule = "predicted labels are exactly the reference" if exactly else "predicted label is the reference"
    return number(name, title, share, "share", f"Share of labelled documents whose {rule}; {WILSON}")


def exact_match(answers: Sequence[Answer]) -> Number:
    """Subset accuracy of multi-label answers."""
    return accuracy(answers, "exact_match", "Exact match")


def mean_entropy(answers: Sequence[Answer], seed: int) -> Number:
    """How undecided the model is, on average."""
    found = bootstrap_mean([answer.prediction.entropy for answer in answers], seed=seed, name="mean_entropy")
    what = "binary entropies of the labels" if answers[0].multi_label else "entropies of the predicted distributions"
    return number("mean_entropy", "Mean entropy", found, "nats", f"Mean over documents of the {what}; {BOOTSTRAP}")


def mean_logprob(answers: Sequence[Answer], seed: int) -> Number:
    """How sure the model is of its own continuations."""
    name = "generation.mean_logprob"
    values = [a.prediction.mean_logprob for a in answers if a.prediction.mean_logprob is not None]
    found = bootstrap_mean(values, seed=seed, name=name)
    protocol = f"Mean over documents of the mean log-probability per token of the greedy continuation; {BOOTSTRAP}"
    return number(name, "Log-probability of the continuation", found, "log-probability", protocol)


def confident_errors(answers: Sequence[Answer]) -> tuple[Example, ...]:
    """The wrong answers the model was surest of."""
    return _first(
        [answer for answer in answers if answer.wrong],
        lambda answer: -answer.error_confidence,
        "One of the {n} wrong answers with the highest probability",
        "The wrong answer with the highest probability",
    )


def least_certain(answers: Sequence[Answer]) -> tuple[Example, ...]:
    """The answers with the highest entropy."""
    return _first(
        [answer for answer in answers if answer.prediction.labels],
        lambda answer: -answer.prediction.entropy,
        "One of the {n} answers with the highest entropy",
        "The answer with the highest entropy",
    )


def _first(answers: list[Answer], key: Callable[[Answer], float], rule: str, single: str) -> tuple[Example, ...]:
    """Up to six, ties in the order of the corpus."""
    chosen = sorted(answers, key=key)[:EXAMPLES]
    text = single if len(chosen) == 1 else rule.format(n=len(chosen))
    return tuple(Example(document_id=answer.document.id, rule=text) for answer in chosen)


def _predicted_counts(answers: Sequence[Answer]) -> dict[str, int]:
    counts = Counter(label for answer in answers for label in answer.prediction.predicted)
    return {label: counts[label] for label in answers[0].prediction.labels}
