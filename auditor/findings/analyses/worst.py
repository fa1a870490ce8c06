"""The worst documents by a rule that anyone can repeat; none is chosen by hand. Ties keep the order of the corpus."""

from collections.abc import Callable, Iterable

from auditor.findings.contract.types import Choice


def choose(rule: str, values: Iterable[tuple[str, float]], most: int, *, largest: bool = True) -> Choice:
    """Up to `most` documents with the largest values, or the smallest.

    Args:
        rule: Name of the rule, by which a chapter of the report explains it.
        values: Document id and value, in the order of the corpus.
        most: Documents to choose.
        largest: Whether large values are bad.
    """
    key: Callable[[tuple[str, float]], float] = (lambda pair: -pair[1]) if largest else (lambda pair: pair[1])
    ranked = sorted(values, key=key)
    return Choice(rule=rule, documents=tuple(ranked[:most]), among=len(ranked))
