"""How it is proven which ways of asking a model are right: each is tried on the texts of the proof, fastest first.

What is proven, and on which texts, is in `auditor.models.computing.proof`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from auditor.errors import AuditorError, ModelError, one_line
from auditor.models.computing.batched_model import BatchedModel
from auditor.models.computing.batching import Way
from auditor.models.computing.proof import Truth, thresholds
from auditor.models.computing.state import Snapshot
from auditor.models.computing.stock import takes
from auditor.models.inputs import Encoded, Sequences, UnreadableError
from auditor.records.proof import Proof

STATES = 32
"""States of each text that are compared."""
TRIES = 3
"""Limits of packed batches that are tried."""
GRAPHS = 64
"""Most graphs of one function that a compiled model may need."""


def prove(model: BatchedModel) -> Proof:
    """Chooses the fastest ways of asking that answer as the model does to each text alone; returns the proof.

    Sets `truth`, `way`, `masks`, `limit`, `packs` and `fast` of the model; what remembers the last text is reset from
    then on. The first time, what can be computed faster is exchanged in the model.

    Raises:
        ModelError: Not even one text after the other gives the truth again, or the model can read none.
    """
    model.reset_between_texts(())
    truth = model.truth = _ask_alone(model, model.proof_texts)
    model.tune()
    model.reset_between_texts(truth.reset)
    return _choose(model, truth)


def _ask_alone(model: BatchedModel, texts: Sequences) -> Truth:
    """Asks the model as transformers built it about each text.

    Raises:
        ModelError: It can read none of them.
    """
    before, changed = Snapshot(model.model), set[str]()
    alone: list[_Alone] = []
    faults: dict[int, Exception] = {}
    for index, text in enumerate(texts):
        before.restore()
        try:
            alone.append(_ask(model, text))
        except AuditorError:
            raise
        except Exception as fault:
            faults[index] = fault
        changed |= before.changed()
    before.restore()
    if not alone:
        raise ModelError(
            f"{model.identity.name}: the model itself (type {model.kind}) fails when it is asked for "
            f"{model.question_asked}: {one_line(faults[0])}; see whether it runs in transformers alone"
        )
    states = [one.states for one in alone if one.states is not None]
    return Truth(
        texts.take(np.array([i for i in range(len(texts)) if i not in faults])),
        tuple(one.rows for one in alone),
        torch.cat(states) if len(states) == len(alone) else None,
        torch.cat([one.answers for one in alone]),
        np.array([len(one.answers) for one in alone]),
        tuple(sorted(changed)),
        max((int(texts.lengths[i]) for i in faults), default=None),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Alone:
    rows: tuple[int, ...]
    states: torch.Tensor | None
    answers: torch.Tensor


def _ask(model: BatchedModel, text: Encoded) -> _Alone:
    rows = np.unique(np.linspace(0, len(text.ids) - 1, STATES).astype(int)).tolist()
    with model.stock.as_built(), model.computing():
        states, logits = model.stock.ask(model.stock_arguments(text))
        answers = model.of_logits(text, logits).float().cpu()
        fits = states is not None and len(states) == len(text.ids)
        return _Alone(tuple(rows), states[rows].float().cpu() if states is not None and fits else None, answers)


def _choose(model: BatchedModel, truth: Truth) -> Proof:
    """Chooses how texts are asked."""
    with model.batcher.uncounted():
        model.batcher.padding = math.inf
        model.packs = model.masks = False
        model.maskless = _needs_no_mask(model, truth)
        difference = _choose_way(model, truth)
        model.masks = model.packable and _takes_nothing_for_a_mask(model, truth)
        packed = _choose_packing(model, truth) if model.packable else None
        _compile(model, truth)
    longest = int(truth.texts.lengths.max())
    return Proof(
        model=model.identity.name,
        question=model.question_asked,
        way=Way.PACKED if model.packs else model.way,
        limit=model.limit if model.packs and longest > model.limit else None,
        beyond=model.way,
        difference=difference if packed is None else max(packed, difference if longest > model.limit else 0.0),
        unit=model.unit,
        n_texts=len(truth.texts),
        longest=longest,
        reset=truth.reset,
        unread=truth.unread,
    )


def _choose_way(model: BatchedModel, truth: Truth) -> float:
    """Sets the first way without packing that gives the truth; returns the greatest difference from it."""
    for way in model.ways:
        model.way = way
        given = _asked(lambda: model.answers(truth.texts))
        if given is not None and model.is_right(given, truth.answers):
            return model.difference(given, truth.answers)
    if not torch.isfinite(truth.answers).any():
        raise ModelError(
            f"{model.identity.name}: a model of type {model.kind} gives no finite {model.question_asked} for any text "
            f"that was tried, in {str(model.model.dtype).removeprefix('torch.')}; are its weights sound, and does that "
            "data type hold them?"
        )
    raise ModelError(
        f"{model.identity.name}: a model of type {model.kind} does not give the same {model.question_asked} for the "
        "same text twice, so that nothing can be said about it; is its attention or routing random?"
    )


def _needs_no_mask(model: BatchedModel, truth: Truth) -> bool:
    """Whether texts of equal length may be asked about without a mask: some models then do something else."""
    if not takes(model.model, "attention_mask"):
        return True
    model.way, model.maskless = Way.EQUAL, True
    given = _asked(partial(model.answers, truth.texts))
    return given is not None and model.is_right(given, truth.answers)


def _takes_nothing_for_a_mask(model: BatchedModel, truth: Truth) -> bool:
    """Whether texts of equal length may be read with the mask that stands for none."""
    before, model.way, model.masks = model.way, Way.EQUAL, True
    is_same = before is not Way.ALONE and _gives_the_states(model, truth)
    model.way = before
    return is_same


def _choose_packing(model: BatchedModel, truth: Truth) -> float | None:
    """Packs texts up to the largest length at which that gives the truth; returns the greatest difference from it."""
    config = model.model.config.get_text_config()
    limits = [model.limit, *(n for n in reversed(thresholds(config)) if n < model.limit)]
    model.packs = True
    for limit in limits[:TRIES]:
        model.limit, short = limit, truth.shorter(limit)
        if len(short.texts) == 0 or not all(_gives_the_states(model, texts) for texts in (short, short.twice())):
            continue
        for fast in model.packed_ways:
            given = _asked(partial(fast, short.texts))
            if given is not None and model.is_right(given, short.answers):
                model.fast = fast
                return model.difference(given, short.answers)
    model.packs, model.fast = False, None
    return None


def _compile(model: BatchedModel, truth: Truth) -> None:
    """Compiles the model where that is wanted.

    Raises:
        ModelError: The compiled model answers otherwise.
    """
    if not model.compiles:
        return
    from torch._dynamo import config as dynamo  # slow to import

    # transformers wraps the forward of every class of layers by one function, which is compiled for each of them
    dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
    model.body.compile(dynamic=True)
    ask, texts = (model.fast, truth.shorter(model.limit)) if model.packs and model.fast else (model.answers, truth)
    given = _asked(lambda: ask(texts.texts))
    if given is None or not model.is_right(given, texts.answers):
        raise ModelError(f"{model.identity.name}: compile = true changes what the model answers; leave it out")


def _gives_the_states(model: BatchedModel, truth: Truth) -> bool:
    """Whether the states read are those of the truth: those of all rows, and those of the last row of each text."""
    if truth.states is None:
        return False
    last = np.cumsum([len(rows) for rows in truth.rows]) - 1
    expected = ((truth.rows, truth.states), ([rows[-1:] for rows in truth.rows], truth.states[torch.from_numpy(last)]))
    given = (_asked(partial(model.read, truth.texts, rows, _float)) for rows, _ in expected)
    return all(
        read is not None and model.close(read, states) for read, (_, states) in zip(given, expected, strict=True)
    )


def _float(states: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return states.float()


def _asked(ask: Callable[[], torch.Tensor]) -> torch.Tensor | None:
    """The answers of `ask`; None where the model cannot be asked like that."""
    try:
        return ask()
    except (UnreadableError, IndexError, RuntimeError, ValueError):
        return None
