"""What is inside the model? Norms of the hidden states, outlier dimensions, dead units, drift between parts."""

from collections.abc import Iterator

from auditor.findings.analyses.activation_drift import Drift
from auditor.findings.analyses.activations import (
    SUMMARY,
    ActivationFindings,
    LayerState,
    OutlierDimension,
    asleep_at_most,
)
from auditor.findings.slicing.slices import LEAST_JUDGED
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say, translated
from auditor.languages.numbers import paragraph, shortest
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table
from auditor.report.drawing import formats
from auditor.report.drawing.figures import Profile, draw_profiles

_UNSEEN = (
    N_("tokens are sent to experts, each of which has hidden units of its own"),
    N_("the activation function is called in a way that does not show it"),
    N_("the activation function is not called once in every layer"),
    N_("the activation function is not given every token"),
    N_("a layer has several activation functions"),
    N_("layers have different numbers of hidden units"),
)
"""Reasons of `auditor.models.computing.hidden_states`, which the catalogue is to have."""
MOST_DIMENSIONS = 8
"""Rows of the table of outlier dimensions."""


def compose(sources: Sources) -> Section:
    """The section on what is inside the model."""
    analysis = sources.analysis(SUMMARY.probe, ActivationFindings)
    named = sources.named(*(quantity.name for quantity in SUMMARY.quantities))
    return Section(
        id=SUMMARY.section_id,
        title=say("Inside the model"),
        question=say("What is the model like inside while it reads: is anything dead, outsized or drifting?"),
        answer=paragraph([*_dead(analysis), _outliers(analysis), _norms(analysis), _drift(analysis)]),
        method=_method(analysis),
        limits=say(
            "What is inside is described, not explained: an outlier dimension or a dead unit is no fault by itself, "
            "and norms say nothing about what the states mean. Where a norm follows every layer (BERT and its like), "
            "the norms of the states are set by that norm’s weights. A dead unit is dead in these texts."
        ),
        template="sections/activations.html.j2",
        content={
            "figure": draw_profiles(_profiles(analysis), [str(layer.layer) for layer in analysis.layers], say("layer")),
            "caption": _caption(analysis),
            "layers": _layer_table(analysis),
            "dimensions": _dimension_table(analysis) if analysis.outliers else None,
            "drift": _drift_table(analysis) if analysis.drift else None,
            "numbers": numbers_table(say("The numbers behind the answer."), named),
        },
    )


def _dead(analysis: ActivationFindings) -> Iterator[str]:
    """How many units are dead, in how much text; why nobody knows."""
    if analysis.dead_share is None:
        yield say("Hidden units could not be observed: {reason}.", reason=translated(analysis.unseen_units))
        return
    values = {
        "units": formats.count(analysis.n_layers * analysis.n_units),
        "documents": plural(analysis.n_documents, "{n} document", "{n} documents"),
        "tokens": plural(analysis.n_tokens, "{n} token", "{n} tokens"),
    }
    if not analysis.dead:
        yield say(
            "No hidden unit is dead: each of {units} is active at some token of {documents} ({tokens}).", **values
        )
        return
    yield plural(
        analysis.dead,
        "{n} of {units} hidden units is active at no token of {documents} ({tokens}).",
        "{n} of {units} hidden units are active at no token of {documents} ({tokens}).",
        **values,
    )
    yield say(
        "Such a unit is active in a share of {share} at most of texts like these (95% confidence, each unit by "
        "itself).",
        share=formats.decimal(asleep_at_most(analysis.n_documents), 3),
    )


def _outliers(analysis: ActivationFindings) -> str:
    if analysis.outlier_share.value is None:
        return say("The hidden states are too narrow for outlier dimensions by the rule below.")
    if not analysis.outliers:
        return say("No dimension of the hidden states is an outlier.")
    first = analysis.outliers[0]
    return plural(
        len(analysis.outliers),
        "{n} dimension of the hidden states is an outlier: dimension {first}, in {documents} of {all} documents.",
        "{n} dimensions of the hidden states are outliers, first of all dimension {first}, in {documents} of {all} "
        "documents.",
        first=first.dimension,
        documents=formats.count(first.documents),
        all=formats.count(analysis.n_documents),
    )


def _norms(analysis: ActivationFindings) -> str:
    first, last = analysis.layers[0], analysis.layers[-1]
    return say(
        "The norm of a state goes from {first} before the first layer to {last} behind the last.",
        first=_norm(first.norm),
        last=_norm(last.norm),
    )


def _drift(analysis: ActivationFindings) -> str:
    if not analysis.drift:
        return ""
    apart = analysis.apart
    if not apart:
        return say("No part of the corpus was found to have other norms than the whole.")
    names = sentences.listing([say("{part} ({change})", part=_part(one), change=_change(one)) for one in apart])
    return plural(
        len(apart),
        "{n} part of the corpus has norms that stand apart from the whole: {parts}.",
        "{n} parts of the corpus have norms that stand apart from the whole: {parts}.",
        parts=names,
    )


def _method(analysis: ActivationFindings) -> str:
    texts = say(
        "One forward pass for each text by itself, without a prompt; the states were reduced while they were computed, "
        "special tokens included. The norm of a layer is the median over the tokens of a text, then the mean over "
        "texts. A dimension is an outlier of a text if it is {ratio} times the root mean square of a state or more, at "
        "any token, behind at least a quarter of the layers; the four greatest dimensions of each layer are looked at.",
        ratio=shortest(analysis.outlier),
    )
    if not analysis.n_units:
        return texts
    units = say(
        "A unit is active where the output of its activation function ({activation}; of gated layers that of the gate) "
        "is beyond ±{threshold}.",
        activation=analysis.activation,
        threshold=shortest(analysis.threshold),
    )
    return paragraph([texts, units])


def _profiles(analysis: ActivationFindings) -> tuple[Profile, Profile]:
    ends = tuple(None if one.low is None or one.high is None else (one.low, one.high) for one in analysis.layers)
    norms = Profile(say("Norm of a state"), tuple(one.norm for one in analysis.layers), ends)
    ratios = tuple(one.ratio for one in analysis.layers)
    return norms, Profile(say("Greatest ratio"), ratios, bound=analysis.outlier)


def _caption(analysis: ActivationFindings) -> str:
    return say(
        "Left, the norm of the hidden states behind each layer, the mean over documents with its 95% interval as a "
        "band; right, how many times its root mean square the greatest entry of a state is, the median over documents, "
        "with a dotted line at {ratio}. Layer 0 is what enters the first layer.",
        ratio=shortest(analysis.outlier),
    )


def _layer_table(analysis: ActivationFindings) -> Table:
    units = bool(analysis.n_units)
    columns = (
        Column(say("Layer"), "number", 8),
        Column(say("Norm of a state"), "number"),
        Column(say("95% interval"), "number"),
        Column(say("Greatest ratio"), "number"),
        Column(say("In dimension"), "number"),
        *([Column(say("Dead units"), "number"), Column(say("Share of the layer"), "number")] if units else []),
    )
    caption = say(
        "Layer by layer. The dimension is the one in which most documents have their greatest ratio; it need not be an "
        "outlier."
    )
    return Table(caption, columns, tuple(_layer_row(one, analysis) for one in analysis.layers))


def _layer_row(one: LayerState, analysis: ActivationFindings) -> tuple[str, ...]:
    digits = _digits(one.norm)
    cells = (
        str(one.layer),
        formats.decimal(one.norm, digits),
        formats.span(one.low, one.high, "count", digits),
        formats.decimal(one.ratio, 1),
        str(one.dimension),
    )
    if not analysis.n_units:
        return cells
    if one.dead is None:
        return (*cells, formats.NOTHING, formats.NOTHING)
    return (*cells, formats.count(one.dead), formats.percent(one.dead / analysis.n_units, 1))


def _dimension_table(analysis: ActivationFindings) -> Table:
    columns = (
        Column(say("Dimension"), "number", 14),
        Column(say("Documents"), "number"),
        Column(say("Share of documents"), "number"),
        Column(say("95% interval"), "number"),
        Column(say("Layers, mean"), "number"),
        Column(say("Greatest ratio, median"), "number"),
    )
    caption = plural(
        len(analysis.outliers),
        "The outlier dimension: in how many documents it is one, behind how many layers of these, and how far it "
        "stands out. findings.json has all.",
        "The outlier dimensions, of {n} those in the most documents: in how many they are one, behind how many layers "
        "of these, and how far they stand out. findings.json has all.",
    )
    rows = tuple(_dimension_row(one, analysis.n_documents) for one in analysis.outliers[:MOST_DIMENSIONS])
    return Table(caption, columns, rows)


def _dimension_row(one: OutlierDimension, n: int) -> tuple[str, ...]:
    return (
        str(one.dimension),
        formats.count(one.documents),
        formats.decimal(one.documents / n, 3),
        formats.span(one.low, one.high, "share", 3),
        formats.decimal(one.layers, 1),
        formats.decimal(one.ratio, 1),
    )


def _drift_table(analysis: ActivationFindings) -> Table:
    columns = (
        Column(say("Part"), "corpus", 24),
        Column("n", "number", 8),
        Column(say("Layer"), "number", 8),
        Column(say("Norm there"), "number"),
        Column(say("All documents"), "number"),
        Column(say("Difference"), "number"),
        Column(say("p, corrected"), "number"),
        Column(say("Stands apart"), width=14),
    )
    caption = plural(
        analysis.n_comparisons,
        "Drift: of each part with {least} documents or more the layer whose norms differ most clearly from those of "
        "all documents; p is corrected by Holm for {n} comparison.",
        "Drift: of each part with {least} documents or more the layer whose norms differ most clearly from those of "
        "all documents; p is corrected by Holm for {n} comparisons.",
        least=LEAST_JUDGED,
    )
    return Table(caption, columns, tuple(_drift_row(one) for one in analysis.drift))


def _drift_row(one: Drift) -> tuple[str, ...]:
    digits = _digits(one.whole)
    return (
        _part(one),
        formats.count(one.n),
        str(one.layer),
        formats.decimal(one.norm, digits),
        formats.decimal(one.whole, digits),
        _change(one),
        sentences.p_value(one.comparison.p),
        say("yes") if one.comparison.stands_apart else say("not shown"),
    )


def _change(one: Drift) -> str:
    """How much larger the norms of a part are: `−1.3%`."""
    return formats.percent(one.norm / one.whole - 1, 1) if one.whole else formats.NOTHING


def _part(one: Drift) -> str:
    return say("{column} {value}", column=formats.excerpt(one.column, 24), value=formats.excerpt(one.value, 24))


def _norm(value: float) -> str:
    return formats.decimal(value, _digits(value))


def _digits(value: float) -> int:
    """Decimals of a norm: three significant digits."""
    return 0 if value >= 100 else 1 if value >= 10 else 2


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Inside the model"),
    compose=compose,
    name=N_("Activations"),
    methods=(
        Method(
            N_("Activations"),
            N_(
                "*x_t* is the hidden state of token *t* behind a layer, of *D* dimensions; *a_tf* what the activation "
                "function of its feed-forward part gives for unit *f*. Outliers as Dettmers et al. 2022 and Bondarenko "
                "et al. 2021, at one token or more as Sun et al. 2024; dead units as Voita et al. 2023."
            ),
            "sections/formulas/activations.html.j2",
        ),
    ),
)
