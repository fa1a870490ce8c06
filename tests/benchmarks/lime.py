"""LIME at a fixed number of samples: the same masks as the `lime` package, the same coefficients, less work.

Beside it stand two other explainers at the number of model calls they take: captum replaces words by [MASK] instead of
deleting them, shap asks for Owen values. Their numbers answer another question, so only their cost is compared.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification

from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.perturbing import seed_for
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from tests.benchmarks import limits, materials
from tests.benchmarks.measuring import Spread, Work, forward_clock, in_turns
from tests.benchmarks.results import Row, Setting, agree

SEED = 0
Answer = Callable[[list[str]], np.ndarray]


def rows(setting: Setting) -> Iterator[Row]:
    place = materials.classifier(setting.folder)
    yield from _thirty_words(setting, place)
    yield from _ten_words(setting, place)
    if not setting.quick:
        yield from _other_explainers(place, setting.rounds(3, 1))


@dataclass(frozen=True)
class Package:
    """The `lime` package with a pipeline behind it, as its notebooks use it."""

    answer: Answer

    def explain(self, document: Document, n_samples: int, num_features: int = 10, seed: int = SEED) -> np.ndarray:
        """Coefficients by feature; 0 where a feature was not selected."""
        from lime.lime_text import LimeTextExplainer

        label = int(self.answer([document.text])[0].argmax())
        random = np.random.RandomState(seed_for(seed, document, "lime"))
        found = LimeTextExplainer(random_state=random).explain_instance(
            document.text, self.answer, labels=(label,), num_features=num_features, num_samples=n_samples
        )
        coefficients = np.zeros(found.domain_mapper.indexed_string.num_words())
        for feature, weight in found.local_exp[label]:
            coefficients[feature] = weight
        return coefficients


def explain(model: Any, document: Document, n_samples: int, num_features: int | None = 10) -> Explanation:
    """Ours."""
    probe = LimeProbe(n_samples=n_samples, segmenter="lime", num_features=num_features)
    (found,) = probe.measure(model, [document], Sitting(SEED))
    assert isinstance(found, Explanation), found
    return found


def coefficients(found: Explanation) -> np.ndarray:
    return np.array(found.targets[0].weights)


def _thirty_words(setting: Setting, place: Path) -> Iterator[Row]:
    n_samples, (document,) = 1000, materials.of_words(30)
    package, model = Package(materials.answering(place)), materials.ours(place, "text-classification")
    _warm_up(package, model, document)
    n_tokens, length = _real_tokens(model, document, n_samples)
    best = _best_shape(place, n_tokens, length)
    forwards: list[float] = []

    def clocked() -> Explanation:
        with forward_clock() as clock:
            found = explain(model, document, n_samples)
        forwards.append(clock.seconds)
        return found

    before, rounds = model.batcher.work, setting.rounds(5, 1)
    found = in_turns(
        {"lime": lambda: package.explain(document, n_samples), "ours": clocked, "limit": best},
        rounds,
        warm_up=False,
    )
    work = model.batcher.work - before
    mine = found["ours"].result
    same = agree("coefficients", _difference(coefficients(mine), found["lime"].result), 1e-5)
    what = f"LIME, 30 words, N = {n_samples:,}"
    share = work["tokens_computed"] / work["tokens"]
    remark = f"{same}; {mine.neighbourhood.n_evaluations} distinct evaluations; computed/real tokens {share:.3f}"
    yield Row.peer(what, name_of("lime"), found["lime"].seconds, found["ours"].seconds, 2.0, remark)
    shape = f"stock forward of the {n_tokens:,} distinct real tokens at its best shape"
    yield Row.limit(
        f"{what}, forward alone",
        shape,
        found["limit"].seconds,
        Spread(tuple(forwards)),
        1 / 0.92,
        "at least 92 % of the best-shape throughput, as time: at most 1/0.92",
    )
    yield Row.limit(f"{what}, whole explanation", shape, found["limit"].seconds, found["ours"].seconds, 1.12, same)


def _ten_words(setting: Setting, place: Path) -> Iterator[Row]:
    n_samples, n_words = (2000 if setting.quick else 5000), 10
    (document,) = materials.of_words(n_words)
    package, model = Package(materials.answering(place)), materials.ours(place, "text-classification")
    _warm_up(package, model, document)
    found = in_turns(
        {"lime": lambda: package.explain(document, n_samples), "ours": lambda: explain(model, document, n_samples)},
        setting.rounds(3, 1),
        warm_up=False,
    )
    mine, theirs = found["ours"].result, found["lime"].result
    same = agree("", _difference(coefficients(explain(model, document, 500)), package.explain(document, 500)), 1e-5)
    error = _difference(coefficients(mine), theirs) / np.abs(theirs).max()
    remark = f"coefficients{same} at N = 500, where both sample; here ours enumerates and lime is {error:.1%} off"
    if mine.is_sampled:
        remark = agree("coefficients", _difference(coefficients(mine), theirs), 1e-5)
    what = f"LIME, {n_words} words, N = {n_samples:,}"
    yield Row.peer(
        what, name_of("lime"), found["lime"].seconds, found["ours"].seconds, None if setting.quick else 8.0, remark
    )
    evaluations = Spread((mine.neighbourhood.n_evaluations,), "evaluations")
    yield Row.absolute(what, "min(N, 2^d)", evaluations, min(n_samples, 2**n_words), "counted, not timed")


def _warm_up(package: "Package", model: Any, document: Document) -> None:
    package.explain(document, 100)
    explain(model, document, 100)


def _other_explainers(place: Path, rounds: int) -> Iterator[Row]:
    n_samples = 500
    module = materials.plain(place, AutoModelForSequenceClassification)
    answer, model = materials.answering(place), materials.ours(place, "text-classification")
    for n_words in (10, 30):
        (document,) = materials.of_words(n_words)
        contenders = {
            "ours": lambda d=document: explain(model, d, n_samples),
            "captum Lime": _captum(module, model, document, "Lime", n_samples),
            "captum KernelShap": _captum(module, model, document, "KernelShap", n_samples),
            "shap Partition": _shap(answer, document, n_samples),
        }
        found = in_turns(contenders, rounds, warm_up=False)
        for name in list(contenders)[1:]:
            library = name.split()[0]
            against = f"{name}, {library} {version(library)}"
            remark = f"at most {n_samples} model calls each; another definition, so only the cost is compared"
            what = f"explanation, {n_words} words, N = {n_samples}"
            yield Row.peer(what, against, found[name].seconds, found["ours"].seconds, None, remark)


def _captum(module: torch.nn.Module, model: Any, document: Document, method: str, n_samples: int) -> Work:
    from captum import attr

    (tokens,) = model.tokens([(document.text, None)])
    ids = torch.tensor([tokens.encoded.ids])
    ends = [word.end() for word in re.finditer(r"\w+", document.text)]
    words = torch.tensor([[sum(end <= span.start for end in ends) for span in tokens.spans]])
    features = torch.unique(words, return_inverse=True)[1]
    baseline = torch.where(torch.tensor([tokens.special]), ids, model.tokenizer.mask_token_id)
    method_of = getattr(attr, method)(lambda batch: module(input_ids=batch).logits.softmax(-1))

    def run() -> torch.Tensor:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            label = int(module(input_ids=ids).logits.argmax())
            return method_of.attribute(
                ids, baseline, target=label, feature_mask=features, n_samples=n_samples, perturbations_per_eval=32
            )

    return run


def _shap(answer: Answer, document: Document, n_samples: int) -> Work:
    import shap

    tokenizer = materials.word_pieces()
    explainer = shap.Explainer(lambda texts: answer(list(texts)), shap.maskers.Text(tokenizer), algorithm="partition")
    return lambda: explainer([document.text], max_evals=n_samples, batch_size=32, silent=True).values


def _real_tokens(model: Any, document: Document, n_samples: int) -> tuple[int, int]:
    """Tokens of the distinct texts that `lime` asks about, and their mean length."""
    texts: set[str] = set()

    def listen(asked: list[str]) -> np.ndarray:
        texts.update(asked)
        return np.tile([0.4, 0.6], (len(asked), 1))

    Package(listen).explain(document, n_samples)
    n_tokens = sum(len(ids) for ids in model.tokenizer(sorted(texts))["input_ids"])
    return n_tokens, round(n_tokens / len(texts))


def _best_shape(place: Path, n_tokens: int, length: int) -> Callable[[], None]:
    module = materials.plain(place, AutoModelForSequenceClassification)
    return limits.rectangles(lambda ids: module(input_ids=ids), n_tokens, length, module.config.vocab_size)


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def name_of(library: str) -> str:
    return f"{library} {version(library)} + pipeline(batch 32)"
