"""What is each model made of? Parameters, data types, memory, the weights of every block; part of the provenance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.languages import N_, plural, say
from auditor.records.structure import Block, Module, Structure
from auditor.report.contract import Column, Table
from auditor.report.drawing import formats
from auditor.report.drawing.figures import Profile, draw_profiles

_NAMES = {"embeddings": N_("embeddings"), "head": N_("head"), "body": N_("body")}
_SHORT = {"embeddings": N_("emb."), "head": N_("head"), "body": N_("body")}
_UNITS = ("B", "kB", "MB", "GB", "TB")
MOST_TIED = 3
"""Groups of names that are listed."""


@dataclass(frozen=True, slots=True)
class Made:
    """One model, for the page."""

    title: str
    entries: tuple[tuple[str, str], ...]
    figure: str
    """A `data:` URL; empty where no weight could be summarised."""
    caption: str
    table: Table | None
    modules: Table


def compose(structure: Structure) -> Made:
    """What is printed of one model."""
    shown = [block for block in structure.blocks if block.deviation is not None and block.greatest is not None]
    return Made(
        title=say("What {model} is made of", model=formats.middle(structure.model, 60)),
        entries=tuple(_entries(structure)),
        figure=_figure(shown) if shown else "",
        caption=say(
            "Left, the standard deviation of the weights of each block, matrices, biases and norms together; right, "
            "the greatest absolute value."
        ),
        table=_table(structure) if shown else None,
        modules=_module_table(structure.modules),
    )


def memory(n_bytes: int) -> str:
    """Bytes in the decimal unit that fits: `48.7 MB`."""
    power = 0
    while power < len(_UNITS) - 1 and n_bytes >= 1000 ** (power + 1):
        power += 1
    return f"{formats.decimal(n_bytes / 1000**power, 1 if power else 0)} {_UNITS[power]}"


def _entries(structure: Structure) -> Iterator[tuple[str, str]]:
    yield say("Parameters"), formats.count(structure.n_parameters)
    yield say("Layers"), formats.count(sum(block.layer is not None for block in structure.blocks))
    kinds = [say("{kind}: {n}", kind=kind, n=formats.count(n)) for kind, n in structure.dtypes.items()]
    yield say("Data type"), say("; ").join(kinds)
    yield say("Memory of the weights"), memory(structure.n_bytes)
    yield say("Shared weights"), _tied(structure)
    yield say("Quantised parts"), _quantised(structure)
    if structure.n_offloaded:
        yield say("Offloaded, not summarised"), formats.count(structure.n_offloaded)


def _tied(structure: Structure) -> str:
    if not structure.tied:
        return say("none")
    groups = [" = ".join(formats.middle(name, 60) for name in names) for names in structure.tied[:MOST_TIED]]
    more = len(structure.tied) - MOST_TIED
    if more > 0:
        groups.append(plural(more, "{n} more group", "{n} more groups"))
    return say("; ").join(groups)


def _quantised(structure: Structure) -> str:
    if not structure.quantised:
        return say("none")
    parts = (say("{n} × {kind}", n=formats.count(n), kind=kind) for kind, n in structure.quantised.items())
    return say("{parts}: quantised, not summarised", parts=formats.listed(list(parts)))


def _figure(blocks: list[Block]) -> str:
    deviations = Profile(say("Standard deviation"), tuple(block.deviation or 0.0 for block in blocks))
    greatest = Profile(say("Greatest absolute value"), tuple(block.greatest or 0.0 for block in blocks))
    return draw_profiles((deviations, greatest), [_short(block) for block in blocks], say("block"))


def _short(block: Block) -> str:
    return say(_SHORT[block.name]) if block.layer is None else str(block.layer)


def _name(block: Block) -> str:
    return say(_NAMES[block.name]) if block.layer is None else say("layer {n}", n=block.layer)


def _table(structure: Structure) -> Table:
    columns = (
        Column(say("Block"), width=16),
        Column(say("Parameters"), "number"),
        Column(say("Mean"), "number"),
        Column(say("Standard deviation"), "number"),
        Column(say("Greatest absolute value"), "number"),
        Column(say("Exactly zero"), "number"),
        Column(say("Not finite"), "number"),
    )
    caption = say(
        "The weights of every block. Layer 1 is the first; the head is all that lies behind the last layer. Weights "
        "that several parts share are counted once."
    )
    rows = tuple(_row(block) for block in structure.blocks)
    return Table(caption, columns, rows, paper_rows=len(rows))  # all of it is for screens


def _module_table(modules: Sequence[Module]) -> Table:
    columns = (
        Column(say("Module"), "id"),
        Column(say("Class"), "id", 34),
        Column(say("Number"), "number", 8),
        Column(say("Parameters of each"), "number", 18),
    )
    caption = say("The modules that hold weights, down to the parts of a layer; equal ones of a list stand together.")
    rows = tuple(
        (
            formats.middle(one.path or say("the model"), 60),
            formats.middle(one.kind, 40),
            formats.count(one.n),
            formats.count(one.n_parameters),
        )
        for one in modules
    )
    return Table(caption, columns, rows, paper_rows=len(rows))


def _row(block: Block) -> tuple[str, ...]:
    if not block.n_summarised:
        return _name(block), formats.count(block.n_parameters), say("quantised or offloaded: not summarised")
    return (
        _name(block),
        formats.count(block.n_parameters),
        _number(block.mean),
        _number(block.deviation),
        _number(block.greatest),
        formats.percent(block.n_zeros / block.n_summarised, 2),
        formats.count(block.n_not_finite),
    )


def _number(value: float | None) -> str:
    """Four decimals; fewer of numbers beyond 10."""
    return formats.NOTHING if value is None else formats.decimal(value, 4 if abs(value) < 10 else 1)
