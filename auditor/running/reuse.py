"""Rows that runs before this one measured, instead of measuring them again.

Of a shard only those documents are measured of which no row is kept (`auditor.running.row_keys` says which row is the
same, `auditor.records.cache` keeps them); no model is loaded where there are none. Where a corpus and all that is asked
about it are unchanged, evidence is the very bytes of before. Where documents were added, removed or changed, the others
keep their rows, and new ones are measured in batches with other neighbours than in a run that measures everything: the
same up to rounding. LIME then may keep the masks of other documents besides those that are shown on cards.

A `Failure` is never kept, nor what follows from one: it is measured again each time. How a model was asked is kept with
the rows, and goes into the plan of every run that uses them.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import StoreError
from auditor.probes.contract import Row
from auditor.records import json_files, reused
from auditor.records.cache import FOLDER, Cache, Chunk, Location
from auditor.records.proof import Proof
from auditor.records.run import Run
from auditor.records.structure import Structure
from auditor.records.types import Document, Failure
from auditor.running import rechecking
from auditor.running.preflight import Preflight
from auditor.running.row_keys import RowKeys

if TYPE_CHECKING:
    from auditor.probes.contract import AnyProbe


@dataclass(frozen=True)
class Lookup:
    """What is kept of the rows that one probe is asked for in one shard."""

    documents: Sequence[Document]
    keys: Sequence[bytes | None]
    """Of each document; None where its row cannot be recognised."""
    locations: Sequence[Location | None]
    """Of each document; None where no row is kept."""
    chunks: Mapping[int, Chunk]
    rows: Mapping[int, Sequence[Row]] = field(default_factory=dict)
    """Chunk → its rows; empty where nothing is missing."""

    @cached_property
    def missing(self) -> list[Document]:
        """The documents that must be measured."""
        return [document for document, location in zip(self.documents, self.locations, strict=True) if location is None]

    @property
    def whole(self) -> Chunk | None:
        """The chunk that has these rows, in this order, and no others."""
        if len(self.chunks) != 1:
            return None
        (chunk,) = self.chunks.values()
        return chunk if list(chunk.keys) == list(self.keys) and not self.missing else None

    def merged(self, new: Sequence[Row]) -> list[Row]:
        """All rows, in the order of the documents, with those that were measured just now."""
        measured = iter(new)
        return [
            next(measured) if location is None else self.rows[location.chunk][location.position]
            for location in self.locations
        ]

    def counted(self, run_id: str) -> reused.Rows:
        """How many rows this run measures, or measured before it was interrupted, and how many are those of others."""
        others = [self.chunks[p.chunk] for p in self.locations if p and self.chunks[p.chunk].run != run_id]
        since = min((chunk.measured for chunk in others), default=None)
        return reused.Rows(len(self.documents) - len(others), len(others), since)


@dataclass(frozen=True, slots=True)
class Due:
    """Rows that are reused and to be measured again, of one chunk and in its order."""

    chunk: Chunk
    documents: Sequence[Document]
    rows: Sequence[Row]


class Reuse:
    """The rows that a run can use again, and those that it leaves to others; nothing of both where it may not."""

    def __init__(self, preflight: Preflight, run: Run) -> None:
        settings = preflight.config.run
        self._run, self._preflight = run, preflight
        self._keys = RowKeys(preflight, run.plan)
        self._recalled: dict[str, Any] = {}
        self._structures: dict[str | None, list[Structure]] = {}
        self._output = Path(settings.output)
        self._cache = Cache(self._output, settings.cache_size * 10**6, run.created) if settings.cache else None

    @property
    def is_on(self) -> bool:
        """Whether anything is reused or kept."""
        return self._cache is not None

    def look_up(self, probe: "AnyProbe", documents: Sequence[Document], unsure: Collection[str]) -> Lookup:
        """What is kept of the rows of some documents.

        Args:
            probe: Whose rows.
            documents: Of one shard.
            unsure: Ids of those whose rows follow from a failure.
        """
        keys = self._keys.of(probe, documents) if self._cache else None
        if self._cache is None or keys is None:
            return Lookup(documents, [None] * len(documents), [None] * len(documents), {})
        known = [None if d.id in unsure else key for d, key in zip(documents, keys, strict=True)] if unsure else keys
        first = self._cache.chunk_of(known[0]) if known and known[0] else None
        if first and first.keys == tuple(known):  # as the night before cut it: nothing more to ask
            return Lookup(documents, known, [*map(Location, repeat(first.id), range(len(known)))], {first.id: first})
        locations = self._cache.locations(key for key in known if key)
        chunks = {number: self._cache.chunk(number) for number in {location.chunk for location in locations.values()}}
        whole = {number: chunk for number, chunk in chunks.items() if chunk is not None}
        lookup = Lookup(documents, known, [_confirmed(key, locations, whole) for key in known], whole)
        return lookup if lookup.whole else _decoded(probe, lookup)

    def keep(
        self, probe: "AnyProbe", lookup: Lookup, new: Sequence[Row], content: bytes | None, proofs: Sequence[Proof]
    ) -> None:
        """Keeps the rows that were measured just now, but failures.

        Args:
            probe: That measured them.
            lookup: What was known of the shard.
            new: A row for each document that was missing.
            content: Of the shard, where it has these rows alone.
            proofs: How the model was asked.
        """
        keys = [key for key, location in zip(lookup.keys, lookup.locations, strict=True) if location is None]
        kept = [(key, row) for key, row in zip(keys, new, strict=True) if key and not isinstance(row, Failure)]
        if self._cache is None or not kept:
            return
        if content is None or len(kept) < len(lookup.documents):
            from auditor.records import schema  # imports pyarrow, which a command that computes nothing need not

            content = schema.to_bytes(probe.record, [row for _, row in kept])
        asked = json.dumps([json_files.encode(replace(proof, model="")) for proof in proofs])
        run_id, created = self._run.run_id, self._run.created
        self._cache.keep(Chunk(tuple(key for key, _ in kept), content, asked, run_id, created))

    def due(self, probe: "AnyProbe", lookup: Lookup, shard: int) -> Iterator[Due]:
        """The rows to be measured again, batch by batch; see `auditor.running.rechecking`."""
        if not lookup.chunks or not rechecking.is_drawn(self._run.run_id, probe.name, shard):
            return
        rows = lookup.rows or _decoded(probe, lookup).rows
        for number, chunk in lookup.chunks.items():
            if number not in rows or not rechecking.is_old(chunk.checked, self._run.created):
                continue
            pairs = zip(lookup.documents, lookup.locations, strict=True)
            at = sorted((p.position, i) for i, (_, p) in enumerate(pairs) if p and p.chunk == number)
            yield Due(chunk, [lookup.documents[i] for _, i in at], [rows[number][position] for position, _ in at])

    def require_same(self, probe: "AnyProbe", due: Due, now: Sequence[Row]) -> None:
        """Compares rows that are reused with what is measured now, and notes that they are the same.

        Raises:
            VerificationError: They are not.
        """
        rechecking.require_same(
            due.rows,
            now,
            dtype=self._run.plan.dtype,
            where=f"probe {probe.name}, rows of run {due.chunk.run} in run {self._run.run_id}",
            cure=f"measure all with --no-cache, or delete {self._output / FOLDER}",
        )
        if self._cache is not None:
            self._cache.checked([due.chunk.id])

    def note(self, probe: "AnyProbe", shard: int, lookup: Lookup) -> None:
        """Says in the folder of the run how many rows of a shard are reused.

        Raises:
            DiskError: The disk is full.
        """
        if self._cache is not None:
            reused.note(self._run.path, probe.name, shard, lookup.counted(self._run.run_id))

    def proofs(self, probe: "AnyProbe", lookup: Lookup) -> Iterator[Proof]:
        """How the model was asked for the rows that were found."""
        name = self._name_of(probe)
        for text in {chunk.proofs for chunk in lookup.chunks.values()}:
            for proof in json.loads(text):
                yield replace(json_files.decode(Proof, proof), model=name)

    def structures(self, probe: "AnyProbe", lookup: Lookup) -> list[Structure]:
        """What the model is made of that was asked for the rows that were found; empty where that is not kept."""
        if self._cache is None or not lookup.chunks:
            return []
        if probe.model not in self._structures:
            key = self._keys.of_structure(probe)
            fact = self._cache.fact(key) if key else None
            kept = None if fact is None else json_files.decode(Structure, {**fact, "model": self._name_of(probe)})
            self._structures[probe.model] = [kept] if kept else []
        return self._structures[probe.model]

    def keep_structures(self, probe: "AnyProbe", structures: Sequence[Structure]) -> None:
        """Keeps what the model of a probe is made of, once."""
        key = self._keys.of_structure(probe)
        of_model = [one for one in structures if one.model == self._name_of(probe)]
        if self._cache is None or key is None or not of_model or self._structures.get(probe.model):
            return
        self._structures[probe.model] = of_model
        self._cache.keep_fact(key, json_files.encode(replace(of_model[0], model="")))

    def _name_of(self, probe: "AnyProbe") -> str:
        plan = self._run.plan
        return plan.references[probe.model].name if probe.model else plan.model.name

    def forget(self) -> None:
        """Lets go what was found out about one shard."""
        self._keys.forget()

    def recalled(self, probe: "AnyProbe", documents: Sequence[Document]) -> Any:
        """What a probe prepared from all of its documents; None where that is not kept. Looked up once."""
        if probe.name not in self._recalled:
            self._recalled[probe.name] = self._looked_up(probe, documents)
        return self._recalled[probe.name]

    def _looked_up(self, probe: "AnyProbe", documents: Sequence[Document]) -> Any:
        key = self._keys.of_preparation(probe, documents) if self._cache else None
        kept = self._cache.fact(key) if self._cache and key else None
        value = None if kept is None else _prepared(kept, documents)
        if value is not None:
            self._keys.prepare(probe, value)
        return value

    def keep_prepared(self, probe: "AnyProbe", documents: Sequence[Document], value: object) -> None:
        """Keeps what a probe prepared, where it is a set of ids or a mapping by id."""
        self._keys.prepare(probe, value)
        key = self._keys.of_preparation(probe, documents) if self._cache else None
        numbers = {document.id: number for number, document in enumerate(documents)}
        if self._cache is None or key is None or not self._keys.knows(probe):
            return
        if isinstance(value, AbstractSet | Mapping) and all(name in numbers for name in value):
            by_number = isinstance(value, Mapping)
            content = {str(numbers[name]): value[name] if isinstance(value, Mapping) else None for name in value}
            self._cache.keep_fact(key, {"by_number" if by_number else "chosen": content})


def _prepared(kept: Mapping[str, Mapping[str, Any]], documents: Sequence[Document]) -> object:
    if "chosen" in kept:
        return frozenset(documents[int(number)].id for number in kept["chosen"])
    return {documents[int(number)].id: value for number, value in kept["by_number"].items()}


def _confirmed(key: bytes | None, locations: Mapping[bytes, Location], chunks: Mapping[int, Chunk]) -> Location | None:
    """Where a row is, if the chunk says the same."""
    location = locations.get(key) if key else None
    chunk = chunks.get(location.chunk) if location else None
    if location is None or chunk is None or not 0 <= location.position < len(chunk.keys):
        return None
    return location if chunk.keys[location.position] == key else None


def _decoded(probe: "AnyProbe", lookup: Lookup) -> Lookup:
    """The same with the rows of the chunks; without those that cannot be read."""
    from auditor.records import schema

    rows: dict[int, Sequence[Row]] = {}
    for number in {location.chunk for location in lookup.locations if location}:
        try:
            decoded = schema.from_bytes(probe.record, lookup.chunks[number].content, whole=True)
        except StoreError:
            continue
        if len(decoded) == len(lookup.chunks[number].keys):
            rows[number] = decoded
    locations = [location if location and location.chunk in rows else None for location in lookup.locations]
    return replace(lookup, locations=locations, chunks={number: lookup.chunks[number] for number in rows}, rows=rows)
