"""The configuration of an audit: one table per folder, whose keys are the keyword arguments of that folder's door.

A value comes from a flag, else from the environment, else from the file, else from its default:

    auditor run audit.toml --device cpu --set probes.lime.n_samples=200     flags: dotted keys
    AUDITOR_MODEL__DEVICE=cpu                                               environment: `__` between the parts
    [model]                                                                 file: TOML, or YAML with the same keys
    device = "cpu"

**Paths keep the spelling they were given.** The tables hold only such strings, so `Config.resolved()`, the plan and the
report carry no path of this machine that the user did not type. Where a path lies is asked of the configuration:
`config.locate("corpus.path")` and `config.source("model.name")`. A path from the file is relative to the file's folder;
one from a flag or the environment, and `run.output` always, to the current directory.

Tables of probes are only required to be tables here: their keys are the parameters of probe classes, on a floor above.

    tables    the models: every key, its type and default; that of [report] in `report`
    loading   the door: file, environment and flags become a checked `Config`
    faults    every fault as one line: where, which key, what to do
    starter   the commented file that `auditor init` writes
"""

from auditor.config.loading import load, schema
from auditor.config.report import ReportConfig
from auditor.config.starter import starter
from auditor.config.tables import (
    CheckConfig,
    Config,
    CorpusConfig,
    ModelConfig,
    RunConfig,
    resolve_model,
)

__all__ = [
    "CheckConfig",
    "Config",
    "CorpusConfig",
    "ModelConfig",
    "ReportConfig",
    "RunConfig",
    "load",
    "resolve_model",
    "schema",
    "starter",
]
