"""What was shown before anything was measured: of how models are asked, and of what probes make of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What a probe, with the parameters of the run, gives on toy models of which the explanation is known."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    probe: str
    n_weights: int
    """How many were compared."""
    difference: float
    """The greatest difference of a weight from the truth, where nothing is estimated."""
    tolerance: float
    """The most that it may be."""
    deviation: float | None = None
    """The greatest distance of an estimated weight from the truth, in its standard errors; None where none is."""
    most_deviation: float | None = None
    """The most that it may be."""

    @property
    def passes(self) -> bool:
        """Whether both are within their bounds."""
        far = self.deviation is not None and not self.deviation <= (self.most_deviation or 0.0)
        return self.difference <= self.tolerance and not far


@dataclass(frozen=True, slots=True)
class Proof:
    """How a model is asked one kind of question, and how far that is from asking it about one text at a time."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    model: str
    """Its name: a folder or the id on the hub."""
    question: str
    """`answers`, `log-probabilities`, `attention`, `continuations`, `gradients` or `activations`."""
    way: str
    """How texts are asked: `packed`, `padded`, `equal lengths` or `one by one`."""
    limit: int | None
    """Tokens of the longest text that is asked that way; None for all."""
    beyond: str
    """How longer ones are asked."""
    difference: float
    """The greatest difference from the model as transformers built it, asked about one text at a time."""
    unit: str
    """Of that difference: `probability`, `nats`, `statistic`, `continuations`, `gradient` or `share`."""
    n_texts: int
    longest: int
    """Tokens of the longest text of the proof."""
    reset: tuple[str, ...] = ()
    """Classes of the model's parts that are reset before they read, since they remember what they read last."""
    unread: int | None = None
    """Tokens of the longest text of the proof that the model itself could not read."""
