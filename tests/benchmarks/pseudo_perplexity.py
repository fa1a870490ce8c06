"""Pseudo-perplexity of a masked model: one copy of the text for each hidden token."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForMaskedLM

from auditor.probes.contract import Sitting
from auditor.probes.pseudo_perplexity import PseudoPerplexityProbe
from auditor.records.types import Document, PseudoPerplexity
from tests.benchmarks import materials
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.results import Row, Setting, agree

N_TOKENS = 24


def rows(setting: Setting) -> Iterator[Row]:
    place = materials.masked(setting.folder)
    model, module = materials.ours(place, "fill-mask"), materials.plain(place, AutoModelForMaskedLM)
    document = Document("d", materials.of_tokens(model.tokenizer, N_TOKENS))
    ids = torch.tensor([model.tokenizer(document.text)["input_ids"]])
    contenders = {
        "theirs": partial(_naive, module, ids, model.tokenizer.mask_token_id),
        "ours": partial(_ours, model, document),
        "limit": partial(_body_and_head, module, _copies(ids, model.tokenizer.mask_token_id)),
    }
    found = in_turns(contenders, setting.rounds(9, 3))
    difference = float(np.abs(np.array(found["ours"].result.logprobs) - found["theirs"].result).max())
    same = agree("log-probabilities of every token", difference, 1e-4)
    theirs, ours, limit = (found[name].seconds for name in ("theirs", "ours", "limit"))
    what = f"pseudo-perplexity, {N_TOKENS} tokens"
    yield Row.peer(what, "naive loop over the tokens", theirs, ours, 4.4, same)
    yield Row.limit(what, "body + head at the hidden positions", limit, ours, 1.2, "one batch, stock body")


def _ours(model: Any, document: Document) -> PseudoPerplexity:
    (found,) = PseudoPerplexityProbe(variant="original").measure(model, [document], Sitting(0))
    assert isinstance(found, PseudoPerplexity), found
    return found


def _naive(model: Any, ids: torch.Tensor, mask: int) -> list[float]:
    scores = []
    for position in range(1, ids.shape[1] - 1):
        hidden = ids.clone()
        hidden[0, position] = mask
        with torch.no_grad():
            logits = model(input_ids=hidden).logits
        scores.append(float(logits[0, position].log_softmax(-1)[ids[0, position]]))
    return scores


def _copies(ids: torch.Tensor, mask: int) -> torch.Tensor:
    positions = torch.arange(1, ids.shape[1] - 1)
    copies = ids.repeat(len(positions), 1)
    copies[torch.arange(len(positions)), positions] = mask
    return copies


def _body_and_head(model: Any, copies: torch.Tensor) -> None:
    rows = torch.arange(len(copies))
    with torch.inference_mode():
        states = model.base_model(input_ids=copies).last_hidden_state[rows, rows + 1]
        model.cls(states).logsumexp(dim=-1)
