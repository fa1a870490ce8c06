"""Where do the heads look?"""

from dataclasses import dataclass

from auditor.findings.types import AttentionFindings, HeadClass
from auditor.report import formats, marks
from auditor.report.sections.contract import Column, Section, Sources, Table, numbers_table, with_interval

MOST_HEADS = 8
"""Heads named in one row of the table of head classes."""
_STATISTIC_OF_CLASS = {
    "broad": "entropy",
    "previous": "previous_share",
    "next": "next_share",
    "sink": "first_share",
    "special": "special_share",
    "punctuation": "punctuation_share",
}
_TITLES = {
    "entropy": "Entropy, nats",
    "previous_share": "Previous token",
    "next_share": "Next token",
    "first_share": "First token (sink)",
    "special_share": "Special tokens",
    "punctuation_share": "Punctuation",
    "self_share": "Itself",
    "distance": "Mean distance, tokens",
}
_WIDTHS = {1: 660, 2: 318, 3: 206}
"""Pixels of one grid, by the number of columns."""
_CAUSAL_EMPTY = ("next_share",)
"""Always zero in a causal model."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One layer × head grid."""

    title: str
    finding: str
    drawing: str
    low: str
    high: str


def compose(sources: Sources) -> Section:
    """The section on attention."""
    found = sources.findings.attention
    if found is None:
        raise ValueError("the run has no findings on attention")
    return Section(
        id="attention",
        title="Attention",
        question="Where do the heads look, and does that say anything about the prediction?",
        answer=_answer(sources, found),
        method=_method(found),
        limits=(
            "Attention weights say where heads look, not why the model decides: a head can look at a token and pass "
            "nothing on. The grids find degenerate and specialised heads; they are no explanation."
        ),
        template="sections/attention.html.j2",
        content={
            "numbers": numbers_table(
                "The numbers behind the answer.",
                [*([found.agreement] if found.agreement else []), *sources.named("attention.sink_share")],
            ),
            "backing": _backing(found),
            "grids": [_grid(found, statistic) for statistic in _statistics(found)],
            "grids_caption": _grids_caption(found),
            "columns": _columns(found),
            "classes": _class_table(found),
            "layers": _layer_table(found),
        },
    )


def _answer(sources: Sources, found: AttentionFindings) -> str:
    heads = found.n_layers * found.n_heads
    named = [f"{len(c.heads)} {_adjective(c.name)}" for c in found.classes if c.heads]
    pattern = (
        f"follow a known pattern: {formats.listed(named)}"
        if named
        else "show none of the patterns that were looked for"
    )
    classified = len({(layer, head) for c in found.classes for layer, head, _ in c.heads})
    sentence = f"{formats.count(classified if named else heads)} of {formats.plural(heads, 'head')} {pattern}."
    sink = sources.numbers.get("attention.sink_share")
    if sink and sink.value is not None:
        sentence += f" The first token takes {with_interval(sink)} of a head’s attention on average."
    return sentence


def _adjective(name: str) -> str:
    return {
        "previous": "on the previous token",
        "next": "on the next token",
        "broad": "broad",
        "special": "on special tokens",
        "punctuation": "on punctuation",
        "sink": "on the first token",
    }[name]


def _backing(found: AttentionFindings) -> str:
    number = found.agreement
    if number is None or number.value is None:
        return "Whether attention agrees with the explanations could not be measured in this run."
    return (
        f"Kendall’s τ between the attention a word receives and the size of its LIME weight is "
        f"{with_interval(number)}, mean over {formats.plural(number.n, 'document')}; 1 would be full agreement, 0 none."
    )


def _method(found: AttentionFindings) -> str:
    causal = " Causal heads leave out the first query, which can look nowhere else." if found.causal else ""
    return (
        f"Each of {found.n_layers} × {found.n_heads} heads is reduced to its statistics over the query positions of a "
        f"document, then averaged over {formats.plural(found.n_documents, 'document')}; nothing is smoothed. Layers "
        f"and heads are counted from zero.{causal}"
    )


def _statistics(found: AttentionFindings) -> list[str]:
    return [
        name
        for name in _TITLES
        if name in found.statistics
        and not (found.causal and name in _CAUSAL_EMPTY)
        and any(value > 0.005 for row in found.statistics[name] for value in row)
    ]


def _grid(found: AttentionFindings, statistic: str) -> Grid:
    rows = found.statistics[statistic]
    low, high = _scale(found, statistic)
    notable = _notable(found, statistic)
    digits = 2 if statistic.endswith("_share") else 1
    title = f"{_TITLES[statistic]} by layer and head, {formats.plural(len(notable), 'notable head')}"
    drawing = marks.heat_grid(rows, low, high, notable, digits=digits, title=title, width=_WIDTHS[_columns(found)])
    ends = (formats.decimal(low, 0), formats.decimal(high, 0 if high == 1 else 1))
    return Grid(_TITLES[statistic], _finding(found, statistic, notable), drawing, *ends)


def _columns(found: AttentionFindings) -> int:
    """Grids side by side: three of a deep and narrow model, one of a very wide one."""
    if found.n_heads > 64:
        return 1
    return 3 if found.n_layers > 16 and found.n_heads <= 24 else 2


def _scale(found: AttentionFindings, statistic: str) -> tuple[float, float]:
    largest = max(value for row in found.statistics[statistic] for value in row)
    if statistic == "entropy":
        return 0.0, max(found.uniform_entropy, largest)
    return (0.0, 1.0) if statistic.endswith("_share") else (0.0, largest)


def _class_of(found: AttentionFindings, statistic: str) -> HeadClass | None:
    return next((c for c in found.classes if _STATISTIC_OF_CLASS[c.name] == statistic), None)


def _notable(found: AttentionFindings, statistic: str) -> set[tuple[int, int]]:
    """Heads of the class that this statistic defines, else the three largest."""
    defined = _class_of(found, statistic)
    if defined is not None:
        return {(layer, head) for layer, head, _ in defined.heads}
    cells = [
        (value, layer, head) for layer, row in enumerate(found.statistics[statistic]) for head, value in enumerate(row)
    ]
    return {(layer, head) for _, layer, head in sorted(cells, reverse=True)[:3]}


def _finding(found: AttentionFindings, statistic: str, notable: set[tuple[int, int]]) -> str:
    defined = _class_of(found, statistic)
    if defined is None:
        return "the three largest are marked"
    return f"{formats.plural(len(notable), 'head')} with {defined.rule}"


def _grids_caption(found: AttentionFindings) -> str:
    widest = max((width for name, width in found.half_widths.items() if name.endswith("_share")), default=None)
    error = (
        f" 95% intervals of the mean shares reach at most ±{formats.decimal(widest, 2)}." if widest is not None else ""
    )
    return (
        "Means per head: layers down, heads across, darker is more. Heads that a rule singles out carry their value, "
        f"or a dot where the cell is small. Uniform attention would have an entropy of "
        f"{formats.decimal(found.uniform_entropy, 2)} nats.{error}"
    )


def _class_table(found: AttentionFindings) -> Table:
    heads = found.n_layers * found.n_heads
    columns = (
        Column("Pattern", width=12),
        Column("Rule", width=34),
        Column("Heads", "number", 8),
        Column("Share", "number", 8),
        Column("Which, strongest first"),
    )
    rows = tuple(
        (c.name, c.rule, formats.count(len(c.heads)), formats.percent(len(c.heads) / heads), _heads(c))
        for c in found.classes
    )
    return Table("Heads by pattern, after Clark et al. 2019; a head can have several.", columns, rows)


def _heads(defined: HeadClass) -> str:
    ranked = sorted(defined.heads, key=lambda head: -head[2])
    named = [f"L{layer} H{head} {formats.decimal(value, 2)}" for layer, head, value in ranked[:MOST_HEADS]]
    more = f" and {len(ranked) - MOST_HEADS} more" if len(ranked) > MOST_HEADS else ""
    return (", ".join(named) or formats.NOTHING) + more


def _layer_table(found: AttentionFindings) -> Table:
    names = _statistics(found)
    columns = (Column("Layer", "number", 6), *(Column(_TITLES[name], "number") for name in names))
    rows = tuple(
        (str(layer), *(_summary(found.statistics[name][layer], name) for name in names))
        for layer in range(found.n_layers)
    )
    return Table("The grids as numbers: mean over the heads of a layer, and its largest head.", columns, rows)


def _summary(values: tuple[float, ...], statistic: str) -> str:
    digits = 2 if statistic.endswith("_share") else 1
    return f"{formats.decimal(sum(values) / len(values), digits)} · {formats.decimal(max(values), digits)}"
