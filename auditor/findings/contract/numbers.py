"""The names of numbers, so that `[checks]`, findings and report speak of the same things.

accuracy                     of the whole corpus
recall[positive]             of one label
attention.head_share[sink]   of one class of heads
accuracy{length=short}       of the documents with one value of one metadata column
accuracy@baseline            how far any of them differs from that of the baseline
"""

import difflib
import math
from collections.abc import Collection

from auditor.findings.contract.types import Nats, Number, Unit
from auditor.findings.statistics.exponentials import exponential
from auditor.findings.statistics.intervals import Estimate
from auditor.languages import N_
from auditor.records.plan import SINCE_BASELINE

SLICE_VALUES = range(2, 13)
"""How many values a metadata column must have to be sliced by."""

BOOTSTRAP = N_("95% interval by bootstrap-t over documents (2,000 resamples), from ten documents on")
BCA = N_("95% interval by bootstrap over documents (expanded BCa, 2,000 resamples), from ten documents on")
WILSON = N_("95% Wilson interval")


def number(name: str, title: str, estimate: Estimate, unit: Unit, protocol: str) -> Number:
    """A named number from an estimate."""
    return Number(
        name=name,
        title=title,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        unit=unit,
        protocol=protocol,
    )


def perplexity(name: str, title: str, nats: Estimate, protocol: str) -> Number:
    """A named perplexity from the estimate of its logarithm."""
    ends = {"value": nats.value, "low": nats.low, "high": nats.high}
    shown = {key: None if x is None else exponential(x) for key, x in ends.items()}
    return Number(
        name=name, title=title, **shown, n=nats.n, unit="perplexity", protocol=protocol, nats=Nats.model_validate(ends)
    )


def as_nats(number: Number) -> Number:
    """The logarithm of a perplexity as a number of its own; any other number as it is."""
    if number.nats is None:
        return number
    return number.model_copy(update={**number.nats.model_dump(), "unit": "nats", "nats": None})


def on_scale(number: Number, bound: float) -> float:
    """A bound on the scale on which the number is compared."""
    if number.nats is None:
        return bound
    return math.log(bound) if bound > 0 else -math.inf


def lies_below(one: Number, other: Number) -> bool:
    """Whether the whole interval of one number lies below that of another."""
    high, low = one.compared.high, other.compared.low
    return high is not None and low is not None and high < low


def of_label(name: str, label: str) -> str:
    """`recall`, `positive` → `recall[positive]`."""
    return f"{name}[{label}]"


def of_slice(name: str, column: str, value: str) -> str:
    """`accuracy`, `length`, `short` → `accuracy{length=short}`."""
    return f"{name}{{{column}={value}}}"


def is_of_slice(name: str) -> bool:
    """Whether a number, or the difference of one, is of a slice; a label may have braces, and ends with its bracket."""
    return without_baseline(name).endswith("}")


def since_baseline(name: str) -> str:
    """`accuracy` → `accuracy@baseline`."""
    return f"{name}{SINCE_BASELINE}"


def without_baseline(name: str) -> str:
    """The name of the number that a difference is of; any other name as it is."""
    return name.removesuffix(SINCE_BASELINE)


def nearest(name: str, known: Collection[str], n: int = 3) -> list[str]:
    """Up to `n` known names that `name` may have meant, best first."""
    return difflib.get_close_matches(name, sorted(known), n=n, cutoff=0.5)
