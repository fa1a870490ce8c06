"""Is a device lost to this process? After some errors every later call fails, after others the next one does well.

An assertion, an illegal address or a failed launch on a CUDA device leaves the process without its context: all calls
return the same error, and no call mends it (CUDA Runtime API, error handling: "sticky" errors). Want of memory or a
launch that asks for too much concern one call. Which it is, the device says itself when it is waited for. HIP does as
CUDA does.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from auditor.errors import DeviceLostError, first_line

_SAID = re.compile(r"(CUDA|HIP|cuDNN|MIOpen) error|CUBLAS_STATUS|HIPBLAS_STATUS")


@contextmanager
def lost_device_told() -> Iterator[None]:
    """Of an error within the block after which the device cannot be used any more another is made.

    Raises:
        DeviceLostError: With the first line of what the device said.
    """
    try:
        yield
    except Exception as fault:
        require_device(fault)
        raise


def require_device(fault: Exception) -> None:
    """Asks the device whether it can be used after an error, if the error came from it.

    Raises:
        DeviceLostError: It cannot.
    """
    of_device = next(filter(_is_of_device, _causes(fault)), None)
    if of_device is not None and _is_lost():
        raise DeviceLostError(f"the process lost its device ({first_line(of_device)})") from fault


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _is_of_device(fault: BaseException) -> bool:
    if isinstance(fault, torch.OutOfMemoryError):
        return False
    said = isinstance(fault, RuntimeError) and _SAID.search(str(fault)) is not None
    return said or isinstance(fault, torch.AcceleratorError)


def _is_lost() -> bool:
    """Whether any device cannot be waited for; a model may be spread over several."""
    try:
        torch.accelerator.synchronize()
        for index in range(torch.accelerator.device_count()):
            torch.accelerator.synchronize(index)
    except RuntimeError:
        return True
    return False
