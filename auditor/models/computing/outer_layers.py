r"""The first and the last layer of an encoder, without what is computed twice there or for nobody.

First layer: what enters it is the embedding of a token at a place, and the perturbed copies of a text have the same
tokens at the same places over and over. Queries, keys and values of equal ones are computed once and handed out. (On a
CPU: on a GPU finding the equal ones on the host would take longer than it saves.)

Last layer: a head reads one state of each text, often the first; nothing behind the attention is computed for the
others. Nor do they need keys and values. With h_j the T states of a text that enter the layer, D wide, q the query of
the one that is read, W_K, b_K, W_V, b_V the projections of one of H attention heads,

    scores      q·(W_K h_j + b_K)          = (W_Kᵀ q)·h_j + q·b_K       the last term is the same for all j: no weight
    context     Σ_j p_j (W_V h_j + b_V)    = W_V Σ_j p_j h_j + b_V      changes by it, and the weights p_j add up to 1

which takes 2 D² + 2 T H D multiplications a text instead of 2 T D². The layer then returns (B, 1, D) instead of
(1, N, D), so that heads that read `hidden_states[:, 0]` go on as they are.

    BERT, RoBERTa, XLM-RoBERTa, ELECTRA and what else is built of `attention.self`, `attention.output`, `intermediate`
    and `output`; DistilBERT

Whether the answers are those of the whole layers is proven when a model is loaded (`auditor.models.text.adapter`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from auditor.models.computing.packing import Packing, active
from auditor.models.computing.patching import Exchange


@dataclass(frozen=True, slots=True)
class Family:
    """How a layer is built: where its projections are, and what comes behind the attention."""

    attention: str
    query: str
    key: str
    value: str
    rest: Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]
    """From the layer, the context (B, D) and the states (B, D) that entered it to those that leave it."""
    others: tuple[str, ...]
    """Further parts by which the family is known."""

    def fits(self, layer: nn.Module) -> bool:
        """Whether the layer is built like that, of weights that are at hand."""
        parts = dict(layer.named_modules())
        projections = [parts.get(f"{self.attention}.{name}") for name in (self.query, self.key, self.value)]
        plain = all(type(projection) is nn.Linear and not projection.weight.is_meta for projection in projections)
        return plain and all(name in parts for name in self.others) and not getattr(layer, "is_decoder", False)

    def projections(self, layer: nn.Module) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
        """The projections of queries, keys and values."""
        attention = layer.get_submodule(self.attention)
        return getattr(attention, self.query), getattr(attention, self.key), getattr(attention, self.value)

    def read(self, layer: nn.Module, hidden: torch.Tensor, packing: Packing) -> torch.Tensor:
        """The wanted state of each text behind the layer: (N, D) to (B, D)."""
        rows = hidden[packing.rows]
        attention: Any = layer.get_submodule(self.attention)
        size = attention.attention_head_size
        query, key, value = self.projections(layer)
        queries = torch.unflatten(query(rows), -1, (-1, size))  # B H d
        by_head = [torch.unflatten(projection.weight, 0, (-1, size)) for projection in (key, value)]  # H d D
        asked = torch.einsum("bhd,hde->bhe", queries, by_head[0])
        mixed = packing.mix(asked, hidden, attention.scaling)
        context = torch.einsum("bhe,hde->bhd", mixed, by_head[1]).flatten(1)
        return self.rest(layer, context if value.bias is None else context + value.bias, rows)


def _behind_bert(layer: Any, context: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    attended = layer.attention.output(context, rows)
    states: torch.Tensor = layer.output(layer.intermediate(attended), attended)
    return states


def _behind_distilbert(layer: Any, context: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    attended = layer.sa_layer_norm(layer.attention.out_lin(context) + rows)
    states: torch.Tensor = layer.output_layer_norm(layer.ffn(attended) + attended)
    return states


FAMILIES = (
    Family(
        "attention.self",
        "query",
        "key",
        "value",
        _behind_bert,
        ("attention.output.dense", "intermediate", "output.dense"),
    ),
    Family("attention", "q_lin", "k_lin", "v_lin", _behind_distilbert, ("attention.out_lin", "sa_layer_norm", "ffn")),
)


def shortened(model: PreTrainedModel) -> list[Exchange]:
    """Lets the first and the last layer of packed batches compute what is needed.

    Returns:
        Another `forward` for the last layer, and for the projections of the first one where there is another; nothing
        where the model's family is not one of those that can.
    """
    layers = next((module for module in model.base_model.modules() if isinstance(module, nn.ModuleList)), None)
    if not layers:
        return []
    family = next((one for one in FAMILIES if one.fits(layers[0]) and one.fits(layers[-1])), None)
    if family is None:
        return []
    projections = family.projections(layers[0]) if len(layers) > 1 else ()
    return [_reads_one_state(layers[-1], family), *map(_computes_equal_ones_once, projections)]


def _computes_equal_ones_once(projection: nn.Linear) -> Exchange:
    whole = projection.forward

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(states: torch.Tensor) -> torch.Tensor:
        packing = active()
        if packing is None or packing.distinct is None:
            return whole(states)
        return whole(states[:, packing.distinct])[:, packing.copies]

    return Exchange(projection, "forward", forward)


def _reads_one_state(layer: nn.Module, family: Family) -> Exchange:
    whole = layer.forward

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(hidden_states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        packing = active()
        if packing is None or not packing.one_each:
            return whole(hidden_states, *args, **kwargs)  # type: ignore[no-any-return]
        return family.read(layer, hidden_states[0], packing)[:, None]

    return Exchange(layer, "forward", forward)
