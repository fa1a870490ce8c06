"""What changed between two runs, as it stands in `comparison.json` (`auditor schema comparison`).

"Before" is the earlier run, or the baseline; "after" the later one.
"""

from typing import Final, Literal

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.presentation import Presentation
from auditor.findings.contract.types import Number, Unit

FORMAT: Final = "auditor.comparison/1"
Change = Literal["worse", "better", "changed", "small", "none", "not compared"]
"""`changed`: of a number of which neither side is better. `small`: surely changed, by less than its floor. `none`: not
by more than chance explains."""


class RunIdentity(Finding):
    """One of the two runs."""

    run_id: str
    plan_id: str
    title: str
    created: str
    """ISO 8601, UTC."""
    model: str
    n_documents: int


class Circumstance(Finding):
    """Something that the plans say differently."""

    key: str
    """Where the plan has it: `model.weights_sha256`."""
    title: str
    before: str
    after: str
    role: Literal["cause", "caution", "refusal"]
    """`cause` may explain a change; `caution` makes a comparison weaker; `refusal` forbids that of some numbers."""
    text: str = ""
    """What follows from it, in a sentence; empty of a mere cause."""


class DocumentChanges(Finding):
    """Which documents both runs have."""

    n_paired: int
    """Same text and reference, by which everything here is compared."""
    n_renamed: int
    """Of these, found by their text under another id."""
    added: tuple[str, ...]
    """Ids of the later run."""
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Same id, another text or reference."""


class Difference(Finding):
    """One number on the same documents before and after, on the scale on which it is compared: nats of a perplexity."""

    name: str
    title: str
    unit: Unit
    """Of the number; one of a perplexity has its values below in nats."""
    probe: str
    n: int
    """Documents in both runs that it rests on."""
    n_changed: int | None = None
    """Of these, those that add something else than before; None where nobody knows what each adds."""
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    """After less before."""
    low: float | None = None
    high: float | None = None
    """95 % interval of the difference."""
    p: float | None = None
    """Two-sided, by exchange of signs."""
    corrected_p: float | None = None
    """By Holm, for the numbers that were compared with it."""
    detectable: float | None = None
    """The smallest difference that would have been found in 80 % of cases."""
    floor: float
    """A smaller difference is no alarm, however sure it is."""
    better: Literal["high", "low", ""]
    declared: bool
    """Whether a check is about it."""
    judged: bool
    """Whether the result depends on it: it is declared, or nothing is."""
    change: Change
    reason: str = ""
    """Why it is not compared."""


class Side(Finding):
    """What a model answered to a document."""

    answer: tuple[str, ...]
    probability: float | None


class Flip(Finding):
    """A document that is answered otherwise."""

    document_id: str
    """In the later run."""
    reference: tuple[str, ...]
    before: Side
    after: Side
    effect: Literal["broken", "mended", "other"]
    """`other`: wrong both times, or without a reference."""


class Flips(Finding):
    """Answers that changed."""

    n_compared: int
    n_flipped: int
    n_broken: int
    n_mended: int
    documents: tuple[Flip, ...]
    """The broken first, by the probability of the later answer; 100 at most."""


class WordDrift(Finding):
    """A segment that weighs otherwise."""

    text: str
    before: float
    after: float
    z: float
    """Difference over the standard error of both; infinite ones (nothing was sampled) are cut at 1000."""


class Drift(Finding):
    """The same answer for other reasons."""

    document_id: str
    """In the later run."""
    label: str
    size: float
    """The largest change of a weight."""
    words: tuple[WordDrift, ...]
    """Those that surely changed, the most first."""


class ExplanationDrift(Finding):
    """Explanations of one method, of documents that are answered alike."""

    probe: str
    n_compared: int
    n_other_answer: int
    """Explained both times, but the answer is another."""
    n_other_segments: int
    """Explained both times, but cut into other segments."""
    share: Number
    """Of those that drifted."""
    by_chance: float
    """How many at most would seem to have drifted on average if nothing had changed."""
    floor: float
    documents: tuple[Drift, ...]
    """The largest change first; 100 at most."""


class MovedDocument(Finding):
    """One document by one value."""

    document_id: str
    before: float
    after: float


class Movement(Finding):
    """The documents that moved most by one value that the table of documents has."""

    name: str
    """Of the column."""
    title: str
    unit: Unit
    """`perplexity` where the values are its logarithm, in nats."""
    probe: str
    n: int
    n_moved: int
    """Documents whose value is not the same to six digits."""
    documents: tuple[MovedDocument, ...]
    """The largest difference first."""


class HeadChange(Finding):
    """One attention head, by its mean entropy in nats."""

    layer: int
    head: int
    """Both from 0."""
    before: float
    after: float
    corrected_p: float


class HeadChanges(Finding):
    """The attention heads that spread their attention otherwise."""

    probe: str
    n: int
    """Documents of both runs."""
    n_heads: int
    n_changed: int
    floor: float
    """The smallest change of the mean entropy that counts, in nats."""
    heads: tuple[HeadChange, ...]
    """The largest change first; 20 at most."""


class RunComparison(Finding):
    """The whole of `comparison.json`."""

    format: Literal["auditor.comparison/1"] = FORMAT
    presentation: Presentation
    """Of the later run."""
    before: RunIdentity
    after: RunIdentity
    result: Literal["worse", "not worse", "not established"]
    """`not established`: a declared number could not be compared, and none got worse."""
    headline: str
    circumstances: tuple[Circumstance, ...]
    """Refusals first, then cautions, then causes."""
    documents: DocumentChanges
    numbers: tuple[Difference, ...]
    """Declared ones first."""
    n_corrected: int
    """Numbers among which the judged ones are corrected."""
    alpha: float
    """A corrected p below it is more than chance."""
    flips: Flips | None
    """None where a run has no answers."""
    drifts: tuple[ExplanationDrift, ...]
    heads: tuple[HeadChanges, ...]
    movements: tuple[Movement, ...]
