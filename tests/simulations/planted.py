"""Small transformers whose reasons are known: planted causes, trained in seconds; random and permuted weights; bags.

A text is 12 to 24 words of a vocabulary of 120, most of which mean nothing. The label follows from

    word       whether `alpha` is in the text
    pair       whether both `alpha` and `beta` are
    negation   whether there is `good` without a `not` before it, or `bad` with one
    position   whether `alpha` is the first word; elsewhere it means nothing
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

SIGNS = ("alpha", "beta", "good", "bad", "not")
FILLERS = tuple(a + b for a in ("ba", "co", "du", "fe", "gi", "ha", "jo", "ku", "le", "mi") for b in "bdfgklmnprst")[
    :115
]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIZE = {
    "vocab_size": len(SPECIAL) + len(SIGNS) + len(FILLERS),
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "initializer_range": 0.1,
}
SMALL = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
ARCHITECTURES: dict[str, Callable[[], PreTrainedConfig]] = {
    "bert": lambda: BertConfig(**SIZE, **SMALL),
    "distilbert": lambda: DistilBertConfig(
        **SIZE, dim=48, n_layers=2, n_heads=4, hidden_dim=96, dropout=0.0, attention_dropout=0.0
    ),
    "electra": lambda: ElectraConfig(**SIZE, **SMALL, embedding_size=48),
    "roberta": lambda: RobertaConfig(**SIZE, **SMALL, type_vocab_size=1),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its label, and the words that are the reason for it; none where its label is the default."""

    words: tuple[str, ...]
    label: int
    cause: frozenset[str]


def fillers(random: np.random.Generator) -> list[str]:
    """The meaningless words of a text."""
    return random.choice(FILLERS, size=random.integers(12, 25), replace=False).tolist()


def _insert(words: list[str], random: np.random.Generator, *signs: str, first: int = 0) -> list[str]:
    for sign in signs:
        words.insert(int(random.integers(first, len(words) + 1)), sign)
    return words


def word(random: np.random.Generator) -> Text:
    """Whether `alpha` is there."""
    label = int(random.integers(2))
    words = _insert(fillers(random), random, *["alpha"] * label)
    return Text(tuple(words), label, frozenset(["alpha"] if label else []))


def pair(random: np.random.Generator) -> Text:
    """Whether `alpha` and `beta` are."""
    label = int(random.integers(2))
    signs = ("alpha", "beta") if label else ((), ("alpha",), ("beta",))[random.integers(3)]
    return Text(tuple(_insert(fillers(random), random, *signs)), label, frozenset(signs if label else ()))


def negation(random: np.random.Generator) -> Text:
    """Good, or not bad; everything else is 0: bad, not good, not alone, and nothing."""
    words, kind = fillers(random), int(random.integers(7))
    signs, label, cause = (
        (("good",), 1, ("good",)),
        (("good",), 1, ("good",)),
        (("not", "bad"), 1, ("not", "bad")),
        (("not", "good"), 0, ("not",)),
        (("bad",), 0, ()),
        (("not",), 0, ()),
        ((), 0, ()),
    )[kind]
    at = int(random.integers(len(words) + 1))
    words[at:at] = signs
    return Text(tuple(words), label, frozenset(cause))


def position(random: np.random.Generator) -> Text:
    """Whether the first word is `alpha`."""
    label = int(random.integers(2))
    words = fillers(random)
    words = ["alpha", *words] if label else _insert(words, random, "alpha", first=4)
    return Text(tuple(words), label, frozenset(["alpha"] if label else []))


PLANTED = {"word": word, "pair": pair, "negation": negation, "position": position}


def tokenizer() -> PreTrainedTokenizerFast:
    """A token for every word."""
    ids = {token: i for i, token in enumerate((*SPECIAL, *SIGNS, *FILLERS))}
    words = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    inputs = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=60, model_input_names=inputs, **names)


def fresh(architecture: str, seed: int, scale: float = 1.0) -> nn.Module:
    """An untrained model; `scale` multiplies its matrices."""
    torch.manual_seed(seed)
    config = ARCHITECTURES[architecture]()
    config.num_labels = 2
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
    return model


def permuted(model: nn.Module, seed: int) -> nn.Module:
    """Every tensor shuffled within itself."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return model


def trained(architecture: str, rule: str, seed: int, steps: int = 400) -> tuple[nn.Module, float]:
    """A model that has learned a rule, and its accuracy on texts that it has not seen."""
    random, encode = np.random.default_rng(seed), tokenizer()
    model = fresh(architecture, seed).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        inputs, labels = batch(encode, [with_fewer(PLANTED[rule](random), random) for _ in range(64)])
        loss = nn.functional.cross_entropy(model(**inputs).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        inputs, labels = batch(encode, [PLANTED[rule](random) for _ in range(400)])
        return model, float((model(**inputs).logits.argmax(1) == labels).float().mean())


def with_fewer(text: Text, random: np.random.Generator) -> Text:
    """The text without some of its meaningless words: the model is to know texts of any length."""
    kept = [word for word in text.words if word in SIGNS or random.random() < random.random() + 0.2]
    return Text(tuple(kept), text.label, text.cause)


def batch(encode: PreTrainedTokenizerFast, texts: list[Text]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Inputs and labels of some texts."""
    inputs = encode([" ".join(text.words) for text in texts], padding=True, return_tensors="pt")
    return dict(inputs), torch.tensor([text.label for text in texts])


def save(model: nn.Module, folder: Path) -> Path:
    """As a folder that the audit can load."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
