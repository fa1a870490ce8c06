"""A seeded sample of the documents, stratified by label: the same seed draws the same documents.

Every document has a rank, sha256(seed, purpose, id). Documents are grouped by their labels; a stratum of size n_h
among n documents gives n_h · limit / n of its lowest ranks, the fractions settled by largest remainder (ties by a rank
of the stratum). So a sample depends neither on the order of the file nor on the machine, differs between purposes, and
a corpus without labels is one stratum. A stratum smaller than n / limit may end up without a document.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence

from auditor.records.types import Document


def sample(documents: Sequence[Document], limit: int | None, seed: int, purpose: str) -> tuple[Document, ...]:
    """At most `limit` documents, stratified by label, in their original order; all of them where the limit is None.

    Args:
        documents: With distinct ids.
        limit: At least 1, or None.
        seed: Seed of the audit.
        purpose: What the sample is for, such as the name of a probe: each purpose draws its own.

    Raises:
        ValueError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if limit is None or limit >= len(documents):
        return tuple(documents)
    strata: dict[tuple[str, ...], list[Document]] = defaultdict(list)
    for document in documents:
        strata[tuple(sorted(document.labels))].append(document)
    drawn: set[str] = set()
    for labels, share in _allocate({labels: len(stratum) for labels, stratum in strata.items()}, limit, seed, purpose):
        drawn.update(sorted((d.id for d in strata[labels]), key=lambda name: _rank(seed, purpose, name))[:share])
    return tuple(document for document in documents if document.id in drawn)


def _allocate(
    sizes: dict[tuple[str, ...], int], limit: int, seed: int, purpose: str
) -> list[tuple[tuple[str, ...], int]]:
    """The number of documents to draw from every stratum, by largest remainder; the numbers add up to `limit`."""
    total = sum(sizes.values())
    shares = {labels: size * limit // total for labels, size in sizes.items()}
    by_remainder = sorted(
        sizes, key=lambda labels: (-(sizes[labels] * limit % total), _rank(seed, purpose, list(labels)))
    )
    for labels in by_remainder[: limit - sum(shares.values())]:
        shares[labels] += 1
    return list(shares.items())


def _rank(seed: int, purpose: str, name: str | list[str]) -> bytes:
    """SHA-256 of seed, purpose and the id of a document or the labels of a stratum."""
    return hashlib.sha256(json.dumps([seed, purpose, name]).encode()).digest()
