"""The last layer for the wanted states only: what a head reads of each text is one state, often the first.

Keys and values need every token; queries, output projection and feed-forward need the wanted ones. A layer of the
families below then returns (B, 1, D) instead of (1, N, D), so that heads that read `hidden_states[:, 0]` go on as
they are.

    BERT, RoBERTa, XLM-RoBERTa, ELECTRA and what else is built of `attention.self`, `attention.output`, `intermediate`
    and `output`; DistilBERT

Whether the answers are those of the whole layer is proven for each model when it is loaded (`auditor.models.text`).
"""

from collections.abc import Callable
from typing import Any

import torch
from transformers import PreTrainedModel

from auditor.models.packing import Packing, active

Layer = Callable[[Any, torch.Tensor, Packing], torch.Tensor]


def bert(layer: Any, hidden: torch.Tensor, packing: Packing) -> torch.Tensor:
    """`BertLayer` and its copies: (N, D) states to (B, D)."""
    own, size = layer.attention.self, layer.attention.self.attention_head_size
    rows = hidden[packing.rows]
    query, key, value = (
        project(states).unflatten(-1, (-1, size))
        for project, states in ((own.query, rows), (own.key, hidden), (own.value, hidden))
    )
    context = packing.attend_rows(query, key, value, own.scaling).flatten(1)
    attended = layer.attention.output(context, rows)
    found: torch.Tensor = layer.output(layer.intermediate(attended), attended)
    return found


def distilbert(layer: Any, hidden: torch.Tensor, packing: Packing) -> torch.Tensor:
    """`TransformerBlock` of DistilBERT: (N, D) states to (B, D)."""
    own, size = layer.attention, layer.attention.attention_head_size
    rows = hidden[packing.rows]
    query, key, value = (
        project(states).unflatten(-1, (-1, size))
        for project, states in ((own.q_lin, rows), (own.k_lin, hidden), (own.v_lin, hidden))
    )
    context = packing.attend_rows(query, key, value, own.scaling).flatten(1)
    attended = layer.sa_layer_norm(own.out_lin(context) + rows)
    found: torch.Tensor = layer.output_layer_norm(layer.ffn(attended) + attended)
    return found


_BERT = ("attention.self.query", "attention.output.dense", "intermediate", "output.dense")
_DISTILBERT = ("attention.q_lin", "attention.out_lin", "sa_layer_norm", "ffn", "output_layer_norm")


def prune(model: PreTrainedModel) -> bool:
    """Lets the model's last layer compute only the wanted states of packed batches.

    Returns:
        Whether its family is one of those that can.
    """
    layers = [module for module in model.base_model.modules() if isinstance(module, torch.nn.ModuleList)]
    if not layers or len(layers[0]) == 0:
        return False
    last = layers[0][-1]
    parts = dict(last.named_modules())
    pruned: Layer
    if all(name in parts for name in _BERT) and not getattr(last, "is_decoder", False):
        pruned = bert
    elif all(name in parts for name in _DISTILBERT):
        pruned = distilbert
    else:
        return False
    whole = last.forward

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(hidden_states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        packing = active()
        if packing is None or not packing.one_each:
            return whole(hidden_states, *args, **kwargs)  # type: ignore[no-any-return]
        return pruned(last, hidden_states[0], packing)[:, None]

    last.forward = forward
    return True
