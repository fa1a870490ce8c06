"""What is changed in a model is changed back: all of it, the last change first, whatever happened in between."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from auditor.models import TextClassification, find, load
from auditor.models.computing.packing import IMPLEMENTATION
from auditor.models.computing.patching import ABSENT, Attention, Exchange, Patch, patched
from tests.models.tiny import save


class Noted(NamedTuple):
    """A change that writes down when it is made; one named `fails` cannot be made, `stays` not be undone."""

    name: str
    log: list[str]
    undoes: bool = False

    def make(self) -> "Noted":
        if self.name == ("stays" if self.undoes else "fails"):
            raise RuntimeError(self.name)
        self.log.append(f"-{self.name}" if self.undoes else self.name)
        return Noted(self.name, self.log, not self.undoes)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))


def state(model: nn.Module) -> list[dict[str, object]]:
    """Everything that stands in every module, containers by what is in them."""
    return [
        {name: list(own.items()) if name in ("_modules", "_buffers") else own for name, own in vars(module).items()}
        for module in model.modules()
    ]


def test_changes_are_undone_the_last_one_first() -> None:
    log: list[str] = []
    with patched(Noted("a", log), Noted("b", log)):
        assert log == ["a", "b"]
    assert log == ["a", "b", "-b", "-a"]


def test_changes_are_undone_after_an_exception() -> None:
    log: list[str] = []
    with pytest.raises(KeyError), patched(Noted("a", log), Noted("b", log)):
        raise KeyError
    assert log == ["a", "b", "-b", "-a"]


def test_where_a_change_fails_those_before_it_are_undone() -> None:
    log: list[str] = []
    with pytest.raises(RuntimeError, match="fails"), patched(*(Noted(name, log) for name in ("a", "b", "fails", "c"))):
        pytest.fail("the block was entered")
    assert log == ["a", "b", "-b", "-a"]


def test_a_change_that_cannot_be_undone_keeps_no_other_from_it() -> None:
    log: list[str] = []
    with pytest.raises(RuntimeError, match="stays"), patched(*(Noted(name, log) for name in ("a", "stays", "b"))):
        log.clear()
    assert log == ["-b", "-a"]


@pytest.mark.parametrize("fault", [None, KeyError])
def test_a_lifted_patch_is_away_inside_and_back_behind_in_the_same_order(fault: type[Exception] | None) -> None:
    log: list[str] = []
    patch = Patch()
    patch.add(Noted("a", log), Noted("b", log))
    log.clear()
    try:
        with patch.lifted():
            assert log == ["-b", "-a"]
            if fault:
                raise fault
    except KeyError:
        assert fault
    assert log == ["-b", "-a", "a", "b"]
    log.clear()
    patch.undo()
    patch.undo()
    assert log == ["-b", "-a"]


def double(states: torch.Tensor) -> torch.Tensor:
    return 2 * states


@pytest.mark.parametrize(
    "changes",
    [
        lambda model: [Exchange(model, "1", nn.GELU())],
        lambda model: [Exchange(model[0], "forward", double)],
        lambda model: [Exchange(model, "1", nn.GELU()), Exchange(model, "1", nn.Tanh())],
        lambda model: [Exchange(model[0], "forward", double), Exchange(model[0], "forward", ABSENT)],
    ],
    ids=["a part", "a forward", "twice", "taken away"],
)
def test_a_module_is_what_it_was(changes: Callable[[nn.Sequential], list[Exchange]]) -> None:
    model, x = network(), torch.randn(3, 2)
    before, answer = state(model), model(x)
    with patched(*changes(model)):
        pass
    assert state(model) == before
    assert torch.equal(model(x), answer)


def test_a_patched_forward_is_the_one_that_runs() -> None:
    model, x = network()[0], torch.randn(3, 2)
    with patched(Exchange(model, "forward", double)):
        assert torch.equal(model(x), 2 * x)
    assert "forward" not in vars(model)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> TextClassification:
    folder = save(tmp_path_factory.mktemp("bert"), "bert", "text-classification", hidden_act="gelu_new")
    model = load(find("tiny", folder), device="cpu")
    assert isinstance(model, TextClassification)
    return model


def is_as_built(model: PreTrainedModel) -> bool:
    """Whether no module has a `forward` of its own, attention is PyTorch's, and GELU the formula of transformers."""
    kinds = {type(module).__name__ for module in model.modules()}
    own = [module for module in model.modules() if "forward" in vars(module)]
    return not own and model.config._attn_implementation == "sdpa" and "NewGELUActivation" in kinds


def test_a_model_as_built_is_without_any_of_our_changes(classifier: TextClassification) -> None:
    assert not is_as_built(classifier.model)
    before = state(classifier.model)
    with classifier.stock.as_built():
        assert is_as_built(classifier.model)
    assert state(classifier.model) == before


def test_another_attention_inside_survives_a_lifted_patch(classifier: TextClassification) -> None:
    config = classifier.model.config
    with patched(Attention(classifier.model, "eager")):
        assert config._attn_implementation == "eager"
        with classifier.stock.as_built():
            assert config._attn_implementation == "sdpa"
        assert config._attn_implementation == "eager"
    assert config._attn_implementation == IMPLEMENTATION


def test_undoing_everything_leaves_a_model_as_it_was_loaded(tmp_path: Path) -> None:
    folder = save(tmp_path, "bert", "text-classification", hidden_act="gelu_new")
    model = load(find("tiny", folder), device="cpu")
    model.stock.changes.undo()
    assert is_as_built(model.model)
