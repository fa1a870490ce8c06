"""What the manifest of a run keeps of its findings, so that a year of runs is read without opening one report.

    "numbers": {"accuracy": {"title": "Accuracy", "unit": "share", "value": 0.83, "low": 0.77, "high": 0.88, "n": 200}}
    "checks":  {"accuracy": {"result": "watch", "direction": "at_least", "bound": 0.8}}

Numbers of the whole corpus; of its parts, and of the differences to the baseline, those with a check. A perplexity and
its bound are kept by their logarithms, in nats.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from auditor.findings.contract.numbers import is_of_slice, without_baseline
from auditor.findings.contract.registry import quantity_of
from auditor.findings.contract.types import Check, Findings, Number, Result, Unit
from auditor.records.store import RunSummary


@dataclass(frozen=True, slots=True)
class Measured:
    """A number of one night."""

    title: str
    unit: Unit
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A check of one night."""

    result: Result
    direction: str
    bound: float


@dataclass(frozen=True, slots=True)
class Night:
    """One complete run."""

    run_id: str
    created: str
    verdict: str
    headline: str
    plan_id: str
    numbers: Mapping[str, Measured] = field(default_factory=dict)
    checks: Mapping[str, Judged] = field(default_factory=dict)


def manifest_facts(findings: Findings) -> dict[str, Any]:
    """Verdict, numbers and checks, as the manifest keeps them."""
    of_whole = [number for number in findings.numbers if not is_of_slice(number.name)]
    kept = [*of_whole, *(check.number for check in findings.checks if check.number)]
    checks = {
        check.name: {"result": check.result, "direction": check.direction, "bound": _bound(check)}
        for check in findings.checks
    }
    verdict = {"verdict": findings.verdict.result, "headline": findings.verdict.headline}
    return {**verdict, "numbers": {number.name: _kept(number) for number in kept}, "checks": checks}


def _bound(check: Check) -> float:
    """The bound on the scale on which the number is kept, measured or not."""
    quantity = quantity_of(check.name)
    is_perplexity = quantity is not None and quantity.unit == "perplexity"
    is_change = without_baseline(check.name) != check.name  # whose bound is in nats as it is
    return math.log(check.bound) if is_perplexity and not is_change and check.bound > 0 else check.bound


def _kept(number: Number) -> dict[str, Any]:
    on_scale = number.compared
    unit = "nats" if number.nats else number.unit
    measured = {"value": on_scale.value, "low": on_scale.low, "high": on_scale.high, "n": number.n}
    return {"title": number.title, "unit": unit, **measured}


def nights(runs: Iterable[RunSummary]) -> tuple[Night, ...]:
    """The complete runs, in the given order; of one that keeps no numbers, or none that can be read, its verdict."""
    return tuple(_night(run) for run in runs if run.state == "complete")


def _night(run: RunSummary) -> Night:
    manifest = run.manifest
    return Night(
        run.run_id,
        run.created,
        str(manifest.get("verdict", "")),
        str(manifest.get("headline", "")),
        str(manifest.get("plan_id", "")),
        dict(_entries(manifest.get("numbers"), _measured)),
        dict(_entries(manifest.get("checks"), _judged)),
    )


def _entries(kept: Any, read: Any) -> Iterable[tuple[str, Any]]:  # whatever a manifest may hold
    for name, values in kept.items() if isinstance(kept, dict) else ():
        try:
            yield name, read(values)
        except (KeyError, TypeError, ValueError):
            continue


def _measured(values: Mapping[str, Any]) -> Measured:
    if values["unit"] not in get_args(Unit):
        raise ValueError(values["unit"])
    value, low, high = (None if values[key] is None else float(values[key]) for key in ("value", "low", "high"))
    return Measured(str(values["title"]), values["unit"], value, low, high, int(values["n"]))


def _judged(values: Mapping[str, Any]) -> Judged:
    return Judged(values["result"], str(values["direction"]), float(values["bound"]))
