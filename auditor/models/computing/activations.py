r"""GELU in one kernel, where transformers spells it as a formula.

    gelu(x)      x Φ(x) = x/2 (1 + erf(x/√2))                         "gelu_python"
    tanh form    x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))             "gelu_new", "gelu_fast", "gelu_python_tanh"

Written out, the tanh form is eight passes over the widest tensor of a layer, each with a result of its own, and as many
launches on a GPU. PyTorch's kernel differs by rounding.

Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2.
"""

from torch import nn
from transformers.activations import FastGELUActivation, GELUActivation, GELUTanh, NewGELUActivation

from auditor.models.computing.patching import Exchange

FORMS: dict[type[nn.Module], str] = {
    GELUActivation: "none",
    GELUTanh: "tanh",
    NewGELUActivation: "tanh",
    FastGELUActivation: "tanh",
}


def fused(model: nn.Module) -> list[Exchange]:
    """PyTorch's kernel for each of a model's formulas."""
    return [
        Exchange(module, name, nn.GELU(approximate=FORMS[type(child)]))
        for module in model.modules()
        for name, child in module.named_children()
        if type(child) in FORMS
    ]
