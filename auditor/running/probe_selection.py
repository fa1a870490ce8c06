"""Which probes run, with which parameters, and whether the audited model can answer them."""

import dataclasses
import math
import re
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from auditor import tasks
from auditor.config import Config
from auditor.errors import ConfigError, ProbeError
from auditor.records.plan import PROBE_NAME
from auditor.records.run import DOCUMENTS
from auditor.registry import did_you_mean, load, registered
from auditor.running.probe_order import ordered

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe

GROUP = "auditor.probes"
HIDDEN_ATTENTION = "hidden-attention"
"""Why a probe is left out: the architecture does not show its attention."""


def choose(config: Config, task: str) -> tuple["AnyProbe", ...]:
    """The probes that were asked for, or those that fit the task; with their parameters, in the order of their work.

    Raises:
        ConfigError: All faults of their tables.
        ProbeError: One that the model cannot answer, or that reads the rows of one that does not run; or all that lack
            a package.
    """
    from auditor import models

    known = registered(GROUP)
    declared = tasks.task(task)
    usual = declared.constant_probes if config.chooses_probes else declared.default_probes
    tables = {**{name: {} for name in usual}, **config.probes}
    faults: list[str] = []
    probes = []
    for name, table in tables.items():
        if name not in known:
            faults.append(
                f"probes.{name}: there is no such probe{did_you_mean(name, known)}; known: {', '.join(sorted(known))}"
            )
            continue
        if fault := _fault_of_name(known[name]):
            faults.append(f"probes.{name}: {fault}; tell who wrote {known[name].value}")
            continue
        if infinite := [key for key, value in table.items() if isinstance(value, float) and not math.isfinite(value)]:
            faults += [f"probes.{name}.{key}: expected a finite number, found {table[key]}" for key in infinite]
            continue
        try:
            probes.append(load(known[name])(**table))
        except ValidationError as error:
            faults += [_fault(name, load(known[name]), detail) for detail in error.errors()]
    if faults:
        raise ConfigError("\n".join(f"{config.origin}: {fault}" for fault in faults))
    for probe in probes:
        if not models.offers(task_for(probe) if probe.model else task, probe.needs):
            raise ProbeError(f"probes.{probe.name}: {_remedy(probe, task)}")
    _require_packages(probes)
    return ordered(probes)


def _require_packages(probes: Sequence["AnyProbe"]) -> None:
    from auditor.probes.contract import Requires

    missing = [
        f"probes.{probe.name}: needs the package {package}, which is not installed: pip install '{distribution}'"
        for probe in probes
        if isinstance(probe, Requires)
        for package, distribution in probe.requires.items()
        if find_spec(package) is None
    ]
    if missing:
        raise ProbeError("\n".join(missing))


def _fault_of_name(entry: EntryPoint) -> str | None:
    """Why a probe cannot keep its rows in a folder of its own, which is called like it."""
    if not PROBE_NAME.fullmatch(entry.name):
        return "a probe's name is made of a-z, 0-9 and _"
    if entry.name == DOCUMENTS:
        return f"a probe cannot be called {DOCUMENTS}: the documents themselves are kept under that name"
    name = load(entry).name
    return None if name == entry.name else f"expected a probe that calls itself {entry.name!r}, found {name!r}"


def without_hidden(
    config: Config, checkpoint: "Checkpoint", probes: tuple["AnyProbe", ...]
) -> tuple[tuple["AnyProbe", ...], dict[str, str]]:
    """The probes, without those of an attention that this architecture hides, and why each of these is left out.

    Raises:
        ProbeError: One of these was asked for.
    """
    from auditor import models

    kinds = (models.Attends, models.ShowsAttention)
    watching = [probe for probe in probes if probe.needs in kinds and not probe.model]
    fault = models.hides_attention(checkpoint) if watching else None
    if fault and any(probe.name in config.probes for probe in watching):
        asked = next(probe.name for probe in watching if probe.name in config.probes)
        raise ProbeError(f"probes.{asked}: {fault}; leave the probe out")
    if not fault:
        return probes, {}
    return (
        ordered([probe for probe in probes if probe not in watching]),
        {probe.name: HIDDEN_ATTENTION for probe in watching},
    )


def task_for(probe: "AnyProbe") -> str:
    """The task of the models that a probe asks instead of the audited one; of several, one whose models write."""
    from auditor import models

    by_writing = sorted(tasks.tasks().values(), key=lambda task: not task.writes)
    return next((task.name for task in by_writing if models.offers(task.name, probe.needs)), by_writing[0].name)


def _remedy(probe: "AnyProbe", task: str) -> str:
    """What to do about a probe that the audited model cannot answer."""
    lacking = f"needs a model that {_can(probe)}, which {task} does not"
    if "model" not in {field.name for field in dataclasses.fields(probe)}:  # type: ignore[arg-type]
        return f"{lacking}; leave the probe out"
    return f'{lacking}; name one: [probes.{probe.name}] model = "a {task_for(probe)} model"'


def _can(probe: "AnyProbe") -> str:
    """A capability as a verb for messages: `Scores` → scores, `FillsMasks` → fills masks."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", probe.needs.__name__).lower()


def _fault(name: str, probe: type, detail: Any) -> str:
    key = str(detail["loc"][0]) if detail["loc"] else ""
    fields = {field.name for field in dataclasses.fields(probe)}
    where = f"probes.{name}.{key}" if key else f"probes.{name}"
    if key and key not in fields:
        return f"{where}: there is no such parameter{did_you_mean(key, fields)}; known: {', '.join(sorted(fields))}"
    return f"{where}: {detail['msg'].removeprefix('Value error, ')}, found {detail['input']!r}"
