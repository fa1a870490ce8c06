"""Which documents have special tokens of a tokenizer written in them, such as `[MASK]`: a model reads them as such."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from auditor.findings.contract.context import Context
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.registry import summaries
from auditor.findings.wording.sentences import listing
from auditor.languages import plural, say
from auditor.languages.numbers import count

TOKENS_NAMED = 5
LONGEST_NAME = 40


def describe_special_tokens(evidence: Evidence, context: Context) -> list[str]:
    """What page one must say about them: of the audited model, then of every reference model."""
    models = dict.fromkeys((None, *context.references.values()))
    read = {model: _by_document(evidence, context.references, model) for model in models}
    return [_sentence(model, list(documents.values())) for model, documents in read.items() if documents]


def _by_document(evidence: Evidence, references: Mapping[str, str], model: str | None) -> dict[str, tuple[str, ...]]:
    """Document → the special tokens in it that a model read there; documents without any are left out."""
    return {
        document: tokens
        for probe in (*summaries(), *evidence.rows)
        if references.get(probe) == model
        for document, record in evidence.of(probe).items()
        if (tokens := getattr(record, "special_tokens", ()))
    }


def _sentence(model: str | None, documents: Sequence[tuple[str, ...]]) -> str:
    tokens = listing(list(_counted(documents)), TOKENS_NAMED)
    if model is None:
        return plural(
            len(documents),
            "{n} document contains special tokens of the tokenizer literally ({tokens}); the model reads them as such.",
            "{n} documents contain special tokens of the tokenizer literally ({tokens}); the model reads them as such.",
            tokens=tokens,
        )
    return plural(
        len(documents),
        "{n} document contains special tokens of the tokenizer of {model} literally ({tokens}); that model reads them "
        "as such.",
        "{n} documents contain special tokens of the tokenizer of {model} literally ({tokens}); that model reads them "
        "as such.",
        tokens=tokens,
        model=model,
    )


def _counted(documents: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Each token with how many documents have it, the most frequent first."""
    numbers = Counter(token for document in documents for token in set(document))
    for token, n in sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])):
        name = token if len(token) <= LONGEST_NAME else f"{token[: LONGEST_NAME - 1]}…"
        yield say("{token} in {count}", token=name, count=count(n))
