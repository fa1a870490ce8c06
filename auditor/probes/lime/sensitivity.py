r"""Does an explanation change when the text hardly does? Max-sensitivity (Yeh et al. 2019) without another evaluation.

Yeh et al. take the greatest change of an explanation Φ within a small distance r of the input, captum divides it by the
size of the explanation:

    SENS_MAX = max over x′, ‖x′ − x‖ ≤ r, of ‖Φ(x′) − Φ(x)‖ / ‖Φ(x)‖

A text has no small distances, and its embeddings are no input of an explainer that takes words away. A *small*
perturbation is here one that the model itself calls small: the text without one segment i whose removal moves the
answer by no more than `SMALL`, |f(x) − f(x ∖ i)| ≤ 0.01. With w the weights of x and w⁽ⁱ⁾ those of x ∖ i, of the same
method, over the segments that both texts have,

    max-sensitivity = max over i of ‖w⁽ⁱ⁾ − w₋ᵢ‖ / ‖w₋ᵢ‖            ‖·‖ Euclidean, i the `MOST_TRIED` that move least

The perturbations of x that lack i are perturbations of x ∖ i, and what the model says to them is known: w⁽ⁱ⁾ is a true
explanation of the shorter text, from the part of its neighbourhood that lies in that of the longer one.

    enumerated   the 2^(S−1) masks without i are all masks of x ∖ i: the explanation is exact, and so is its change
    adaptive     of every size they are an even sample, and the estimate weighs sizes itself (`lime.emulator`)
    fixed        drawn as LIME draws, s of S segments removed; that i is among them has probability s/S, so that each
                 counts 1/s for the evenly drawn sizes of x ∖ i; the text x ∖ i itself counts once, as LIME's first row

Where something was sampled the change contains sampling error, the more so since the part is smaller than the whole.
The distance of the weights from two independent halves of the same neighbourhood (`Halves.distance`) is what that alone
comes to, and is printed beside it: a max-sensitivity of about that size says nothing against the explanation.

Edge cases: fewer than three segments, no segment that moves the answer so little, too few perturbations without it to
tell the others apart, or other weights that are all zero: nothing is said.

Source: Yeh, Hsieh, Suggala, Inouye & Ravikumar 2019, "On the (in)fidelity and sensitivity of explanations", section 4;
the ratio as in `captum.metrics.sensitivity_max`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from auditor.probes.lime.design import Sample
from auditor.probes.lime.emulator import estimate
from auditor.probes.lime.neighbourhood import Enumerated
from auditor.probes.lime.surrogate import Fit, fit, kernel
from auditor.records.explanations import Explanation, Neighbourhood, Sensitivity
from auditor.records.neighbourhoods import Perturbed, unpack

SMALL = 0.01
"""The most by which leaving out a segment may move the answer, in the unit of the explanation."""
MOST_TRIED = 5
LEAST_SEGMENTS = 3


def with_sensitivity(explanation: Explanation, n_samples: int, num_features: int | None) -> Explanation:
    """The same explanation, its first target with its max-sensitivity where that is known.

    Args:
        explanation: With the masks and answers of its neighbourhood; without them nothing is added.
        n_samples: Of the probe: what an enumerated neighbourhood is weighed by.
        num_features: How many segments a surrogate may use; None for all.
    """
    first, *others = explanation.targets
    greatest = sensitivity(explanation, n_samples, num_features)
    if greatest is None or first.surrogate is None:
        return explanation
    told = replace(first, surrogate=replace(first.surrogate, sensitivity=greatest))
    return replace(explanation, targets=(told, *others))


def sensitivity(explanation: Explanation, n_samples: int, num_features: int | None) -> Sensitivity | None:
    """The max-sensitivity toward the first target; terms as in `with_sensitivity`."""
    perturbed, around = unpack(explanation), explanation.neighbourhood
    if perturbed is None or around is None or len(explanation.segments) < LEAST_SEGMENTS:
        return None
    weights, changes = np.asarray(explanation.targets[0].weights), dict[int, float]()
    for i, row in _small(perturbed):
        others = np.delete(weights, i)
        shorter = _explained(_without(perturbed, i, row), around, n_samples, num_features)
        if shorter is not None and others.any():
            changes[i] = float(np.linalg.norm(shorter.weights - others) / np.linalg.norm(others))
    if not changes:
        return None
    segment = max(changes, key=changes.__getitem__)
    return Sensitivity(changes[segment], segment, len(changes))


def _small(perturbed: Perturbed) -> Iterator[tuple[int, int]]:
    """Segments without which the answer is all but the same, those that move it least first; and their rows."""
    single = np.flatnonzero((~perturbed.masks).sum(axis=1) == 1)
    moved = np.abs(perturbed.answers[single, 0] - perturbed.answers[0, 0])
    for j in np.argsort(moved, kind="stable")[:MOST_TRIED]:
        if moved[j] <= SMALL:
            yield int(np.flatnonzero(~perturbed.masks[single[j]])[0]), int(single[j])


def _without(perturbed: Perturbed, segment: int, whole: int) -> Perturbed:
    """The perturbations that lack a segment, as those of the text without it, which comes first."""
    rows = np.flatnonzero(~perturbed.masks[:, segment] & np.isfinite(perturbed.answers[:, 0]))
    rows = np.append(whole, rows[rows != whole])
    masks = np.delete(perturbed.masks[rows], segment, axis=1)
    return Perturbed(masks, perturbed.answers[rows, :1], perturbed.counts[rows], perturbed.units[rows])


def _explained(shorter: Perturbed, around: Neighbourhood, n_samples: int, num_features: int | None) -> Fit | None:
    """The surrogate of the shorter text by the method of the longer; None where its perturbations are too few."""
    n, n_segments = shorter.masks.shape
    if around.exact:
        every = Enumerated(n_segments, n_samples, around.kernel_width)
        return every.fit(shorter.answers, num_features)[0] if n == len(every.masks) else None
    if n <= n_segments + 1:
        return None
    if around.stopped == "fixed":
        removed = (~shorter.masks).sum(axis=1)
        drawn = shorter.counts / (removed + 1.0)
        drawn *= shorter.counts[1:].sum() / drawn[1:].sum()
        drawn[0] = 1.0
        proximity = kernel(shorter.masks, around.kernel_width) * drawn
        return fit(shorter.masks, shorter.answers[:, 0], proximity, num_features=num_features)
    sample = Sample(shorter.masks, np.append(-1, shorter.units[1:]))
    return estimate(sample, shorter.answers, around.kernel_width, num_features)[0]
