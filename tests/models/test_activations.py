"""Fused activations are those of transformers, to rounding."""

import pytest
import torch
from torch import nn
from transformers.activations import ACT2FN

from auditor.models.computing.activations import fused


@pytest.mark.parametrize(
    "name", ["gelu", "gelu_python", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh"]
)
def test_every_form_of_gelu_keeps_its_values(name: str) -> None:
    model = nn.Sequential(nn.Identity(), ACT2FN[name])
    x = torch.linspace(-12, 12, 100_001)
    wanted = model(x)
    ((parent, place, kernel),) = fused(model)
    assert (parent, place, type(kernel)) == (model, "1", nn.GELU)
    assert float((kernel(x) - wanted).abs().max()) < 2e-6


@pytest.mark.parametrize("name", ["gelu_10", "quick_gelu", "relu", "silu", "mish"])
def test_other_activations_are_left_alone(name: str) -> None:
    model = nn.Sequential(ACT2FN[name])
    assert fused(model) == []
