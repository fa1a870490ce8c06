"""What explains an answer, and what comes of acting upon it: facts about one document (see `auditor.records.types`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from auditor.records.types import Span

ON_REQUEST: Mapping[str, bool] = MappingProxyType({"on_request": True})
"""Metadata of fields that are large: None in a record that was read, unless they were asked for."""
WHERE_KEPT: Mapping[str, bool] = MappingProxyType({"where_kept": True})
"""Metadata of a field that only rows with kept masks have, which depends on the documents beside them."""


@dataclass(frozen=True, slots=True)
class Halves:
    """How far the surrogates of two independent halves of a neighbourhood agree: what sampling alone can change."""

    correlation: float
    """Pearson's, of their weights; 1 where all weights of both are equal."""
    rank_correlation: float
    """Spearman's, of their weights; 1 where all weights of both are equal."""
    top_overlap: float
    """Of the three segments of largest |weight| in each: those in both, over those in either."""
    sign_flips: float
    """Share of the segments whose weights have opposite signs."""
    held_out: float
    """Weighted R² of the surrogate of one half on the answers of the other, mean of both directions."""
    distance: float | None = None
    """‖a − b‖ / ‖(a + b) / 2‖ of their weights a and b; None where both are zero."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much weights change when the text loses a segment that hardly moves the answer (max-sensitivity)."""

    greatest: float
    """Of the segments that were tried, the largest ‖w′ − w‖ / ‖w‖: w the weights of the others in the whole text, w′
    those in the text without it."""
    segment: int
    """Which it is without, from 0."""
    n_tried: int


@dataclass(frozen=True, slots=True)
class Surrogate:
    """How well a linear model reproduces the answers of the audited one around a document."""

    intercept: float
    fidelity: float
    """Weighted R² on the neighbourhood."""
    local_prediction: float
    """What it says for the undisturbed document."""
    halves: Halves | None = None
    """None where every mask was evaluated, or half of them cannot tell the segments apart."""
    sensitivity: Sensitivity | None = field(default=None, metadata=WHERE_KEPT)
    """Of the first target only, where masks and answers are kept; None where no segment moves the answer so little."""


@dataclass(frozen=True, slots=True)
class Integral:
    """Of a gradient, along the straight line from a baseline to the document: of what its weights are the parts."""

    baseline: str
    """What the line begins at, by the model's name for it: `pad`, `mask`, `eos` or `zero` for a text."""
    baseline_prediction: float
    """What the model says there."""
    n_steps: int
    """Points of the line at which the gradient was taken."""
    completeness_error: float
    """All weights and the remainder, less what the answer changes from the baseline to the document: 0 where the
    integral is exact."""


@dataclass(frozen=True, slots=True)
class Shapley:
    """How it was computed which share each segment has in what the answer changes from none of them to all.

    The tuples have an entry for each target.
    """

    algorithm: str
    """`exact` (all 2^S subsets), `permutation` (random orders) or `partition` (Owen values of a tree)."""
    n_permutations: int
    """Orders that were drawn, each of which was also taken backwards; 0 where none was."""
    n_evaluations: int
    """Distinct perturbations that the model computed."""
    empty_predictions: tuple[float, ...]
    """What the model says for the document without any segment."""
    residuals: tuple[float, ...]
    """All weights, less what the answer changes: 0 up to rounding."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What two segments that stand side by side do to one label, each without the other and both together."""

    first: int
    """Which of the segments, from 0."""
    second: int
    first_alone: float
    second_alone: float
    together: float


@dataclass(frozen=True, slots=True)
class Target:
    """What the segments do to one label of one document. S weights, in the order of the segments."""

    label: str
    weights: tuple[float, ...]
    standard_errors: tuple[float, ...]
    """Of the weights, such that ±1.96 of them is the 95 % interval (Student's t with few degrees of freedom has been
    allowed for); all zero where nothing was sampled."""
    selected: tuple[bool, ...]
    """Which segments the method may use; the others have weight 0 by selection, not by measurement."""
    model_prediction: float
    """What the model says for the undisturbed document."""
    surrogate: Surrogate | None = None
    """The linear model whose coefficients the weights are; None for a method that fits none."""
    remainder: float | None = None
    """What the method gives to the parts of the input that lie in no segment (special tokens, punctuation); None for a
    method that asks about segments alone."""
    integral: Integral | None = None
    """None for a method that integrates nothing."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What is switched on and off together: one word, character or token, at all places where it stands."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The perturbations of one document that a surrogate was fitted to; N distinct ones, the undisturbed one first.

    The four fields of bytes are kept for some documents only, and read on request only (`auditor.records.schema`);
    `auditor.records.neighbourhoods` packs and unpacks them.
    """

    n_samples: int
    """Perturbations drawn; for an exact explanation the 2^S of them."""
    n_evaluations: int
    """Distinct perturbations that the model computed: N − `n_unread`."""
    exact: bool
    """Whether all masks were enumerated: no sampling error."""
    kernel_width: float
    stopped: str = "fixed"
    """Why no more was drawn: `enumerated`, `fixed` (a number was asked for), `tolerance` (the intervals were narrow
    enough) or `budget` (they were not, and nothing more was allowed)."""
    tolerance: float | None = None
    """What the widest interval had to fall below, as a share of the largest weight; None where nothing had to."""
    precision: float | None = None
    """What it fell to: the largest half-width of a 95 % interval over the largest weight; None where not asked for."""
    n_unread: int = 0
    """Perturbations that the model itself cannot read; they are left out."""
    masks: bytes | None = field(default=None, metadata=ON_REQUEST)
    """N · ⌈S/8⌉ bytes, mask by mask: a bit for each segment, 1 where it is kept, the first in the highest bit."""
    answers: bytes | None = field(default=None, metadata=ON_REQUEST)
    """N · K float32, little-endian, mask by mask: what the model says for each target, in the unit of the explanation;
    NaN where it cannot read the perturbation."""
    counts: bytes | None = field(default=None, metadata=ON_REQUEST)
    """N int32, little-endian: how often each was drawn; None where each counts once."""
    units: bytes | None = field(default=None, metadata=ON_REQUEST)
    """N int32, little-endian: those drawn together, as antithetic pairs are, share a number; None where none were."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the parts of one document do to the model's answer, whatever the method and the medium."""

    document_id: str
    method: str
    """The name of the method, such as `lime`."""
    unit: str
    """What the weights change: `probability`, or `log-probability` for a free continuation."""
    segmenter: str
    """What the segments are: `words`, `characters`, `sentences`, `tokens`, `lime`, or a kind of another medium."""
    segments: tuple[Segment, ...]
    targets: tuple[Target, ...]
    """The predicted label first, then the others that were asked for."""
    neighbourhood: Neighbourhood | None = None
    """None for a method that fits no surrogate to perturbations."""
    shapley: Shapley | None = None
    """None for a method whose weights are no Shapley values."""
    pairs: tuple[Pair, ...] = ()
    """Segments that stand side by side, toward the first target; empty for a method that asks about them one by one."""

    @property
    def is_sampled(self) -> bool:
        """Whether the weights have a sampling error: some of the perturbations were drawn, not all enumerated."""
        if self.shapley is not None:
            return self.shapley.n_permutations > 0
        return self.neighbourhood is not None and not self.neighbourhood.exact


@dataclass(frozen=True, slots=True)
class BagOfWords:
    """Which words stand in one document (probe `global_surrogate`); the model's answer to it is in `Prediction`."""

    document_id: str
    segmenter: str
    """What a word is: a kind of segments, as in an explanation."""
    words: tuple[str, ...]
    """Each once, without case (casefold), in the order of their first occurrence."""


@dataclass(frozen=True, slots=True)
class Attainable:
    """What the best and the worst ranking of the segments of one document lose (`auditor.probes.attainable`).

    Each field is one ranking, with an entry for each of the sizes of `Removal`.
    """

    exhaustive: bool
    """Whether these are the best and the worst of all; else of those that a beam, an explainer or chance has tried."""
    most_comprehensiveness: tuple[float, ...]
    """f(document) − f(without the first k segments), of the ranking that loses most, as a mean over the sizes."""
    least_comprehensiveness: tuple[float, ...]
    most_sufficiency: tuple[float, ...]
    """f(document) − f(of nothing but the first k segments), of the ranking that loses most."""
    least_sufficiency: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What a model's answer loses when segments leave in the order in which one explanation ranks them.

    Of the explanation's first target; f is what the model says for it, in the unit of the explanation. The sizes are
    distinct numbers of segments, ascending; every tuple but `random` has one entry for each of them.
    """

    probe: str
    """Whose explanation it is."""
    label: str
    n_segments: int
    sizes: tuple[int, ...]
    comprehensiveness: tuple[float, ...]
    """f(document) − f(without the k segments of the largest weights)."""
    sufficiency: tuple[float, ...]
    """f(document) − f(of nothing but these k segments)."""
    random_comprehensiveness: tuple[float, ...]
    """The same for one ranking drawn at random."""
    random_sufficiency: tuple[float, ...]
    size: int
    """How many segments a fifth of them are, one at least: one of the sizes."""
    random: tuple[float, ...]
    """f(document) − f(without a random set of a fifth of the segments), for each set that was tried."""
    exhaustive: bool
    """Whether these are all sets of this size."""
    sensitivity: float | None = None
    """Pearson's correlation, over these sets, of the sum of their weights and what is lost without them (sensitivity-n,
    Ancona et al. 2018); None where either is the same for all of them."""
    infidelity: float | None = None
    """Mean over these sets of (β · sum of their weights − what is lost without them)², β the scale that fits best (Yeh
    et al. 2019, with their optimal scaling); None where all weights are zero."""
    attainable: Attainable | None = None
    """Between which bounds comprehensiveness and sufficiency lie; None where they were not sought, or not known."""

    @property
    def drop(self) -> float:
        """f(document) − f(without the fifth of the segments with the largest weights)."""
        return self.comprehensiveness[self.sizes.index(self.size)]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How the model itself answers when the explanations of one document are acted upon (probe `faithfulness`)."""

    document_id: str
    unit: str
    """`probability` or `log-probability`, as in the explanations."""
    n_evaluations: int
    """Perturbed documents that the model computed for it."""
    removals: tuple[Removal, ...]
    """One for each explanation of the document."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A few segments that hold the label of one document, whatever the others are (probe `anchors`).

    A draw keeps each segment with probability ½; the rule says which are kept in any case.
    """

    document_id: str
    label: str
    """The most probable one of the whole document."""
    segmenter: str
    """As in `Explanation`."""
    segments: tuple[Segment, ...]
    rule: tuple[int, ...]
    """Which of the segments, ascending; empty where the label stays without any."""
    precision: float
    """Share of the draws under the rule that keep the label."""
    low: float
    """The lower end of its 95 % interval (Kullback–Leibler); the precision itself where every mask was evaluated."""
    high: float
    coverage: float
    """Probability that a draw keeps all segments of the rule."""
    base_precision: float
    """Of the empty rule: how often the label stays while nothing is held."""
    n_samples: int
    """Draws behind the precision, none of which the search has seen; 0 where every mask was evaluated."""
    n_evaluations: int
    """Distinct perturbations that the model computed."""
    stopped: str
    """`anchored` (the rule is as precise as was demanded), `length` or `budget` (none was found within these)."""
