"""Answers chosen by printed rules: the surest errors, the least certain answers; ties keep the order of the corpus."""

from collections.abc import Callable, Iterable, Sequence

from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.worst import choose
from auditor.findings.contract.types import Choice, Example
from auditor.languages import plural

EXAMPLES = 6
CONFIDENT = 0.9
"""Probability from which on an error is one that the model was sure of."""


def n_confident(answers: Iterable[Answer]) -> int:
    """Wrong answers that the model was sure of."""
    return sum(answer.error_confidence >= CONFIDENT for answer in answers if answer.wrong)


def choose_errors(rule: str, answers: Iterable[Answer], most: int) -> Choice:
    """The wrong answers with the highest probability."""
    return choose(rule, ((a.document.id, a.error_confidence) for a in answers if a.wrong), most)


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
