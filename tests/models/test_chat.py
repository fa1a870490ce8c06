"""Chat models: what they read is what the tokenizer's own chat template gives, and no token stands there twice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from auditor import models
from auditor.corpus.segments import perturb, segment
from auditor.errors import ModelError
from auditor.models import TextGeneration, find, load
from auditor.models.text.chat import chat_template
from auditor.probes.contract import Sitting
from auditor.probes.perplexity import PerplexityProbe
from auditor.records.types import Document, Perplexity
from tests.models.tiny import TEXTS, byte_pairs, config_of, load_on_cpu

CHATML = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TRIMMING = CHATML.replace("m.content", "m.content | trim")
PROMPTS = ("{text}", "Review: {text}\nVerdict:", "Say <|im_end|> {text} and {pair}")
CANDIDATES = ["good", " bad, bad"]


def saved(folder: Path, template: str | None) -> Path:
    tokenizer = byte_pairs()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = config_of("llama", len(tokenizer))
    config.max_position_embeddings = 128
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("chat")
    templates = {"chatml": CHATML, "trimming": TRIMMING}
    return {name: saved(root / name, template) for name, template in templates.items()}


def loaded(folder: Path, prompt: str = "{text}", **more: object) -> TextGeneration:
    model = load_on_cpu(find("m", folder), chat=True, prompt=prompt, candidates=CANDIDATES, **more)
    assert isinstance(model, TextGeneration)
    return model


def by_the_tokenizer(folder: Path, message: str) -> list[int]:
    """What transformers gives the model for a user's message."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": message}]
    return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"])


@pytest.mark.parametrize("name", ["chatml", "trimming"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompts_are_those_of_the_tokenizers_own_chat_template(
    folders: dict[str, Path], name: str, prompt: str
) -> None:
    model, tokenizer = loaded(folders[name], prompt), AutoTokenizer.from_pretrained(folders[name])
    texts = [*TEXTS, "  leading and trailing \n", ""]
    for text, found in zip(texts, model.encode([(text, "it") for text in texts]), strict=True):
        wanted = by_the_tokenizer(folders[name], prompt.replace("{text}", text).replace("{pair}", "it"))
        assert list(found.ids) == wanted
        assert wanted.count(tokenizer.bos_token_id) == 1


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(("name", "always"), [("chatml", True), ("trimming", False)])
def test_perturbations_go_through_the_template_assembled_or_one_by_one(
    folders: dict[str, Path], name: str, prompt: str, always: bool
) -> None:
    model, document = loaded(folders[name], prompt), Document("d", TEXTS[0], pair="nobody")
    segments = segment(document, "words")[1]
    keep = np.random.default_rng(0).random((40, len(segments))) < 0.6
    keep[0], keep[1] = True, False
    wanted = model.encode(perturb(document, segments, keep))
    assembled = model.assemble(document, segments, keep)
    assert (assembled is not None) == (always or prompt.startswith("Review"))
    if assembled is not None:
        assert np.array_equal(assembled.ids, wanted.ids)
        assert np.array_equal(assembled.lengths, wanted.lengths)


def test_a_special_token_in_the_text_is_left_to_the_tokenizer(folders: dict[str, Path]) -> None:
    model, document = loaded(folders["chatml"]), Document("d", "so <|im_end|> good it is")
    segments = segment(document, "words")[1]
    assert model.assemble(document, segments, np.ones((3, len(segments)), dtype=bool)) is None


def test_a_special_token_that_a_deletion_would_complete_is_left_to_the_tokenizer(folders: dict[str, Path]) -> None:
    model, document = loaded(folders["chatml"], "Tag <|im_en{text}"), Document("d", "or d|> good")
    segments = segment(document, "words")[1]
    assert model.assemble(document, segments, np.ones((3, len(segments)), dtype=bool)) is None


def test_candidates_are_scored_behind_the_beginning_of_the_answer(folders: dict[str, Path]) -> None:
    model = loaded(folders["chatml"])
    stock = AutoModelForCausalLM.from_pretrained(folders["chatml"]).eval()
    tokenizer = AutoTokenizer.from_pretrained(folders["chatml"])
    [question] = model.ask([Document("d", TEXTS[0])])
    found = model.outputs(model.encode([(TEXTS[0], None)]), [question])[0]
    prompt = by_the_tokenizer(folders["chatml"], TEXTS[0])
    for candidate, score in zip(CANDIDATES, found.tolist(), strict=True):
        answer = tokenizer(candidate, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logprobs = stock(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        wanted = sum(float(logprobs[len(prompt) - 1 + i, token]) for i, token in enumerate(answer))
        assert score == pytest.approx(wanted, abs=1e-4)


def test_a_free_continuation_is_what_generate_gives_behind_the_template(folders: dict[str, Path]) -> None:
    model = load_on_cpu(find("m", folders["chatml"]), chat=True, max_new_tokens=8)
    assert isinstance(model, TextGeneration)
    [question] = model.ask([Document("d", TEXTS[0])])
    prompt = torch.tensor([by_the_tokenizer(folders["chatml"], TEXTS[0])])
    stock = AutoModelForCausalLM.from_pretrained(folders["chatml"]).eval()
    wanted = stock.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False)
    assert list(question.continuations[0]) == wanted[0, prompt.shape[1] :].tolist()


def test_a_text_that_is_too_long_loses_its_end_and_the_template_stays_whole(folders: dict[str, Path]) -> None:
    model = loaded(folders["chatml"])
    [found] = model.encode([(" ".join(TEXTS * 5), None)])
    assert found.truncated
    text = model.tokenizer.decode(list(found.ids))
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert text.startswith("<|endoftext|><|im_start|>user\n")


def test_perplexity_is_that_of_the_text_alone_and_says_so(folders: dict[str, Path]) -> None:
    plain = load(find("m", folders["chatml"]), device="cpu")
    documents = [Document("d", TEXTS[0])]
    [bare] = PerplexityProbe().measure(plain, documents, Sitting(0))
    [chatting] = PerplexityProbe().measure(loaded(folders["chatml"]), documents, Sitting(0))
    assert isinstance(bare, Perplexity)
    assert isinstance(chatting, Perplexity)
    assert chatting.logprobs == pytest.approx(bare.logprobs, abs=1e-5)
    assert bare.method == "rolling windows"
    assert chatting.method == "rolling windows over the text alone, without the chat template"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        ("{{ raise_exception('needs a system message') }}", "needs a system message"),
        ("{{ messages", "cannot be applied"),
        ("{{ messages[1].content }}", "cannot be applied"),
        ("<|im_start|>assistant", "leaves out a user's message"),
    ],
)
def test_a_template_that_is_missing_or_fails_is_refused_before_weights_load(
    tmp_path: Path, template: str | None, message: str
) -> None:
    folder = saved(tmp_path / "m", template)
    with pytest.raises(ModelError, match=message):
        models.check_chat(find("m", folder))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_template_that_asks_for_the_day_gets_the_same_on_every_day(quote: str) -> None:
    tokenizer = byte_pairs()
    call = f"strftime_now({quote}%d %b %Y{quote})"
    tokenizer.chat_template = "{% if strftime_now is defined %}Today: {{ " + call + " }} {% endif %}" + CHATML
    assert chat_template("m", tokenizer).render("hi").startswith("Today: 26 Jul 2024 <|endoftext|>")


def test_a_checkpoint_knows_of_its_template_and_hashes_it(folders: dict[str, Path], tmp_path: Path) -> None:
    found = find("m", folders["chatml"])
    assert found.has_chat_template
    assert "chat_template.jinja" in found.hashes
    assert not find("m", saved(tmp_path / "bare", None)).has_chat_template
    other = find("m", saved(tmp_path / "other", TRIMMING))
    assert other.tokenizer_sha256 != found.tokenizer_sha256
