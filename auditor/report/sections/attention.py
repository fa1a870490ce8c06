"""Where do the heads look?"""

from auditor.findings.analyses.attention import HEAD_SHARE, SINK_SHARE, AttentionFindings
from auditor.findings.analyses.attention import SUMMARY as ATTENTION
from auditor.findings.analyses.head_ablation import SUMMARY as HEAD_ABLATION
from auditor.findings.analyses.head_ablation import HeadAblationFindings, how_many
from auditor.findings.analyses.heads import PATTERNS, HeadClass
from auditor.findings.contract.numbers import of_label
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph, separator
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import attention_explorer, formats, marks
from auditor.report.sections import mapped_heads
from auditor.report.sections.head_grid import Grid

MOST_HEADS = 8
"""Heads named in one row of the table of head classes."""
_STATISTIC_OF_CLASS = {pattern.name: pattern.statistic for pattern in PATTERNS}
_TITLES = {
    "entropy": N_("Entropy, nats"),
    "previous_share": N_("Previous token"),
    "next_share": N_("Next token"),
    "first_share": N_("First token (sink)"),
    "special_share": N_("Special tokens"),
    "punctuation_share": N_("Punctuation"),
    "self_share": N_("Itself"),
    "distance": N_("Mean distance, tokens"),
}
_COUNTED = {
    "previous": N_("{n} on the previous token"),
    "next": N_("{n} on the next token"),
    "broad": N_("{n} broad"),
    "special": N_("{n} on special tokens"),
    "punctuation": N_("{n} on punctuation"),
    "sink": N_("{n} on the first token"),
}
_WIDTHS = {1: 660, 2: 318, 3: 206}
"""Pixels of one grid, by the number of columns."""
_CAUSAL_EMPTY = ("next_share",)
"""Always zero in a causal model."""


def compose(sources: Sources) -> Section:
    """The section on attention."""
    analysis = sources.analysis(ATTENTION.probe, AttentionFindings)
    return Section(
        id="attention",
        title=say("Attention"),
        question=say("Where do the heads look, and does that say anything about the prediction?"),
        answer=paragraph([_mattering(sources), _answer(sources, analysis)]),
        method=_method(analysis),
        limits=say(
            "Attention weights say where heads look, not why the model decides: a head can look at a token and pass "
            "nothing on. The grids find degenerate and specialised heads; they are no explanation."
        ),
        template="sections/attention.html.j2",
        content={
            "numbers": numbers_table(
                say("The numbers behind the answer."),
                [*([analysis.agreement] if analysis.agreement else []), *sources.named(SINK_SHARE.name)],
            ),
            "backing": _backing(analysis),
            "classes": _class_table(sources, analysis),
            "maps": mapped_heads.compose(sources, analysis),
            "explorer": attention_explorer.build(mapped_heads.records(sources, analysis), analysis),
            "grids": [_grid(analysis, statistic) for statistic in _statistics(analysis)],
            "grids_caption": _grids_caption(analysis),
            "columns": _columns(analysis),
            "layers": _layer_table(analysis),
        },
    )


def _mattering(sources: Sources) -> str:
    """How many heads matter, where that was measured; that nobody measured it otherwise."""
    ablated = sources.findings.analysis(HEAD_ABLATION.probe, HeadAblationFindings)
    if ablated is None:
        return say(
            "Whether any head matters to the answers is not known: none was switched off in this run (the probe "
            "head_ablation does that)."
        )
    return say("{how_many}.", how_many=how_many(ablated))


def _answer(sources: Sources, analysis: AttentionFindings) -> str:
    heads = analysis.n_layers * analysis.n_heads
    named = [say(_COUNTED[c.name], n=formats.count(len(c.heads))) for c in analysis.classes if c.heads]
    classified = len({(layer, head) for c in analysis.classes for layer, head, _ in c.heads})
    sentence = (
        plural(
            heads,
            "{some} of {n} head follows a known pattern: {patterns}.",
            "{some} of {n} heads follow a known pattern: {patterns}.",
            some=formats.count(classified),
            patterns=formats.listed(named),
        )
        if named
        else plural(
            heads,
            "The only head shows none of the patterns that were looked for.",
            "None of {n} heads shows any of the patterns that were looked for.",
        )
    )
    sink = sources.numbers.get(SINK_SHARE.name)
    if sink is None or sink.value is None:
        return sentence
    return say(
        "{sentence} The first token takes {share} of a head’s attention on average.",
        sentence=sentence,
        share=with_interval(sink),
    )


def _backing(analysis: AttentionFindings) -> str:
    number = analysis.agreement
    if number is None or number.value is None:
        return say(
            "Attention is not an explanation. Whether it agrees with the explanations could not be measured in this "
            "run."
        )
    return say(
        "Attention is not an explanation. Kendall’s τ between the attention a word receives and the size of its LIME "
        "weight is {tau}, mean over {documents}; 1 would be full agreement, 0 none.",
        tau=with_interval(number),
        documents=plural(number.n, "{n} document", "{n} documents"),
    )


def _method(analysis: AttentionFindings) -> str:
    values = {
        "layers": formats.count(analysis.n_layers),
        "heads": formats.count(analysis.n_heads),
        "documents": plural(analysis.n_documents, "{n} document", "{n} documents"),
    }
    if analysis.causal:
        return say(
            "Each of {layers} × {heads} heads is reduced to its statistics over the query positions of a document, "
            "then averaged over {documents}; nothing is smoothed. Layers and heads are counted from zero. Causal heads "
            "leave out the first query, which can look nowhere else.",
            **values,
        )
    return say(
        "Each of {layers} × {heads} heads is reduced to its statistics over the query positions of a document, then "
        "averaged over {documents}; nothing is smoothed. Layers and heads are counted from zero.",
        **values,
    )


def _statistics(analysis: AttentionFindings) -> list[str]:
    return [
        name
        for name in _TITLES
        if name in analysis.statistics
        and not (analysis.causal and name in _CAUSAL_EMPTY)
        and any(value > 0.005 for row in analysis.statistics[name] for value in row)
    ]


def _grid(analysis: AttentionFindings, statistic: str) -> Grid:
    rows = analysis.statistics[statistic]
    low, high = _scale(analysis, statistic)
    notable = _notable(analysis, statistic)
    digits = 2 if statistic.endswith("_share") else 1
    title = plural(
        len(notable),
        "{statistic} by layer and head, {n} notable head",
        "{statistic} by layer and head, {n} notable heads",
        statistic=say(_TITLES[statistic]),
    )
    drawing = marks.heat_grid(rows, low, high, notable, digits=digits, title=title, width=_WIDTHS[_columns(analysis)])
    ends = (formats.decimal(low, 0), formats.decimal(high, 0 if high == 1 else 1))
    return Grid(say(_TITLES[statistic]), _finding(analysis, statistic, notable), drawing, *ends)


def _columns(analysis: AttentionFindings) -> int:
    """Grids side by side: three of a deep and narrow model, one of a very wide one."""
    if analysis.n_heads > 64:
        return 1
    return 3 if analysis.n_layers > 16 and analysis.n_heads <= 24 else 2


def _scale(analysis: AttentionFindings, statistic: str) -> tuple[float, float]:
    largest = max(value for row in analysis.statistics[statistic] for value in row)
    if statistic == "entropy":
        return 0.0, max(analysis.uniform_entropy, largest)
    return (0.0, 1.0) if statistic.endswith("_share") else (0.0, largest)


def _class_of(analysis: AttentionFindings, statistic: str) -> HeadClass | None:
    return next((c for c in analysis.classes if _STATISTIC_OF_CLASS[c.name] == statistic), None)


def _notable(analysis: AttentionFindings, statistic: str) -> set[tuple[int, int]]:
    """Heads of the class that this statistic defines, else the three largest."""
    defined = _class_of(analysis, statistic)
    if defined is not None:
        return {(layer, head) for layer, head, _ in defined.heads}
    cells = [
        (value, layer, head)
        for layer, row in enumerate(analysis.statistics[statistic])
        for head, value in enumerate(row)
    ]
    return {(layer, head) for _, layer, head in sorted(cells, reverse=True)[:3]}


def _finding(analysis: AttentionFindings, statistic: str, notable: set[tuple[int, int]]) -> str:
    defined = _class_of(analysis, statistic)
    if defined is None:
        return plural(len(notable), "the largest is marked", "the {n} largest are marked")
    pattern = next(pattern for pattern in PATTERNS if pattern.name == defined.name)
    return plural(len(notable), "{n} head with {rule}", "{n} heads with {rule}", rule=say(pattern.rule))


def _grids_caption(analysis: AttentionFindings) -> str:
    widest = max((width for name, width in analysis.half_widths.items() if name.endswith("_share")), default=None)
    even = formats.decimal(analysis.uniform_entropy, 2)
    if widest is None:
        return say(
            "Means per head: layers down, heads across; the stronger the colour, the more. Heads that a rule singles "
            "out carry their value, or a dot where the cell is small. Uniform attention would have an entropy of "
            "{even} nats.",
            even=even,
        )
    return say(
        "Means per head: layers down, heads across; the stronger the colour, the more. Heads that a rule singles out "
        "carry their value, or a dot where the cell is small. Uniform attention would have an entropy of {even} nats. "
        "95% intervals of the mean shares reach at most ±{width}.",
        even=even,
        width=formats.decimal(widest, 2),
    )


def _class_table(sources: Sources, analysis: AttentionFindings) -> Table:
    columns = (
        Column(say("Pattern"), width=14),
        Column(say("Rule"), width=28),
        Column(say("Heads"), "number", 8),
        Column(say("Share"), "number", 8),
        Column(say("95% interval"), "number", 14),
        Column(say("Which, strongest first")),
    )
    rows = tuple(
        (
            say(mapped_heads.NAMES[c.name]),
            c.rule,
            formats.count(len(c.heads)),
            *_share(sources, analysis, c),
            _heads(c),
        )
        for c in analysis.classes
    )
    caption = say(
        "Heads by pattern, after Clark et al. 2019; a head can have several. The interval of a share runs from "
        "the heads whose own 95% interval lies wholly beyond the rule to those whose interval reaches it."
    )
    return Table(caption, columns, rows)


def _share(sources: Sources, analysis: AttentionFindings, defined: HeadClass) -> tuple[str, str]:
    number = sources.numbers.get(of_label(HEAD_SHARE.name, defined.name))
    if number is None:
        share = len(defined.heads) / (analysis.n_layers * analysis.n_heads)
        return formats.quantity(share, "share"), formats.NOTHING
    return formats.value(number), formats.interval(number)


def _heads(defined: HeadClass) -> str:
    ranked = sorted(defined.heads, key=lambda head: -head[2])
    named = [f"{mapped_heads.head_name(layer, head)} {formats.decimal(value, 2)}" for layer, head, value in ranked]
    shown = separator().join(named[:MOST_HEADS]) or formats.NOTHING
    if len(named) <= MOST_HEADS:
        return shown
    return say("{heads} and {n} more", heads=shown, n=formats.count(len(named) - MOST_HEADS))


def _layer_table(analysis: AttentionFindings) -> Table:
    names = _statistics(analysis)
    columns = (Column(say("Layer"), "number", 6), *(Column(say(_TITLES[name]), "number") for name in names))
    rows = tuple(
        (str(layer), *(_summary(analysis.statistics[name][layer], name) for name in names))
        for layer in range(analysis.n_layers)
    )
    return Table(
        say(
            "A summary of the grids: mean over the heads of a layer · its largest head. The attached findings.json has "
            "every head."
        ),
        columns,
        rows,
    )


def _summary(values: tuple[float, ...], statistic: str) -> str:
    digits = 2 if statistic.endswith("_share") else 1
    return f"{formats.decimal(sum(values) / len(values), digits)} · {formats.decimal(max(values), digits)}"


_LETTERS = N_(
    "*a_ij* is the weight of query *i* on key *j* in one head, *T* the tokens of a document; rows sum to 1; "
    "padding is left out. Entropies are not smoothed (Clark et al. 2019 smooth them). Agreement is Kendall’s "
    "τ-b between the attention a segment receives, over all heads, and the size of its LIME weight."
)
"""What the letters of the formulas mean."""

CHAPTER = Chapter(
    probe=ATTENTION.probe,
    title=N_("Attention"),
    compose=compose,
    methods=(
        Method(
            N_("Attention"),
            _LETTERS,
            "sections/formulas/attention.html.j2",
        ),
    ),
)
