"""The conclusions, as they stand in `findings.json`: every number the report prints, with n, interval and protocol.

These models are the versioned schema of `findings.json` (`auditor schema findings`). The report is written from them
and from the per-document records; nothing in the report is computed that is not here or there.
"""

from typing import Final, Literal

from pydantic import Field

from auditor.findings.finding import Finding
from auditor.findings.presentation import Presentation
from auditor.records.proof import Proof

FORMAT: Final = "auditor.findings/2"

Result = Literal["pass", "watch", "fail", "not judged"]
Unit = Literal[
    "share", "nats", "bits", "count", "tokens", "perplexity", "correlation", "probability", "log-probability"
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

    name: str
    """Name of the number it judges."""
    title: str
    bound: float
    direction: Literal["at_least", "at_most"]
    required: bool
    number: Number | None
    result: Result
    reason: str
    """One sentence in plain words."""


class Verdict(Finding):
    """The answer to whoever must sign."""

    result: Literal["pass", "pass with conditions", "fail", "not established"]
    headline: str
    """"8 of 10 checks pass, 2 need a decision before sign-off"."""
    explanation: str
    """One plain paragraph of why."""


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
    """A line of "where to look" on page one."""

    severity: Literal["fail", "watch", "pass", "note"]
    text: str
    section: str
    """Id of the section that has the evidence."""


class SliceRow(Finding):
    """The key numbers of the documents with one value of one metadata column."""

    column: str
    value: str
    n: int
    numbers: tuple[Number, ...]
    judged: bool
    """False where n is too small for a judgement (fewer than 30 documents)."""


class Example(Finding):
    """A document shown in the report, and the printed rule that chose it."""

    document_id: str
    rule: str


class ClassScores(Finding):
    """Scores of one label."""

    label: str
    support: int
    predicted: int
    precision: Number
    recall: Number
    f1: Number


class CalibrationBin(Finding):
    """Documents whose top probability lies in one bin (for multi-label: all label probabilities)."""

    low: float
    high: float
    n: int
    mean_probability: float | None
    accuracy: Number


class PredictionFindings(Finding):
    """Does the model answer right, and does it know when it does not?"""

    labels: tuple[str, ...]
    multi_label: bool
    n_documents: int
    n_labelled: int
    confusion: tuple[tuple[int, ...], ...]
    """Rows: reference; columns: predicted. Empty for multi-label and for unlabelled corpora."""
    classes: tuple[ClassScores, ...]
    calibration: tuple[CalibrationBin, ...]
    predicted_counts: dict[str, int]
    mean_entropy: Number | None
    confident_errors: tuple[Example, ...]
    least_certain: tuple[Example, ...]
    continuations: bool
    """Whether the answers are free continuations (no candidate labels)."""


class GlobalWord(Finding):
    """A segment that recurs over the corpus, and where it pushes."""

    text: str
    label: str
    n_documents: int
    mean_weight: Number
    share_supporting: float


class ExplanationFindings(Finding):
    """Which words carry the prediction, and is the explanation to be believed?"""

    n_documents: int
    n_exact: int
    n_samples: int
    """The most that were drawn for a document."""
    n_evaluations: int
    """Perturbed texts that the model computed, over all documents."""
    stopped: dict[str, int]
    """Documents by the reason why no more was drawn for them; see `records.types.Explanation`."""
    tolerance: float | None
    kernel_width: float
    segmenters: dict[str, int]
    unit: str
    fidelity: Number
    low_fidelity_share: Number
    """Share of documents whose surrogate has R² below 0.5."""
    clear_share: Number
    """Share of documents with at least one weight whose interval excludes zero."""
    global_words: tuple[GlobalWord, ...]
    examples: tuple[Example, ...]


PatternName = Literal["previous", "next", "broad", "special", "punctuation", "sink"]


class HeadClass(Finding):
    """Heads that follow one of the patterns of Clark et al. 2019."""

    name: PatternName
    rule: str
    """The threshold in words: "more than half of the mass on the previous token"."""
    heads: tuple[tuple[int, int, float], ...]
    """(layer, head, value), zero-based."""


class MappedHead(Finding):
    """The strongest head of a class, shown on one document."""

    name: PatternName
    layer: int
    """Zero-based, as the head."""
    head: int
    value: float
    """The statistic of the class, mean over the corpus."""
    document_id: str
    here: float
    """The same statistic in this document."""
    kept: float
    """Share of the head's attention that the map of the document holds."""


class AttentionFindings(Finding):
    """Where do the heads look?"""

    n_documents: int
    n_layers: int
    """Those that attend."""
    n_heads: int
    causal: bool
    statistics: dict[str, tuple[tuple[float, ...], ...]]
    """L × H means over documents by statistic: entropy, distance, self_share, previous_share, next_share, first_share,
    first4_share, special_share, punctuation_share; without those that no document is long enough for."""
    half_widths: dict[str, float]
    """The largest 95 % half-width among the heads, by statistic."""
    uniform_entropy: float
    classes: tuple[HeadClass, ...]
    agreement: Number | None
    """Kendall's τ between the attention a segment receives and the size of its LIME weight, mean over documents."""
    mapped: tuple[str, ...] = ()
    """Documents of which the evidence holds a map of every head, in the order in which they were drawn."""
    mapped_heads: tuple[MappedHead, ...] = ()
    layers: tuple[int, ...] = ()
    """Which layers of the model these are, from 0; empty where all attend."""
    other_layers: tuple[str, ...] = ()
    """The layers that do not: number from 0, and the class of what mixes tokens there."""


class PerplexityFindings(Finding):
    """How surprising are the texts to the language model?"""

    model: str
    is_reference: bool
    """Whether this is a reference model and not the audited one."""
    method: str
    context_length: int
    stride: int
    prefix: str
    n_documents: int
    n_tokens: int
    n_bytes: int
    corpus: Number
    """exp of the mean nll over all tokens: the token-weighted geometric mean."""
    mean_document: Number
    median_document: Number
    bits_per_byte: Number
    word: Number
    most_surprising: tuple[Example, ...]
    nats_by_slice: dict[str, dict[str, tuple[float, ...]]]
    """column → value → sorted logarithms of the documents' perplexities, for the strips; of a corpus that is too
    large for one page 1,000 at even steps."""


class PseudoPerplexityFindings(Finding):
    """How surprising is each token to a masked language model that sees all the others?"""

    model: str
    is_reference: bool
    """Whether this is a reference model and not the audited one."""
    variant: str
    """`within-word` or `original`."""
    context_length: int
    n_documents: int
    n_tokens: int
    n_split: int
    """Tokens in words of several tokens: where the variants differ."""
    corpus: Number
    """exp of the mean negative pseudo-log-likelihood over all tokens."""
    mean_document: Number
    median_document: Number
    most_surprising: tuple[Example, ...]
    nats_by_slice: dict[str, dict[str, tuple[float, ...]]]
    """column → value → sorted logarithms of the documents' pseudo-perplexities, for the strips; of many as above."""


class DocumentRow(Finding):
    """One line of the table of all documents."""

    document_id: str
    reference: tuple[str, ...]
    predicted: tuple[str, ...]
    probability: float | None
    """Of the predicted label; of several, the smallest; of none, the largest there is."""
    entropy: float | None
    fidelity: float | None
    perplexity: float | None
    """Also None beyond 1e300, as `pseudo_perplexity`."""
    bits_per_byte: float | None
    n_tokens: int | None
    failed: tuple[str, ...]
    metadata: dict[str, str]
    pseudo_perplexity: float | None = None
    perplexity_nats: float | None = None
    """Logarithm of the perplexity: mean negative log-likelihood of a token."""
    pseudo_perplexity_nats: float | None = None
    not_measurable: tuple[str, ...] = ()
    """Probes that had nothing to measure in it."""


class Findings(Finding):
    """The whole of `findings.json`."""

    format: Literal["auditor.findings/2"] = FORMAT
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
    key_numbers: tuple[Number, ...]
    """Five at most, for page one."""
    pointers: tuple[Pointer, ...]
    coverage: tuple[Coverage, ...]
    notes: tuple[str, ...]
    """What page one must state: limits, truncation, subsets, trusted remote code."""
    numbers: tuple[Number, ...]
    """All numbers that `[checks]` can name."""
    slices: tuple[SliceRow, ...]
    n_comparisons: int
    """How many slice comparisons were made; at 5 % that many times 0.05 false alarms are expected."""
    predictions: PredictionFindings | None
    explanations: ExplanationFindings | None
    attention: AttentionFindings | None
    perplexity: PerplexityFindings | None
    documents: tuple[DocumentRow, ...]
    """Of all documents, or of those that the report shows: see `documents_left_out`."""
    pseudo_perplexity: PseudoPerplexityFindings | None = None
    computing: tuple[Proof, ...] = ()
    """How the models were asked."""
    documents_left_out: int = 0
    """Documents whose rows are only in documents.parquet, because there are too many for one page."""

    @property
    def n_documents(self) -> int:
        """Documents of the run."""
        return len(self.documents) + self.documents_left_out
