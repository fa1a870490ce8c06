"""The numbers of all runs of an audit as scalars of TensorBoard, a step per night, from the manifests.

    DIR/value, DIR/low, DIR/high      value and ends of the 95 % interval as three curves in one chart

Step 0 is the oldest night that is there; the time is that of the night. A perplexity is a logarithm, in nats. The files
are written anew each time: equal nights give equal bytes.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditor.findings.history import Night, nights
from auditor.records import disk
from auditor.records.store import runs_in, summary_of
from auditor.running.exporters.contract import Exported, Finished, require

if TYPE_CHECKING:
    from auditor.findings.history.nights import Measured

CURVES: Final = ("value", "low", "high")
FILE: Final = "events.out.tfevents.0.auditor"
"""TensorBoard finds files by the part in the middle."""
_VERSION = "brain.Event:2"


def export(finished: Finished, folder: Path) -> Exported:
    """Writes a file of events for each curve.

    Raises:
        InstallationError: TensorBoard is not here.
        DiskError: They cannot be written.
    """
    require("tensorboard", "tensorboard")
    newest = summary_of(finished.run.path)
    runs = nights(runs_in(newest.audit) if newest.audit else [newest])
    for curve in CURVES:
        disk.write(folder / curve / FILE, _events(runs, curve))
    return Exported(tuple(str(folder / curve / FILE) for curve in CURVES), {"n_nights": len(runs)})


def _events(runs: Sequence[Night], curve: str) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    sink = io.BytesIO()
    writer = RecordWriter(sink)
    first = datetime.fromisoformat(runs[0].created).timestamp()
    writer.write(Event(wall_time=first, file_version=_VERSION).SerializeToString())
    for step, night in enumerate(runs):
        for event in _of_night(night, step, curve):
            writer.write(event.SerializeToString())
    return sink.getvalue()


def _of_night(night: Night, step: int, curve: str) -> Iterator[Any]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    time = datetime.fromisoformat(night.created).timestamp()
    for name, measured in night.numbers.items():
        value = _end(measured, curve)
        if value is not None:
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            yield Event(wall_time=time, step=step, summary=summary)


def _end(measured: "Measured", curve: str) -> float | None:
    ends: dict[str, float | None] = {"value": measured.value, "low": measured.low, "high": measured.high}
    return ends[curve]
