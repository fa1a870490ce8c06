"""Which numbers a run can give, and which values they can take: a bound on any other judges nothing."""

from collections.abc import Collection, Mapping

from auditor.findings.contract.numbers import SLICE_VALUES, of_slice
from auditor.findings.contract.quantity import Prospect, better_side
from auditor.findings.contract.registry import quantity_of, summaries
from auditor.findings.judgement.coverage import FAILED_SHARE
from auditor.records.plan import Bound


def names(prospect: Prospect, columns: Mapping[str, Collection[str]]) -> set[str]:
    """Every name a number could have in a run, for rejecting impossible checks before it starts.

    Args:
        prospect: What is known of the run.
        columns: Metadata column → its values in the corpus; those with fewer than 2 or more than 12 are not sliced by.
    """
    asked = (summary for probe, summary in summaries().items() if probe in prospect.probes)
    whole = {name for summary in asked for quantity in summary.quantities for name in quantity.names(prospect)}
    sliced = {column: values for column, values in columns.items() if len(set(values)) in SLICE_VALUES}
    parts = {of_slice(name, column, value) for name in whole for column, values in sliced.items() for value in values}
    return {FAILED_SHARE.name, *whole, *parts}


def limits(name: str) -> tuple[float, float]:
    """The least and the largest value of a number, of a slice or a label too."""
    quantity = quantity_of(name) or FAILED_SHARE
    return quantity.low, quantity.high


def _fault_of_margin(name: str, bound: Bound, width: float) -> str | None:
    margin, quantity = bound.not_worse_than_baseline_by or 0.0, quantity_of(name)
    declared = f"not_worse_than_baseline_by = {margin:g}"
    if quantity is None:
        return f"{declared}: the number is not compared between runs"
    if not better_side(quantity, bound):
        return f"{declared}: neither side of the number is better; give at_least or at_most as well"
    if margin >= width:
        return f"{declared} cannot be broken: the number lies between {quantity.low:g} and {quantity.high:g}"
    return None


def fault_of(name: str, bound: Bound) -> str | None:
    """Why a bound can never be broken, or never be kept; None where it can be both."""
    low, high = limits(name)
    if bound.not_worse_than_baseline_by is not None and (fault := _fault_of_margin(name, bound, high - low)):
        return fault
    if not bound.direction:
        return None
    at_least = bound.direction == "at_least"
    declared, between = f"{bound.direction} = {bound.value:g}", f"the number lies between {low:g} and {high:g}"
    if (bound.value <= low) if at_least else (bound.value >= high):
        return f"{declared} cannot be broken: {between}"
    if (bound.value > high) if at_least else (bound.value < low):
        return f"{declared} cannot be kept: {between}"
    return None
