"""Does the model answer right, and does it know when it does not?

Accuracy is the share of labelled documents whose predicted labels are exactly the reference; for multi-label that is
the exact match (subset accuracy), printed under both names. Without references everything else is still given.

Where a language model chooses among candidates, their probabilities are normalised among them and say nothing of what
else it would have written. The candidate mass does: Σ_k p(c_k | prompt), before they are normalised, mean over
documents. It is 1 at most unless one candidate begins with another.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from auditor.findings.analyses.answers import Answer, scored
from auditor.findings.analyses.calibration import calibrate
from auditor.findings.analyses.scores import confuse, score
from auditor.findings.numbers import BOOTSTRAP, WILSON, number
from auditor.findings.statistics.intervals import Estimate, bootstrap_mean, wilson
from auditor.findings.types import CalibrationBin, ClassScores, Example, Number, PredictionFindings
from auditor.languages import plural, say

EXAMPLES = 6


def summarise_predictions(
    answers: Sequence[Answer], *, candidates: bool, seed: int
) -> tuple[PredictionFindings | None, list[Number]]:
    """The findings and the numbers of the prediction probe; None and [] where it measured nothing.

    Args:
        answers: to the documents that were measured.
        candidates: whether the labels are continuations that a language model chose among.
        seed: of the bootstrap.
    """
    if not answers:
        return None, []
    labels, multi_label = answers[0].prediction.labels, answers[0].multi_label
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
    numbers += [candidate_mass(answers, seed)] if labels and candidates else []
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


def accuracy(answers: Sequence[Answer]) -> Number:
    """Share of labelled answers that are right; those without a reference are left out."""
    if any(answer.multi_label for answer in answers):
        return exact_match(answers).model_copy(update={"name": "accuracy", "title": say("Accuracy")})
    rule = say("Share of labelled documents whose predicted label is the reference; {interval}", interval=say(WILSON))
    return number("accuracy", say("Accuracy"), _share_correct(answers), "share", rule)


def exact_match(answers: Sequence[Answer]) -> Number:
    """Subset accuracy of multi-label answers."""
    rule = say(
        "Share of labelled documents whose predicted labels are exactly the reference; {interval}", interval=say(WILSON)
    )
    return number("exact_match", say("Exact match"), _share_correct(answers), "share", rule)


def _share_correct(answers: Sequence[Answer]) -> Estimate:
    labelled = scored(answers)
    return wilson(sum(answer.correct for answer in labelled), len(labelled))


def mean_entropy(answers: Sequence[Answer], seed: int) -> Number:
    """How undecided the model is, on average."""
    found = bootstrap_mean([answer.prediction.entropy for answer in answers], seed=seed, name="mean_entropy")
    rule = (
        say("Mean over documents of the binary entropies of the labels; {interval}", interval=say(BOOTSTRAP))
        if answers[0].multi_label
        else say(
            "Mean over documents of the entropies of the predicted distributions; {interval}", interval=say(BOOTSTRAP)
        )
    )
    return number("mean_entropy", say("Mean entropy"), found, "nats", rule)


def candidate_mass(answers: Sequence[Answer], seed: int) -> Number:
    """How much of the model's probability the candidates get together."""
    name = "generation.candidate_mass"
    masses = [sum(map(math.exp, answer.prediction.logits)) for answer in answers]
    rule = say(
        "Mean over documents of the probability that the candidates get together, before it is normalised among them; "
        "{interval}",
        interval=say(BOOTSTRAP),
    )
    found = bootstrap_mean(masses, seed=seed, name=name, share=True)
    return number(name, say("Probability of all candidates"), found, "probability", rule)


def mean_logprob(answers: Sequence[Answer], seed: int) -> Number:
    """How sure the model is of its own continuations."""
    name = "generation.mean_logprob"
    values = [a.prediction.mean_logprob for a in answers if a.prediction.mean_logprob is not None]
    found = bootstrap_mean(values, seed=seed, name=name)
    rule = say(
        "Mean over documents of the mean log-probability per token of the greedy continuation; {interval}",
        interval=say(BOOTSTRAP),
    )
    return number(name, say("Log-probability of the continuation"), found, "log-probability", rule)


def confident_errors(answers: Sequence[Answer]) -> tuple[Example, ...]:
    """The wrong answers the model was surest of."""
    chosen = _first([answer for answer in answers if answer.wrong], lambda answer: -answer.error_confidence)
    rule = plural(
        len(chosen),
        "The wrong answer with the highest probability",
        "One of the {n} wrong answers with the highest probability",
    )
    return tuple(Example(document_id=answer.document.id, rule=rule) for answer in chosen)


def least_certain(answers: Sequence[Answer]) -> tuple[Example, ...]:
    """The answers with the highest entropy; of free continuations, those with the lowest mean log-probability."""
    ranked = [answer for answer in answers if answer.prediction.labels]
    chosen = _first(ranked, lambda answer: -answer.prediction.entropy)
    rule = plural(len(chosen), "The answer with the highest entropy", "One of the {n} answers with the highest entropy")
    if not ranked:
        written = [answer for answer in answers if answer.prediction.mean_logprob is not None]
        chosen = _first(written, lambda answer: answer.prediction.mean_logprob or 0.0)
        rule = plural(
            len(chosen),
            "The continuation with the lowest mean log-probability",
            "One of the {n} continuations with the lowest mean log-probability",
        )
    return tuple(Example(document_id=answer.document.id, rule=rule) for answer in chosen)


def _first(answers: list[Answer], key: Callable[[Answer], float]) -> list[Answer]:
    """Up to six, ties in the order of the corpus."""
    return sorted(answers, key=key)[:EXAMPLES]


def _predicted_counts(answers: Sequence[Answer]) -> dict[str, int]:
    counts = Counter(label for answer in answers for label in answer.prediction.predicted)
    return {label: counts[label] for label in answers[0].prediction.labels}
