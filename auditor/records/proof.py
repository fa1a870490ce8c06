"""How a model is asked, and what was shown about that: from `auditor.models` through the plan into the findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Proof:
    """How a model is asked one kind of question, and how far that is from asking it about one text at a time."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    model: str
    """Its name: a folder or the id on the hub."""
    question: str
    """`answers`, `log-probabilities`, `attention`, `continuations` or `gradients`."""
    way: str
    """How texts are asked: `packed`, `padded`, `equal lengths` or `one by one`."""
    limit: int | None
    """Tokens of the longest text that is asked that way; None for all."""
    beyond: str
    """How longer ones are asked."""
    difference: float
    """The greatest difference from the model as transformers built it, asked about one text at a time."""
    unit: str
    """Of that difference: `probability`, `nats`, `statistic`, `continuations` or `gradient`."""
    n_texts: int
    longest: int
    """Tokens of the longest text of the proof."""
    reset: tuple[str, ...] = ()
    """Classes of the model's parts that are reset before they read, since they remember what they read last."""
    unread: int | None = None
    """Tokens of the longest text of the proof that the model itself could not read."""
