"""Which values a number can take at all: a bound outside them, or at the end that nothing can cross, judges nothing."""

import math
import re

from auditor.records.plan import Bound

_SHARE = (0.0, 1.0)
_LIMITS = {
    "lime.fidelity": (-math.inf, 1.0),
    "attention.agreement": (-1.0, 1.0),
    "mean_entropy": (0.0, math.inf),
    "generation.mean_logprob": (-math.inf, 0.0),
}


def limits(name: str) -> tuple[float, float]:
    """The least and the largest value of a number, of a slice or a label too."""
    base = re.split(r"[\[{]", name, maxsplit=1)[0]
    if base in _LIMITS:
        return _LIMITS[base]
    if base.startswith(("perplexity.", "pseudo_perplexity.")):
        return (0.0 if base.endswith("bits_per_byte") else 1.0), math.inf
    return _SHARE


def fault_of(name: str, bound: Bound) -> str | None:
    """Why a bound can never be broken, or never be kept; None where it can be both."""
    low, high = limits(name)
    at_least = bound.direction == "at_least"
    said, between = f"{bound.direction} = {bound.value:g}", f"the number lies between {low:g} and {high:g}"
    if (bound.value <= low) if at_least else (bound.value >= high):
        return f"{said} cannot be broken: {between}"
    if (bound.value > high) if at_least else (bound.value < low):
        return f"{said} cannot be kept: {between}"
    return None
