"""Whether the configuration fits the model and the corpus: settings of the task, labels to choose among, checks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor import findings, tasks
from auditor.config import Config
from auditor.errors import ConfigError, ModelError
from auditor.probes.contract import Picks
from auditor.registry import did_you_mean
from auditor.running.labelling import has_named_labels, is_multi_label, labels_of
from auditor.running.preflight import Preflight

if TYPE_CHECKING:
    from auditor.models import Checkpoint


def require_settings(config: Config, checkpoint: "Checkpoint") -> None:
    """Refuses settings of [model] that belong to another task than the checkpoint's, and a choice among one label.

    Raises:
        ConfigError: A setting that the task does not have.
        ModelError: The chat template cannot be applied, or there is one label only.
    """
    from auditor import models

    for key in config.model.task_settings:
        if key not in tasks.task(checkpoint.task).settings:
            raise ConfigError(
                f"{config.origin}: model.{key}: is not for {checkpoint.task}, which {checkpoint.name} does"
            )
    if config.model.chat:
        models.check_chat(checkpoint)
    _require_choice(config, checkpoint)


def _require_choice(config: Config, checkpoint: "Checkpoint") -> None:
    chooses_one = has_named_labels(checkpoint) and not is_multi_label(config, checkpoint)
    if chooses_one and len(checkpoint.labels) < 2:
        raise ModelError(
            f"{checkpoint.name}: expected two labels or more to choose among, found {len(checkpoint.labels)} "
            "(num_labels in config.json): the probability of the only one is always 1; audit a model with more labels, "
            "or set multi_label = true in [model] if its one output is the logit of a yes-or-no label"
        )


def require_documents(preflight: Preflight) -> None:
    """Refuses documents that a probe picks by name and the corpus does not have.

    Raises:
        ConfigError: All of them, one line for each probe.
    """
    known = [document.id for document in preflight.documents]
    there = set(known)
    faults = [
        f"{preflight.config.origin}: probes.{probe.name}.ids: {_unknown(missing, known)}"
        for probe in preflight.probes
        if isinstance(probe, Picks) and (missing := [name for name in probe.ids if name not in there])
    ]
    if faults:
        raise ConfigError("\n".join(faults))


def _unknown(missing: list[str], known: list[str]) -> str:
    """What is said of ids that are not in a corpus; of many the first three."""
    names = ", ".join(map(repr, missing[:3])) + (f" and {len(missing) - 3:,} more" if len(missing) > 3 else "")
    hint = did_you_mean(missing[0], known) or f"; the first of them is {known[0]!r}"
    return f"expected ids of the {len(known):,} documents that are audited, found {names}{hint}"


def require_numbers(preflight: Preflight) -> None:
    """Refuses checks of numbers that this run cannot give.

    Raises:
        ConfigError: All of them, one line each.
    """
    faults = list(_faults_of_checks(preflight))
    if faults:
        raise ConfigError("\n".join(f"{preflight.config.origin}: checks.{fault}" for fault in faults))


def _faults_of_checks(preflight: Preflight) -> Iterator[str]:
    known = _names(preflight, labelled=bool(preflight.corpus.label_values))
    with_labels = _names(preflight, labelled=True)
    for name, bound in preflight.config.checks.items():
        if name in known:
            fault = findings.fault_of(name, findings.Bound(**bound.model_dump()))
            if fault:
                yield f"{name}: {fault}"
        elif name in with_labels:
            hint = "the corpus has no labels; name their column with --label-column or corpus.label"
            yield f"{name}: this run cannot give such a number; {hint}"
        else:
            near = findings.nearest(name, known)
            hint = f"did you mean {' or '.join(near)}" if near else f"there are {', '.join(sorted(known)[:8])} …"
            yield f"{name}: this run cannot give such a number; {hint}"


def _names(preflight: Preflight, *, labelled: bool) -> set[str]:
    """Every number that this run could give, had the corpus labels or not."""
    config, checkpoint = preflight.config, preflight.checkpoint
    prospect = findings.Prospect(
        probes=frozenset(probe.name for probe in preflight.probes),
        labels=tuple(labels_of(config, checkpoint)),
        labelled=labelled,
        multi_label=is_multi_label(config, checkpoint),
        candidates=preflight.task.labels == "candidates",
        causal=preflight.task.causal,
    )
    return findings.names(prospect, findings.sliceable(preflight.documents))
