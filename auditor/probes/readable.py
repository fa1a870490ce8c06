"""Answers to perturbed documents, some of which the model itself may fail on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from auditor.models import Answers, Question
from auditor.models.capabilities import B
from auditor.models.inputs import UnreadableError


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a model answered to N inputs."""

    outputs: torch.Tensor
    """(N, K); rows of NaN for inputs that it cannot read."""
    faults: dict[int, str]
    """Input → what the model says, for those."""


def answered(model: Answers[B], inputs: B, questions: Sequence[Question]) -> Answered:
    """Asks about all inputs at once; where the model fails, finds those on which it does, and asks about the others.

    Inputs are halved in the order of their costs, since it is mostly small ones that a model cannot read.
    """
    try:
        return Answered(model.outputs(inputs, questions), {})
    except UnreadableError:
        order = np.argsort(inputs.costs, kind="stable")
    outputs = torch.full((len(inputs), len(questions[0].labels)), torch.nan, dtype=torch.float64)
    faults: dict[int, str] = {}
    for indices, given in _halved(model, inputs, questions, order):
        if isinstance(given, str):
            faults[int(indices[0])] = given
        else:
            outputs[torch.from_numpy(indices)] = given.double()
    return Answered(outputs, faults)


def _halved(
    model: Answers[B], inputs: B, questions: Sequence[Question], indices: np.ndarray
) -> Iterator[tuple[np.ndarray, torch.Tensor | str]]:
    try:
        yield indices, model.outputs(inputs.take(indices), [questions[i] for i in indices])
        return
    except UnreadableError as fault:
        if len(indices) == 1:
            yield indices, str(fault)
            return
    middle = len(indices) // 2
    yield from _halved(model, inputs, questions, indices[:middle])
    yield from _halved(model, inputs, questions, indices[middle:])
