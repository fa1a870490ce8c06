"""What is inside the model? Norms, outlier dimensions, dead units and drift, from the rows of n documents.

Layer 0 is what enters the first of L layers, layer l what leaves the l-th. Of each document i and layer: the median
norm of its hidden states ν_i, the greatest ratios of a dimension to the root mean square of a state, and the units that
were active at any token (`auditor.models.computing.hidden_states`).

    norm of a layer     mean of ν_i, Student's 95 % interval
    outlier dimension   of a document: a dimension whose ratio is 6 or more behind at least a quarter of the layers
                        1 … L. (Dettmers et al. 2022 ask for |x| ≥ 6 in a quarter of the layers, of states that a norm
                        has brought to scale; Bondarenko et al. 2021 for six standard deviations. Theirs is at 6 % of
                        the positions too; here one token is enough, as for the massive activations of Sun et al. 2024,
                        which stand at few tokens.) Only the four greatest dimensions of each layer are looked at.
    dead unit           a unit of a feed-forward layer that was beyond the threshold at no token of any document. Other
                        texts may wake it: a unit that n documents leave asleep is awake in at most 1 − 0.05^(1/n) of
                        the texts like these (95 %)
    drift               norms of a part of the corpus against those of all documents, for every layer and every part of
                        30 documents or more, corrected by Holm for all of these (`findings.slicing.comparisons`)

    activations.dead_share      dead units over L · F. The interval ends there, and begins at 0: more documents can only
                                make it less
    activations.outlier_share   documents with an outlier dimension; Wilson

Edge cases: of a state of D dimensions no ratio is above √D; where that is not above 6 the share of documents has no
value. Units that could not be seen: no dead share, and the reason is kept. One document: no intervals.

Source: Dettmers et al. 2022, "LLM.int8()", 3.2; Bondarenko, Nagel & Blankevoort 2021, "Understanding and overcoming the
challenges of efficient transformer quantization", 3; Sun et al. 2024, "Massive activations in large language models";
dead units as Voita, Ferrando & Nalmpantis 2023, "Neurons in large language models", with a threshold for GELU and SiLU.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from auditor.findings.analyses.activation_drift import Drift, drift_between, norms_of
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import WILSON
from auditor.findings.contract.quantity import Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Number, Pointer
from auditor.findings.statistics.intervals import estimate, student, wilson
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count, shortest
from auditor.records.activations import ACTIVE_ABOVE, Activations

OUTLIER = 6.0
"""Least ratio of an outlier dimension to the root mean square of the state."""
LEAST_LAYERS = 0.25
"""Of the layers, in which it must be one."""


class LayerState(Finding):
    """One layer, over all documents."""

    layer: int
    """0: what enters the first layer."""
    norm: float
    """Mean over documents of the median norm over tokens."""
    low: float | None
    high: float | None
    """95 % interval of the mean; None for one document."""
    ratio: float
    """The greatest ratio of a dimension to the root mean square of a state, median over documents."""
    dimension: int
    """Which dimension that most often is."""
    dead: int | None
    """Units never active; None of layer 0, and where units could not be seen."""


class OutlierDimension(Finding):
    """A dimension that is an outlier in some documents."""

    dimension: int
    documents: int
    low: float
    high: float
    """95 % Wilson interval of their share."""
    layers: float
    """Layers in which it is one, mean over these documents."""
    ratio: float
    """Its greatest ratio in a layer, median over these documents."""


class ActivationFindings(Finding):
    """What is inside the model?"""

    n_documents: int
    n_tokens: int
    """Of all documents."""
    n_layers: int
    width: int
    """Dimensions of a hidden state."""
    n_units: int
    """Hidden units of a feed-forward layer; 0 where they could not be seen."""
    activation: str
    """Class of the activation function."""
    unseen_units: str
    threshold: float
    """|activation| beyond which a unit is active."""
    outlier: float
    """Least ratio of an outlier dimension."""
    layers: tuple[LayerState, ...]
    """L + 1."""
    outliers: tuple[OutlierDimension, ...]
    """Those in the most documents first."""
    outlier_share: Number
    dead_share: Number | None
    drift: tuple[Drift, ...] = ()
    n_comparisons: int = 0

    @property
    def dead(self) -> int:
        """Units that were never active, in all layers."""
        return sum(layer.dead or 0 for layer in self.layers)

    @property
    def apart(self) -> tuple[Drift, ...]:
        """The parts whose norms stand apart."""
        return tuple(one for one in self.drift if one.comparison.stands_apart)


DEAD_SHARE = Quantity(
    name="activations.dead_share",
    title=N_("Units that are never active"),
    unit="share",
    glossary=(
        Term(
            N_("Dead unit"),
            N_("A hidden unit of a feed-forward layer that did nothing at any token of any document of the audit."),
        ),
        Term(N_("Hidden state"), N_("The numbers by which a model stands for one token between two layers: a vector.")),
    ),
)
OUTLIER_SHARE = Quantity(
    name="activations.outlier_share",
    title=N_("Documents with an outlier dimension"),
    unit="share",
    glossary=(
        Term(
            N_("Outlier dimension"),
            N_("One entry of the hidden states that is many times larger than the others, in layer after layer."),
        ),
    ),
)


class ActivationsSummary(Summary[Activations, ActivationFindings]):
    """Norms, outliers, dead units and drift."""

    probe = "activations"
    title = N_("activations")
    record = Activations
    findings = ActivationFindings
    section = "activations"
    order = 45
    quantities = (DEAD_SHARE, OUTLIER_SHARE)
    reasons = {  # noqa: RUF012
        "no-tokens": N_("no token"),
        "unseen-activations": N_("the model does not show its hidden states"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[ActivationFindings] | None:
        """What the layers of the model hold, and where it differs between parts of the corpus."""
        measured = evidence.measured(self.probe, Activations)
        records = list(measured.values())
        if not records:
            return None
        first, outlying = records[0], outliers(records)
        share, dead = _outlier_share(records), dead_units(records)
        drift, n_comparisons = drift_between(evidence, measured, setting.columns)
        dead_share = _dead_share(records, dead) if dead is not None else None
        findings = ActivationFindings(
            n_documents=len(records),
            n_tokens=sum(record.n_tokens for record in records),
            n_layers=first.n_layers,
            width=first.width,
            n_units=first.n_units,
            activation=first.activation,
            unseen_units=first.unseen_units,
            threshold=ACTIVE_ABOVE,
            outlier=OUTLIER,
            layers=tuple(_layers(records, dead)),
            outliers=outlying,
            outlier_share=share,
            dead_share=dead_share,
            drift=drift,
            n_comparisons=n_comparisons,
        )
        return Conclusion(findings, (*([dead_share] if dead_share else []), share))

    def point(self, whole: Whole, findings: ActivationFindings) -> Iterator[Pointer]:
        """Dead units and outlier dimensions, where there are any."""
        del whole
        if findings.dead or findings.outliers:
            yield Pointer(severity="note", text=in_short(findings), section=self.section)


def in_short(findings: ActivationFindings) -> str:
    """Dead units and outlier dimensions; without a full stop."""
    dimensions = plural(
        len(findings.outliers),
        "{n} outlier dimension in the hidden states",
        "{n} outlier dimensions in the hidden states",
    )
    if findings.dead_share is None:
        return dimensions
    if not findings.dead:
        return dimensions
    dead = plural(
        findings.dead,
        "{n} of {units} hidden units is never active",
        "{n} of {units} hidden units are never active",
        units=count(findings.n_layers * findings.n_units),
    )
    return say("{dead}; {dimensions}", dead=dead, dimensions=dimensions)


def dead_units(records: Sequence[Activations]) -> Floats | None:
    """(L,) how many units of each layer no document ever woke; None where units could not be seen."""
    first = records[0]
    if not first.n_units:
        return None
    ever = np.zeros(len(first.active), np.uint8)
    for record in records:
        ever |= np.frombuffer(record.active, np.uint8)
    awake = np.unpackbits(ever.reshape(first.n_layers, -1), axis=1)[:, : first.n_units].sum(axis=1)
    return np.asarray(first.n_units - awake, dtype=np.float64)


def outlier_layers(record: Activations) -> dict[int, list[float]]:
    """Dimension → its ratios behind the layers in which it is an outlier, of those that are one in enough layers."""
    outlying: dict[int, list[float]] = {}
    kept = len(record.ratios) // (record.n_layers + 1)
    for ratio, dimension in zip(record.ratios[kept:], record.dimensions[kept:], strict=True):
        if ratio >= OUTLIER:
            outlying.setdefault(dimension, []).append(ratio)
    return {d: ratios for d, ratios in outlying.items() if len(ratios) >= LEAST_LAYERS * record.n_layers}


def outliers(records: Sequence[Activations]) -> tuple[OutlierDimension, ...]:
    """The dimensions that are outliers in any document, those in the most documents first."""
    by_dimension: dict[int, list[list[float]]] = {}
    for record in records:
        for dimension, ratios in outlier_layers(record).items():
            by_dimension.setdefault(dimension, []).append(ratios)
    outlying = [
        OutlierDimension(
            dimension=dimension,
            documents=len(of_documents),
            low=share.low or 0.0,
            high=1.0 if share.high is None else share.high,
            layers=float(np.mean([len(ratios) for ratios in of_documents])),
            ratio=float(np.median([max(ratios) for ratios in of_documents])),
        )
        for dimension, of_documents in by_dimension.items()
        for share in [wilson(len(of_documents), len(records))]
    ]
    return tuple(sorted(outlying, key=lambda one: (-one.documents, -one.ratio, one.dimension)))


def asleep_at_most(n: int) -> float:
    """The largest share of texts that may wake a unit which n of them did not (95 %, exact)."""
    return float(1 - 0.05 ** (1 / n))


def _layers(records: Sequence[Activations], dead: Floats | None) -> Iterator[LayerState]:
    kept = len(records[0].ratios) // (records[0].n_layers + 1)
    norms = norms_of(records)
    ratios = np.array([record.ratios[::kept] for record in records])
    dimensions = np.array([record.dimensions[::kept] for record in records])
    for layer in range(norms.shape[1]):
        norm = student(norms[:, layer].tolist())
        yield LayerState(
            layer=layer,
            norm=float(norms[:, layer].mean()),
            low=norm.low,
            high=norm.high,
            ratio=float(np.median(ratios[:, layer])),
            dimension=int(Counter(dimensions[:, layer].tolist()).most_common(1)[0][0]),
            dead=int(dead[layer - 1]) if dead is not None and layer else None,
        )


def _outlier_share(records: Sequence[Activations]) -> Number:
    attainable = records[0].width > OUTLIER**2
    share = wilson(sum(bool(outlier_layers(r)) for r in records), len(records))
    protocol = say(
        "Share of documents with a dimension whose hidden state is {ratio} times its root mean square or more, at any "
        "token, behind at least a quarter of the layers; {interval}",
        ratio=shortest(OUTLIER),
        interval=say(WILSON),
    )
    return OUTLIER_SHARE.number(share if attainable else estimate(None, None, None, len(records)), protocol)


def _dead_share(records: Sequence[Activations], dead: Floats) -> Number:
    share = float(dead.sum()) / (records[0].n_units * records[0].n_layers)
    protocol = say(
        "Share of the {units} hidden units whose activation was beyond ±{threshold} at none of {tokens} in n "
        "documents; the interval begins at 0, since other texts may wake any of them",
        units=count(records[0].n_units * records[0].n_layers),
        threshold=shortest(ACTIVE_ABOVE),
        tokens=plural(sum(r.n_tokens for r in records), "{n} token", "{n} tokens"),
    )
    return DEAD_SHARE.number(estimate(share, 0.0, share, len(records)), protocol)


SUMMARY = ActivationsSummary()
