"""Log-probabilities block by block equal those of all logits."""

import pytest
import torch

from auditor.models.computing.head import BLOCK, log_probabilities, of_logits


@pytest.mark.parametrize("vocabulary", [7, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
@pytest.mark.parametrize("bias", [True, False])
def test_blocks_of_the_vocabulary_give_what_all_logits_give(vocabulary: int, bias: bool) -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(16, vocabulary, bias=bias)
    states, tokens = torch.randn(33, 16) * 5, torch.randint(0, vocabulary, (33, 3))
    with torch.inference_mode():
        wanted = head(states).log_softmax(-1).gather(1, tokens)
        torch.testing.assert_close(log_probabilities(head, states, tokens), wanted, rtol=1e-5, atol=1e-5)


def test_a_uniform_head_gives_one_over_the_vocabulary() -> None:
    head = torch.nn.Linear(4, 5000, bias=False)
    torch.nn.init.zeros_(head.weight)
    found = log_probabilities(head, torch.randn(2, 4), torch.tensor([[0], [4999]]))
    torch.testing.assert_close(found, -torch.tensor(5000.0).log().expand(2, 1))


def test_logits_far_from_nought_do_not_overflow() -> None:
    head = torch.nn.Linear(1, 3000, bias=True)
    torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.fill_(1e4)
        head.bias[7] = 1e4 + 50
    assert log_probabilities(head, torch.ones(1, 1), torch.tensor([[7]])).item() == pytest.approx(0, abs=1e-3)


def test_half_precision_is_summed_in_single() -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(16, 5000, bias=False).bfloat16()
    states, tokens = torch.randn(4, 16).bfloat16(), torch.randint(0, 5000, (4, 1))
    wanted = (states.float() @ head.weight.float().T).log_softmax(-1).gather(1, tokens)
    found = log_probabilities(head, states, tokens)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-2)


def test_no_probability_in_half_precision_is_above_one() -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(64, 2 * BLOCK + 9, bias=True).bfloat16()
    with torch.no_grad():
        head.weight.mul_(40)
    states = torch.randn(64, 64).bfloat16()
    with torch.inference_mode():
        logits = head(states)
        tokens = logits.topk(2).indices
        found = log_probabilities(head, states, tokens)
    assert found.max().item() <= 1e-6
    assert found[:, 0].median().item() > -0.05  # so near 1 that the rounding of the two logits shows
    torch.testing.assert_close(found, of_logits(logits, tokens), rtol=1e-2, atol=1e-2)
