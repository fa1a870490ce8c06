"""What a probe is: a measuring instrument pointed at a model. It asks one question and keeps no state.

A probe is a frozen pydantic dataclass; its fields are exactly its parameters, with defaults and bounds, so that
`[probes.<name>]` in a configuration is its constructor. Third parties register theirs through the entry point
`auditor.probes`; a probe that has no section in the report gets a plain table there.

Three things a probe may have besides: `prepare`, what it settles once among all of its documents (`Prepares`); `after`,
the probes whose rows of the same documents it reads (`Follows`); and `gathers`, the record of which it reads the rows,
whichever probes yield them (`Gathers`). All of it reaches `measure` in its `Sitting`. With `self_check` it is held
against toy models before a run (`SelfChecks`). One with `ids` is given these documents too (`Picks`). One that uses
packages which do not come with this one says which it `requires` (`Requires`), and is refused before anything loads
where one is missing. One that knows beforehand how often it asks the model has `evaluations` (`Bounded`), which
`auditor run --dry-run` prints.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import ConfigDict

from auditor.records.proof import SelfCheck
from auditor.records.types import Document, Failure, Unmeasured

STRICT = ConfigDict(extra="forbid")
R = TypeVar("R")
P_co = TypeVar("P_co", covariant=True)
M_contra = TypeVar("M_contra", contravariant=True)
"""The capability that a probe needs of a model."""
P_contra = TypeVar("P_contra", contravariant=True)
"""What it prepares."""


class Record(Protocol):
    """The measured result of a probe for one document."""

    @property
    def document_id(self) -> str:
        """The id of the document."""
        ...


Row = Record | Unmeasured


@dataclass(frozen=True, slots=True)
class Evaluations:
    """How often a model is asked about one document."""

    forward: int = 0
    """Inputs that are answered."""
    backward: int = 0
    """Inputs of which a gradient is taken; the forward pass that belongs to each is not counted in `forward`."""


@dataclass(frozen=True)
class Sitting(Generic[P_co]):
    """What a probe is given beside the model and the documents."""

    seed: int
    """Of the run; a document's own draw also depends on its content, see `auditor.probes.perturbing.seed_for`."""
    earlier: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    """Probe whose rows are read → document id → its row; a document that the probe was not given is missing."""
    prepared: P_co | None = None
    """What `prepare` returned; None where the probe has no such method, or nobody called it."""
    gathered: Sequence["AnyProbe"] = ()
    """The probes whose rows a probe gathers, as they run: for one that asks them again."""


@runtime_checkable
class Probe(Protocol[M_contra, P_contra]):
    """One question to a model about each document."""

    name: ClassVar[str]
    needs: ClassVar[type]
    """The capability of `auditor.models.capabilities` that it uses."""
    record: ClassVar[type]
    """The record it yields."""

    @property
    def limit(self) -> int | None:
        """How many documents to measure at most: a seeded, stratified subset; None for all."""
        ...

    @property
    def model(self) -> str | None:
        """Another model to ask instead of the audited one; None for the audited one."""
        ...

    def measure(self, model: M_contra, documents: Sequence[Document], sitting: Sitting[P_contra]) -> Iterator[Row]:
        """Yields for each document, in order, a record, a `Failure` or a `NotMeasurable`.

        A `Failure` is a fault: it counts towards `max_failures`. A `NotMeasurable` says that the document holds nothing
        that this probe could measure (a single token, no word), with a kind of reason and a sentence; the report counts
        it beside the failures, never among them.
        """
        ...


AnyProbe = Probe[Any, Any]
"""A probe of which nobody here needs to know the capability."""


@runtime_checkable
class Prepares(Protocol[M_contra]):
    """A probe that computes something from all of its documents before they are cut into shards."""

    def prepare(self, model: M_contra, documents: Sequence[Document], seed: int) -> object:
        """Computes `sitting.prepared` for `measure`; called once in each process, with all documents of the probe."""
        ...


@runtime_checkable
class Picks(Protocol):
    """A probe that is given some documents by name, besides those that its `limit` draws."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the corpus; an id that is not in it is refused before a model loads."""
        ...


@runtime_checkable
class Follows(Protocol):
    """A probe that reads rows of other probes about the same documents, instead of asking the model again."""

    after: ClassVar[tuple[str, ...]]
    """Names of these probes; they run before it, in every shard."""


@runtime_checkable
class Gathers(Protocol):
    """A probe that reads the rows of every probe of one record; it is given the documents of any of these."""

    gathers: ClassVar[type]
    """The record; the probes that yield it run before this one, in every shard."""


@runtime_checkable
class SelfChecks(Protocol):
    """A probe that shows before a run that it gives what is known on toy models, in a fraction of a second."""

    def self_check(self) -> SelfCheck | None:
        """Goes the way that the run will go, with its parameters; None where nothing is known for these parameters."""
        ...


@runtime_checkable
class Requires(Protocol):
    """A probe that uses packages which do not come with this one; it imports them when it measures, not before."""

    requires: ClassVar[Mapping[str, str]]
    """Package, as it is imported → what pip installs it by, such as `auditor[shap]`."""


@runtime_checkable
class Bounded(Protocol[M_contra]):
    """A probe that knows how often it asks the model, before it does."""

    def evaluations(
        self, model: M_contra, documents: Sequence[Document], probes: Sequence[AnyProbe]
    ) -> Sequence[Evaluations] | None:
        """The most evaluations of the model about each document; the model is asked nothing for it.

        What a language model writes before it is asked about is not counted, nor that it reads a text once for every
        candidate.

        Args:
            model: Loaded, as for `measure`.
            documents: None of them blank.
            probes: All that run.

        Returns:
            Of each document; None where that cannot be said.
        """
        ...


def predecessors(probe: AnyProbe, probes: Sequence[AnyProbe]) -> tuple[str, ...]:
    """The names of the probes whose rows a probe reads.

    Args:
        probe: The one that reads.
        probes: All that run.
    """
    named = probe.after if isinstance(probe, Follows) else ()
    return tuple(dict.fromkeys([*named, *(one.name for one in gathered(probe, probes))]))


def gathered(probe: AnyProbe, probes: Sequence[AnyProbe]) -> tuple[AnyProbe, ...]:
    """Those of the probes that run whose record a probe gathers."""
    if not isinstance(probe, Gathers):
        return ()
    return tuple(one for one in probes if one is not probe and issubclass(one.record, probe.gathers))


def beyond_blanks(
    documents: Sequence[Document], measure: Callable[[Sequence[Document]], Iterable[R]]
) -> Iterator[R | Unmeasured]:
    """The rows of all documents, in order: those that are not blank are measured together, blank ones are failures."""
    measured = iter(measure(asked) if (asked := [d for d in documents if not d.is_blank]) else ())
    for document in documents:
        if document.is_blank:
            yield Failure(document.id, "blank", "the document is empty or white space")
        else:
            yield next(measured)


def not_finite(document: Document) -> Failure:
    """The failure of a document for which the model answers NaN or infinity."""
    return Failure(document.id, "non-finite", "the model answered NaN or infinity")
