"""Tiny models of many architectures, random weights that give answers which vary: a row each, and the tests grow by it.

A row says how the configuration is made; which tasks it is for is read off transformers' own mapping, unless it is
narrowed. Whatever is not said is small: 3 layers, 4 heads, 48 dimensions, texts of up to 96 tokens.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from auditor.models import find
from auditor.records.types import Document
from tests.models.tiny import MAKERS, byte_pairs, load_on_cpu, word_pieces

LONGEST = 96
HEADS = {"text-classification": "answers", "text-generation": "log-probabilities", "fill-mask": "log-probabilities"}
SMALL = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96}
BERT = {**SMALL, "max_position_embeddings": LONGEST}
LLAMA = {**BERT, "num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
ENDS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
EXPERTS = {"num_experts_per_tok": 2, "num_local_experts": 4}
LABELS = {"id2label": {0: "negative", 1: "neutral", 2: "positive"}, "num_labels": 3}


@dataclass(frozen=True)
class Architecture:
    """One row: what its configuration is made of."""

    config: type[hf.PreTrainedConfig]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ("text-classification", "text-generation", "fill-mask")
    tokenizer: Callable[[], hf.PreTrainedTokenizerFast] = byte_pairs
    scale: float = 3.0
    """By how much matrices of freshly made weights are multiplied."""

    def for_(self, task: str) -> bool:
        """Whether transformers has such a model."""
        return task in self.tasks and self.config in MAKERS[task]._model_mapping


def encoder(config: type[hf.PreTrainedConfig], **settings: Any) -> Architecture:
    """Reads in both directions, tokens by WordPiece."""
    return Architecture(config, {**BERT, **settings}, ("text-classification", "fill-mask"), word_pieces)


def decoder(config: type[hf.PreTrainedConfig], **settings: Any) -> Architecture:
    """Reads in one direction, tokens by byte pairs."""
    return Architecture(config, {**LLAMA, **settings}, ("text-classification", "text-generation"))


def bare(config: type[hf.PreTrainedConfig], *tasks: str, **settings: Any) -> Architecture:
    """Whose configuration has names of its own."""
    return Architecture(config, settings, tasks or ("text-classification", "text-generation"))


def other(config: type[hf.PreTrainedConfig], *tasks: str, **settings: Any) -> Architecture:
    """An encoder whose configuration has names of its own."""
    return Architecture(config, settings, tasks or ("text-classification", "fill-mask"), word_pieces)


ARCHITECTURES: dict[str, Architecture] = {
    # decoders
    "gpt2": bare(hf.GPT2Config, n_embd=48, n_layer=3, n_head=4, n_positions=LONGEST, **ENDS),
    "gpt-neo": bare(
        hf.GPTNeoConfig,
        hidden_size=48,
        num_layers=2,
        num_heads=4,
        intermediate_size=96,
        attention_types=[[["global", "local"], 1]],
        window_size=16,
        max_position_embeddings=LONGEST,
        **ENDS,
    ),
    "gpt-neox": decoder(hf.GPTNeoXConfig),
    "gpt-j": bare(hf.GPTJConfig, n_embd=48, n_layer=3, n_head=4, rotary_dim=8, n_positions=LONGEST, **ENDS),
    "gpt-bigcode": bare(hf.GPTBigCodeConfig, n_embd=48, n_layer=3, n_head=4, n_positions=LONGEST, **ENDS),
    "opt": bare(
        hf.OPTConfig,
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        ffn_dim=96,
        word_embed_proj_dim=48,
        max_position_embeddings=LONGEST,
        **ENDS,
    ),
    "bloom": bare(hf.BloomConfig, hidden_size=48, n_layer=3, n_head=4, **ENDS),
    "falcon": bare(hf.FalconConfig, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, **ENDS),
    "falcon-alibi": bare(
        hf.FalconConfig, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, alibi=True, **ENDS
    ),
    "mpt": bare(hf.MptConfig, d_model=48, n_layers=3, n_heads=4, max_seq_len=LONGEST, **ENDS),
    "llama": decoder(hf.LlamaConfig),
    "llama-dynamic-ntk": decoder(
        hf.LlamaConfig,
        max_position_embeddings=24,
        rope_parameters={"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0},
    ),
    "llama-yarn": decoder(
        hf.LlamaConfig,
        rope_parameters={
            "rope_type": "yarn",
            "factor": 4.0,
            "rope_theta": 10000.0,
            "original_max_position_embeddings": 24,
        },
    ),
    "mistral-window": decoder(hf.MistralConfig, sliding_window=16),
    "mixtral": decoder(hf.MixtralConfig, **EXPERTS),
    "qwen2": decoder(hf.Qwen2Config),
    "qwen2-moe": decoder(
        hf.Qwen2MoeConfig,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=48,
        shared_expert_intermediate_size=48,
    ),
    "qwen3": decoder(hf.Qwen3Config, head_dim=12),
    "qwen3-moe": decoder(
        hf.Qwen3MoeConfig, head_dim=12, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=48
    ),
    "qwen3-next": decoder(
        hf.Qwen3NextConfig,
        head_dim=12,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=48,
        shared_expert_intermediate_size=48,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=12,
        linear_value_head_dim=12,
        layer_types=["linear_attention", "full_attention", "linear_attention"],
    ),
    "gemma": decoder(hf.GemmaConfig, head_dim=12),
    "gemma2": decoder(hf.Gemma2Config, head_dim=12, sliding_window=16, query_pre_attn_scalar=12),
    "gemma3": decoder(hf.Gemma3TextConfig, head_dim=12, sliding_window=16, query_pre_attn_scalar=12),
    "phi": decoder(hf.PhiConfig),
    "phi3-longrope": decoder(
        hf.Phi3Config,
        original_max_position_embeddings=24,
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "short_factor": [1.0] * 6,
            "long_factor": [4.0] * 6,
            "original_max_position_embeddings": 24,
        },
    ),
    "starcoder2": decoder(hf.Starcoder2Config),
    "stablelm": decoder(hf.StableLmConfig, partial_rotary_factor=0.5),
    "olmo2": decoder(hf.Olmo2Config),
    "cohere": decoder(hf.CohereConfig),
    "granite": decoder(hf.GraniteConfig),
    "deepseek-v3": decoder(
        hf.DeepseekV3Config,
        num_key_value_heads=4,
        q_lora_rank=24,
        kv_lora_rank=16,
        qk_rope_head_dim=8,
        qk_nope_head_dim=8,
        v_head_dim=12,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        moe_intermediate_size=48,
        first_k_dense_replace=1,
    ),
    "gpt-oss": decoder(hf.GptOssConfig, head_dim=12, sliding_window=16, **EXPERTS),
    "llama4": decoder(hf.Llama4TextConfig, head_dim=12, intermediate_size_mlp=96, attention_chunk_size=16, **EXPERTS),
    "xglm": bare(
        hf.XGLMConfig,
        "text-generation",
        d_model=48,
        num_layers=3,
        attention_heads=4,
        ffn_dim=96,
        max_position_embeddings=LONGEST,
        **ENDS,
    ),
    "biogpt": decoder(hf.BioGptConfig),
    "codegen": bare(hf.CodeGenConfig, n_embd=48, n_layer=3, n_head=4, rotary_dim=8, n_positions=LONGEST, **ENDS),
    "ctrl": bare(hf.CTRLConfig, n_embd=48, n_layer=3, n_head=4, dff=96, n_positions=LONGEST, **ENDS),
    "openai-gpt": bare(hf.OpenAIGPTConfig, n_embd=48, n_layer=3, n_head=4, n_positions=LONGEST, pad_token_id=0),
    # state spaces, recurrences, hybrids
    "mamba": bare(hf.MambaConfig, hidden_size=48, num_hidden_layers=3, state_size=8, use_mambapy=False, **ENDS),
    "mamba2": bare(
        hf.Mamba2Config,
        hidden_size=48,
        num_hidden_layers=3,
        state_size=8,
        num_heads=8,
        head_dim=12,
        n_groups=1,
        chunk_size=16,
        **ENDS,
    ),
    "falcon-mamba": bare(hf.FalconMambaConfig, hidden_size=48, num_hidden_layers=3, state_size=8, **ENDS),
    "rwkv": bare(hf.RwkvConfig, hidden_size=48, num_hidden_layers=3, attention_hidden_size=48, **ENDS),
    "recurrent-gemma": decoder(
        hf.RecurrentGemmaConfig, lru_width=48, attention_window_size=16, block_types=("recurrent", "attention")
    ),
    "jamba": decoder(
        hf.JambaConfig,
        attn_layer_period=2,
        attn_layer_offset=1,
        expert_layer_period=2,
        expert_layer_offset=1,
        num_experts=2,
        num_experts_per_tok=1,
        mamba_d_state=8,
    ),
    "bamba": decoder(
        hf.BambaConfig,
        attn_layer_indices=[1],
        mamba_n_heads=8,
        mamba_d_head=12,
        mamba_d_state=8,
        mamba_chunk_size=16,
        mamba_n_groups=1,
    ),
    "falcon-h1": decoder(
        hf.FalconH1Config,
        mamba_d_ssm=48,
        mamba_n_heads=4,
        mamba_d_head=12,
        mamba_n_groups=1,
        mamba_d_state=8,
        mamba_chunk_size=16,
    ),
    "lfm2": decoder(hf.Lfm2Config, layer_types=["conv", "full_attention", "conv"]),
    "minimax": decoder(
        hf.MiniMaxConfig,
        head_dim=12,
        block_size=16,
        layer_types=["linear_attention", "full_attention", "linear_attention"],
        **EXPERTS,
    ),
    "xlnet": Architecture(
        hf.XLNetConfig,
        {"d_model": 48, "n_layer": 3, "n_head": 4, "d_inner": 96, "pad_token_id": 0},
        ("text-classification",),
        word_pieces,
    ),
    # encoders
    "bert": encoder(hf.BertConfig),
    "distilbert": other(
        hf.DistilBertConfig, dim=48, n_layers=3, n_heads=4, hidden_dim=96, max_position_embeddings=LONGEST
    ),
    "roberta": encoder(hf.RobertaConfig, max_position_embeddings=LONGEST + 2, pad_token_id=1),
    "xlm-roberta": encoder(hf.XLMRobertaConfig, max_position_embeddings=LONGEST + 2, pad_token_id=1),
    "electra": encoder(hf.ElectraConfig, embedding_size=24),
    "albert": encoder(hf.AlbertConfig, embedding_size=24),
    "deberta": encoder(hf.DebertaConfig, relative_attention=True, pos_att_type=["c2p", "p2c"]),
    "deberta-v2": encoder(hf.DebertaV2Config, relative_attention=True, pos_att_type=["c2p", "p2c"]),
    "deberta-v2-conv": encoder(
        hf.DebertaV2Config, relative_attention=True, pos_att_type=["c2p"], conv_kernel_size=3, conv_act="gelu"
    ),
    "convbert": encoder(hf.ConvBertConfig, embedding_size=48),
    "squeezebert": encoder(hf.SqueezeBertConfig, embedding_size=48),
    "mobilebert": encoder(hf.MobileBertConfig, embedding_size=24, intra_bottleneck_size=24),
    "mpnet": encoder(hf.MPNetConfig, pad_token_id=1),
    "ibert": encoder(hf.IBertConfig, pad_token_id=1, max_position_embeddings=LONGEST + 2),
    "rembert": encoder(hf.RemBertConfig, input_embedding_size=24, output_embedding_size=24),
    "roformer": encoder(hf.RoFormerConfig, embedding_size=48),
    "ernie": encoder(hf.ErnieConfig),
    "esm": encoder(hf.EsmConfig, position_embedding_type="rotary", mask_token_id=4, pad_token_id=0),
    "modernbert": encoder(
        hf.ModernBertConfig,
        local_attention=16,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
    ),
    "fnet": encoder(hf.FNetConfig),
    "funnel": other(
        hf.FunnelConfig, "text-classification", block_sizes=[1, 1, 1], d_model=48, n_head=4, d_head=12, d_inner=96
    ),
    "big-bird": encoder(hf.BigBirdConfig, block_size=4, num_random_blocks=1, attention_type="block_sparse"),
    "longformer": encoder(hf.LongformerConfig, attention_window=[8, 8, 8]),
    "nystromformer": encoder(hf.NystromformerConfig, num_landmarks=8, segment_means_seq_len=8),
    "yoso": encoder(hf.YosoConfig, use_expectation=True),
    "xlm": other(hf.XLMConfig, emb_dim=48, n_layers=3, n_heads=4, max_position_embeddings=LONGEST, pad_index=0),
    "flaubert": other(
        hf.FlaubertConfig, emb_dim=48, n_layers=3, n_heads=4, max_position_embeddings=LONGEST, pad_index=0
    ),
    "bart": Architecture(
        hf.BartConfig,
        {
            "d_model": 48,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 96,
            "decoder_ffn_dim": 96,
            "max_position_embeddings": LONGEST,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 2,
        },
        ("text-classification",),
        lambda: byte_pairs(roberta=True),
    ),
    "t5": Architecture(
        hf.T5Config,
        {
            "d_model": 48,
            "num_layers": 2,
            "num_heads": 4,
            "d_kv": 12,
            "d_ff": 96,
            "pad_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
        ("text-classification",),
        lambda: byte_pairs(roberta=True),
    ),
}

CASES = [(name, task) for name, row in ARCHITECTURES.items() for task in HEADS if row.for_(task)]


def build(folder: Path, name: str, task: str) -> Path:
    """A folder with a tiny model of that architecture for the task."""
    row = ARCHITECTURES[name]
    tokenizer = row.tokenizer()
    tokenizer.model_max_length = LONGEST
    labels = LABELS if task == "text-classification" else {}
    config = row.config(**{**row.settings, "vocab_size": len(tokenizer), **labels})
    torch.manual_seed(sum(map(ord, name)))
    model = MAKERS[task].from_config(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.dim() > 1 and "conv1d" not in key and "A_log" not in key:
                parameter.mul_(row.scale)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _print_table() -> None:
    """How every architecture is asked, as a table in Markdown."""
    hf.logging.set_verbosity_error()
    hf.logging.disable_progress_bar()
    sys.stdout.write("| architecture | asked for | way | beyond the limit | difference | unit | reset |\n")
    sys.stdout.write(f"|{' --- |' * 7}\n")
    for name, task in CASES:
        with tempfile.TemporaryDirectory() as folder:
            model = load_on_cpu(find(name, build(Path(folder), name, task), task=task), max_new_tokens=8)
            if task == "text-generation":
                model.ask([Document("d", "the film was not bad at all")])
            for proof in model.proofs.values():
                beyond = "" if proof.limit is None else f"{proof.beyond} beyond {proof.limit} tokens"
                cells = (name, proof.question, proof.way, beyond, f"{proof.difference:.1e}", proof.unit)
                sys.stdout.write(f"| {' | '.join(cells)} | {', '.join(proof.reset)} |\n")


if __name__ == "__main__":
    _print_table()
