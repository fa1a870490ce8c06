"""On what it was measured, with what, and when."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "auditor", "torch", "transformers", "tokenizers", "numpy", "lime", "captum", "shap", "lm_eval", "weasyprint"
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """What a reader needs to know before believing a number."""

    cpu: str
    cores: int
    memory_gib: float
    load: float
    """Processes waiting for the cores when it began: above 0.5, somebody else was at work."""
    date: str
    versions: dict[str, str]

    def __str__(self) -> str:
        busy = f" **The machine was busy (load {self.load:.1f}): trust the ratios only.**" if self.load > 0.5 else ""
        libraries = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.date}, {self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, one torch thread; {libraries}. "
            f"CPU seconds, median (smallest–largest).{busy}"
        )


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        load=os.getloadavg()[0],
        date=datetime.now(UTC).date().isoformat(),
        versions={"Python": platform.python_version(), **{name: n for name in LIBRARIES if (n := _version(name))}},
    )


def _cpu() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
