"""What a probe is: a measuring instrument pointed at a model. It asks one question and keeps no state.

A probe is a frozen pydantic dataclass; its fields are exactly its parameters, with defaults and bounds, so that
`[probes.<name>]` in a configuration is its constructor. Third parties register theirs through the entry point
`auditor.probes`; a probe that has no section in the report gets a plain table there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from pydantic import ConfigDict

from auditor.records.types import Document, Failure, Unmeasured

STRICT = ConfigDict(extra="forbid")
R = TypeVar("R")


@runtime_checkable
class Probe(Protocol):
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

    def measure(self, model: Any, documents: Sequence[Document], seed: int) -> Iterator[Any]:
        """Yields for each document, in order, a record, a `Failure` or a `NotMeasurable`.

        A `Failure` is a fault: it counts towards `max_failures`. A `NotMeasurable` says that the document holds nothing
        that this probe could measure (a single token, no word), with a kind of reason and a sentence; the report counts
        it beside the failures, never among them.
        """
        ...


@runtime_checkable
class Foresees(Protocol):
    """A probe that chooses among all of its documents, however they are cut into shards or halved after a failure."""

    def foresee(self, model: Any, documents: Sequence[Document], seed: int) -> Probe:
        """The probe that knows its choice among these documents, of which it will be given one part at a time."""
        ...


def beyond_blanks(
    documents: Sequence[Document], measure: Callable[[Sequence[Document]], Iterable[R]]
) -> Iterator[R | Unmeasured]:
    """Measures the documents that say something, together; the others are failures. In order."""
    measured = iter(measure(asked) if (asked := [d for d in documents if not d.is_blank]) else ())
    for document in documents:
        if document.is_blank:
            yield Failure(document.id, "blank", "the document is empty or white space")
        else:
            yield next(measured)


def not_finite(document: Document) -> Failure:
    """The failure of a document for which the model answers NaN or infinity."""
    return Failure(document.id, "non-finite", "the model answered NaN or infinity")
