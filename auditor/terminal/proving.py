"""`auditor lock`: what the models of an audit are made of."""

from typing import TYPE_CHECKING

from auditor.errors import EXIT_FINE
from auditor.terminal.options import AsJson
from auditor.terminal.printing import print_lines, to_json

if TYPE_CHECKING:
    from auditor.config import Config


def lock(config: "Config", as_json: AsJson = False) -> int:
    """Write the hashes of all model files. A run that requires this lock refuses any other model.

    Written beside the configuration as audit.lock, or where --lock says.
    """
    from auditor.running import locking

    path = config.locate(locking.KEY) if config.model.lock else config.base / locking.FILE
    models = locking.make(config)
    locking.write(path, models)
    if as_json:
        print_lines(to_json({"path": str(path), "models": {key: len(model.files) for key, model in models.items()}}))
    else:
        print_lines(f"{key}: {model.name}: {len(model.files)} files" for key, model in models.items())
        print_lines(f"{path}: written; require it with --lock, or with lock under [model]")
    return EXIT_FINE
