"""What a model is made of, as found when it is loaded; `structure.json` of a run keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

FORMAT: Final = "auditor.structure/1"


@dataclass(frozen=True, slots=True)
class Block:
    """The weights of one block of a model: of all its matrices, biases and norms together."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    name: str
    """`embeddings`, `layer`, `head` (all that lies behind the last layer), or `body` where there are no layers."""
    layer: int | None
    """Of a layer, from 1; a decoder goes on behind its encoder."""
    n_parameters: int
    n_summarised: int
    """Of these that are numbers in memory, neither quantised nor offloaded: the rest is about them."""
    mean: float | None
    """Of the finite ones, as the next two; None where there are none."""
    deviation: float | None
    """Their standard deviation."""
    greatest: float | None
    """The greatest absolute value."""
    n_zeros: int
    """Exactly 0."""
    n_not_finite: int
    """NaN or infinity."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module, or several equal ones of a list."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    path: str
    """`bert.encoder.layer.0–11`; empty for the model itself."""
    kind: str
    """Its class."""
    n: int
    """How many there are."""
    n_parameters: int
    """Of each of them; shared ones are counted wherever they are used."""


@dataclass(frozen=True, slots=True)
class Structure:
    """One model, as it was loaded: tensors that several parts share are counted once."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    model: str
    """Its name: a folder or the id on the hub."""
    n_parameters: int
    n_bytes: int
    """Of the weights in memory, those of quantised modules included."""
    dtypes: Mapping[str, int]
    """Data type → parameters."""
    tied: tuple[tuple[str, ...], ...]
    """Names of one tensor that has several."""
    quantised: Mapping[str, int]
    """Class of quantised modules → how many there are."""
    n_offloaded: int
    """Parameters that lie on no device."""
    blocks: tuple[Block, ...]
    """In the order in which a text goes through them."""
    modules: tuple[Module, ...]
    """Each before its parts; no deeper than the parts of a layer."""
