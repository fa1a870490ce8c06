"""What it costs to grade explanations, and what each explainer costs beside LIME.

By default LIME does not stand alone: every other explainer of the task runs with it, and a probe that acts upon all of
their explanations and grades them. All of that against LIME alone, on the same documents and the same trained weights,
A B, B A, A B; then every explainer by gradients, alone. The usual ones are found by their records, so that one that
becomes usual later is counted as well.

The best and the worst ranking of the words are sought for a fifth of the documents, drawn by their contents. Of so few
documents it can be half or none, and LIME may need half or twice as many perturbations as elsewhere. These are such
that it is a fifth (a test says so), and 580 perturbations each, where all 200 reviews take 570.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from auditor import tasks
from auditor.probes.contract import AnyProbe, Gathers, Prepares, Sitting, predecessors
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from auditor.registry import load, registered
from tests.benchmarks import materials
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.results import Row, Setting

TASK = "text-classification"
GRADIENTS = ("saliency", "input_x_gradient", "integrated_gradients")
MOST = 1.3
"""How many times as much as LIME alone all explanations and their grades may cost by default."""
ALONE, USUAL = "LIME alone", "all that is usual"


def rows(setting: Setting) -> Iterator[Row]:
    model, documents = materials.ours(materials.SENTIMENT, TASK), chosen(quick=setting.quick)
    usual = sorted(filter(_explains, _probes(tasks.task(TASK).default_probes)), key=lambda p: isinstance(p, Gathers))
    probes = {ALONE: _probes(["lime"]), USUAL: usual, **{name: _probes([name]) for name in GRADIENTS}}
    contenders = {name: _measuring(model, documents, asked) for name, asked in probes.items()}
    for asked in probes.values():
        _measuring(model, documents[:1], asked)()  # what is done once, such as the proofs
    found = in_turns(contenders, setting.rounds(3, 1), warm_up=False)
    alone, of = found[ALONE].seconds, f"{len(documents)} reviews"
    read = {name: f"{timed.result:,} texts read" for name, timed in found.items()}
    remark = f"{', '.join(probe.name for probe in usual)}: {read[USUAL]}, {ALONE} {read[ALONE]}"
    yield Row.limit(f"explanations and their grades by default, {of}", ALONE, alone, found[USUAL].seconds, MOST, remark)
    for name in GRADIENTS:
        seconds = found[name].seconds
        yield Row(f"{name} alone, {of}", ALONE, alone, seconds, seconds.over(alone), None, read[name])


def chosen(*, quick: bool) -> tuple[Document, ...]:
    """The documents of the comparison."""
    return tuple(materials.reviews()[6::40] if quick else materials.reviews()[4::10])


def _probes(names: Sequence[str]) -> list[AnyProbe]:
    known = registered("auditor.probes")
    return [load(known[name])() for name in names]


def _explains(probe: AnyProbe) -> bool:
    return issubclass(probe.gathers if isinstance(probe, Gathers) else probe.record, Explanation)


def _measuring(model: Any, documents: Sequence[Document], probes: Sequence[AnyProbe]) -> Callable[[], int]:
    """Measures the documents with all of these, in order; says how many texts the model read for it."""

    def measure() -> int:
        before, rows = model.batcher.n_texts, dict[str, dict[str, Any]]()
        for probe in probes:
            prepared = probe.prepare(model, documents, 0) if isinstance(probe, Prepares) else None
            earlier = {name: rows[name] for name in predecessors(probe, probes) if name in rows}
            measured = probe.measure(model, documents, Sitting(0, earlier, prepared))
            rows[probe.name] = {row.document_id: row for row in measured}
        return int(model.batcher.n_texts - before)

    return measure
