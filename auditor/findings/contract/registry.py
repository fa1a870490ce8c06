"""The summaries of all installed probes: entry point group `auditor.summaries`, probe → `Summary`."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any, Final

from auditor.errors import InstallationError
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.summary import Summary
from auditor.findings.contract.types import DocumentRow
from auditor.registry import load, registered

GROUP: Final = "auditor.summaries"


@functools.cache
def summaries() -> Mapping[str, Summary[Any, Any]]:
    """Probe → its summary, in the order of the report.

    Raises:
        InstallationError: one cannot be loaded, is no `Summary`, is registered under another name than its probe's, or
            declares a number, a column of the table of documents or a section that another has.
    """
    loaded = sorted(map(_load, registered(GROUP).values()), key=lambda summary: (summary.order, summary.probe))
    _require_prefixed_names(loaded)
    return {summary.probe: summary for summary in loaded}


def summary_of(probe: str) -> Summary[Any, Any] | None:
    """The summary of a probe; None where it has none."""
    return summaries().get(probe)


def quantities() -> Mapping[str, Quantity]:
    """Name → quantity of every summary, in the order of the report."""
    return {quantity.name: quantity for summary in summaries().values() for quantity in summary.quantities}


def quantity_of(name: str) -> Quantity | None:
    """The quantity of a number, of any label and slice; None where nobody declares it."""
    base = name.partition("{")[0] if not name.startswith("{") else name
    return quantities().get(base.partition("[")[0])


def owner_of(name: str) -> Summary[Any, Any] | None:
    """The summary that declares the quantity of a number; None where nobody does."""
    quantity = quantity_of(name)
    return next((s for s in summaries().values() if quantity in s.quantities), None) if quantity else None


def _load(entry: EntryPoint) -> Summary[Any, Any]:
    summary = load(entry)
    if not isinstance(summary, Summary) or summary.probe != entry.name:
        given = f"one of {summary.probe!r}" if isinstance(summary, Summary) else f"{summary!r:.60}"
        raise InstallationError(
            f"{entry.value}: expected a Summary of the probe {entry.name!r} (entry point group {GROUP}), found "
            f"{given}; tell who wrote it"
        )
    return summary


def _require_prefixed_names(loaded: Iterable[Summary[Any, Any]]) -> None:
    """Refuses a number, a column of the table of documents or a section that another summary, or every run, has."""
    declared = {("column", name): "every run" for name in DocumentRow.model_fields}
    for summary in loaded:
        for kind, name, better in _names(summary):
            if (kind, name) in declared:
                raise InstallationError(
                    f"the {kind} {name} is declared by {declared[kind, name]} and by the summary of {summary.probe}; "
                    f"tell who wrote the second to call it {better}"
                )
            declared[kind, name] = f"the summary of {summary.probe}"


def _names(summary: Summary[Any, Any]) -> Iterator[tuple[str, str, str]]:
    """Kind and name of what no other summary may declare, and a name that it could have instead."""
    yield from (("number", quantity.name, f"{summary.probe}.{quantity.name}") for quantity in summary.quantities)
    yield from (("column", cell.name, f"{summary.probe}_{cell.name}") for cell in summary.cells)
    yield "section", summary.section_id, f"probe-{summary.probe}"
