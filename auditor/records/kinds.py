"""The records of this package, and what plans and tables call them and those of others."""

from collections.abc import Mapping
from typing import get_args

from auditor.records.activations import Activations
from auditor.records.explanations import Anchor, BagOfWords, Explanation, Faithfulness
from auditor.records.heads import HeadAblation
from auditor.records.sanity import Sanity
from auditor.records.types import AttentionStatistics, Document, Perplexity, Prediction, PseudoPerplexity

Record = (
    Prediction
    | Explanation
    | Faithfulness
    | Anchor
    | BagOfWords
    | Sanity
    | HeadAblation
    | Activations
    | AttentionStatistics
    | Perplexity
    | PseudoPerplexity
)
OURS: Mapping[str, type[Document | Record]] = {kind.__name__: kind for kind in (Document, *get_args(Record))}
"""Name of the class, which every table carries → the class. A third party's record is not among them."""


def record_name(cls: type) -> str:
    """What plans and tables call a record: `Explanation`, or `module.Class` for a third party's."""
    return cls.__name__ if OURS.get(cls.__name__) is cls else f"{cls.__module__}.{cls.__qualname__}"
