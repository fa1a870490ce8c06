"""The group of documents that the model serves worst, whether or not chance alone could make it so.

Groups are held against each other by accuracy; where there is none, by the first declared check whose number the parts
of the corpus are compared by, and its bound says which side is good. Groups of fewer than 30 documents are not judged.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.findings.analyses.prediction import ACCURACY
from auditor.findings.contract.types import Check, Comparison, Number, Pointer, SliceRow
from auditor.findings.judgement.pointers import section_of
from auditor.findings.slicing.slices import LEAST_JUDGED, base_name, is_compared
from auditor.findings.statistics.exponentials import BEYOND
from auditor.findings.wording.digits import digits_of
from auditor.findings.wording.sentences import figure, measured, middle, p_value
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count

_TITLE = 60
"""Letters of a title, which holds a value of the corpus's own metadata."""


@dataclass(frozen=True, slots=True)
class _Group:
    """One part of the corpus by the number that it is judged by."""

    number: Number
    comparison: Comparison
    is_better_high: bool

    @property
    def value(self) -> float:
        """On the scale on which it is compared."""
        return self.number.compared.value or 0.0


def conclude_on_slices(slices: Sequence[SliceRow], checks: Sequence[Check]) -> Pointer:
    """The weakest group with its number, that of the whole corpus's comparison, and what would have been found."""
    topic = say("Weakest slice")
    for name, is_better_high in _measures(checks):
        groups = list(_groups(slices, name, is_better_high=is_better_high))
        if groups:
            weakest = (min if is_better_high else max)(groups, key=lambda group: group.value)
            return Pointer(
                severity="watch" if weakest.comparison.stands_apart else "note",
                topic=topic,
                text=f"{_described(weakest)}{_relation(weakest, groups)}",
                section=section_of(weakest.number.name),
            )
    text = say("No groups of at least {least} documents could be compared.", least=count(LEAST_JUDGED))
    return Pointer(severity="note", topic=topic, text=text, section="")


def _measures(checks: Sequence[Check]) -> Iterator[tuple[str, bool]]:
    """Names of the numbers that tell better groups from worse, and whether large values are better."""
    yield ACCURACY.name, True
    yield from ((check.name, check.direction == "at_least") for check in checks)


def _groups(slices: Sequence[SliceRow], name: str, *, is_better_high: bool) -> Iterator[_Group]:
    for row in slices:
        for number in row.numbers:
            comparison = row.comparison(number)
            if base_name(number) == name and comparison and is_compared(row, number):
                yield _Group(number, comparison, is_better_high)


def _described(group: _Group) -> str:
    return plural(
        group.number.n,
        "{title} is {measured} over {n} document",
        "{title} is {measured} over {n} documents",
        title=middle(group.number.title, _TITLE),
        measured=measured(group.number, is_brief=True),
    )


def _relation(weakest: _Group, groups: Sequence[_Group]) -> str:
    """How the weakest group stands to all documents, and how many groups there were."""
    made = weakest.comparison
    if made.stands_apart:
        return say(", apart from all documents by more than chance (p {p}, corrected).", p=p_value(made.p))
    if made.detectable is None:
        return say(", as chance alone would make it.")
    message = (
        N_(", the lowest of {n} groups, perhaps by chance ({size} would have been found in 80% of cases).")
        if weakest.is_better_high
        else N_(", the highest of {n} groups, perhaps by chance ({size} would have been found in 80% of cases).")
    )
    return say(
        message,
        n=count(len(groups)),
        size=_detectable(weakest.number, made.detectable),
    )


def _detectable(number: Number, size: float) -> str:
    """A difference, of a perplexity a factor."""
    if number.unit == "perplexity":
        return say("a factor of {factor}", factor=figure(math.exp(min(size, BEYOND)), "probability"))
    return say("a difference of {size}", size=figure(size, number.unit, digits_of(number)))
