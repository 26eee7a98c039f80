"""The kernel of GELU against torch's in float64, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from ouroboros.kernels import cpu
from ouroboros.model.families.gpt_neo.gelu import gelu

pytestmark = pytest.mark.usefixtures("several_threads")


@pytest.mark.parametrize("size", [1, 15, 16, 1000, 70_001])
def test_values_and_gradients(size):
    assert cpu.kernels(), "this machine has no C++ compiler"
    generator = torch.Generator().manual_seed(size)
    x = 4 * torch.randn(size, generator=generator)
    x[::7] *= 1e4  # where the share is 0 or 1
    weights = torch.randn(size, generator=generator)
    ours = x.clone().requires_grad_()
    (gelu(ours) * weights).sum().backward()
    exact = x.double().requires_grad_()
    (F.gelu(exact, approximate="tanh") * weights.double()).sum().backward()
    for mine, theirs in [
        (gelu(x), F.gelu(x.double(), approximate="tanh")),
        (ours.grad, exact.grad),
    ]:
        assert ((mine - theirs).abs() / theirs.abs().clamp(min=1)).max() < 2e-6


def test_what_is_not_a_number_stays_so():
    assert gelu(torch.tensor([torch.nan, 1.0])).isnan().tolist() == [True, False]
