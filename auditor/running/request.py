"""Whether exactly this was asked for before: answered from what is on the disk, in well under a second, without torch.

A request is two things, kept in the manifest of the run that answered it:

    settings   SHA-256 of the resolved configuration, the reader's templates, fonts and logo, the waivers, every
               installed distribution with its version, Python, the system, the accelerators that the kernel shows, the
               variables of the environment that such libraries read, and the code of this package
    files      SHA-256 of the corpus and of every file in the folders of the models

A run is the answer if both are equal, it is complete, and no later run of its plan is there: what the whole way,
through `checking.check` and the plan, would say as well. Whatever is not plain takes that way: a model or a corpus
that is no file or folder here (a hub id can mean another commit tomorrow), a model's own code, a probe or a task of a
third party, a file that cannot be read. Contents are hashed, never dates: of 1 GB of weights that takes about a second.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import auditor
from auditor import registry
from auditor.config import Config
from auditor.errors import AuditorError
from auditor.records import disk
from auditor.records.plan import Plan, PlannedLook
from auditor.records.run import Run
from auditor.records.store import runs_of
from auditor.running.results import Result, reopened

KEY = "request"
_LOOKS = ("report.templates", "report.fonts", "report.logo")
_READ_BY_LIBRARIES = ("CUDA", "HIP_", "HSA_", "ROCR_", "NVIDIA_", "HF_", "TRANSFORMERS_", "TORCH", "PYTORCH_", "PYTHON")
_DEVICES = ("dev/nvidia*", "dev/kfd", "dev/dxg", "dev/dri/renderD*", "proc/driver/nvidia/gpus/*")
_DRIVER = "proc/driver/nvidia/version"


class _UnclearError(Exception):
    """The meaning of this request follows only from `checking.check` and the plan."""


def answered(config: Config) -> Result | None:
    """The result of the run that answered the same request; None where there is none or that is uncertain."""
    try:
        disk.require_room(Path(config.run.output))
        asked = settings(config)
        known = [run for run in runs_of(Path(config.run.output), config.title) if _kept(run).get("settings") == asked]
        if not asked or not known:
            return None
        hashes = files(config)
        return next((reopened(run) for run in reversed(known) if _kept(run).get("files") == hashes), None)
    except (_UnclearError, AuditorError, OSError):
        return None


def settings(config: Config) -> str | None:
    """SHA-256 of all that decides what a request means, but for corpus and models; None where that is uncertain.

    To be taken before the libraries are imported: some of them set variables of the environment.
    """
    try:
        looks = _looks(config)
        _require_ours(config)
    except (_UnclearError, AuditorError, OSError):
        return None
    return _sha256(
        config.resolved(),
        config.chooses_probes,
        looks,
        _digests(config.locate("waivers")) if config.waivers else {},
        sys.version,
        os.uname(),
        sorted(_distributions()),
        _accelerators(Path("/")),
        sorted(_environment(os.environ)),
        _digests(Path(auditor.__file__).parent),
        _templates(),
    )


def described(config: Config, asked: str | None, plan: Plan) -> dict[str, Any] | None:
    """What the manifest keeps of a request: SHA-256 of settings and files; None where it could not be recognised.

    Args:
        config: Of the request.
        asked: `settings` before anything was read.
        plan: Of the run: what was read must be what lies there now.
    """
    try:
        hashes, looks = files(config), _looks(config)
    except (_UnclearError, AuditorError, OSError):
        return None
    same = asked is not None and _is_ours(plan) and _are_those_of(plan, hashes) and _look_like(plan.look, looks)
    return {"settings": asked, "files": hashes} if same else None


def files(config: Config) -> dict[str, str]:
    """SHA-256 of the corpus and of the models, by the key of the configuration and the name in the folder."""
    named = (name for name, table in config.probes.items() if isinstance(table.get("model"), str))
    models = ["model.name", *(f"probes.{name}.model" for name in named)]
    sources = {"corpus.path": config.locate("corpus.path"), **{key: config.source(key) for key in models}}
    sources |= {"model.lock": config.locate("model.lock")} if config.model.lock else {}
    return {f"{key}/{name}": digest for key, source in sources.items() for name, digest in _digests(source).items()}


def _are_those_of(plan: Plan, hashes: Mapping[str, str]) -> bool:
    """Whether files are still what they were when the plan was made."""
    planned = {f"model.name/{name}": digest for name, digest in plan.model.files.items()}
    for name, probe in plan.probes.items():
        of_reference = plan.references[probe.model].files if probe.model else {}
        planned |= {f"probes.{name}.model/{file}": digest for file, digest in of_reference.items()}
    corpus = [digest for name, digest in hashes.items() if name.startswith("corpus.path/")]
    return all(hashes.get(name) == digest for name, digest in planned.items()) and corpus == [plan.corpus.sha256]


def _look_like(kept: PlannedLook, looks: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the reader's templates, fonts and logo are still those of the plan, which keeps them or their hashes."""
    logo = base64.b64decode(kept.logo.partition(",")[2]) if kept.logo else None
    texts = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in kept.templates.items()}
    return (
        texts.items() <= looks.get("report.templates", {}).items()
        and set(kept.fonts.values()) <= set(looks.get("report.fonts", {}).values())
        and (logo is None or hashlib.sha256(logo).hexdigest() in looks["report.logo"].values())
    )


def _looks(config: Config) -> dict[str, dict[str, str]]:
    return {key: _digests(config.locate(key)) for key in _LOOKS if _value(config, key)}


def _kept(run: Run) -> Mapping[str, Any]:
    """The `request` in the manifest of a run; empty where the run is incomplete or has none."""
    return (run.manifest() or {}).get(KEY) or {} if run.is_complete else {}


def _require_ours(config: Config) -> None:
    if config.model.trust_remote_code:
        raise _UnclearError
    if registry.foreign("auditor.probes") & config.probes.keys():
        raise _UnclearError
    if config.model.task in registry.foreign("auditor.tasks"):
        raise _UnclearError


def _is_ours(plan: Plan) -> bool:
    """Whether task and probes of a plan are of this package: code of third parties is in no hash of a request."""
    task_is_ours = plan.task not in registry.foreign("auditor.tasks")
    return task_is_ours and not registry.foreign("auditor.probes") & plan.probes.keys()


def _value(config: Config, key: str) -> str | None:
    table, name = key.split(".")
    value: str | None = getattr(getattr(config, table), name)
    return value


def _distributions() -> Iterator[str]:
    """Names of the metadata folders of all installed distributions, which include the versions."""
    for folder in filter(os.path.isdir, sys.path):
        yield from (name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))  # noqa: PTH208


def _accelerators(root: Path) -> list[str]:
    """Device files of accelerators and the driver's version; without one of these a library sees no accelerator."""
    devices = [str(path.relative_to(root)) for pattern in _DEVICES for path in root.glob(pattern)]
    driver = root / _DRIVER
    return [*sorted(devices), driver.read_text(encoding="utf-8", errors="replace") if driver.is_file() else ""]


def _environment(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if name.startswith(_READ_BY_LIBRARIES) and "TOKEN" not in name:
            yield name, value


def _templates() -> dict[str, str]:
    """Name → SHA-256 of the templates beside the package, as in a checkout; empty where there are none."""
    beside = Path(auditor.__file__).parents[1] / "templates"
    return _digests(beside) if beside.is_dir() else {}


def _digests(source: Path | str) -> dict[str, str]:
    """Name → SHA-256 of a file, or of all files in a folder but hidden ones and what Python compiled."""
    if isinstance(source, str):
        raise _UnclearError
    if source.is_file():
        return {source.name: _file_sha256(source)}
    if not source.is_dir():
        raise _UnclearError
    return {path.relative_to(source).as_posix(): _file_sha256(path) for path in sorted(_within(source))}


def _within(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "__pycache__")):
            continue
        if path.is_dir():
            yield from _within(path)
        else:
            yield path


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(_plain(parts), sort_keys=True).encode()).hexdigest()


def _plain(parts: Iterable[Any]) -> list[Any]:
    return [list(part) if isinstance(part, tuple) else part for part in parts]
