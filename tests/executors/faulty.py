"""Workers for engines that run them elsewhere: they break on documents as they are told to. Imports nothing heavy."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from auditor.errors import DeviceLostError
from auditor.records.types import Failure
from auditor.running.executors.contract import Announce, AtWork, Receipt, Shard

PROBE = "probe"


@dataclass
class Faulty:
    """A factory, and the worker that it makes: document 7 is "d7"."""

    faults: dict[str, str]
    """Document → `kill`, `exit`, `hang`, `device` or `raise`; `once` is a kill that leaves a file behind and happens
    once. After `device` a worker cannot do anything any more."""
    folder: str = "."
    announce: Announce = field(default=lambda _: None, repr=False)
    at: tuple[str, ...] = ()
    """What it measures."""
    is_broken: bool = False

    def __call__(self, shard: Shard | None = None) -> "Faulty | Receipt":  # type: ignore[override]
        if shard is None:
            if self.folder != ".":
                Path(self.folder, f"worker-{time.time_ns()}").touch()
            return Faulty(self.faults, self.folder)
        fatal = {one.document_id: one for one in shard.fatal}
        groups = [group.document_ids for group in shard.groups]
        apart = {*fatal}.union(*groups)
        rest = tuple(name for i in range(shard.start, shard.stop) if (name := f"d{i}") not in apart)
        for some in [*groups, *([rest] if rest else [])]:
            self.at = some
            self.announce(AtWork(PROBE, some))
            for name in some:
                self._meet(name)
                if self.is_broken:
                    raise DeviceLostError("the process lost its device (CUDA error: unspecified launch failure)")
        self.announce(AtWork(PROBE))
        failures = tuple(Failure(one.document_id, "worker-lost", one.reason) for one in shard.fatal)
        return Receipt(asked={PROBE: shard.stop - shard.start}, failures={PROBE: failures})

    def __getstate__(self) -> tuple[dict[str, str], str]:
        return self.faults, self.folder

    def __setstate__(self, state: tuple[dict[str, str], str]) -> None:
        self.faults, self.folder = state
        self.announce = lambda _: None
        self.at, self.is_broken = (), False

    def _meet(self, name: str) -> None:
        fault = self.faults.get(name, "")
        if fault == "once":
            been = Path(self.folder, name)
            fault = "" if been.exists() else "kill"
            been.touch()
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault == "exit":
            os._exit(3)
        elif fault == "hang":
            time.sleep(600)
        elif fault == "device":
            self.is_broken = True
        elif fault == "raise":
            raise RuntimeError(f"{name} is no good")
        elif fault == "slow":
            time.sleep(1)
