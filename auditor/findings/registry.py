"""The summaries of all installed probes: entry point group `auditor.summaries`, probe → `Summary`."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Final

from auditor.errors import ConfigError
from auditor.findings.contract import Quantity, Summary

GROUP: Final = "auditor.summaries"


@functools.cache
def summaries() -> Mapping[str, Summary]:
    """Probe → its summary, in the order of the report.

    Raises:
        ConfigError: one is no `Summary`, is registered under another name than its probe's, or declares a number, a
            column of the table of documents or a section that another has.
    """
    loaded: list[Summary] = []
    for entry in entry_points(group=GROUP):
        summary = entry.load()
        if not isinstance(summary, Summary) or summary.probe != entry.name:
            raise ConfigError(
                f"{entry.value}: expected a Summary of the probe {entry.name!r} (entry point group {GROUP}), found "
                f"{getattr(summary, 'probe', summary)!r}; tell who wrote it"
            )
        loaded.append(summary)
    loaded.sort(key=lambda summary: (summary.order, summary.probe))
    _require_own_names(loaded)
    return {summary.probe: summary for summary in loaded}


def summary_of(probe: str) -> Summary | None:
    """The summary of a probe; None where it has none."""
    return summaries().get(probe)


def quantities() -> Mapping[str, Quantity]:
    """Name → quantity of every summary, in the order of the report."""
    return {quantity.name: quantity for summary in summaries().values() for quantity in summary.quantities}


def quantity_of(name: str) -> Quantity | None:
    """The quantity of a number, of any label and slice; None where nobody declares it."""
    base = name.partition("{")[0] if not name.startswith("{") else name
    return quantities().get(base.partition("[")[0])


def owner_of(name: str) -> Summary | None:
    """The summary that declares the quantity of a number; None where nobody does."""
    quantity = quantity_of(name)
    return next((s for s in summaries().values() if quantity in s.quantities), None) if quantity else None


def _require_own_names(loaded: Sequence[Summary]) -> None:
    declared: dict[tuple[str, str], str] = {}
    for summary in loaded:
        for kind, name in _names(summary):
            if (kind, name) in declared:
                raise ConfigError(
                    f"the {kind} {name} is declared by the summaries of {declared[kind, name]} and {summary.probe}; "
                    f"tell who wrote the second to call it {summary.probe}.{name}"
                )
            declared[kind, name] = summary.probe


def _names(summary: Summary) -> Iterator[tuple[str, str]]:
    """Kind and name of what no other summary may declare under the same name."""
    yield from (("number", quantity.name) for quantity in summary.quantities)
    yield from (("column", cell.name) for cell in summary.cells)
    yield "section", summary.section_id
