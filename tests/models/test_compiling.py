"""A compiled model is compiled once, however many batches follow, and answers as it did."""

from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import pytest
import torch
from torch._dynamo import config as dynamo
from torch._dynamo.testing import CompileCounter

from auditor.models import TextClassification, find, load
from tests.models.tiny import TEXTS, load_on_cpu, save


def answers(model: TextClassification, n: int) -> torch.Tensor:
    """The answers to n texts of n lengths; their attention is measured too."""
    texts = [(TEXTS[i % len(TEXTS)][: 3 + 5 * i + n], None) for i in range(n)]
    tokens = model.tokens(texts)
    model.attention(tokens, [[False] * len(one.texts) for one in tokens])
    return model.outputs(model.encode(texts), [model.question] * n)


@pytest.fixture(autouse=True)
def nothing_compiled() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.exhaustive
def test_batches_of_any_shape_are_computed_by_the_same_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = find("tiny", save(tmp_path, "bert", "text-classification"))
    plain = load(checkpoint, device="cpu")
    counter = CompileCounter()
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend=counter))
    with dynamo.patch(fail_on_recompile_limit_hit=True):
        model = load_on_cpu(checkpoint, compile=True)
        assert isinstance(model, TextClassification)
        assert isinstance(plain, TextClassification)
        assert model.packs
        for n in (3, 1, 6):
            answers(model, n)
        n_graphs = counter.frame_count
        for n in (2, 4, 5):
            torch.testing.assert_close(answers(model, n), answers(plain, n), rtol=1e-4, atol=1e-4)
    assert counter.frame_count == n_graphs > 0
