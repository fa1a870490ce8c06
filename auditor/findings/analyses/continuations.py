"""What a language model says of the continuations it chooses among, and of those that it writes.

Where a language model chooses among candidates, their probabilities are normalised among them and say nothing of what
else it would have written. The candidate mass does: Σ_k p(c_k | prompt), before they are normalised, mean over
documents. It is 1 at most unless one candidate begins with another.

The mean log-probability of a free continuation is (1/T) Σ_t ln p(token t), of the tokens that it wrote; mean over
documents.
"""

import math
from collections.abc import Sequence

from auditor.findings.analyses.answers import Answer
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import PageOne, Prospect, Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.languages import N_, say


def _given_continuations(prospect: Prospect) -> tuple[str, ...]:
    return () if prospect.labels else ("",)


def _given_candidates(prospect: Prospect) -> tuple[str, ...]:
    return ("",) if prospect.labels and prospect.candidates else ()


CANDIDATE_MASS = Quantity(
    name="generation.candidate_mass",
    title=N_("Probability of all candidates"),
    unit="probability",
    compared=True,
    given=_given_candidates,
    glossary=(
        Term(
            N_("Candidate"),
            N_("One of the given continuations between which a language model chooses, like a label."),
        ),
        Term(N_("Prompt"), N_("The text put around a document for a language model.")),
    ),
)
MEAN_LOGPROB = Quantity(
    name="generation.mean_logprob",
    title=N_("Log-probability of the continuation"),
    unit="log-probability",
    low=-math.inf,
    high=0.0,
    compared=True,
    per_token=True,
    page_one=PageOne(generator=60),
    given=_given_continuations,
    glossary=(
        Term(
            N_("Continuation"),
            N_("What a language model writes after a document, always the most probable token next."),
        ),
        Term(N_("Log-probability"), N_("Natural logarithm of a probability: 0 is certain, −0.69 one half.")),
    ),
)


def mass(answer: Answer) -> float:
    """The probability of all candidates together."""
    return sum(map(math.exp, answer.prediction.logits))


def candidate_mass(answers: Sequence[Answer], seed: int) -> Number:
    """How much of the model's probability the candidates get together."""
    masses = list(map(mass, answers))
    rule = say(
        "Mean over documents of the probability that the candidates get together, before it is normalised among them; "
        "{interval}",
        interval=say(BOOTSTRAP),
    )
    return CANDIDATE_MASS.number(bootstrap_mean(masses, seed=seed, name=CANDIDATE_MASS.name, share=True), rule)


def mean_logprob(answers: Sequence[Answer], seed: int) -> Number:
    """How sure the model is of its own continuations."""
    values = [a.prediction.mean_logprob for a in answers if a.prediction.mean_logprob is not None]
    rule = say(
        "Mean over documents of the mean log-probability per token of the greedy continuation; {interval}",
        interval=say(BOOTSTRAP),
    )
    return MEAN_LOGPROB.number(bootstrap_mean(values, seed=seed, name=MEAN_LOGPROB.name), rule)
