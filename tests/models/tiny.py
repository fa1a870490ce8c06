"""Tiny models of every family we promise, random weights, saved as a Hugging Face folder and loaded like any."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    XLMRobertaConfig,
)

from auditor.models import Checkpoint, Settings, load

TEXTS = [
    "The film is not bad at all, and the ending is quietly moving.",
    "Dull, dull, dull: a waste of two hours!",
    "I don't know what they were thinking; it's a mess.",
    "这部电影一点都不好看。",
    "A café in Paris, naïve and charming. Really?\n\nYes.",
    "Good.",
]

ENCODERS = ("bert", "distilbert", "roberta", "xlm-roberta", "electra")
MAKERS = {
    "text-classification": AutoModelForSequenceClassification,
    "text-generation": AutoModelForCausalLM,
    "fill-mask": AutoModelForMaskedLM,
}
DECODERS = ("gpt2", "gpt_neox", "llama", "qwen2", "qwen3", "mistral")


def word_pieces() -> PreTrainedTokenizerFast:
    """A BERT-like tokenizer, trained on `TEXTS`."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=250, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def byte_pairs(*, roberta: bool = False) -> PreTrainedTokenizerFast:
    """A GPT-2-like tokenizer, trained on `TEXTS`; RoBERTa-like with <s> and </s> around."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<mask>"] if roberta else ["<|endoftext|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(TEXTS, trainer)
    if not roberta:
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            bos_token="<|endoftext|>",
            eos_token="<|endoftext|>",
            model_input_names=["input_ids", "attention_mask"],
        )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        mask_token="<mask>",
        model_input_names=["input_ids", "attention_mask"],
    )


def config_of(family: str, vocab_size: int) -> PreTrainedConfig:
    """Two layers, four heads, 32 dimensions; two key heads where queries are grouped, a window of 8 for Mistral."""
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    bert = {**small, "vocab_size": vocab_size, "max_position_embeddings": 64}
    llama = {
        **small,
        "vocab_size": vocab_size,
        "max_position_embeddings": 64,
        "num_key_value_heads": 2,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": None,
    }
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    match family:
        case "bert":
            return BertConfig(**bert)
        case "deberta-v2":
            return DebertaV2Config(**bert, relative_attention=True, pos_att_type=["p2c", "c2p"])
        case "distilbert":
            return DistilBertConfig(
                vocab_size=vocab_size, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=64
            )
        case "electra":
            return ElectraConfig(**bert, embedding_size=16)
        case "roberta":
            return RobertaConfig(**{**bert, "max_position_embeddings": 66}, pad_token_id=1)
        case "xlm-roberta":
            return XLMRobertaConfig(**{**bert, "max_position_embeddings": 66}, pad_token_id=1)
        case "gpt2":
            return GPT2Config(vocab_size=vocab_size, n_embd=32, n_layer=2, n_head=4, n_positions=64, **ends)
        case "gpt_neox":
            return GPTNeoXConfig(**small, vocab_size=vocab_size, max_position_embeddings=64, **ends)
        case "llama":
            return LlamaConfig(**llama)
        case "qwen2":
            return Qwen2Config(**llama)
        case "qwen3":
            return Qwen3Config(**llama, head_dim=8)
        case "mistral":
            return MistralConfig(**llama, sliding_window=8)
    raise AssertionError(family)


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    """The kind of tokenizer the family has."""
    if family in ("bert", "deberta-v2", "distilbert", "electra"):
        return word_pieces()
    return byte_pairs(roberta="roberta" in family)


def load_on_cpu(checkpoint: Checkpoint, **given: Any) -> Any:
    """A model on the CPU; keywords are those of `load` and fields of `Settings`."""
    asked = {field.name: given.pop(field.name) for field in fields(Settings) if field.name in given}
    return load(checkpoint, Settings(**asked), **{"device": "cpu", **given})


def save(folder: Path, family: str, task: str, **labels: object) -> Path:
    """A folder with a model of the family for the task, random weights of a useful size."""
    tokenizer = tokenizer_of(family)
    config = config_of(family, len(tokenizer))
    for key, value in labels.items():
        setattr(config, key, value)
    torch.manual_seed(sum(map(ord, family)))
    model = MAKERS[task].from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
