"""One in a hundred of the rows that are reused is measured again, in case the cache, a device or a library lies.

Of every probe and shard whose reused rows were measured, or measured again, more than half a day ago, one in a hundred
is drawn from the id of the run: those rows are measured again, in the batch in which they were measured as far as its
documents are still there. Two rows are the same if texts and whole numbers are equal and numbers differ by rounding:
by no more than `ROUNDING` of the largest number that stands with them in their tuple, and at least of `SMALL`. Weights
of half precision are computed with 8 or 11 bits, and may differ fifty times as much. Bytes (ranks and rounded weights
of a picture) may differ in one of a hundred places, where numbers tie; what is read on request alone is not compared,
for whether a row has it depends on its neighbours, nor is what follows from that where only one of the two has it.

The rows of the evidence are those that were reused: with one exception, which is an error, they are the same.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from auditor.errors import VerificationError
from auditor.probes.contract import Row
from auditor.records.types import Failure

SHARE: Final = 0.01
AFTER: Final = timedelta(hours=12)
ROUNDING: Final = 1e-3
ROUNDING_OF_HALF: Final = 5e-2
SMALL: Final = 0.1
TIED: Final = 0.01
_HALF = ("float16", "bfloat16")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two rows of one document differ first."""

    field: str
    before: object
    now: object


def is_drawn(run_id: str, probe: str, shard: int) -> bool:
    """Whether the rows of a probe in a shard are measured again in this run: one in a hundred."""
    digest = hashlib.sha256(f"{run_id} {probe} {shard}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < SHARE * 2**64


def is_old(checked: str, created: str) -> bool:
    """Whether rows were last measured long enough before a run was created, or never before it; both are ISO 8601."""
    since = datetime.fromisoformat(created) - datetime.fromisoformat(checked)
    return since > AFTER or since < timedelta(0)


def require_same(before: Sequence[Row], now: Sequence[Row], *, dtype: str, where: str, cure: str) -> None:
    """Refuses rows that are not what is measured now; a document that fails now says nothing about its row.

    Args:
        before: The rows of some documents.
        now: The rows of the same documents.
        dtype: Of the weights.
        where: The probe and the two runs.
        cure: What to do.

    Raises:
        VerificationError: Names the first document, field, and both values.
    """
    for one, other in zip(before, now, strict=True):
        if told := difference(one, other, dtype):
            raise VerificationError(f"{where}: {told}: a reused row is not what is measured; {cure}")


def difference(before: Row, now: Row, dtype: str) -> str | None:
    """Where two rows of one document differ first, and both values; None where they are the same, or `now` failed.

    Args:
        before: As it is kept.
        now: As it is measured.
        dtype: Of the weights.
    """
    if isinstance(now, Failure):
        return None
    first = next(_differences(before, now, "", ROUNDING_OF_HALF if dtype in _HALF else ROUNDING), None)
    if first is None:
        return None
    values = f"was {_shown(first.before)} and is {_shown(first.now)} now"
    return f"document {before.document_id!a}: {first.field} {values}"


def _differences(before: Any, now: Any, name: str, rounding: float) -> Iterator[Difference]:
    if not (isinstance(before, type(now)) or isinstance(now, type(before))):  # what is read back is of a subclass
        yield Difference(name or "the row", before, now)
    elif is_dataclass(before):
        for one in fields(before):
            pair = getattr(before, one.name), getattr(now, one.name)
            is_by_neighbours = one.metadata.get("where_kept") and None in pair
            if not one.metadata.get("on_request") and not is_by_neighbours:
                yield from _differences(*pair, f"{name}.{one.name}" if name else one.name, rounding)
    elif isinstance(before, tuple) and len(before) == len(now):
        yield from _in_tuples(_by_probe(before), _by_probe(now), name, rounding)
    elif not _is_same(before, now, rounding, 0.0):
        yield Difference(name, before, now)


def _by_probe(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Parts that are each of another probe in one order: that of the probes depends on how they were asked for."""
    return tuple(sorted(values, key=lambda one: str(one.probe))) if all(hasattr(v, "probe") for v in values) else values


def _in_tuples(before: tuple[Any, ...], now: tuple[Any, ...], name: str, rounding: float) -> Iterator[Difference]:
    numbers = [abs(one) for one in (*before, *now) if isinstance(one, float) and math.isfinite(one)]
    largest = max(numbers, default=0.0)
    for i, (one, other) in enumerate(zip(before, now, strict=True)):
        if isinstance(one, float) and isinstance(other, float):
            if not _is_same(one, other, rounding, largest):
                yield Difference(f"{name}[{i}]", one, other)
        else:
            yield from _differences(one, other, f"{name}[{i}]", rounding)


def _is_same(before: Any, now: Any, rounding: float, largest: float) -> bool:
    if isinstance(before, float):
        if before == now or (math.isnan(before) and math.isnan(now)):
            return True
        return bool(abs(before - now) <= rounding * max(abs(before), abs(now), largest, SMALL))
    if isinstance(before, bytes) and len(before) == len(now):
        return sum(map(int.__ne__, before, now)) <= TIED * len(before)
    return bool(before == now)


def _shown(value: object) -> str:
    shown = f"{value:.9g}" if isinstance(value, float) else ascii(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"
