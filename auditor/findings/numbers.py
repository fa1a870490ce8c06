"""The names of numbers, so that `[checks]`, findings and report speak of the same things.

accuracy                     of the whole corpus
recall[positive]             of one label
attention.head_share[sink]   of one class of heads
accuracy{length=short}       of the documents with one value of one metadata column
"""

import difflib
import math
from collections.abc import Collection, Mapping

from auditor.findings.statistics.exponentials import exponential
from auditor.findings.statistics.intervals import Estimate
from auditor.findings.types import Nats, Number, Unit
from auditor.languages import N_

HEAD_CLASSES = ("previous", "next", "broad", "special", "punctuation", "sink")
SLICED = {
    "prediction": "accuracy",
    "lime": "lime.fidelity",
    "perplexity": "perplexity.median",
    "pseudo_perplexity": "pseudo_perplexity.median",
}
"""Probe → its number that the table of slices shows."""
SLICE_VALUES = range(2, 13)
"""How many values a metadata column must have to be sliced by."""

_LIME = ("lime.fidelity", "lime.low_fidelity_share", "lime.clear_share")
_PERPLEXITY = tuple(f"perplexity.{name}" for name in ("corpus", "mean", "median", "bits_per_byte", "word"))
_PSEUDO_PERPLEXITY = tuple(f"pseudo_perplexity.{name}" for name in ("corpus", "mean", "median"))
BOOTSTRAP = N_("95% interval by bootstrap over documents (BCa, 2,000 resamples)")
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


def names(
    probes: Collection[str],
    labels: Collection[str],
    columns: Mapping[str, Collection[str]],
    *,
    labelled: bool = True,
    multi_label: bool = False,
    candidates: bool = False,
    causal: bool | None = None,
) -> set[str]:
    """Every name a number could have in a run, for rejecting impossible checks before it starts.

    Args:
        probes: names of the probes that will run.
        labels: of the model, or the candidate continuations; empty for free continuations.
        columns: metadata column → its values in the corpus; those with fewer than 2 or more than 12 are not sliced by.
        labelled: whether the corpus has reference labels.
        multi_label: whether a document can have several labels.
        candidates: whether the labels are continuations that a language model chooses among.
        causal: whether tokens see only what stands before them; None where nobody knows before the model is loaded.
            A causal model has no heads on the next token, any other no sinks.
    """
    found = {"coverage.failed_share"}
    if "prediction" in probes:
        found |= _prediction_names(labels, labelled, multi_label)
        found |= {"generation.candidate_mass"} if labels and candidates else set()
    if "lime" in probes:
        found |= set(_LIME)
    if "attention" in probes:
        never = {True: "next", False: "sink", None: ""}[causal]
        found |= {of_label("attention.head_share", name) for name in HEAD_CLASSES if name != never}
        found |= {"attention.sink_share"}
        found |= {"attention.agreement"} if "lime" in probes else set()
    if "perplexity" in probes:
        found |= set(_PERPLEXITY)
    if "pseudo_perplexity" in probes:
        found |= set(_PSEUDO_PERPLEXITY)
    sliceable = {column: values for column, values in columns.items() if len(set(values)) in SLICE_VALUES}
    sliced = found - {"coverage.failed_share"}
    return found | {
        of_slice(name, column, value) for name in sliced for column, values in sliceable.items() for value in values
    }


def nearest(name: str, known: Collection[str], n: int = 3) -> list[str]:
    """Up to `n` known names that `name` may have meant, best first."""
    return difflib.get_close_matches(name, sorted(known), n=n, cutoff=0.5)


def _prediction_names(labels: Collection[str], labelled: bool, multi_label: bool) -> set[str]:
    if not labels:
        return {"generation.mean_logprob"}
    if not labelled:
        return {"mean_entropy"}
    per_label = {of_label(score, label) for score in ("precision", "recall", "f1") for label in labels}
    single = {"accuracy", "macro_f1", "calibration_error", "mean_entropy"}
    return per_label | single | ({"exact_match", "micro_f1"} if multi_label else set())
