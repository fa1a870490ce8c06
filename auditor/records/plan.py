"""What was to be done, as `plan.json` keeps it: everything that decides the evidence and how the report says it.

A plan never changes once it is written, but for `computing`, which is found out when the models are loaded. Two plans
are equal if they are written alike. Nobody else knows the keys of the file: they are the fields below.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from auditor.errors import StoreError
from auditor.languages import Language
from auditor.records import disk, json_files, sums
from auditor.records.dialect import Dialect
from auditor.records.proof import Proof, SelfCheck

FORMAT: Final = "auditor.plan/4"
SINCE_BASELINE: Final = "@baseline"
"""Behind the name of a number: its change since the baseline."""
PROBE_NAME: Final = re.compile("[a-z][a-z0-9_]*")
"""Of a probe: it stands in addresses, in file names and in the names of checks."""
_NOT_PART_OF_THE_IDENTITY = ("command", "computing", "created", "run_id", "self_checks")


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """The audited model or a reference model: which files, and what they say about it."""

    name: str
    """A folder, as it was given, or the id on the hub."""
    revision: str | None
    """The commit on the hub; a folder has none."""
    model_class: str
    n_parameters: int
    labels: tuple[str, ...]
    """In the model's order."""
    weights_sha256: str
    tokenizer_sha256: str
    code_sha256: str | None
    """Of the code that comes with the model and is run; None where none is."""
    files: Mapping[str, str]
    """File → SHA-256 of every file that decides what the model answers."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """How a language model is asked; nothing of it for other models."""

    template: str | None
    """A document stands at `{text}`; None for the document alone."""
    candidates: tuple[str, ...]
    """The continuations to choose between; empty for the model's own."""
    chat: bool
    """Whether the tokenizer's chat template is put around it."""


@dataclass(frozen=True, slots=True)
class PlannedCorpus:
    """The documents: which file, and how much of it."""

    path: str
    sha256: str
    n_documents: int
    """Documents of the audit."""
    n_documents_in_file: int
    columns: tuple[str, ...]
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class PlannedProbe:
    """One probe as it is asked."""

    record: str
    """What its rows are: see `auditor.records.types.record_name`."""
    parameters: Mapping[str, object]
    """Every parameter as resolved, defaults included."""
    n_documents: int
    """How many it is given."""
    model: str | None
    """The reference model that it asks, a key of `Plan.references`; None for the audited one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", json_files.decode(object, self.parameters, "parameters"))


@dataclass(frozen=True, slots=True)
class Bound:
    """What a check demands of a number: one of the two sides, or not to be worse than the baseline, or both."""

    at_least: float | None = None
    at_most: float | None = None
    required: bool = True
    """Whether the verdict depends on it."""
    not_worse_than_baseline_by: float | None = None
    """By how much it may be worse than the baseline's; of a perplexity in nats."""

    def __post_init__(self) -> None:
        sides = (self.at_least is not None) + (self.at_most is not None)
        if sides > 1 or (sides == 0 and self.not_worse_than_baseline_by is None):
            raise ValueError("a bound has one of at_least and at_most, or not_worse_than_baseline_by, or both")

    @property
    def direction(self) -> Literal["at_least", "at_most", ""]:
        """The side that was given; empty where none was."""
        if self.at_least is None and self.at_most is None:
            return ""
        return "at_most" if self.at_least is None else "at_least"

    @property
    def value(self) -> float:
        """The bound itself; 0 where no side was given."""
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)


@dataclass(frozen=True, slots=True)
class PlannedWaiver:
    """A failure that somebody answers for."""

    finding: str
    """The id of a check, or `baseline.` and the name of a number."""
    owner: str
    expires: str
    """The last day on which it holds, ISO 8601."""
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedReviewer:
    """Who is to sign."""

    name: str
    role: str | None


@dataclass(frozen=True, slots=True)
class PlannedReport:
    """How the report speaks, and for whom."""

    language: Language
    reviewers: tuple[PlannedReviewer, ...]
    organisation: str | None
    classification: str | None
    """A marking on every page."""
    sections: tuple[str, ...] | None
    """Ids of those that are printed, in this order; None for all."""
    statements: Mapping[str, str]
    """What a person wrote about the model, by the keys of `[report.statements]`; none is blank."""


@dataclass(frozen=True, slots=True)
class PlannedLook:
    """The reader's part in the looks of the report: what a second rendering needs."""

    logo: str | None
    """A `data:` URL."""
    templates: Mapping[str, str]
    """File → its text."""
    fonts: Mapping[str, str]
    """File → SHA-256; fonts are too large to be kept."""


@dataclass(frozen=True, slots=True)
class ShardRange:
    """Documents `start` to `stop` of the corpus are measured and kept together."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """One audit, before anything is measured."""

    title: str
    task: str
    seed: int
    device: str
    dtype: str
    multi_label: bool
    """Whether a document may have several labels."""
    model: PlannedModel
    references: Mapping[str, PlannedModel]
    """Name in the table of a probe → the model that it asks."""
    prompt: Prompt
    corpus: PlannedCorpus
    probes: Mapping[str, PlannedProbe]
    left_out: Mapping[str, str]
    """Probe that runs by default → kind of reason why this model is not asked."""
    checks: Mapping[str, Bound]
    """Name of a number → what is demanded of it."""
    waivers: tuple[PlannedWaiver, ...]
    report: PlannedReport
    look: PlannedLook
    shards: tuple[ShardRange, ...]
    notes: tuple[str, ...]
    """What the report must say about the input, in its language."""
    versions: Mapping[str, str]
    """Library → release."""
    configuration: Mapping[str, object]
    """The whole of it, resolved, for the record: whatever is needed has a field of its own."""
    command: str
    computing: tuple[Proof, ...] = field(default=())
    """How the models are asked, by model and question."""
    self_checks: tuple[SelfCheck, ...] = field(default=())
    """What probes gave on toy models before anything was measured."""
    run_id: str = ""
    created: str = ""
    """ISO 8601, UTC, to the second."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "configuration", json_files.decode(object, self.configuration, "configuration"))
        for name in self.probes:
            if not PROBE_NAME.fullmatch(name):
                raise ValueError(f"probes: expected names of a-z, 0-9 and _, found {name!a}")

    def __eq__(self, other: object) -> bool:
        return write(self) == write(other) if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash(write(self))

    @property
    def id(self) -> str:
        """SHA-256 of the canonical JSON without `format` and the fields that are not what is to be done, in hex.

        The command is kept for provenance, but the same work can be asked for in many ways (`--json`, `--fresh`); how
        the models are asked is only found out when they are loaded, and rounding differs from machine to machine.
        """
        content = {key: value for key, value in _normal(self).items() if key not in _NOT_PART_OF_THE_IDENTITY}
        return sums.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii"))

    def settled(self, proofs: Iterable[Proof]) -> "Plan":
        """The same plan with how a model is asked, question by question; what it says already stays."""
        known = {(proof.model, proof.question): proof for proof in (*proofs, *self.computing)}
        return replace(self, computing=tuple(known[key] for key in sorted(known)))


def write(plan: Plan) -> bytes:
    """The content of `plan.json`; equal plans give equal bytes.

    Raises:
        ValueError: a field holds a value of another type, or a number that is not finite; begins with its key.
    """
    return json_files.to_json({"format": FORMAT, **_normal(plan)})


def read(path: Path) -> Plan:
    """The plan that `write` wrote into a file.

    Raises:
        StoreError: it is not JSON, of another format, or a field is missing, unknown or of another type.
        FileNotFoundError: it is not there.
    """
    return parse(disk.read(path), path)


def parse(data: bytes, path: Path) -> Plan:
    """The plan that `write` gave.

    Raises:
        StoreError: it is not JSON, of another format, or a field is missing, unknown or of another type; names `path`.
    """
    content = json_files.parse_json(data, path, FORMAT)
    del content["format"]
    try:
        return json_files.decode(Plan, content)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: {error}; the file was damaged or changed: audit anew") from error


def _normal(plan: Plan) -> dict[str, object]:
    """The fields of a plan for JSON, each of the type that it is read back as: a bound of 1 is 1.0."""
    return dict(json_files.encode(json_files.decode(Plan, json_files.encode(plan))))
