"""What a row follows from, as one SHA-256: rows of equal keys are the same measurement, up to rounding.

    probe      its name, parameters but `limit`, record with its columns, code; the probes whose rows it reads; the
               model that it asks: SHA-256 of its files, name (which rows repeat), labels, how it is asked; dtype, kind
               of device; releases of the libraries; the seed
    document   its id, text, second sentence and labels; for a third party's probe the rest too
    row        both, what the probe prepared for this document, and the keys of the rows of it that the probe reads

Our code is a digest of what measures, `MEASURES`; tests/test_floors.py holds that it imports nothing else that could
change a row. A third party's is one of its package, with the distribution's version. How attention is computed follows
from the configuration of the model, this code and the libraries.

Not in a key is what changes the rounding alone: the size of batches, shards and the neighbours of a document in them.
There is no key where something cannot be said: of a document, where a row that is read is a failure, which may succeed
another time; of a probe that prepares anything but a set of ids or a mapping by id of plain values, and of every probe
that reads such a one's rows.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from functools import cache, cached_property
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import auditor
from auditor import registry, tasks
from auditor.probes.contract import Prepares, Requires, predecessors
from auditor.records.plan import Plan, PlannedModel
from auditor.records.types import Document
from auditor.running.planning import LIBRARIES
from auditor.running.preflight import Preflight

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe

FORMAT: Final = "auditor.row/1"
MEASURES: Final = ("corpus", "models", "probes", "records", "tasks.py", "findings/statistics/likeness.py")
"""Files and folders of this package."""
_NONE = bytes(32)
_AS_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class RowKeys:
    """The keys of the rows of one run."""

    def __init__(self, preflight: Preflight, plan: Plan) -> None:
        self._preflight, self._plan = preflight, plan
        self._documents: dict[bool, dict[str, bytes]] = {True: {}, False: {}}
        self._prepared: dict[str, Mapping[str, bytes] | None] = {}
        self._keys: dict[str, dict[str, bytes]] = {}
        self._bases: dict[str, bytes | None] = {}

    def prepare(self, probe: "AnyProbe", prepared: object) -> None:
        """Tells what a probe prepared; before that its rows have no keys."""
        self._prepared[probe.name] = _by_document(prepared)

    def knows(self, probe: "AnyProbe") -> bool:
        """Whether what a probe prepared is plain, so that its rows have keys."""
        return self._prepared.get(probe.name) is not None

    def of(self, probe: "AnyProbe", documents: Sequence[Document]) -> list[bytes] | None:
        """The keys of the rows of some documents; None where this probe has none."""
        base, known = self._base(probe), self._keys.setdefault(probe.name, {})
        prepared = self._prepared.get(probe.name) if probe.name in self._preparing else {}
        if base is None or prepared is None:
            return None
        new = [document for document in documents if document.id not in known]
        if new:
            read = [self._read(name, new) for name in self._reads[probe.name]]
            if None in read:
                return None
            facts = self._facts(new, self._is_ours(probe))
            for document, fact, *others in zip(new, facts, *(keys for keys in read if keys), strict=True):
                parts = (base, fact, prepared.get(document.id, b""), *others)
                known[document.id] = hashlib.sha256(b"".join(parts)).digest()
        return [known[document.id] for document in documents]

    def forget(self) -> None:
        """Lets the keys of one shard go: those of all shards would grow with the corpus."""
        for digests in self._documents.values():
            digests.clear()
        self._keys.clear()

    def of_preparation(self, probe: "AnyProbe", documents: Sequence[Document]) -> bytes | None:
        """The key of what a probe prepares from all of its documents; None where it has none."""
        base, ours = self._base(probe), self._is_ours(probe)
        if base is None:
            return None
        return hashlib.sha256(b"".join([b"prepared", base, *self._facts(documents, ours)])).digest()

    def of_structure(self, probe: "AnyProbe") -> bytes | None:
        """The key of what the model of a probe is made of; None where the probe has no keys."""
        base, plan = self._base(probe), self._plan
        where = {
            "dtype": plan.dtype,
            "device": _device_class(plan.device),
            "code": _ours(),
            "model": self._model(probe),
        }
        return None if base is None else _digest({"structure": FORMAT, **where})

    def _read(self, name: str, documents: Sequence[Document]) -> list[bytes] | None:
        """The key of the row that another probe gives, of each document; `_NONE` of one that it is not asked about."""
        probe, chosen = self._probes[name], self._preflight.chosen[name]
        keys = self.of(probe, [document for document in documents if document.id in chosen])
        rest = iter(keys or ())
        return None if keys is None else [next(rest) if document.id in chosen else _NONE for document in documents]

    @cached_property
    def _probes(self) -> dict[str, "AnyProbe"]:
        return {probe.name: probe for probe in self._preflight.probes}

    @cached_property
    def _reads(self) -> dict[str, tuple[str, ...]]:
        return {probe.name: predecessors(probe, self._preflight.probes) for probe in self._preflight.probes}

    @cached_property
    def _preparing(self) -> frozenset[str]:
        return frozenset(probe.name for probe in self._preflight.probes if isinstance(probe, Prepares))

    @cached_property
    def _foreign(self) -> Collection[str]:
        return registry.foreign("auditor.probes")

    def _is_ours(self, probe: "AnyProbe") -> bool:
        return probe.name not in self._foreign

    def _facts(self, documents: Sequence[Document], ours: bool) -> list[bytes]:
        """A digest of each document: of what our probes read, or of everything."""
        known = self._documents[ours]
        for document in documents:
            if document.id not in known:
                read = (document.id, document.text, document.pair, document.labels, document.unlabelled)
                known[document.id] = hashlib.sha256(repr(read).encode()).digest() if ours else _digest(asdict(document))
        return [known[document.id] for document in documents]

    def _base(self, probe: "AnyProbe") -> bytes | None:
        if probe.name not in self._bases:
            self._bases[probe.name] = self._base_of(probe)
        return self._bases[probe.name]

    def _base_of(self, probe: "AnyProbe") -> bytes | None:
        plan, planned = self._plan, self._plan.probes[probe.name]
        codes = {group: _code(group, name) for group, name in self._makers(probe)}
        before = {one.name: self._base(one) for one in self._preflight.probes if one.name in self._reads[probe.name]}
        if None in codes.values() or None in before.values():
            return None
        releases = {*LIBRARIES, "Python", *(probe.requires if isinstance(probe, Requires) else ())}
        facts = {
            "format": FORMAT,
            "probe": probe.name,
            "parameters": {key: value for key, value in planned.parameters.items() if key != "limit"},
            "record": [planned.record, _columns(probe.record)],
            "code": codes,
            "reads": {name: base.hex() for name, base in before.items() if base is not None},
            "model": self._model(probe),
            "dtype": plan.dtype,
            "device": _device_class(plan.device),
            "releases": {name: release for name, release in plan.versions.items() if name in releases},
            "seed": plan.seed,
        }
        return _digest(facts)

    def _makers(self, probe: "AnyProbe") -> Iterator[tuple[str, str]]:
        """Group and name of the entry points whose code gives the row."""
        yield "auditor.probes", probe.name
        if not probe.model:
            yield "auditor.tasks", self._plan.task

    def _model(self, probe: "AnyProbe") -> dict[str, Any]:
        """The model that a probe asks: what it is, and how it is asked."""
        settings = self._preflight.config.model
        asked: dict[str, Any] = {"compile": settings.compile, "device_map": settings.device_map}
        if probe.model:
            return {**asked, **_identity(self._plan.references[probe.model])}
        more = settings.model_dump(include={"prompt", "candidates", "chat", "max_length", "max_new_tokens"})
        more |= {"task": self._plan.task, "multi_label": self._plan.multi_label}
        return {**asked, **more, **_identity(self._plan.model)}


def _identity(model: PlannedModel) -> dict[str, Any]:
    return {"name": model.name, "files": dict(model.files), "labels": model.labels, "class": model.model_class}


def _by_document(prepared: object) -> Mapping[str, bytes] | None:
    """Document id → what was prepared for it, in bytes; None where it is not plain."""
    if prepared is None:
        return {}
    if isinstance(prepared, AbstractSet):
        return {name: b"chosen" for name in prepared} if _are_texts(prepared) else None
    if isinstance(prepared, Mapping) and _are_texts(prepared):
        try:
            return {name: _digest(value) for name, value in prepared.items()} if _is_plain(prepared) else None
        except (TypeError, ValueError):
            return None
    return None


def _are_texts(names: Collection[object]) -> bool:
    return all(isinstance(name, str) for name in names)


def _is_plain(prepared: Mapping[str, Any]) -> bool:
    """Whether JSON gives back what it was given."""
    return bool(json.loads(json.dumps(dict(prepared))) == dict(prepared))


def _digest(facts: Any) -> bytes:
    return hashlib.sha256(_AS_JSON.encode(facts).encode()).digest()


@cache
def _columns(record: type) -> str:
    from auditor.records.schema import arrow_schema

    return str(arrow_schema(record))


@cache
def _device_class(device: str) -> str:
    from auditor import models

    return models.device_class(device)


@cache
def _code(group: str, name: str) -> dict[str, str] | None:
    """What identifies the code behind an entry point; None where nothing does."""
    if name not in registry.foreign(group):
        return {"auditor": _ours()}
    entry = registry.registered(group)[name]
    modules = [entry.module, *([tasks.task(name).adapter.partition(":")[0]] if group == "auditor.tasks" else [])]
    try:
        return {**_release(entry), **{module: _sources(_package(module)) for module in modules}}
    except (ImportError, OSError, ValueError, AttributeError):
        return None


def _release(entry: EntryPoint) -> dict[str, str]:
    return {entry.dist.name: entry.dist.version} if entry.dist else {}


@cache
def _ours() -> str:
    root = Path(auditor.__file__).parent
    return _sources([root / name for name in MEASURES])


def _package(module: str) -> list[Path]:
    """The folder of the package, or the file of the module, that a module belongs to.

    Raises:
        ImportError: There is none.
    """
    spec = find_spec(module.partition(".")[0])
    if spec is None or not (spec.submodule_search_locations or spec.origin):
        raise ImportError(module)
    return [Path(path) for path in spec.submodule_search_locations or [str(spec.origin)]]


def _sources(paths: Sequence[Path]) -> str:
    """One SHA-256 over Python files.

    Raises:
        OSError: One cannot be read.
    """
    total = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content = file.read_bytes()
            total.update(f"{file.relative_to(path.parent).as_posix()} {len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()
