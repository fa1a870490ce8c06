"""What an executor may use: as many workers as are asked for, the devices of this machine, time."""

from auditor.config import Config
from auditor.running.executors.contract import Notify, Resources
from auditor.running.preflight import Preflight


def asked(config: Config) -> Resources:
    """What the configuration says, before a device is looked for."""
    return Resources(config.run.workers, visible=(), uses_gpu=False, timeout=config.run.shard_timeout)


def planned(preflight: Preflight, say: Notify) -> Resources:
    """The same with the devices there are; a model that is spread over all of them leaves none to deal out.

    Args:
        preflight: What will be run.
        say: Hears what an engine waits for.
    """
    from auditor import models

    config = preflight.config
    visible = () if config.model.device_map else models.visible_devices(preflight.device)
    return Resources(config.run.workers, visible, preflight.device.startswith("cuda"), config.run.shard_timeout, say)
