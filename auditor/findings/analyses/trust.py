"""What every method of explanation is held to: numbers named after its probe, from what `faithfulness` measured of it.

    <probe>.faithfulness   mean over documents of AOPC(explanation) − AOPC(random ranking), AOPC the mean over sizes of
                           f(x) − f(x without the k segments ranked first): what the ranking is worth beyond chance
    <probe>.stability      mean over documents of the correlation between the weights of two independent halves of the
                           neighbourhood; of documents in which something was sampled

Grades are those of `auditor.findings.analyses.grades`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditor.findings.analyses.grades import Grade, Trust, trust
from auditor.findings.contract.contributions import Contributions, mean_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import PageOne, Prospect, Quantity, Term
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.languages import N_, say
from auditor.records.explanations import Explanation, Faithfulness, Removal

FAITHFULNESS = "faithfulness"
"""The probe."""
_TERMS = (
    Term(
        N_("AOPC"),
        N_("Area over the perturbation curve: what an answer loses as words leave, averaged over how many leave."),
    ),
    Term(
        N_("Faithfulness"),
        N_("How much more of the answer is lost without the words an explanation names than without random ones."),
    ),
)


@dataclass(frozen=True, slots=True)
class Acted:
    """What the explanations of one method came to."""

    unit: Unit
    removals: Mapping[str, Removal]
    """By document id, in the order of the corpus."""


def _acted_upon(prospect: Prospect) -> tuple[str, ...]:
    return ("",) if FAITHFULNESS in prospect.probes else ()


def faithfulness_quantity(probe: str, title: str, rank: int | None = None) -> Quantity:
    """What the rankings of a method are worth beyond chance.

    Args:
        probe: The method.
        title: Message.
        rank: On page one, of a classifier or a generator.
    """
    return Quantity(
        name=f"{probe}.faithfulness",
        title=title,
        unit="probability",
        low=-math.inf,
        high=math.inf,
        compared=True,
        better="high",
        page_one=PageOne(rank, rank),
        glossary=_TERMS,
        given=_acted_upon,
    )


def stability_quantity(probe: str, title: str) -> Quantity:
    """How far two samples give the same weights."""
    return Quantity(name=f"{probe}.stability", title=title, unit="correlation", low=-1.0, better="high")


def faithfulness(quantity: Quantity, acted: Acted, seed: int) -> Number:
    """The number of a method; n is 0 where nobody acted upon its explanations.

    Args:
        quantity: From `faithfulness_quantity`.
        acted: From `removals`.
        seed: Of the bootstrap.
    """
    protocol = say(
        "Mean over documents of what the answer loses without the words ranked first, averaged over sizes of 1, 5, 10, "
        "20 and 50%, less the same for a random ranking; {interval}",
        interval=say(BOOTSTRAP),
    )
    of_unit = replace(quantity, unit=acted.unit)
    values = list(map(excess, acted.removals.values()))
    return of_unit.number(bootstrap_mean(values, seed=seed, name=quantity.name), protocol)


def stability(quantity: Quantity, explanations: Sequence[Explanation], seed: int) -> Number:
    """Mean correlation of the weights from two halves; n is 0 where nothing was sampled."""
    halves = [halves for e in explanations if (halves := _halves(e)) is not None]
    protocol = say(
        "Mean over sampled documents of the correlation between the weights of two independent halves of the "
        "neighbourhood; {interval}",
        interval=say(BOOTSTRAP),
    )
    return quantity.number(bootstrap_mean(halves, seed=seed, name=quantity.name), protocol)


def trust_contributions(
    evidence: Evidence, probe: str, excess_quantity: Quantity, stability_quantity: Quantity | None = None
) -> Iterator[Contributions]:
    """What each document adds to the faithfulness of a method, and to its stability where it has one."""
    acted = removals(evidence, probe)
    yield mean_of(replace(excess_quantity, unit=acted.unit), {n: excess(r) for n, r in acted.removals.items()})
    if stability_quantity is not None:
        yield mean_of(stability_quantity, {n: _halves(e) for n, e in evidence.measured(probe, Explanation).items()})


def _halves(explanation: Explanation) -> float | None:
    """The correlation of the weights of two halves of its neighbourhood; None where nothing was sampled."""
    surrogate = explanation.targets[0].surrogate
    return surrogate.halves.correlation if surrogate and surrogate.halves else None


def aopc(losses: Sequence[float]) -> float:
    """Mean over the sizes."""
    return float(np.mean(losses))


def excess(removal: Removal) -> float:
    """AOPC beyond that of the random ranking."""
    return aopc(removal.comprehensiveness) - aopc(removal.random_comprehensiveness)


def removals(evidence: Evidence, probe: str) -> Acted:
    """What the explanations of one method came to."""
    rows = evidence.measured(FAITHFULNESS, Faithfulness)
    by_document = {name: r for name, row in rows.items() for r in row.removals if r.probe == probe}
    return Acted(unit_of(rows), by_document)


def unit_of(rows: Mapping[str, Faithfulness]) -> Unit:
    """The unit of what answers lose: one for all documents of a run."""
    return "probability" if all(row.unit == "probability" for row in rows.values()) else "log-probability"


def trusts(evidence: Evidence, probe: str) -> dict[str, Trust]:
    """Document id → what the grade of its explanation by one method is given for."""
    of_probe = evidence.of(probe)
    return {
        name: trust(explanation, removal)
        for name, removal in removals(evidence, probe).removals.items()
        if isinstance(explanation := of_probe.get(name), Explanation)
    }


def grade_of(evidence: Evidence, probe: str, document_id: str) -> Grade | None:
    """The grade of one explanation; None where nobody acted upon it."""
    row = evidence.record_of(FAITHFULNESS, document_id, Faithfulness)
    explanation = evidence.record_of(probe, document_id, Explanation)
    removal = next((one for one in row.removals if one.probe == probe), None) if row else None
    return trust(explanation, removal).grade if explanation and removal else None


def explainers(rows: Mapping[str, Faithfulness]) -> Iterator[str]:
    """The probes whose explanations were acted upon, in the order of the run."""
    yield from dict.fromkeys(removal.probe for row in rows.values() for removal in row.removals)
