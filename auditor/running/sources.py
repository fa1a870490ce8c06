"""Where the models of an audit come from: a folder, the cache, or the hub; no weight is loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

from auditor import hub
from auditor.config import Config
from auditor.errors import ModelError
from auditor.running.probe_selection import task_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe


def must_be_cached(config: Config) -> bool:
    """Whether models must come from the cache, since the hub does not answer; asked before torch is imported.

    Raises:
        ModelError: If one of them is not there.
    """
    revisions = {"model.name": config.model.revision}
    revisions |= {
        f"probes.{name}.model": None for name, table in config.probes.items() if isinstance(table.get("model"), str)
    }
    ids = {source: revisions[key] for key in revisions if isinstance(source := config.source(key), str)}
    if not ids or hub.is_offline() or hub.answers():
        return False
    for name, revision in ids.items():
        if hub.cached(name, revision) is None:
            raise ModelError(hub.out_of_reach(name))
    return True


def find_audited(config: Config, *, offline: bool) -> "Checkpoint":
    """The checkpoint of the audited model, for the task of [model] or its own.

    Raises:
        ModelError: It is not there, or for another task.
    """
    return _find(
        config,
        "model.name",
        config.model.name,
        config.model.task,
        config.model.revision,
        trusted=config.model.trust_remote_code,
        offline=offline,
    )


def find_references(config: Config, probes: "Sequence[AnyProbe]", *, offline: bool) -> "dict[str, Checkpoint]":
    """The checkpoints that probes ask instead of the audited one, by their names; never with code of their own.

    Raises:
        ModelError: One is not there, or for another task.
    """
    return {
        one.model: _find(config, key_of(one.name), one.model, task_for(one), None, trusted=False, offline=offline)
        for one in probes
        if one.model
    }


def key_of(probe: str) -> str:
    """The key of the configuration that names the model a probe asks."""
    return f"probes.{probe}.model"


def _find(
    config: Config, key: str, name: str, task: str | None, revision: str | None, *, trusted: bool, offline: bool
) -> "Checkpoint":
    from auditor import models

    source = config.source(key)
    folder = source if isinstance(source, Path) else None
    if folder is not None:
        name, revision = hub.snapshot_of(folder) or (name, None)
    return models.find(name, folder, task=task, revision=revision, trust_remote_code=trusted, offline=offline)
