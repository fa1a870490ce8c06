"""Engines that give shards of documents to workers; each is registered by the entry point `auditor.executors`."""

from auditor.errors import ConfigError
from auditor.registry import did_you_mean, load, registered
from auditor.running.executors.contract import Equipped, Executor, Resources

GROUP = "auditor.executors"


def executor_named(name: str, resources: Resources | None = None) -> Executor:
    """The engine that a configuration names in `run.executor`.

    Args:
        name: As it is registered.
        resources: What it may use, if it can be told.

    Raises:
        ConfigError: There is none of that name; or workers are asked for of one that has a single one.
        InstallationError: Its package cannot be loaded, or this one is not installed.
    """
    known = registered(GROUP)
    if name not in known:
        near = did_you_mean(name, known)
        raise ConfigError(f"run.executor: there is no executor {name!r}{near}; known: {', '.join(known)}")
    executor: Executor = load(known[name])()
    if isinstance(executor, Equipped):
        return executor.equipped(resources) if resources else executor
    if resources and resources.workers and resources.workers > 1:
        raise ConfigError(
            f'run.workers = {resources.workers}: the executor "{name}" cannot be told how many; '
            'expected run.executor = "local" or "ray"'
        )
    return executor
