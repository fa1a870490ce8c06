"""One contract for every adapter and family: order, batch, padding, neighbours, eval mode, attention rows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from auditor.errors import ModelError
from auditor.models import TextClassification, TextGeneration, Window, find, load
from auditor.models.attention.reduction import STATISTICS
from auditor.models.computing.batching import Way
from auditor.models.inputs import Encoded, Sequences
from auditor.models.text.continuations import Continuations
from auditor.probes.attention import punctuation
from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.records.explanations import Explanation, Segment
from auditor.records.types import Document, Span
from tests.models.tiny import DECODERS, ENCODERS, TEXTS, load_on_cpu, save

CASES = [(family, "text-classification") for family in ENCODERS + DECODERS] + [
    (family, "text-generation") for family in DECODERS
]


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Every family and task, saved once."""
    root = tmp_path_factory.mktemp("models")
    return {case: save(root / "-".join(case), *case) for case in CASES}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def folder(request: pytest.FixtureRequest, folders: dict[tuple[str, str], Path]) -> Path:
    return folders[request.param]


def opened(folder: Path, **settings: object) -> TextClassification | TextGeneration:
    generation = folder.name.endswith("generation")
    more = {"candidates": (" good", " bad, really"), "prompt": "Review: {text}\nIt is"} if generation else {}
    return load_on_cpu(find("tiny", folder), **{**more, **settings})


def answer(model: TextClassification | TextGeneration, texts: list[str]) -> torch.Tensor:
    documents = [Document(str(i), text) for i, text in enumerate(texts)]
    return model.outputs(model.encode([(text, None) for text in texts]), model.ask(documents))


def test_the_task_comes_from_the_checkpoint(folder: Path) -> None:
    assert folder.name.endswith(find("tiny", folder).task)


def test_answers_do_not_depend_on_batch_size_neighbours_or_order(folder: Path) -> None:
    model = opened(folder)
    together = answer(model, TEXTS)
    alone = torch.cat([answer(model, [text]) for text in TEXTS])
    backwards = answer(model, TEXTS[::-1]).flip(0)
    small = answer(opened(folder, batch_tokens=1), TEXTS)
    for other in (alone, backwards, small):
        torch.testing.assert_close(together, other, rtol=1e-5, atol=1e-5)


def test_answers_equal_those_of_the_model_called_by_hand(folder: Path) -> None:
    model = opened(folder)
    if isinstance(model, TextGeneration):
        prompt = model.tokenizer("Review: Good.\nIt is")["input_ids"]
        for k, candidate in enumerate((" good", " bad, really")):
            ids = model.tokenizer(candidate)["input_ids"]
            logits = model.model(torch.tensor([prompt + ids])).logits[0].log_softmax(-1)
            by_hand = sum(float(logits[len(prompt) - 1 + i, token]) for i, token in enumerate(ids))
            assert float(answer(model, ["Good."])[0, k]) == pytest.approx(by_hand, abs=1e-4)
    else:
        by_hand = model.model(**model.tokenizer(TEXTS[0], return_tensors="pt")).logits
        torch.testing.assert_close(answer(model, [TEXTS[0]]), by_hand, rtol=1e-5, atol=1e-5)


def test_probabilities_sum_to_one_and_gradients_are_off(folder: Path) -> None:
    model = opened(folder)
    outputs = answer(model, TEXTS)
    assert outputs.is_inference() or not outputs.requires_grad
    assert not model.model.training
    question = model.ask([Document("a", "b")])[0]
    assert model.probabilities(outputs, question).sum(1) == pytest.approx(np.ones(len(TEXTS)))


def test_a_text_longer_than_the_model_is_cut_and_says_so(folder: Path) -> None:
    model = opened(folder)
    long, short = model.encode([("bad film " * 200, None), ("bad", None)])
    assert (long.truncated, short.truncated) == (True, False)
    assert len(long.ids) <= model.identity.max_length
    assert torch.isfinite(answer(model, ["bad film " * 200])).all()


def test_attention_of_a_text_does_not_depend_on_its_neighbours(folder: Path) -> None:
    model = opened(folder)
    tokens = model.tokens([(text, None) for text in TEXTS])
    together = model.attention(tokens, [punctuation(t) for t in tokens])
    for text, own in zip(tokens, together, strict=True):
        alone = model.attention([text], [punctuation(text)])[0]
        assert own.received.sum() == pytest.approx(1)
        assert len(own.received) == len(text.texts)
        for name in STATISTICS:
            assert own.by_name[name].shape == (2, 4)
            np.testing.assert_allclose(own.by_name[name], alone.by_name[name], atol=1e-5)


def test_tokens_know_their_places(folder: Path) -> None:
    model = opened(folder)
    for text, tokens in zip(TEXTS, model.tokens([(text, None) for text in TEXTS]), strict=True):
        for piece, span, special in zip(tokens.texts, tokens.spans, tokens.special, strict=True):
            assert special or text[span.start : span.stop] == piece


@pytest.fixture(params=DECODERS)
def writer(request: pytest.FixtureRequest, folders: dict[tuple[str, str], Path]) -> TextGeneration:
    model = load_on_cpu(find("tiny", folders[(request.param, "text-generation")]), max_new_tokens=5)
    assert isinstance(model, TextGeneration)
    return model


def test_log_probabilities_equal_those_of_the_models_own_logits(writer: TextGeneration) -> None:
    windows = []
    for text in TEXTS[:4]:
        ids = writer.spell(text).encoded.ids
        windows += [Window(ids[:-1], ids[1:]), Window(ids[:-1], ids[-1:])]
    for window, found in zip(windows, writer.logprobs(windows), strict=True):
        logits = writer.model(torch.tensor([window.ids])).logits[0].log_softmax(-1)
        positions = range(len(window.ids) - len(window.targets), len(window.ids))
        by_hand = [float(logits[p, t]) for p, t in zip(positions, window.targets, strict=True)]
        np.testing.assert_allclose(found, by_hand, atol=1e-4)


def test_a_free_continuation_is_what_greedy_generation_gives(writer: TextGeneration) -> None:
    question = writer.ask([Document("a", TEXTS[0])])[0]
    ids = torch.tensor([writer.encode([(TEXTS[0], None)])[0].ids])
    wanted = writer.model.generate(ids, do_sample=False, max_new_tokens=5, pad_token_id=0)[0, ids.shape[1] :]
    assert question.free
    assert question.continuations[0] == tuple(wanted.tolist())
    assert writer.continuation(question) == writer.tokenizer.decode(wanted)
    mean = float(writer.outputs(writer.encode([(TEXTS[0], None)]), [question])[0, 0])
    window = Window((*ids[0].tolist(), *question.continuations[0][:-1]), question.continuations[0])
    assert mean == pytest.approx(writer.logprobs([window])[0].mean(), abs=1e-5)


def test_a_document_that_several_probes_ask_about_is_continued_once(
    writer: TextGeneration, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Document(str(i), text) for i, text in enumerate([*TEXTS, TEXTS[0]])]
    fresh = [writer.ask([document])[0] for document in documents]
    writer._continuations._known.clear()
    asked: list[int] = []
    write = Continuations._written

    def counted(one: Continuations, prompts: Sequences, way: Way, n_new: int) -> list[tuple[int, ...]]:
        asked.append(len(prompts))
        return write(one, prompts, way, n_new)

    monkeypatch.setattr(Continuations, "_written", counted)
    assert writer.ask(documents[:3]) == fresh[:3]
    assert writer.ask(documents) == fresh
    assert writer.ask(documents) == fresh
    assert asked == [3, len(TEXTS) - 3]
    monkeypatch.setattr("auditor.models.text.continuations.REMEMBERED", len(documents))
    assert writer.ask(documents) == fresh
    assert asked[2:] == [len(TEXTS)], "what would grow without end is begun anew"


def test_a_head_that_is_not_all_of_the_logits_is_noticed(writer: TextGeneration) -> None:
    assert writer._head_is_all
    forward = writer.model.forward

    def capped(*args: object, **kwargs: object) -> object:
        out = forward(*args, **kwargs)
        out.logits = torch.tanh(out.logits)
        return out

    writer.model.forward = capped
    assert not writer._head_gives_the_logits()


def test_several_labels_are_answered_by_a_sigmoid_each(tmp_path: Path) -> None:
    folder = save(
        tmp_path / "several-text-classification",
        "bert",
        "text-classification",
        problem_type="multi_label_classification",
        id2label={0: "a", 1: "b", 2: "c"},
        label2id={"a": 0, "b": 1, "c": 2},
    )
    model = load(find("tiny", folder), device="cpu")
    logits = answer(model, TEXTS)
    assert model.identity.multi_label
    assert model.identity.labels == ("a", "b", "c")
    torch.testing.assert_close(model.probabilities(logits, model.question), logits.double().sigmoid())


def test_pairs_reach_the_model_as_two_sentences(folders: dict[tuple[str, str], Path]) -> None:
    model = opened(folders[("bert", "text-classification")])
    encoded = model.encode([("Good.", "Dull!")])[0]
    by_hand = model.tokenizer("Good.", "Dull!")
    assert encoded.ids == tuple(by_hand["input_ids"])
    assert encoded.type_ids == tuple(by_hand["token_type_ids"])
    fields = {span.field for span in model.tokens([("Good.", "Dull!")])[0].spans}
    assert fields == {"text", "pair"}


def test_a_prompt_keeps_its_end_when_the_text_is_cut(folders: dict[tuple[str, str], Path]) -> None:
    model = opened(folders[("llama", "text-generation")])
    cut = model.encode([("bad film " * 200, None)])[0]
    assert model.tokenizer.decode(list(cut.ids)).endswith("\nIt is")
    assert cut.truncated


def test_an_architecture_that_hides_its_attention_is_refused(folders: dict[tuple[str, str], Path]) -> None:
    model = opened(folders[("bert", "text-classification")])
    model.model.config.num_hidden_layers = 3
    tokens = model.tokens([("Good.", None)])
    with pytest.raises(ModelError, match="expected the attention of 3 layers, saw 2"):
        model.attention(tokens, [punctuation(t) for t in tokens])


@pytest.fixture(params=[(family, task) for family, task in CASES if family in DECODERS], ids="-".join)
def bare(request: pytest.FixtureRequest, folders: dict[tuple[str, str], Path]) -> TextClassification | TextGeneration:
    """A model whose tokenizer adds nothing to a text, asked without a prompt."""
    model = opened(folders[request.param], **({"prompt": "{text}"} if request.param[1] == "text-generation" else {}))
    assert model.packs
    return model


def plainly(model: TextClassification | TextGeneration, ids: tuple[int, ...]) -> torch.Tensor:
    """What the model itself says about one text."""
    if isinstance(model, TextClassification):
        return model.model(input_ids=torch.tensor([ids])).logits[0]
    values = []
    for own in model._candidate_ids:
        logits = model.model(input_ids=torch.tensor([[*ids, *own]])).logits[0].log_softmax(-1)
        values.append(sum(logits[len(ids) - 1 + i, token] for i, token in enumerate(own)))
    return torch.stack(values)


@pytest.mark.parametrize("texts", [["Good film", "", "Bad"], ["", ""], ["", "Good film", "Bad", "Bad"], ["Dull!", ""]])
def test_an_empty_text_is_answered_as_its_prefix_token_alone(
    bare: TextClassification | TextGeneration, texts: list[str]
) -> None:
    assert bare.prefix == (0, "<|endoftext|>")
    sequences = bare.encode([(text, None) for text in texts])
    assert [text.ids for text, own in zip(sequences, texts, strict=True) if not own] == [(0,)] * texts.count("")
    wanted = torch.stack([plainly(bare, text.ids) for text in sequences])
    questions = bare.ask([Document(str(i), text) for i, text in enumerate(texts)])
    torch.testing.assert_close(bare.outputs(sequences, questions), wanted, rtol=1e-4, atol=1e-4)
    bare.packs, bare.fast = False, None
    torch.testing.assert_close(bare.outputs(sequences, questions), wanted, rtol=1e-4, atol=1e-4)
    bare._head_is_all = False
    torch.testing.assert_close(bare.outputs(sequences, questions), wanted, rtol=1e-4, atol=1e-4)


def test_a_neighbourhood_with_an_empty_text_is_assembled_as_it_is_encoded(
    bare: TextClassification | TextGeneration,
) -> None:
    document = Document("d", "Good12")
    segments = (Segment("Good", (Span(0, 4),)), Segment("12", (Span(4, 6),)))
    keep = np.array([[True, True], [False, False], [True, False], [False, False], [False, True]] * 3)
    assembled = bare.assemble(document, segments, keep)
    assert assembled is not None
    assert list(assembled) == [Encoded(text.ids) for text in bare.perturbed(document, segments, keep)]
    assert list(assembled) == [
        Encoded(text.ids) for text in bare.encode([(t, None) for t in ("Good12", "", "Good", "", "12")] * 3)
    ]
    questions = bare.ask([document]) * len(keep)
    wanted = torch.stack([plainly(bare, text.ids) for text in assembled])
    torch.testing.assert_close(bare.outputs(assembled, questions), wanted, rtol=1e-4, atol=1e-4)


def test_a_classifier_whose_padding_is_its_prefix_answers_an_empty_text_alike(tmp_path: Path) -> None:
    model = opened(save(tmp_path / "padded-text-classification", "gpt2", "text-classification", pad_token_id=0))
    sequences = model.encode([(text, None) for text in ("Good film", "", "Bad", "A long one, really.")])
    wanted = torch.stack([plainly(model, text.ids) for text in sequences])
    for _ in range(2):
        found = model.outputs(sequences, [model.question] * 4)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
        model.packs, model.fast = False, None


def test_an_empty_text_that_nothing_can_stand_for_is_an_error_of_that_text(
    bare: TextClassification | TextGeneration,
) -> None:
    bare.tokenizer.bos_token = bare.tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no first or last token to stand for it"):
        bare.encode([("Good", None), ("", None)])
    assert len(bare.encode([("Good", None)])) == 1


def test_special_tokens_and_prompts_already_stand_for_an_empty_text(
    folders: dict[tuple[str, str], Path],
) -> None:
    assert opened(folders["bert", "text-classification"]).encode([("", None)])[0].ids == (2, 3)
    asked = opened(folders["llama", "text-generation"])
    assert asked.tokenizer.decode(list(asked.encode([("", None)])[0].ids)) == "Review: \nIt is"


def test_a_stand_in_keeps_the_types_and_cuts_of_the_others() -> None:
    texts = Sequences.of([Encoded(()), Encoded((4, 5), (0, 1), True), Encoded(()), Encoded((6,), (1,)), Encoded(())])
    one = Encoded((9,), (0,))
    assert list(texts.with_stand_in(9)) == [one, Encoded((4, 5), (0, 1), True), one, Encoded((6,), (1,)), one]


@pytest.mark.parametrize("settings", [{"prompt": "too long " * 60 + "{text}"}, {"candidates": (" bad " * 60, " good")}])
def test_a_prompt_that_leaves_no_room_for_a_text_is_refused(
    folders: dict[tuple[str, str], Path], settings: dict[str, object]
) -> None:
    with pytest.raises(ModelError, match="but the model sees only 64: no room is left for a text; shorten the prompt"):
        opened(folders["llama", "text-generation"], **settings)


def test_a_continuation_that_leaves_no_room_is_refused(folders: dict[tuple[str, str], Path]) -> None:
    with pytest.raises(ModelError, match=r"the longest continuation 63.* or max_new_tokens"):
        opened(folders["gpt2", "text-generation"], candidates=None, max_new_tokens=63)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("bad film " * 200, "good " * 200), ("bad", "good " * 200), ("bad film " * 200, "good"), ("", "x " * 99)],
)
def test_a_pair_too_long_for_the_model_is_cut_like_the_text(
    folders: dict[tuple[str, str], Path], text: str, pair: str
) -> None:
    model = opened(folders["llama", "text-generation"], prompt="A: {text}\nB: {pair}\nIt is")
    cut = model.encode([(text, pair)])[0]
    assert cut.truncated
    assert model._room - 2 <= len(cut.ids) <= model._room
    said = model.tokenizer.decode(list(cut.ids))
    assert said.endswith("\nIt is")
    own, other = said.removeprefix("A: ").removesuffix("\nIt is").split("\nB: ")
    assert text.startswith(own)
    assert pair.startswith(other)
    shorter, longer = sorted([(own, text), (other, pair)], key=lambda kept: len(kept[1]))
    assert shorter[0] == shorter[1] or abs(len(model.spell(own).spans) - len(model.spell(other).spans)) <= 1
    assert longer[0] != longer[1]
    assert torch.isfinite(model.outputs(model.encode([(text, pair)]), model.ask([Document("d", text)]))).all()


@pytest.mark.parametrize("prompt", ["Review: {text}\nIt is", "{text}", "{text} or {text}", "A: {text}\nB: {pair}."])
@pytest.mark.parametrize("text", ["bad film " * 40, "Dull, 123 dull;  " * 12, "这部电影" * 9, "x" * 300])
def test_a_text_is_cut_no_more_than_it_must(
    folders: dict[tuple[str, str], Path], prompt: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(folders["llama", "text-generation"], prompt=prompt)
    pair = "good " * 30 if "{pair}" in prompt else None
    ends = [[0, *(span.stop for span in model.spell(field).spans)] for field in (text, pair or "")]
    tried = []
    for n in range(len(ends[0])):
        own, other = (f[: e[n]] if n < len(e) else f for f, e in zip((text, pair or ""), ends, strict=True))
        tried.append(model._encode_one((own, other)).ids)
    calls = []
    tokenize = model.tokenize
    monkeypatch.setattr(model, "tokenize", lambda *args, **kwargs: calls.append(1) or tokenize(*args, **kwargs))
    assert model.encode([(text, pair)])[0].ids == max((t for t in tried if len(t) <= model._room), key=len)
    assert len(calls) <= 5 or prompt.count("{text}") > 1 or not text.isascii()


def test_an_explanation_does_not_depend_on_the_document_before_it(
    folders: dict[tuple[str, str], Path],
) -> None:
    model = opened(folders["gpt2", "text-classification"])
    documents = [Document("a", "Good."), Document("b", "Dull"), Document("c", "Bad")]  # one word: what is left is empty
    probe = LimeProbe(n_samples=40, segmenter="characters")
    for found, document in zip(probe.measure(model, documents, Sitting(0)), documents, strict=True):
        alone = next(iter(probe.measure(model, [document], Sitting(0))))
        assert isinstance(found, Explanation)
        assert isinstance(alone, Explanation)
        assert found.targets[0].weights == pytest.approx(alone.targets[0].weights, abs=1e-4)
