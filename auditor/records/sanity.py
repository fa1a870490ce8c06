"""How explanations change as a model forgets what it learnt: facts about one document (probe `sanity`)."""

from dataclasses import dataclass

MOST_PARTS = 6
"""Steps in which a model forgets, at most: its head, four groups of layers, its embeddings."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a model whose weights are drawn anew at one step, beside those of the steps before."""

    name: str
    """`head` (what turns states into answers, and what follows the last layer), `layers` or `embeddings`."""
    first: int | None = None
    """Of layers: the lowest, from 1."""
    last: int | None = None
    """The highest."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like two explanations of one document by one method are: of the model as it is, and of a randomised one.

    Of their weights for the label that the model as it is predicts; None where either explanation has none to
    compare, since all of its weights (or all |weights|) are equal.
    """

    probe: str
    step: int
    """How many parts have been drawn anew: 0 for none, which says how well the method repeats itself."""
    correlation: float | None
    """Pearson's, of the weights."""
    rank_correlation: float | None
    """Spearman's, of the weights."""
    absolute_rank_correlation: float | None
    """Spearman's, of the |weights|."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """How the explanations of one document change as the model's weights are randomised from the output down."""

    document_id: str
    parts: tuple[Part, ...]
    """What is drawn anew at step 1, 2, …, the head first."""
    n_evaluations: int
    """Perturbed documents that the model computed for it, and gradients, at all steps and of all methods."""
    likenesses: tuple[Likeness, ...]
    """Of every method and step, where the method still explained the document by the same segments."""
