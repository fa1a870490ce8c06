"""Errors of a device: which leave it lost to the process is what the device says when it is waited for."""

from pathlib import Path

import pytest
import torch

from auditor import models
from auditor.errors import DeviceLostError
from auditor.models.inputs import UnreadableError
from tests.models.tiny import save

ASSERTED = "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"


def broken(*_: object) -> None:
    raise torch.AcceleratorError(ASSERTED)


def wrapped(fault: Exception) -> Exception:
    """As an error comes from a forward pass, through what says which texts it was."""
    try:
        try:
            raise fault
        except Exception as error:
            raise UnreadableError("cannot read 3 texts") from error
    except UnreadableError as error:
        return error


@pytest.mark.parametrize(
    "fault",
    [
        torch.AcceleratorError(ASSERTED),
        torch.AcceleratorError("CUDA error: unspecified launch failure"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("HIP error: the operation cannot be performed in the present state"),
    ],
)
def test_an_error_of_a_device_that_fails_ever_after_is_a_lost_device(monkeypatch, fault):
    monkeypatch.setattr(torch.accelerator, "synchronize", broken)
    for one in (fault, wrapped(fault)):
        with pytest.raises(DeviceLostError) as raised:
            models.require_device(one)
        assert str(raised.value) == f"the process lost its device ({str(fault).splitlines()[0]})"


def test_a_device_that_goes_on_after_an_error_is_not_lost(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda *_: None)
    models.require_device(torch.AcceleratorError("CUDA error: invalid configuration argument"))


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("CUDA out of memory"), ValueError("CUDA error"), KeyError()])
def test_no_device_is_asked_about_what_is_none_of_its_errors(monkeypatch, fault):
    monkeypatch.setattr(torch.accelerator, "synchronize", broken)
    models.require_device(fault)
    models.require_device(wrapped(fault))


def test_a_forward_pass_that_loses_the_device_is_not_taken_for_a_text_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = models.load(models.find("tiny", save(tmp_path / "bert", "bert", "text-classification")), device="cpu")
    monkeypatch.setattr(torch.accelerator, "synchronize", broken)
    for fault, expected in (
        (RuntimeError("no such place"), UnreadableError),
        (torch.AcceleratorError(ASSERTED), DeviceLostError),
    ):
        with pytest.raises(expected), model.reading([4]):  # type: ignore[attr-defined]
            raise fault
