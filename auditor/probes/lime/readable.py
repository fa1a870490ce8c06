"""Answers to perturbed texts, some of which the model itself may fail on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from auditor.models import Classifies, Question
from auditor.models.inputs import Sequences, UnreadableError


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model answered to N texts."""

    outputs: torch.Tensor
    """(N, K); rows of NaN for texts that it cannot read."""
    faults: dict[int, str]
    """Text → what the model says, for those."""


def ask(model: Classifies, texts: Sequences, questions: Sequence[Question]) -> Answers:
    """Asks about all texts at once; where the model fails, finds the texts on which it does, and asks about the others.

    Texts are halved in the order of their lengths, since it is mostly short ones that a model cannot read.
    """
    try:
        return Answers(model.outputs(texts, questions), {})
    except UnreadableError:
        order = np.argsort(texts.lengths, kind="stable")
    outputs = torch.full((len(texts), len(questions[0].labels)), torch.nan, dtype=torch.float64)
    faults: dict[int, str] = {}
    for indices, given in _halved(model, texts, questions, order):
        if isinstance(given, str):
            faults[int(indices[0])] = given
        else:
            outputs[torch.from_numpy(indices)] = given.double()
    return Answers(outputs, faults)


def _halved(
    model: Classifies, texts: Sequences, questions: Sequence[Question], indices: np.ndarray
) -> Iterator[tuple[np.ndarray, torch.Tensor | str]]:
    try:
        yield indices, model.outputs(texts.take(indices), [questions[i] for i in indices])
        return
    except UnreadableError as fault:
        if len(indices) == 1:
            yield indices, str(fault)
            return
    middle = len(indices) // 2
    yield from _halved(model, texts, questions, indices[:middle])
    yield from _halved(model, texts, questions, indices[middle:])
