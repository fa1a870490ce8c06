"""How much of what any ranking could do does the ranking of an explanation do? AOPC between its attainable bounds.

    share = (AOPC − least) / (most − least)

document by document, for comprehensiveness (large is good) and sufficiency (small is good, as before), with the bounds
that the probe `faithfulness` has found (`auditor.probes.attainable`): exact, or those of a beam, which may lie a little
inside the true ones, so that comprehensiveness is flattered rather than slighted. Documents in which all rankings do
much the same (most − least < 0.05) have no share: it would be noise over next to nothing.

Source: Edin et al. 2024.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from auditor.findings.analyses.grades import LEAST_MOVED
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.languages import N_, say
from auditor.languages.numbers import shortest
from auditor.records.explanations import Attainable, Faithfulness, Removal

Losses = Sequence[float]

COMPREHENSIVENESS = Quantity(
    name="explanations.normalised_comprehensiveness",
    title=N_("Normalised comprehensiveness"),
    unit="share",
    glossary=(
        Term(
            N_("Attainable bounds"),
            N_("The most and the least that the best and the worst ranking of the same words would lose."),
        ),
        Term(
            N_("Normalised comprehensiveness"),
            N_("Comprehensiveness as a share of the way from the least to the most that any ranking loses."),
        ),
        Term(
            N_("Normalised sufficiency"),
            N_("Sufficiency as a share of the way from the least to the most that any ranking loses; small is good."),
        ),
    ),
)
SUFFICIENCY = Quantity(name="explanations.normalised_sufficiency", title=N_("Normalised sufficiency"), unit="share")
QUANTITIES = (COMPREHENSIVENESS, SUFFICIENCY)


def attained(bounds: Attainable | None, comprehensiveness: Losses, sufficiency: Losses) -> tuple[float | None, ...]:
    """The shares of comprehensiveness and of sufficiency that a ranking attains.

    Args:
        bounds: None where they are not known.
        comprehensiveness: What the ranking loses at every size.
        sufficiency: The same, of nothing but the first segments.

    Returns:
        A share each; None without bounds, or where these are next to equal.
    """
    if bounds is None:
        return None, None
    return (
        _share(comprehensiveness, bounds.least_comprehensiveness, bounds.most_comprehensiveness),
        _share(sufficiency, bounds.least_sufficiency, bounds.most_sufficiency),
    )


def _share(losses: Losses, least: Losses, most: Losses) -> float | None:
    low, high = float(np.mean(least)), float(np.mean(most))
    return (float(np.mean(losses)) - low) / (high - low) if high - low >= LEAST_MOVED else None


def of_explanations(removals: Iterable[Removal]) -> list[tuple[float | None, ...]]:
    """The shares of every explanation."""
    return [attained(one.attainable, one.comprehensiveness, one.sufficiency) for one in removals]


def of_random(removals: Iterable[Removal]) -> list[tuple[float | None, ...]]:
    """The shares of the random rankings beside them."""
    return [attained(one.attainable, one.random_comprehensiveness, one.random_sufficiency) for one in removals]


def numbers(method: str, shares: Sequence[tuple[float | None, ...]], seed: int) -> dict[str, Number]:
    """The means of a method: `normalised_comprehensiveness` and `normalised_sufficiency`, of those that have any share.

    Args:
        method: Its name.
        shares: Of each document.
        seed: Of the bootstrap.
    """
    protocol = say(
        "Mean over documents of (AOPC − least) / (most − least), between the bounds of what any ranking of the same "
        "words loses, where these are {least} apart or more; {interval}",
        least=shortest(LEAST_MOVED),
        interval=say(BOOTSTRAP),
    )
    means = {}
    for i, quantity in enumerate(QUANTITIES):
        name = f"{method}.{quantity.name.partition('.')[2]}"
        if values := [share for of_one in shares if (share := of_one[i]) is not None]:
            mean = quantity.number(bootstrap_mean(values, seed=seed, name=name), protocol)
            means[name.partition(".")[2]] = mean.model_copy(update={"name": name})
    return means


def of_run(*normalised: Number | None) -> tuple[Number, ...]:
    """The numbers of the method that the report shows, under the names that checks know."""
    pairs = zip(QUANTITIES, normalised, strict=True)
    return tuple(one.model_copy(update={"name": quantity.name}) for quantity, one in pairs if one)


def bounded(rows: Sequence[Faithfulness]) -> tuple[int, int]:
    """Documents whose bounds are known, and those of them whose bounds are exact."""
    known = [[r.attainable for r in row.removals if r.attainable] for row in rows]
    return sum(map(bool, known)), sum(bool(one) and all(a.exhaustive for a in one) for one in known)
