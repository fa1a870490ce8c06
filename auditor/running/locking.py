"""Which files the models of an audit are made of, in a file that a run can require: a changed bit is refused.

    audit.lock    {"format": "auditor.lock/1", "models": {"model.name": {"name": …, "revision": …, "files": {…}}}}

Keys are those of the configuration that name a model (`model.name`, `probes.perplexity.model`), so that folders may lie
elsewhere on another machine. Files are those that decide what a model answers: weights, tokenizer, configuration,
adapters, and the code that comes with it where that is run; each with its SHA-256. safetensors carry no checksum of
their own: a flipped bit loads without a word.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.config import Config
from auditor.errors import ConfigError, ModelError, StoreError
from auditor.records import disk, sums
from auditor.records.json_files import decode, encode, read_json, to_json
from auditor.running import probe_selection, sources

if TYPE_CHECKING:
    from auditor.models import Checkpoint
    from auditor.probes.contract import AnyProbe

FORMAT: Final = "auditor.lock/1"
FILE: Final = "audit.lock"
KEY: Final = "model.lock"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class LockedModel:
    """One model of an audit."""

    name: str
    """As the configuration names it; for people."""
    revision: str | None
    files: Mapping[str, str]
    """File → SHA-256."""


def make(config: Config) -> dict[str, LockedModel]:
    """Key of the configuration → the model there, as it lies on the disk now; no weight is loaded, all are hashed.

    Raises:
        AuditorError: one of the models cannot be audited.
    """
    offline = sources.must_be_cached(config)
    checkpoint = sources.find_audited(config, offline=offline)
    probes, _ = probe_selection.without_hidden(config, checkpoint, probe_selection.choose(config, checkpoint.task))
    models = by_key(checkpoint, probes, sources.find_references(config, probes, offline=offline))
    return {key: LockedModel(model.name, model.revision, model.hashes) for key, model in models.items()}


def by_key(
    audited: "Checkpoint", probes: "Sequence[AnyProbe]", references: "Mapping[str, Checkpoint]"
) -> "dict[str, Checkpoint]":
    """Key of the configuration → the model that it names, of the audited one and of those that probes ask."""
    return {"model.name": audited} | {sources.key_of(one.name): references[one.model] for one in probes if one.model}


def write(path: Path, models: Mapping[str, LockedModel]) -> None:
    """Keep what the models are made of.

    Raises:
        DiskError: the file cannot be written.
    """
    disk.write(path, to_json({"format": FORMAT, "models": {key: encode(model) for key, model in models.items()}}))


def read(path: Path) -> dict[str, LockedModel]:
    """What `write` kept.

    Raises:
        ConfigError: there is no such file, or it is none.
    """
    try:
        content = read_json(path, FORMAT)
        return dict(decode(Mapping[str, LockedModel], content.get("models"), "models"))  # type: ignore[type-abstract]
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such lock; `auditor lock` writes one") from None
    except (StoreError, ValueError) as error:
        raise ConfigError(f"{path}: is no lock of models ({error}); `auditor lock` writes one") from error


def require(config: Config, models: Mapping[str, "Checkpoint"]) -> None:
    """Refuses models that are not those of the lock, where the configuration requires one.

    Args:
        config: Of the run.
        models: Key of the configuration → the checkpoint found there.

    Raises:
        ModelError: names the file, what was expected and what was found, of each that differs.
        ConfigError: the lock cannot be read, or lacks a model.
    """
    if config.model.lock is None:
        return
    path = config.locate(KEY)
    locked = read(path)
    if lacking := [key for key in models if key not in locked]:
        raise ConfigError(f"{path}: has no {' and no '.join(lacking)}; write it again with `auditor lock`")
    faults = [fault for key, model in models.items() for fault in _differences(locked[key].files, model.hashes, key)]
    if faults:
        few = [*faults[:_MOST_NAMED], *([f"… and {len(faults) - _MOST_NAMED} more"] if faults[_MOST_NAMED:] else [])]
        raise ModelError(
            "\n".join(f"{path}: {fault}" for fault in few)
            + "\nnothing was loaded: restore the model, or write the lock again with `auditor lock` if it was meant"
        )


def require_code(config: Config) -> None:
    """As `require`, for the code that comes with a model in a folder: it is run as soon as the model is looked at.

    Raises:
        ModelError: the code is not that of the lock.
        ConfigError: the lock cannot be read.
    """
    source = config.source("model.name")
    if config.model.lock is None or not config.model.trust_remote_code or not isinstance(source, Path):
        return
    locked = read(config.locate(KEY)).get("model.name")
    expected = {name: digest for name, digest in (locked.files if locked else {}).items() if name.endswith(".py")}
    present = {p.relative_to(source).as_posix(): sums.sha256(disk.read(p)) for p in sorted(source.rglob("*.py"))}
    if fault := next(_differences(expected, present, "model.name"), None):
        raise ModelError(f"{config.locate(KEY)}: {fault}; nothing of it was run: review it, then `auditor lock`")


def _differences(expected: Mapping[str, str], present: Mapping[str, str], key: str) -> Iterator[str]:
    """One line for every file that is changed, missing or additional."""
    for name in sorted(expected.keys() | present.keys()):
        before, now = expected.get(name), present.get(name)
        if before is None:
            yield f"{key}: {name} is additional: expected no such file, found {now}"
        elif now is None:
            yield f"{key}: {name} is missing: expected {before}"
        elif before != now:
            yield f"{key}: {name} was changed: expected {before}, found {now}"
