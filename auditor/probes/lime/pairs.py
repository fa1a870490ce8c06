"""What two neighbouring segments do together: the surrogate with one product of two segments more.

For segments a and b that stand side by side, from the same masks z and answers f as the surrogate, weighted by π,

    f ≈ β₀ + z·β + γ z_a z_b

    a alone    β_a          what a does where b is off
    b alone    β_b
    together   β_a + β_b + γ

so that "not good" may be against a label for which "good" alone speaks: without γ the surrogate can only add up. With
q = z_a z_b and c the coefficients of q on (1, z), γ = ⟨q − ĉ, f⟩ / ⟨q − ĉ, q − ĉ⟩ (Frisch & Waugh 1933), and β is that
of the fit without the product less γ c; one QR of the masks serves all pairs. No penalty, no features selected.

Edge cases: side by side are segments of one text with nothing but white space between them, at any of their places; a
segment beside an equal one, with which it is switched off, makes no pair. A pair whose product the masks cannot tell
from its parts has no numbers, and is left out, as all are where masks are too few.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from auditor.probes.lime.surrogate import kernel
from auditor.records.explanations import Pair, Segment
from auditor.records.neighbourhoods import Perturbed
from auditor.records.types import Document

MOST_SEGMENTS = 200
"""Documents with more have no pairs: they would cost more than the surrogate."""
_TOLD = 1e-6
"""Share of a product's variation that its parts must leave."""


def pairs(document: Document, segments: Sequence[Segment], perturbed: Perturbed, width: float) -> tuple[Pair, ...]:
    """The pairs, toward the first target; in the order of the segments.

    Args:
        document: What was perturbed.
        segments: Its S segments.
        perturbed: Masks, answers (N, K) and counts.
        width: Of the kernel.
    """
    neighbours = list(side_by_side(document, segments))
    read = np.isfinite(perturbed.answers).all(axis=1)
    if not neighbours or len(segments) > MOST_SEGMENTS or read.sum() <= len(segments) + 1:
        return ()
    masks, counts = perturbed.masks[read], perturbed.counts[read]
    scale = np.sqrt(kernel(masks, width) * counts)
    design = np.column_stack([np.ones(len(masks)), masks]) * scale[:, None]  # (N, 1 + S)
    q, r = np.linalg.qr(design)
    if np.abs(np.diag(r)).min() <= _TOLD * np.abs(np.diag(r)).max():
        return ()
    answers = perturbed.answers[read, 0] * scale
    products = np.stack([masks[:, a] & masks[:, b] for a, b in neighbours], axis=1) * scale[:, None]  # (N, P)
    return _estimated(neighbours, (q, r), answers, products)


def side_by_side(document: Document, segments: Sequence[Segment]) -> Iterator[tuple[int, int]]:
    """The pairs of segments (first, second) between which only white space stands somewhere; each once."""
    texts = {"text": document.text, "pair": document.pair or ""}
    placed = sorted((s.field, s.start, s.stop, i) for i, segment in enumerate(segments) for s in segment.spans)
    seen = set()
    for (field, _, stop, first), (other, start, _, second) in pairwise(placed):
        if field == other and first != second and not texts[field][stop:start].strip():
            seen.add((first, second))
    yield from sorted(seen)


def _estimated(
    neighbours: Sequence[tuple[int, int]],
    factors: tuple[np.ndarray, np.ndarray],
    answers: np.ndarray,
    products: np.ndarray,
) -> tuple[Pair, ...]:
    q, r = factors
    on_products = q.T @ products  # (1 + S, P)
    beyond = products - q @ on_products
    left, whole = (beyond**2).sum(axis=0), (products**2).sum(axis=0)
    told = left > _TOLD * whole
    gamma = (beyond.T @ answers) / np.where(told, left, 1.0)  # (P,)
    of_products, beta = np.linalg.solve(r, on_products), np.linalg.solve(r, q.T @ answers)
    return tuple(
        _pair(a, b, beta - gamma[p] * of_products[:, p], gamma[p]) for p, (a, b) in enumerate(neighbours) if told[p]
    )


def _pair(first: int, second: int, beta: np.ndarray, gamma: float) -> Pair:
    a, b = float(beta[1 + first]), float(beta[1 + second])
    return Pair(first, second, a, b, a + b + float(gamma))
