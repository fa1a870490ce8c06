"""The conclusions, as they stand in `findings.json`: every number the report prints, with n, interval and protocol.

These models are the versioned schema of `findings.json` (`auditor schema findings`). The report is written from them
and from the per-document records; nothing in the report is computed that is not here or there.
"""

from typing import Final, Literal, TypeVar

from pydantic import Field, SerializeAsAny

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.presentation import Presentation
from auditor.records.proof import Proof, SelfCheck
from auditor.records.structure import Structure

A = TypeVar("A", bound=Finding)
FORMAT: Final = "auditor.findings/4"

Result = Literal["pass", "watch", "fail", "not judged"]
Unit = Literal[
    "share",
    "nats",
    "bits",
    "count",
    "tokens",
    "perplexity",
    "correlation",
    "probability",
    "log-probability",
    "log-odds",
]


class Nats(Finding):
    """Natural logarithm of a perplexity and of the ends of its interval."""

    value: float | None
    low: float | None
    high: float | None


class Number(Finding):
    """One measured quantity with its uncertainty."""

    name: str
    """`accuracy`, `recall[positive]`, `accuracy{length=short}`; what `[checks]` and links refer to."""
    title: str
    """For people: "Accuracy, length short"."""
    value: float | None
    """None where it cannot be computed (n = 0, or one of the texts needed is missing), and of a perplexity beyond
    1e300, where only `nats` tells."""
    low: float | None
    high: float | None
    """95 % interval; None where there is none to give, and for an end beyond 1e300."""
    n: int
    """Documents (or tokens, heads: `protocol` says which) it rests on."""
    unit: Unit
    protocol: str
    """One sentence: how value and interval were computed."""
    nats: Nats | None = None
    """Of a perplexity: its logarithm, in which it is compared with bounds and other numbers."""

    @property
    def compared(self) -> "Number | Nats":
        """Value and interval on the scale on which the number is compared: nats of a perplexity, else itself."""
        return self.nats or self

    @property
    def is_measured(self) -> bool:
        """Whether there is a value, if only as its logarithm."""
        return self.compared.value is not None

    @property
    def is_beyond(self) -> bool:
        """Whether value or interval cannot be written as they are, but only as nats."""
        of = self.nats
        return of is not None and any(
            written is None and known is not None
            for written, known in ((self.value, of.value), (self.low, of.low), (self.high, of.high))
        )


class Check(Finding):
    """A bound declared before the run, and how the measured interval lies to it."""

    id: str = ""
    """Where the configuration declares it, the same every night: `checks.accuracy.at_least`."""
    name: str
    """Name of the number it judges; of a check against the baseline with `@baseline` behind it."""
    title: str
    bound: float
    direction: Literal["at_least", "at_most"]
    required: bool
    number: Number | None
    result: Result
    reason: str
    """One sentence in plain words."""
    baseline: str = ""
    """Id of the run that `number` is the difference to; `bound` is then the least or the largest difference allowed."""


class Waiver(Finding):
    """A failure that somebody answers for until a day, and what became of it."""

    finding: str
    """Id of a check, or `baseline.` and the name of a number that got worse than the baseline's."""
    owner: str
    expires: str
    """The last day on which it holds, ISO 8601."""
    reason: str
    state: Literal["applied", "not needed", "expired", "unmatched"]
    """`expired` and `unmatched` ones fail the run."""


class Verdict(Finding):
    """The answer to whoever must sign."""

    result: Literal["pass", "pass with conditions", "fail", "not established"]
    headline: str
    """"8 of 10 checks pass, 2 need a decision before sign-off"."""


class Coverage(Finding):
    """How much of the corpus one probe measured."""

    probe: str
    corpus: int
    asked: int
    """Documents given to the probe: fewer than the corpus where a limit was set."""
    measured: int
    failed: int
    truncated: int
    failures: tuple[tuple[str, str, str], ...]
    """Up to 20 of (document id, kind, message)."""
    not_measurable: int = 0
    """Documents that hold nothing for this probe to measure; neither measured nor failed."""
    reasons: dict[str, int] = Field(default_factory=dict)
    """Kind of reason → how many of these."""
    unmeasurable: tuple[tuple[str, str, str], ...] = ()
    """Up to 20 of (document id, kind of reason, message)."""
    left_out: str = ""
    """Why a probe that runs by default was not even asked, in words; empty where it was."""


class Pointer(Finding):
    """A line of page one: a conclusion where it has a topic, else one of "where to look"."""

    severity: Literal["fail", "watch", "pass", "note"]
    text: str
    section: str
    """Id of the section that has the evidence; empty where page one has it itself."""
    topic: str = ""
    """What a conclusion is about, translated: "Weakest slice"."""


class Comparison(Finding):
    """A number of a part of the corpus held against that of all documents."""

    name: str
    """Of the number of the part."""
    p: float
    """Two-sided, corrected by Holm for all comparisons that were made."""
    stands_apart: bool
    """Whether p is below 0.05."""
    detectable: float | None
    """The smallest difference that would have been found in 80 % of cases, of a perplexity in nats; None where the part
    is the whole."""


class SliceRow(Finding):
    """The key numbers of the documents with one value of one metadata column."""

    column: str
    value: str
    n: int
    numbers: tuple[Number, ...]
    judged: bool
    """False where n is too small for a judgement (fewer than 30 documents)."""
    comparisons: tuple[Comparison, ...] = ()
    """Of the numbers that could be compared with those of all documents."""

    def comparison(self, number: Number) -> Comparison | None:
        """That of one of its numbers; None where it was not compared."""
        return next((made for made in self.comparisons if made.name == number.name), None)

    def is_apart(self, number: Number) -> bool:
        """Whether one of its numbers stands apart from that of all documents."""
        made = self.comparison(number)
        return made is not None and made.stands_apart


class Choice(Finding):
    """Documents that a printed rule chose as the worst; rules that found none are left out."""

    rule: str
    """By which the chapter of the probe explains it."""
    probe: str = ""
    """Whose summary has the rule; empty of a rule over the whole corpus."""
    documents: tuple[tuple[str, float], ...]
    """Document and the value that ranked it, worst first; of a perplexity its logarithm."""
    among: int
    """How many the rule chose from."""


class Example(Finding):
    """A document shown in the report, and the printed rule that chose it."""

    document_id: str
    rule: str


class DocumentRow(Finding):
    """One line of the table of all documents."""

    document_id: str
    reference: tuple[str, ...]
    predicted: tuple[str, ...]
    n_tokens: int | None
    """As the audited model counts them; where only a reference model read the document, as that one does."""
    failed: tuple[str, ...]
    """Probes that could not measure it."""
    not_measurable: tuple[str, ...] = ()
    """Probes that had nothing to measure in it."""
    metadata: dict[str, str]
    values: dict[str, float | None]
    """Name of a `Cell` of a summary → its value; None where nothing was measured."""


class Findings(Finding):
    """The whole of `findings.json`."""

    format: Literal["auditor.findings/4"] = FORMAT
    title: str
    task: str
    run_id: str
    plan_id: str
    created: str
    """ISO 8601, UTC."""
    presentation: Presentation = Presentation()
    model: dict[str, str]
    """For the provenance page: name, revision, class, parameters, dtype, device, attention, sha256 of weights and
    tokenizer …"""
    corpus: dict[str, str]
    provenance: dict[str, str]
    """Versions, seed, command, hashes of plan and evidence."""
    parameters: dict[str, dict[str, str]]
    """Probe → parameter → value, as resolved."""
    verdict: Verdict
    checks: tuple[Check, ...]
    waivers: tuple[Waiver, ...] = ()
    key_numbers: tuple[Number, ...]
    """Five at most, for page one."""
    conclusion: tuple[Pointer, ...]
    """Topic by topic: what may be signed, what was established, what was not, and what is weakest."""
    pointers: tuple[Pointer, ...]
    """Where else to look, the most severe first."""
    coverage: tuple[Coverage, ...]
    notes: tuple[str, ...]
    """What page one must state: limits, truncation, subsets, trusted remote code."""
    numbers: tuple[Number, ...]
    """All numbers that `[checks]` can name."""
    slices: tuple[SliceRow, ...]
    n_comparisons: int
    """How many slice comparisons were made, and corrected for."""
    analyses: dict[str, SerializeAsAny[Finding]]
    """Probe → what its summary came to, in the order of the report; probes that measured nothing are left out."""
    worst: tuple[Choice, ...] = ()
    """The documents that went worst, rule by rule."""
    references: dict[str, str] = Field(default_factory=dict)
    """Probe → the model it asked, where that is not the audited one."""
    documents: tuple[DocumentRow, ...] = ()
    """Of all documents, or of those that the report shows: see `documents_left_out`."""
    computing: tuple[Proof, ...] = ()
    """How the models were asked."""
    structures: tuple[Structure, ...] = ()
    """What the models are made of."""
    self_checks: tuple[SelfCheck, ...] = ()
    """What probes gave on toy models before anything was measured."""
    documents_left_out: int = 0
    """Documents whose rows are only in documents.parquet, because there are too many for one page."""

    def analysis(self, probe: str, kind: type[A]) -> A | None:
        """What the summary of a probe came to; None where it measured nothing, or something else."""
        analysis = self.analyses.get(probe)
        return analysis if isinstance(analysis, kind) else None

    @property
    def differences(self) -> tuple[Number, ...]:
        """Changes since the baseline that a check is about; they are not among `numbers`."""
        return tuple(check.number for check in self.checks if check.number and check.baseline)

    @property
    def n_documents(self) -> int:
        """Documents of the run."""
        return len(self.documents) + self.documents_left_out
