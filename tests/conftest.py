"""What every test stands on: one thread, no hub, no network, and golden files that one command rewrites."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Properties are about results: how long an example takes on a busy machine says nothing.
settings.register_profile("auditor", deadline=None)
settings.load_profile("auditor")
# Before any test module imports torch: two test processes on two cores, and no hub to be asked for a model.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """A connection to anywhere but this machine fails the test that tries it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))
        yield


def _only_here(connect: Callable[..., object]) -> Callable[..., object]:
    def guarded(self: socket.socket, address: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    return guarded


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture
def golden() -> Callable[[Path, str], None]:
    """Compares a text with a golden file, or rewrites the file under AUDITOR_GOLDEN (`make golden`).

    A test that uses it has "golden" in its name: that is how `make golden` finds it.
    """

    def compare(path: Path, found: str) -> None:
        if os.environ.get("AUDITOR_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found, encoding="utf-8")
        expected = path.read_text(encoding="utf-8")
        assert found == expected, f"{path.name} is no longer what is made: look at it, then `make golden`"

    return compare
