"""Models whose gradients are known by construction, or by rounding alone; and the three probes that ask for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from auditor.models import TextClassification, find
from auditor.models.computing.batching import Batcher
from auditor.probes.contract import Sitting
from auditor.probes.gradients.input_x_gradient import InputXGradientProbe
from auditor.probes.gradients.integrated_gradients import IntegratedGradientsProbe
from auditor.probes.gradients.saliency import SaliencyProbe
from auditor.records.types import Document
from tests.models.tiny import load_on_cpu, save
from tests.probes.stubs import identity

WEIGHTS = (2.0, -1.0, 0.5, 0.0, 1.0)
BIAS = -0.5
LABELS, NAMES = ("no", "yes"), ("x", "y", "z")
PROBES = (SaliencyProbe, InputXGradientProbe, IntegratedGradientsProbe)


class BagConfig(PreTrainedConfig):
    model_type = "bag-of-words"


class Bag(PreTrainedModel):
    """σ(Σ w_i + b) over the words a … e, float64; the padding token has the embedding 0."""

    config_class = BagConfig

    def __init__(self, config: BagConfig) -> None:
        super().__init__(config)
        self.words = nn.Embedding.from_pretrained(torch.tensor([[0.0], *([w] for w in WEIGHTS)]).double())

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> SequenceClassifierOutput:
        read = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        yes = (self.words(input_ids)[..., 0] * read).sum(-1) + BIAS
        return SequenceClassifierOutput(logits=torch.stack([torch.zeros_like(yes), yes], dim=-1))


def bag() -> TextClassification:
    words = {"[PAD]": 0, **{word: i for i, word in enumerate("abcde", start=1)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    inputs = ["input_ids", "attention_mask"]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", model_input_names=inputs)
    return TextClassification(Bag(BagConfig(pad_token_id=0)).eval(), fast, identity(LABELS), Batcher(256))


def rows(probe: type[Any], model: Any, *documents: Document, **parameters: Any) -> list[Any]:
    return list(probe(**parameters).measure(model, documents, Sitting(0)))


def shelf(root: Path) -> Callable[[str], Path]:
    """Folders of tiny classifiers by family, made when they are first asked for."""

    def folder(name: str) -> Path:
        if not (root / name).exists():
            save(root / name, name, "text-classification", id2label=dict(enumerate(NAMES)))
        return root / name

    return folder


def opened(folder: Path, **settings: Any) -> Any:
    return load_on_cpu(find(folder.name, folder, task="text-classification"), **settings)


def exact(folder: Path) -> TextClassification:
    """The model of a folder in float64, which no rounding of float32 hides."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).double().eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return TextClassification(model, tokenizer, identity(NAMES, max_length=60), Batcher(256))
