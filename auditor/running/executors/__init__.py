"""Engines that give shards of documents to workers; each is registered by the entry point `auditor.executors`."""

from auditor.errors import ConfigError
from auditor.registry import did_you_mean, load, registered
from auditor.running.executors.contract import Executor

GROUP = "auditor.executors"


def executor_named(name: str) -> Executor:
    """The engine that a configuration names in `run.executor`.

    Raises:
        ConfigError: There is none of that name.
        InstallationError: Its package cannot be loaded, or this one is not installed.
    """
    known = registered(GROUP)
    if name not in known:
        near = did_you_mean(name, known)
        raise ConfigError(f"run.executor: there is no executor {name!r}{near}; known: {', '.join(known)}")
    executor: Executor = load(known[name])()
    return executor
