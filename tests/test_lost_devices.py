"""Whole runs whose device is lost to a process: another takes its place, or the run ends and can be gone on with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pydantic
import pytest
import torch

from auditor.errors import DeviceLostError
from auditor.probes.contract import Sitting
from auditor.probes.prediction import PredictionProbe
from auditor.records.store import open_run
from auditor.records.types import Document, Failure
from auditor.running import rechecking
from tests.test_workers import classifier, here, measured, rows

__all__ = ["classifier", "here"]


@pydantic.dataclasses.dataclass(frozen=True)
class Breaking(PredictionProbe):
    """Answers, until it meets some documents: from then on the device of the process fails, as CUDA's does."""

    name: ClassVar[str] = "breaking"
    breaks: tuple[str, ...] = ()
    lost: ClassVar[bool] = False

    def measure(self, model: Any, documents: Sequence[Document], sitting: Sitting[Any]) -> Any:
        if Breaking.lost or any(document.id in self.breaks for document in documents):
            Breaking.lost, torch.accelerator.synchronize = True, fail  # type: ignore[misc]
            fail()
        return super().measure(model, documents, sitting)


def fail(*_: object) -> None:
    raise torch.AcceleratorError("CUDA error: device-side assert triggered\nCUDA kernel errors might be ...")


@pytest.mark.exhaustive
def test_a_worker_that_lost_its_device_is_replaced_and_the_documents_are_found(classifier: Path, here: Path) -> None:
    more = {"run.executor": "local", "run.workers": 1}
    run, progress = measured(classifier, here, more, [Breaking(breaks=("d6", "d17"))])
    failures = [row for row in rows(run, "breaking") if isinstance(row, Failure)]
    message = "failed: the process lost its device (CUDA error: device-side assert triggered)"
    said = f"the worker that measured it, and nothing else, {message}"
    assert failures == [Failure("d6", "worker-lost", said), Failure("d17", "worker-lost", said)]
    for one, other in zip(rows(run, "breaking"), rows(run, "prediction"), strict=True):
        if not isinstance(one, Failure):
            rechecking.require_same([other], [one], dtype="float32", where="breaking", cure="")
    assert sum("it was replaced" in text for text in progress.said) == 7  # of shards of 5 and of 3 documents


def test_a_device_that_is_lost_to_this_process_ends_the_run_which_can_be_gone_on_with(
    classifier: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "synchronize", torch.accelerator.synchronize)
    monkeypatch.setattr(Breaking, "lost", False)
    with pytest.raises(DeviceLostError, match=r"^shard 1 .* lost its device .* what was measured is kept") as raised:
        measured(classifier, here, {}, [Breaking(breaks=("d6",))])
    assert raised.value.exit_code == 5
    run = open_run("latest", here / "reports")
    assert [run.has("breaking", i) for i in range(4)] == [True, False, False, False]
    assert not [row for row in rows(run, "breaking") if isinstance(row, Failure)]
