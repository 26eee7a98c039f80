"""The sliced cross-entropy against torch's, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from ouroboros.model.cross_entropy import summed_loss, token_losses

pytestmark = pytest.mark.usefixtures("several_threads")


def example(rows=700, width=16, vocabulary=300):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, width, generator=generator, requires_grad=True)
    head = torch.randn(vocabulary, width, generator=generator, requires_grad=True)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    return hidden, head, targets


def test_token_losses_equal_torch():
    hidden, head, targets = example()
    expected = F.cross_entropy(hidden @ head.T, targets, reduction="none")
    assert torch.allclose(token_losses(hidden, head, targets), expected, atol=1e-5)


def test_summed_loss_and_gradients_equal_torch():
    """700 rows are two whole slices and a remainder."""
    hidden, head, targets = example()
    expected = F.cross_entropy(hidden @ head.T, targets, reduction="sum")
    wanted = torch.autograd.grad(expected * 0.5, (hidden, head))
    got_loss = summed_loss(hidden, head, targets)
    got = torch.autograd.grad(got_loss * 0.5, (hidden, head))
    assert torch.allclose(got_loss, expected, rtol=1e-6)
    for a, b in zip(got, wanted, strict=True):
        assert (a - b).norm() / b.norm() < 1e-5


def test_half_precision_rounds_but_does_not_stray():
    hidden, head, targets = example()
    with torch.autocast("cpu", torch.bfloat16):
        got = summed_loss(hidden, head, targets)
    got.backward()
    exact = F.cross_entropy(hidden @ head.T, targets, reduction="sum")
    wanted = torch.autograd.grad(exact, (hidden, head))
    assert torch.allclose(got, exact, rtol=1e-2)
    assert hidden.grad.dtype == head.grad.dtype == torch.float32
    for a, b in zip((hidden.grad, head.grad), wanted, strict=True):
        assert (a - b).norm() / b.norm() < 2e-2
