"""Do explanations depend on what was learnt? Models that learned a rule against models that learned shuffled labels.

    python -m tests.simulations.shuffled_labels [--documents 20]

The label-randomised baseline of Adebayo et al. (2018), where training is possible: a model is trained on `N_TEXTS`
texts with a planted rule (`planted.py`), and another on the same texts with their labels shuffled, until it knows them
by heart. Both are asked about texts that both know, and every explainer explains the same label of each. Printed is
the mean over texts of the rank correlation of the two explanations, of the weights and of their sizes; beside it that
of two models that learned the rule from other starts. An explainer that says the same of a model without a rule says
nothing about what was learnt.

Source: Adebayo et al., "Sanity checks for saliency maps", 2018, section 3.2 (data randomisation).
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from auditor import models
from auditor.probes.contract import Sitting
from auditor.records.explanations import Explanation
from auditor.records.types import Document
from tests.simulations import planted
from tests.simulations.grades import ARCHITECTURES, EXPLAINERS

RULE, N_TEXTS = "negation", 192
MOST_STEPS, KNOWN = 4_000, 0.97
PAIRS = {"rule, rule": (0, 1), "rule, shuffled labels": (0, 2)}


def fitted(architecture: str, seed: int, texts: Sequence[planted.Text]) -> nn.Module:
    """A model trained on these texts until it knows `KNOWN` of their labels."""
    encode, model = planted.tokenizer(), planted.fresh(architecture, seed).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    inputs, labels = planted.batch(encode, list(texts))
    order = np.random.default_rng(seed)
    for step in range(MOST_STEPS):
        at = torch.from_numpy(order.permutation(len(texts))[:64])
        loss = nn.functional.cross_entropy(model(**{k: v[at] for k, v in inputs.items()}).logits, labels[at])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 49 and (known := _accuracy(model, inputs, labels)) >= KNOWN:
            print(f"{architecture}, seed {seed}: {known:.2f} of the labels after {step + 1} steps", flush=True)
            return model.eval()
    raise SystemExit(f"{architecture} has not learned its labels")


def _accuracy(model: nn.Module, inputs: dict[str, torch.Tensor], labels: torch.Tensor) -> float:
    with torch.inference_mode():
        return float((model.eval()(**inputs).logits.argmax(1) == labels).float().mean())


def shuffled(texts: Sequence[planted.Text], seed: int) -> list[planted.Text]:
    """The same texts, each with the label of another."""
    order = np.random.default_rng(seed).permutation(len(texts))
    return [replace(text, label=texts[i].label) for text, i in zip(texts, order, strict=True)]


def explained(module: nn.Module, documents: Sequence[Document]) -> dict[str, dict[str, Explanation]]:
    """Explainer → document → explanation, toward the label that stands at the document."""
    folder = planted.save(module, Path(mkdtemp()))
    model: Any = models.load(models.find("planted", folder, task="text-classification"), device="cpu")
    return {
        name: {row.document_id: row for row in probe.measure(model, documents, Sitting(0))}
        for name, probe in EXPLAINERS.items()
    }


def likeness(a: Explanation, b: Explanation) -> tuple[float, float] | None:
    """Rank correlations of the weights toward label 1, and of their sizes; None where all of one are equal."""
    one, other = (np.asarray(_toward(explanation)) for explanation in (a, b))
    if np.ptp(one) == 0 or np.ptp(other) == 0 or np.ptp(abs(one)) == 0 or np.ptp(abs(other)) == 0:
        return None
    return float(spearmanr(one, other)[0]), float(spearmanr(abs(one), abs(other))[0])


def _toward(explanation: Explanation) -> Sequence[float]:
    """The weights toward label 1: those toward the other of two with the sign turned, where there are signs."""
    target = explanation.targets[0]
    as_they_are = target.label.endswith("1") or min(target.weights) >= 0
    return target.weights if as_they_are else [-weight for weight in target.weights]


def table(n: int) -> Iterator[str]:
    """Lines of Markdown: for each explainer, how like its explanations are."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for seed, architecture in enumerate(ARCHITECTURES[:3]):
        random = np.random.default_rng(seed)
        texts = [planted.PLANTED[RULE](random) for _ in range(N_TEXTS)]
        trained = [
            fitted(architecture, seed, texts),
            fitted(architecture, seed + 100, texts),
            fitted(architecture, seed, shuffled(texts, seed)),
        ]
        documents = [Document(str(i), " ".join(text.words)) for i, text in enumerate(texts[:n])]
        answers = [explained(model, documents) for model in trained]
        for explainer in EXPLAINERS:
            for pair, (i, j) in PAIRS.items():
                both = (likeness(answers[i][explainer][d.id], answers[j][explainer][d.id]) for d in documents)
                found.setdefault((explainer, pair), []).extend(one for one in both if one)
    yield "| explainer | n | " + " | ".join(f"{pair}: weights | sizes" for pair in PAIRS) + " |"
    yield f"|---|{'--:|' * (1 + 2 * len(PAIRS))}"
    for explainer in EXPLAINERS:
        rows = [found[explainer, pair] for pair in PAIRS]
        cells = [_mean([one[k] for one in of_pair]) for of_pair in rows for k in (0, 1)]
        yield f"| {' | '.join([explainer, str(len(rows[-1])), *cells])} |"


def _mean(values: Sequence[float]) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.2f} ± {1.96 * error:.2f}"


def main() -> None:
    """Trains, explains and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20)
    torch.set_num_threads(1)
    print("\n".join(table(parser.parse_args().documents)))


if __name__ == "__main__":
    main()
