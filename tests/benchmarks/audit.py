"""The whole audit against the notebook that people write instead: the same questions, with the usual tools.

The notebook asks the same 50 documents through a pipeline, explains them with `lime` at the same number of samples,
asks for all attention matrices, scores the texts as `evaluate` does, and prints coloured words and tables through
WeasyPrint. Ours also keeps its evidence, draws intervals and judges. They take turns every few documents: the clock of
a shared machine changes more in ten minutes than what is measured.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from unittest.mock import patch

import numpy as np
from transformers import AutoModel, AutoModelForCausalLM

from auditor import audit, config
from auditor.probes.lime.probe import Z_95
from auditor.records.explanations import Explanation
from auditor.records.types import AttentionStatistics, Document, Perplexity, Prediction
from auditor.running import context, worker
from tests.benchmarks import attention, materials, perplexity
from tests.benchmarks.lime import Package
from tests.benchmarks.measuring import Spread, Timed, Turns, forward_clock
from tests.benchmarks.results import Row, Setting, agree

N_DOCUMENTS, N_SAMPLES = 50, 1000
SLICE = 5
"""Documents after which it is another contender's turn."""
SHARE = 0.85
NOTEBOOK = "notebook of pipeline, lime, output_attentions, evaluate, WeasyPrint"


@dataclass(frozen=True)
class Notebook:
    """What the usual tools found; one entry per document."""

    probabilities: np.ndarray
    coefficients: list[np.ndarray]
    attention: list[dict[str, np.ndarray]]
    nll: list[float]
    """Mean nats per token."""
    pdf: bytes


@dataclass(frozen=True)
class Slices:
    """Hears how far the work is, and lets the others go on after every part of it."""

    over: Callable[[], None]

    def start(self, total_documents_by_probe: dict[str, int]) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, probe: str, documents: int) -> None:  # noqa: ARG002  (the protocol's signature)
        self.over()


def rows(setting: Setting) -> Iterator[Row]:
    """At the same number of samples, and as an audit is by default; nothing in a quick run, it takes too long."""
    if setting.quick:
        return
    documents = list(materials.reviews()[:: len(materials.reviews()) // N_DOCUMENTS])
    causal = materials.causal(setting.folder)
    multiples: list[float] = []
    fixed = _configured(setting.folder, documents, causal, {"n_samples": N_SAMPLES})
    default = _configured(setting.folder, documents, causal, {})
    contenders = {
        "theirs": partial(_notebook, documents, causal),
        "ours": partial(_clocked, fixed, multiples),
        "default": partial(_audit, default),
    }
    found = Turns(contenders).run()
    same = _same(documents, found["ours"].result, found["theirs"].result)
    theirs, ours, auto = (found[name].seconds for name in contenders)
    what = f"whole audit, {len(documents)} documents"
    yield Row.peer(f"{what}, LIME at N = {N_SAMPLES:,}", NOTEBOOK, theirs, ours, 3.0, same)
    remark, as_good = _precision(documents, found)
    default = Row.peer(f'{what}, LIME "auto"', f"{NOTEBOOK}, N = {N_SAMPLES:,}", theirs, auto, 3.0, remark)
    yield replace(default, as_good=as_good)
    multiple = Spread(tuple(multiples), "× the forward passes")
    yield Row.absolute(f"{what}, CPU of measuring", "model forwards", multiple, 1 / SHARE, "at least 85 % of it")


def _precision(documents: list[Document], found: dict[str, Timed]) -> tuple[str, bool]:
    """How wide the widest 95 % interval of a document is by default; whether it is no wider at the notebook's N."""

    def widest(name: str) -> float:
        kept = context.read_evidence(found[name].result.run).measured("lime", Explanation)
        targets = [kept[document.id].targets[0] for document in documents if kept[document.id].is_sampled]
        return median(max(one.standard_errors) * Z_95 / max(map(abs, one.weights)) for one in targets)

    auto, fixed = widest("default"), widest("ours")
    interval = f"± {auto:.1%} of its largest weight (± {fixed:.1%} at N = {N_SAMPLES:,})"
    return f"ours by default; widest 95 % interval of a document, in the median {interval}", auto <= fixed


def _configured(folder: Path, documents: list[Document], causal: Path, lime: dict[str, int]) -> config.Config:
    corpus, file = folder / "documents.jsonl", folder / "audit.yaml"
    rows = [{"id": d.id, "text": d.text, "label": d.labels[0]} for d in documents]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tables = {
        "corpus": {"path": str(corpus)},
        "model": {"name": str(materials.SENTIMENT), "device": "cpu", "dtype": "float32"},
        "probes": {
            "prediction": {},
            "lime": {**lime, "segmenter": "lime"},
            "attention": {},
            "perplexity": {"model": str(causal)},
        },
        "run": {"output": str(folder / "runs"), "shard_size": SLICE, "cache": False},
    }
    file.write_text(json.dumps(tables), encoding="utf-8")  # JSON is YAML
    return config.load(file, {}, environment={})


def _audit(settings: config.Config, over: Callable[[], None]) -> audit.Result:
    """Ours."""
    return audit.run(settings, fresh=True, progress=Slices(over))


def _clocked(settings: config.Config, shares: list[float], over: Callable[[], None]) -> audit.Result:
    """Ours; notes the CPU seconds of measuring as a multiple of those of the forward passes."""
    spent = forwards = 0.0
    measure, own = worker.measure, threading.get_ident()

    def clocked(*arguments: Any) -> list[Any]:
        nonlocal spent, forwards
        start, before = process_time(), clock.seconds
        found = measure(*arguments)
        if threading.get_ident() == own:
            spent += process_time() - start
            forwards += clock.seconds - before
        return found

    with forward_clock() as clock, patch.object(worker, "measure", clocked):
        result = _audit(settings, over)
    shares.append(spent / forwards)
    return result


def _notebook(documents: list[Document], causal: Path, over: Callable[[], None]) -> Notebook:
    texts = [document.text for document in documents]
    answer = materials.answering(materials.SENTIMENT)
    package = Package(answer)
    tokenizer = materials.word_pieces()
    eager = materials.plain(materials.SENTIMENT, AutoModel, "eager")
    language_model = materials.plain(causal, AutoModelForCausalLM)
    probabilities = answer(texts)
    coefficients = []
    for number, document in enumerate(documents, 1):
        coefficients.append(package.explain(document, N_SAMPLES, num_features=10**6))
        if number % SLICE == 0:
            over()
    heads = [attention.of_text(eager, tokenizer, text) for text in texts]
    nll = perplexity.evaluate_style(language_model, materials.byte_pairs(), texts)
    pdf = _pdf(documents, probabilities, coefficients, heads, nll)
    return Notebook(probabilities, coefficients, heads, nll, pdf)


def _pdf(
    documents: list[Document],
    probabilities: np.ndarray,
    coefficients: list[np.ndarray],
    heads: list[dict[str, np.ndarray]],
    nll: list[float],
) -> bytes:
    """What a notebook prints: a style on every word, plain tables."""
    from weasyprint import HTML

    answers = "".join(
        f"<tr><td>{document.id}</td><td>{row.argmax()}</td><td>{row.max():.3f}</td><td>{np.exp(nats):.1f}</td></tr>"
        for document, row, nats in zip(documents, probabilities, nll, strict=True)
    )
    means = {name: np.mean([own[name] for own in heads], axis=0).ravel() for name in attention.STATISTICS}
    table = "".join(
        f"<tr><td>{i}</td>{''.join(f'<td>{values[i]:.3f}</td>' for values in means.values())}</tr>"
        for i in range(len(means["entropy"]))
    )
    marked = "".join(f"<p>{_marked(d.text, own)}</p>" for d, own in zip(documents, coefficients, strict=True))
    return HTML(string=f"<h1>Audit</h1><table>{answers}</table>{marked}<table>{table}</table>").write_pdf()


def _marked(text: str, coefficients: np.ndarray) -> str:
    places = {word: i for i, word in enumerate(dict.fromkeys(re.findall(r"\w+", text)))}
    largest = np.abs(coefficients).max() or 1.0

    def mark(piece: str) -> str:
        weight = coefficients[places[piece]] / largest if piece in places else 0.0
        colour = f"rgba({'0,0,200' if weight > 0 else '200,0,0'},{abs(weight):.2f})"
        return f'<span style="background-color:{colour}">{escape(piece)}</span>'

    return "".join(mark(piece) for piece in re.split(r"(\w+)", text) if piece)


def _same(documents: list[Document], result: audit.Result, theirs: Notebook) -> str:
    """Every number of every document that both have."""
    kept = context.read_evidence(result.run)
    worst: dict[str, float] = dict.fromkeys(("probabilities", "coefficients", "attention", "log-probabilities"), 0.0)

    def seen(name: str, difference: float) -> None:
        worst[name] = max(worst[name], difference)

    n_exact = 0
    for i, document in enumerate(documents):
        answer, explained = kept.of("prediction")[document.id], kept.of("lime")[document.id]
        heads, scored = kept.of("attention")[document.id], kept.of("perplexity")[document.id]
        assert isinstance(answer, Prediction), answer
        assert isinstance(explained, Explanation), explained
        assert isinstance(heads, AttentionStatistics), heads
        assert isinstance(scored, Perplexity), scored
        seen("probabilities", float(np.abs(np.array(answer.probabilities) - theirs.probabilities[i]).max()))
        seen("attention", attention.difference(heads, theirs.attention[i]))
        seen("log-probabilities", abs(float(-np.mean(scored.logprobs)) / theirs.nll[i] - 1))
        n_exact += not explained.is_sampled
        if explained.is_sampled:
            own = np.array(explained.targets[0].weights)
            seen("coefficients", float(np.abs(own - theirs.coefficients[i]).max()))
    agreed = "; ".join(agree(name, value, 1e-4) for name, value in worst.items())
    return f"{agreed}; {n_exact} short documents enumerated instead of sampled"
