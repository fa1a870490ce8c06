"""How the models of an audit were asked."""

from auditor.findings.contract.finding import Finding


class Computing(Finding):
    """How a model was asked one kind of question, and how that was proven; see `auditor.models.computing.proof`."""

    model: str
    question: str
    """`answers`, `log-probabilities`, `attention` or `continuations`."""
    way: str
    """`packed`, `padded`, `equal lengths` or `one by one`."""
    limit: int | None
    """Tokens of the longest text that is asked that way; None for all."""
    beyond: str
    """How longer ones are asked."""
    difference: float
    """The greatest difference from the model as transformers built it, asked about one text at a time."""
    unit: str
    """`probability`, `nats`, `statistic` or `continuations`."""
    n_texts: int
    longest: int
    """Tokens of the longest text on which this was shown."""
    reset: tuple[str, ...] = ()
    """Parts of the model that are reset before they read, since they remember what they read last."""
    unread: int | None = None
    """Tokens of the longest text of the proof that the model itself failed on."""
