"""The configuration of an audit: each table holds the keyword arguments of one function, such as `corpus.load`.

A value comes from a flag, else from the environment, else from the file, else from its default:

    auditor run audit.toml --device cpu --set probes.lime.n_samples=200     flags: dotted keys
    AUDITOR_MODEL__DEVICE=cpu                                               environment: `__` between the parts
    [model]                                                                 file: TOML, or YAML with the same keys
    device = "cpu"

**Paths are kept as they were written**, so that `Config.resolved()`, the plan and the report have no path of this
machine that the user did not write. `config.locate("corpus.path")` and `config.source("model.name")` resolve them: a
path from the file is relative to the file's folder; one from a flag or the environment, and `run.output` always, to the
current directory.

The keys in tables of probes are not checked here: they are the parameters of probe classes, on a floor above.

    tables    pydantic models: every key, its type and default; [report] is in `report`, their base in `base`
    loading   reads file, environment and flags into a validated `Config`
    faults    words the errors of validation, one line each
    starter   the commented file that `auditor init` writes
    waivers   the file of waivers, which is another one
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
from auditor.config.waivers import WaiverConfig
from auditor.config.waivers import read as read_waivers

__all__ = [
    "CheckConfig",
    "Config",
    "CorpusConfig",
    "ModelConfig",
    "ReportConfig",
    "RunConfig",
    "WaiverConfig",
    "load",
    "read_waivers",
    "resolve_model",
    "schema",
    "starter",
]
