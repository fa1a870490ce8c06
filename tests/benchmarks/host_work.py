"""What is left when the model costs nothing, as on a GPU: strings, tokens, batches, regressions.

The stub is a BERT of one layer and eight dimensions, and what its forward pass still takes is clocked and left out, on
both sides. So both run their whole path, tokenising included, and their coefficients can be compared.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.surrogate import fit, kernel, sample_masks
from tests.benchmarks import materials
from tests.benchmarks.lime import SEED, Package, coefficients, name_of
from tests.benchmarks.measuring import Spread, forward_clock, in_turns
from tests.benchmarks.results import Row, Setting, agree

STUB = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
N_SAMPLES, N_SEGMENTS, N_FEATURES = 1000, 100, 6
MICRO, MILLI = (1e6, "µs"), (1e3, "ms")


def rows(setting: Setting) -> Iterator[Row]:
    yield from _perturbations(setting)
    yield from _forward_selection(setting)


def _perturbations(setting: Setting) -> Iterator[Row]:
    place = materials.classifier(setting.folder, **STUB)
    package, model = Package(materials.answering(place)), materials.ours(place, "text-classification")
    documents = materials.of_words(29, 4)
    beside: dict[str, list[float]] = {"lime": [], "ours": []}

    def package_on_all() -> list[np.ndarray]:
        return [package.explain(document, N_SAMPLES) for document in documents]

    def ours_on_all() -> list[np.ndarray]:
        probe = LimeProbe(n_samples=N_SAMPLES, segmenter="lime", num_features=10)
        return [coefficients(found) for found in probe.measure(model, documents, Sitting(SEED))]

    contenders = {"lime": package_on_all, "ours": ours_on_all}
    clocked = {name: _without_forward(work, beside[name]) for name, work in contenders.items()}
    rounds = setting.rounds(7, 3)
    found = in_turns(clocked, rounds)
    pairs = zip(found["ours"].result, found["lime"].result, strict=True)
    same = agree("coefficients", max(float(np.abs(a - b).max()) for a, b in pairs), 1e-5)
    per = 1 / (len(documents) * N_SAMPLES)
    theirs, ours = (Spread(tuple(beside[n][-rounds:])).times(per * MICRO[0], MICRO[1]) for n in ("lime", "ours"))
    what = f"host work per perturbation, {len(documents)} × 29 words, N = {N_SAMPLES:,}"
    yield Row.peer(what, name_of("lime"), theirs, ours, 10.0, f"{same}; all but the forward pass of the stub")
    yield Row.absolute(what, "a bound of its own", ours, 15.0, "tokenising included")


def _without_forward(work: Callable[[], Any], beside: list[float]) -> Callable[[], Any]:
    """The work, which notes what it took besides the forward passes."""

    def run() -> Any:
        with forward_clock() as clock:
            start = time.process_time()
            found = work()
            beside.append(time.process_time() - start - clock.seconds)
        return found

    return run


def _forward_selection(setting: Setting) -> Iterator[Row]:
    from lime.lime_base import LimeBase

    masks = sample_masks(N_SEGMENTS, N_SAMPLES, np.random.RandomState(0))
    weights, values = kernel(masks, 25.0), _made_up(masks)
    base = LimeBase(lambda distance: distance, random_state=np.random.RandomState(0))
    contenders = {
        "lime": lambda: base.forward_selection(masks.astype(float), values, weights, N_FEATURES),
        "ours": lambda: fit(masks, values, weights, num_features=N_FEATURES),
    }
    found = in_turns(contenders, setting.rounds(7, 3))
    orders = [_order(masks, values, weights), [int(i) for i in found["lime"].result]]
    same = agree("features and their order", float(orders[0] != orders[1]), 0.0)
    theirs, ours = (found[name].seconds.times(*MILLI) for name in ("lime", "ours"))
    what = f"forward selection, {N_FEATURES} of {N_SEGMENTS}, N = {N_SAMPLES:,}"
    remark = f"{same}; ours with the ridge regression and its standard errors"
    yield Row.peer(what, "lime's forward_selection", theirs, ours, 200.0, remark)
    yield Row.absolute(what, "a bound of its own", ours, 5.0, "whole surrogate")


def _made_up(masks: np.ndarray) -> np.ndarray:
    """What a classifier might say: a logistic function with an interaction and some noise."""
    random = np.random.default_rng(0)
    score = masks @ random.normal(0, 0.3, masks.shape[1]) + masks[:, 0] * masks[:, 1]
    values: np.ndarray = 1 / (1 + np.exp(-(score - score.mean() + random.normal(0, 0.05, len(masks)))))
    return values


def _order(masks: np.ndarray, values: np.ndarray, weights: np.ndarray) -> list[int]:
    """In which order ours chooses: what each further feature adds to those before it."""
    chosen: list[int] = []
    for count in range(1, N_FEATURES + 1):
        selected = np.flatnonzero(fit(masks, values, weights, num_features=count).selected)
        chosen += [int(i) for i in selected if int(i) not in chosen]
    return chosen
