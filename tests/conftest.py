"""What every test stands on: one thread, no hub, no network, what both processes share, and golden files."""

import fcntl
import ipaddress
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sample_reports import Report

# Properties are about results: how long an example takes on a busy machine says nothing.
settings.register_profile("auditor", deadline=None)
settings.load_profile("auditor")
# Before any test module imports torch: two test processes on two cores, and no hub to be asked for a model.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Markers that tell why a test may be left out; what each means stands in pyproject.toml.
LEFT_OUT_BY = ("gpu", "locked", "slow", "exhaustive")
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = Counter()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        item.config.stash[LEFT_OUT].update(name for name in LEFT_OUT_BY if item.get_closest_marker(name))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test process tells the one that prints what it left out: the same in each."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = Counter(getattr(node, "workeroutput", {}).get("left_out"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The tests that were never begun, beside those that pytest itself names as skipped (-ra)."""
    reasons = dict(line.split(": ", 1) for line in config.getini("markers") if ": " in line)
    for name, n in config.stash[LEFT_OUT].items():
        terminalreporter.write_line(f"LEFT OUT [{n}] {name}: {reasons[name]}")


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


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """`once(name, make)`: a folder that both test processes share, filled by `make(folder)` at the first call."""
    base = tmp_path_factory.getbasetemp()
    shelf = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shelf.mkdir(exist_ok=True)

    def fill(name: str, make: Callable[[Path], None]) -> Path:
        folder = shelf / name
        with (shelf / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                arriving = shelf / f"{name}.part"
                arriving.mkdir(exist_ok=True)
                make(arriving)
                arriving.rename(folder)
        return folder

    return fill


@pytest.fixture(scope="session")
def report(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], "Report"]:
    """A sample report by its name, rendered by whichever test asks first."""
    import sample_reports

    return partial(sample_reports.find, once)


@pytest.fixture
def no_embedded_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting fonts takes most of the time of a page and changes no word; not for a test that asks for a `report`."""
    from auditor.report.branding import fonts

    monkeypatch.setattr(fonts, "embed", lambda _: "")


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
