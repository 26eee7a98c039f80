"""The sliced cross-entropy against torch's, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from ouroboros.model import cross_entropy
from ouroboros.model.cross_entropy import add_product, summed_loss, token_losses

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


def test_the_heads_gradient_is_summed_beyond_what_halves_hold():
    """A corpus of one token: each row adds to the same sum, which passes fp16's 65,504."""
    gradient = torch.full((4096, 16), 1.0, dtype=torch.float16)
    states = torch.full((4096, 8), 20.0, dtype=torch.float16)
    total = torch.ones(16, 8)
    add_product(total, gradient, states)
    assert (total == 81_921).all()


def test_a_gpu_multiplies_halves_into_single_precision(monkeypatch):
    """As torch's own rules of shapes and types say (tensors without content); it has no such product on a CPU."""
    monkeypatch.setattr(cross_entropy, "_sums_in_float32", lambda device: True)
    total = torch.empty(16, 8, device="meta")
    halves = torch.empty(40, 24, device="meta", dtype=torch.float16)
    add_product(total, halves[:, :16], halves[:, 16:])
    assert total.dtype == torch.float32 and total.shape == (16, 8)
    with pytest.raises(RuntimeError):
        add_product(total, halves, halves)
