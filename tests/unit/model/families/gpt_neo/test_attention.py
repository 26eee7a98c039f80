"""The three ways to attention against the plain formula, values and gradients."""

import pytest
import torch

from ouroboros.kernels import cpu
from ouroboros.model.families.gpt_neo import attention

pytestmark = pytest.mark.usefixtures("several_threads")

SHAPES = [(2, 70, 3, 16, 4), (1, 33, 3, 3, 16), (1, 40, 3, 2, 48), (2, 21, 3, 2, 5)]


def plain(qkv, span):
    """softmax(q k^T) v over the last `span` positions, written out."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    steps = torch.arange(qkv.shape[1])
    back = steps[:, None] - steps
    scores = (q @ k.transpose(-1, -2)).masked_fill((back < 0) | (back >= span), -torch.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("span", [1, 16, 20, 512])
@pytest.mark.parametrize("way", ["attention", "masked"])
def test_values_and_gradients(shape, span, way):
    if way == "attention":
        assert cpu.kernels(), "this machine has no C++ compiler"
    generator = torch.Generator().manual_seed(0)
    qkv = 2 * torch.randn(shape, generator=generator)
    weights = torch.randn(shape[:2] + shape[3:], generator=generator)
    results = []
    for function in (getattr(attention, way), plain):
        inputs = qkv.clone().requires_grad_()
        out = function(inputs, span)
        (gradient,) = torch.autograd.grad((out * weights).sum(), inputs)
        results.append((out.detach(), gradient))
    (out, gradient), (expected, wanted) = results
    assert (out - expected).abs().max() < 1e-5
    assert (gradient - wanted).norm() / wanted.norm() < 1e-5


@pytest.mark.filterwarnings("ignore:flex_attention called without")
@pytest.mark.parametrize("span", [16, 512])
def test_flex_with_narrow_heads(monkeypatch, span):
    """The GPU's way, here by flex_attention's own reference code: padding changes nothing."""
    from torch.nn.attention.flex_attention import flex_attention

    monkeypatch.setattr(attention, "_compiled_flex", lambda: flex_attention)
    qkv = 2 * torch.randn((2, 70, 3, 16, 4), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (attention.flex(qkv, span) - plain(qkv, span)).abs().max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_a_generation_compiles_few_graphs_of_flex_attention(monkeypatch):
    """Dynamo gives up at 8 of a function, and goes on slowly: two spans, and the last update's fewer rows."""
    from torch._dynamo.testing import CompileCounterWithBackend
    from torch.nn.attention.flex_attention import flex_attention

    torch._dynamo.reset()
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(flex_attention, backend=counter)
    monkeypatch.setattr(attention, "_compiled_flex", lambda: compiled)
    for batch in (2, 6, 6, 5, 6, 5, 3):  # the first is the probe's
        for span in (16, 512):
            attention.flex(torch.randn(batch, 40, 3, 2, 16), span)
    assert 1 <= counter.frame_count <= 5
    torch._dynamo.reset()
