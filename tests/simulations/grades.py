"""What the grades of explanations do to models of which the truth is known; prints the table of `grades.md`.

    python -m tests.simulations.grades [--documents 20] [--cache FOLDER]

Half an hour on one core. Models (`planted.py`): weights drawn at random in three scales, trained weights permuted per
tensor, planted causes, and bags of words that are linear in the logit. Texts are made anew, 20 a model, 3 seeds each.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch

from auditor import models
from auditor.findings.analyses.grades import GRADES, Trust, trust
from auditor.probes.attention_rollout import AttentionRolloutProbe
from auditor.probes.contract import Sitting
from auditor.probes.faithfulness import FaithfulnessProbe
from auditor.probes.gradients.input_x_gradient import InputXGradientProbe
from auditor.probes.gradients.integrated_gradients import IntegratedGradientsProbe
from auditor.probes.gradients.saliency import SaliencyProbe
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.mean_attention import MeanAttentionProbe
from auditor.probes.occlusion import OcclusionProbe
from auditor.probes.shap.probe import ShapProbe
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from tests.probes.stubs import Oracle, sigmoid
from tests.simulations import planted

SEEDS = (0, 1, 2)
ARCHITECTURES = ("bert", "distilbert", "electra", "roberta")
SCALES = {"as initialised": 1.0, "twice": 2.0, "four times": 4.0}
EXPLAINERS: dict[str, Any] = {
    "lime": LimeProbe(),
    "occlusion": OcclusionProbe(),
    "shap": ShapProbe(),
    "saliency": SaliencyProbe(),
    "input_x_gradient": InputXGradientProbe(),
    "integrated_gradients": IntegratedGradientsProbe(),
    "attention_rollout": AttentionRolloutProbe(),
    "mean_attention": MeanAttentionProbe(),
}
MEDIANS = {"moved": "moved", "drop": "drop", "better": "better", "said": "said", "fidelity": "R²", "halves": "halves"}
"""What a grade is given for: median, 10 and 90 %."""
CONFIRMED = 0.1
"""What occlusion must take off the answer, without a word of the cause, for the cause to be confirmed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One explanation of a text whose reason is known."""

    explainer: str
    trust: Trust
    named: bool
    """Whether the first two words are, or hold, the cause; of no meaning without one."""
    matters: bool
    """Whether occlusion puts a word of the cause first, and the answer loses by it."""
    has_cause: bool

    @property
    def confirmed(self) -> bool:
        """Whether occlusion confirms what the explanation says: it names a cause that matters."""
        return self.named and self.matters


def graded(model: object, texts: Sequence[planted.Text], seed: int) -> Iterator[Case]:
    """The explanations of some texts by every explainer, with their grades."""
    documents = [Document(str(i), " ".join(text.words)) for i, text in enumerate(texts)]
    rows = {
        name: {row.document_id: row for row in probe.measure(model, documents, Sitting(seed))}
        for name, probe in EXPLAINERS.items()
        if isinstance(model, probe.needs)
    }
    faithful = FaithfulnessProbe(bounded_share=0).measure(model, documents, Sitting(seed, rows))
    for document, text, row in zip(documents, texts, faithful, strict=True):
        for removal in row.removals:
            explanation, occlusion = rows[removal.probe][document.id], rows["occlusion"][document.id]
            target = occlusion.targets[0]
            yield Case(
                removal.probe,
                trust(explanation, removal),
                names(first(explanation, 2), text.cause),
                bool(first(occlusion, 1) & text.cause) and max(target.weights) >= CONFIRMED,
                bool(text.cause),
            )


def first(explanation: Explanation, n: int) -> set[str]:
    """The words of the n largest weights."""
    order = np.argsort(-np.asarray(explanation.targets[0].weights), kind="stable")[:n]
    return {explanation.segments[i].text for i in order}


def names(words: set[str], cause: frozenset[str]) -> bool:
    """Whether all of the cause is among the words."""
    return bool(cause) and cause <= words


def _texts(rule: str, seed: int, n: int) -> list[planted.Text]:
    random = np.random.default_rng(1000 + seed)
    return [planted.PLANTED[rule](random) for _ in range(n)]


def _cases(module: torch.nn.Module, texts: Sequence[planted.Text], seed: int) -> list[Case]:
    folder = planted.save(module, Path(mkdtemp()))
    found = models.find("planted", folder, task="text-classification")
    return list(graded(models.load(found, device="cpu"), texts, seed))


def _trained(cache: Path, architecture: str, rule: str, seed: int) -> torch.nn.Module:
    path = cache / f"{architecture}-{rule}-{seed}.pt"
    module = planted.fresh(architecture, seed)
    if not path.exists():
        learnt, accuracy = planted.trained(architecture, rule, seed)
        torch.save({"weights": learnt.state_dict(), "accuracy": accuracy}, path)
    kept = torch.load(path, weights_only=True)
    if kept["accuracy"] < 0.97:
        print(f"{architecture} has not learned {rule} (seed {seed}): {kept['accuracy']:.2f}", flush=True)
    module.load_state_dict(kept["weights"])
    return module


def random_models(n: int, cache: Path) -> Iterator[tuple[str, list[Case]]]:
    """Weights drawn at random in three scales, and trained ones permuted."""
    for architecture in ARCHITECTURES[:3]:
        for seed in SEEDS:
            texts = [replace(text, cause=frozenset()) for text in _texts("negation", seed, n)]
            for name, scale in SCALES.items():
                yield f"random, {name}", _cases(planted.fresh(architecture, seed, scale), texts, seed)
            shuffled = planted.permuted(_trained(cache, architecture, "negation", seed), seed)
            yield "permuted", _cases(shuffled, texts, seed)


def planted_models(n: int, cache: Path) -> Iterator[tuple[str, list[Case]]]:
    """Trained on planted causes."""
    for rule in planted.PLANTED:
        for architecture, seed in zip(ARCHITECTURES[:3], SEEDS, strict=True):
            yield rule, _cases(_trained(cache, architecture, rule, seed), _texts(rule, seed, n), seed)


def bags(n: int) -> Iterator[tuple[str, list[Case]]]:
    """Linear in the logit: every word of the vocabulary has a weight."""
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        weights = dict(zip(planted.FILLERS, random.normal(0, 0.7, len(planted.FILLERS)), strict=True))

        def answer(text: str, weights: Mapping[str, float] = weights) -> list[float]:
            p = sigmoid(sum(weights[word] for word in text.split()))
            return [1 - p, p]

        texts = [planted.Text(tuple(planted.fillers(random)), 0, frozenset()) for _ in range(n)]
        yield "bag of words", list(graded(Oracle(("no", "yes"), answer), texts, seed))


def table(results: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    """Lines of Markdown: shares of the grades by kind of model and explainer, and whether what they say is true."""
    told = ("cause first, of rely", "rely, of confirmed", "cause first, of causes that matter")
    heads = ("model", "explainer", "n", *GRADES, *told, *MEDIANS.values())
    yield f"| {' | '.join(heads)} |"
    yield f"|---|---|{'--:|' * (len(heads) - 2)}"
    for kind, cases in results.items():
        for explainer in EXPLAINERS:
            of = [case for case in cases if case.explainer == explainer]
            if not of:
                continue  # a bag of words has no gradients
            yield f"| {' | '.join([kind, explainer, str(len(of)), *_shares(of), *_medians(of)])} |"


def _shares(cases: Sequence[Case]) -> Iterator[str]:
    counts = Counter(case.trust.grade for case in cases)
    yield from (f"{counts[grade] / len(cases):.3f}" for grade in GRADES)
    yield _share([case.named for case in cases if case.trust.grade == "rely" and case.has_cause])
    yield _share([case.trust.grade == "rely" for case in cases if case.confirmed])
    yield _share([case.named for case in cases if case.matters])


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.3f} of {len(values)}" if values else ""


def _medians(cases: Sequence[Case]) -> Iterator[str]:
    for key in MEDIANS:
        known = [value for case in cases if (value := getattr(case.trust, key)) is not None]
        low, middle, high = np.quantile(known, [0.1, 0.5, 0.9]) if known else (np.nan,) * 3
        yield f"{middle:.2f} ({low:.2f}–{high:.2f})" if known else ""


def main() -> None:
    """Compute everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--cache", type=Path, default=None, help="where trained models are kept between runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cache = options.cache or Path(mkdtemp())
    cache.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[Case]] = {}
    for part in (
        bags(options.documents),
        planted_models(options.documents, cache),
        random_models(options.documents, cache),
    ):
        for kind, cases in part:
            results.setdefault(kind, []).extend(cases)
    results["all planted"] = [case for kind in planted.PLANTED for case in results[kind]]
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
