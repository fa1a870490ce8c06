"""Gradients of a model: those that inputs_embeds would give, for heads that classify and heads that write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from auditor.models import Differentiates, find, offers
from auditor.models.inputs import Points, UnreadableError
from auditor.models.text.prompt import Prompt
from auditor.records.types import Document, Span
from auditor.report.sections import provenance
from tests.models.architectures import build
from tests.models.tiny import TEXTS, load_on_cpu, save

CANDIDATES = (" good", " bad, really")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    root = tmp_path_factory.mktemp("gradients")

    def folder(name: str, task: str) -> Path:
        if not (root / f"{name}-{task}").exists():
            save(root / f"{name}-{task}", name, task)
        return root / f"{name}-{task}"

    return folder


def opened(folder: Path, **settings: Any) -> Any:
    return load_on_cpu(find(folder.name, folder), **settings)


def at_documents(model: Any, documents: list[Document], label: int = 0) -> Any:
    n = len(documents)
    return model.gradients(documents, model.ask(documents), Points(np.arange(n), np.full(n, label), np.ones(n)))


def by_document(found: Any, column: str) -> list[np.ndarray]:
    ends = np.cumsum([len(parts) for parts in found.parts])
    return np.split(getattr(found, column), ends[:-1])


def test_who_has_answers_has_gradients() -> None:
    given = {task: offers(task, Differentiates) for task in ("text-classification", "text-generation", "fill-mask")}
    assert given == {"text-classification": True, "text-generation": True, "fill-mask": False}


@pytest.mark.parametrize("name", ["albert", "electra", "deberta-v2", "modernbert", "gpt-neo", "gemma", "mobilebert"])
def test_exchanged_embeddings_are_what_inputs_embeds_would_be(tmp_path: Path, name: str) -> None:
    model = opened(build(tmp_path / name, name, "text-classification"))
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path / name).eval()
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS[:3])]
    for document, norms in zip(documents, by_document(at_documents(model, documents), "norms"), strict=True):
        batch = model.tokenizer(document.text, return_tensors="pt")
        vectors = stock.get_input_embeddings()(batch.pop("input_ids")).detach().requires_grad_()
        answer = stock(inputs_embeds=vectors, **batch).logits.double().softmax(-1)[0, 0]
        expected = torch.autograd.grad(answer, vectors)[0][0].norm(dim=-1).numpy()
        # Steep random models in float32: as far apart as a proof allows.
        assert norms == pytest.approx(expected, abs=1e-2 * float(expected.max()))


def _scores(stock: Any, vectors: torch.Tensor, continuation: tuple[int, ...]) -> torch.Tensor:
    """Log-probabilities of the tokens of a continuation behind a prompt of these embeddings."""
    given = stock.get_input_embeddings()(torch.tensor([continuation[:-1]], dtype=torch.long))
    logits = stock(inputs_embeds=torch.cat([vectors, given], dim=1)).logits[0, vectors.shape[1] - 1 :]
    return logits.double().log_softmax(-1)[range(len(continuation)), list(continuation)]


@pytest.mark.parametrize("name", ["gpt2", "llama"])
@pytest.mark.parametrize("candidates", [CANDIDATES, None])
def test_the_gradient_of_what_a_language_model_says_is_that_of_all_its_candidates(
    folders: Callable[[str, str], Path], name: str, candidates: tuple[str, ...] | None
) -> None:
    folder = folders(name, "text-generation")
    model = opened(folder, prompt="Film: {text}\nIt is", candidates=candidates, max_new_tokens=4)
    stock = AutoModelForCausalLM.from_pretrained(folder).eval()
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS[:3] * 2)]
    found = at_documents(model, documents)
    prompts = model.encode([(document.text, None) for document in documents])
    for i, (question, norms) in enumerate(zip(model.ask(documents), by_document(found, "norms"), strict=True)):
        vectors = stock.get_input_embeddings()(torch.tensor([prompts[i].ids])).detach().requires_grad_()
        scores = [_scores(stock, vectors, one) for one in question.continuations]
        answer = scores[0].mean() if question.free else torch.stack([one.sum() for one in scores]).softmax(0)[0]
        expected = torch.autograd.grad(answer, vectors)[0][0].norm(dim=-1).numpy()
        assert found.answers[i] == pytest.approx(float(answer.detach()), abs=1e-6)
        assert norms == pytest.approx(expected, abs=2e-5 * float(expected.max()))  # float32 of both


def test_only_the_tokens_of_the_document_have_a_place_in_a_prompt(folders: Callable[[str, str], Path]) -> None:
    template = "Text: {text}\nAgain: {text}\nAnd {pair}."
    model = opened(folders("gpt2", "text-generation"), prompt=template, candidates=CANDIDATES)
    document = Document("d", "not bad", pair="at all")
    (parts,) = at_documents(model, [document]).parts
    read = [getattr(document, span.field)[span.start : span.stop] for span in parts if span.start < span.stop]
    assert "".join(read).replace(" ", "") == "notbadnotbadatall"
    assert sum(span == Span(0, 0) for span in parts) > 5


def test_a_text_that_does_not_fit_has_parts_up_to_where_it_is_cut(folders: Callable[[str, str], Path]) -> None:
    model = opened(folders("gpt2", "text-generation"), prompt="{text} It is", candidates=CANDIDATES, max_length=30)
    document = Document("d", " ".join(TEXTS))
    (parts,) = at_documents(model, [document]).parts
    assert len(parts) == len(model.encode([(document.text, None)])[0].ids) <= 30
    assert 0 < max(span.stop for span in parts) < len(document.text)


class _Trimming:
    """A chat template that takes away white space around a message, or shouts."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self.change = change

    def render(self, message: str) -> str:
        return f"<u>{self.change(message)}</u>"

    def around(self, messages: tuple[str, ...]) -> tuple[str, str] | None:
        assert messages == ()
        return "<u>", "</u>"


def test_words_are_found_in_a_chat_that_trims_and_refused_in_one_that_changes_them() -> None:
    prompt = Prompt(" {text}!", _Trimming(str.strip))  # type: ignore[arg-type]
    assert prompt.fill(("ab c", None)) == "<u>ab c!</u>"
    spans = [Span(0, 3), Span(3, 5), Span(5, 7), Span(7, 8), Span(6, 9), Span(0, 0)]
    nowhere = Span(0, 0)
    assert prompt.places(("ab c", None), spans) == (nowhere, Span(0, 2), Span(2, 4), nowhere, Span(3, 4), nowhere)
    with pytest.raises(UnreadableError, match="changes the text"):
        Prompt("{text}", _Trimming(str.upper)).places(("ab", None), spans)  # type: ignore[arg-type]


def test_a_proof_says_how_gradients_are_asked_for(folders: Callable[[str, str], Path]) -> None:
    model = opened(folders("bert", "text-classification"))
    assert "gradients" not in model.proofs
    at_documents(model, [Document("d", TEXTS[0])])
    proof = model.proofs["gradients"]
    assert (proof.way, proof.unit, proof.difference < 1e-5) == ("padded", "gradient", True)
    assert (proof.question in provenance._QUESTIONS, proof.unit in provenance._UNITS) == (True, True)
    n_before = model.batcher.n_batches
    at_documents(model, [Document("d", TEXTS[0])])
    assert model.batcher.n_batches == n_before + 1, "the proof is made once, and not counted"


def test_gradients_that_neighbours_change_are_taken_one_by_one(folders: Callable[[str, str], Path]) -> None:
    model = opened(folders("bert", "text-classification"))

    def leak(_: object, __: object, states: torch.Tensor) -> torch.Tensor:
        return states + (states - states.detach()).mean(0, keepdim=True)  # the answer stays, its gradient does not

    model.model.dropout.register_forward_hook(leak)
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS)]
    together = by_document(at_documents(model, documents), "norms")
    assert model.proofs["gradients"].way == "one by one"
    for document, norms in zip(documents, together, strict=True):
        (alone,) = by_document(at_documents(model, [document]), "norms")
        assert np.array_equal(norms, alone)


def test_a_batch_that_does_not_fit_is_halved_and_other_probes_keep_their_budget(
    folders: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(folders("bert", "text-classification"))
    documents = [Document(str(i), TEXTS[0]) for i in range(8)]
    expected, budget, explained = at_documents(model, documents).norms, model.batcher.budget, model.explained

    def small(texts: Any, questions: Any, labels: Any) -> torch.Tensor:
        if len(texts) > 3:
            raise torch.OutOfMemoryError
        return explained(texts, questions, labels)

    monkeypatch.setattr(model, "explained", small)
    assert at_documents(model, documents).norms == pytest.approx(expected, rel=1e-4)
    assert model.batcher.budget == budget
    assert model.batcher.n_halvings > 0


def test_in_half_precision_gradients_are_those_of_float32_up_to_its_rounding(
    folders: Callable[[str, str], Path],
) -> None:
    folder, documents = folders("bert", "text-classification"), [Document(str(i), text) for i, text in enumerate(TEXTS)]
    exact = at_documents(opened(folder), documents).inputs
    for dtype, tolerance in (("bfloat16", 0.1), ("float16", 0.02)):
        half = at_documents(opened(folder, dtype=dtype), documents).inputs
        assert half == pytest.approx(exact, abs=tolerance * np.abs(exact).max())
        assert np.count_nonzero(half) == np.count_nonzero(exact)
