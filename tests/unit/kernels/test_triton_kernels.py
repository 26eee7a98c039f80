"""Triton's kernels compute what PyTorch does; here in Triton's interpreter, on CPU tensors."""

import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F

if torch.cuda.is_available():
    pytest.skip("the interpreter must not replace the GPU", allow_module_level=True)
os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton")

import triton
from tools import initialise, lively

from ouroboros.kernels import cpu, triton_cross_entropy, triton_kernels
from ouroboros.model import triton_selftest
from ouroboros.model.cross_entropy import summed_loss
from ouroboros.sampling.sampler import Sampler, sample

ROWS = 5
VOCABULARY = 600  # two blocks and a part of one


@pytest.mark.parametrize(
    ("heads", "head", "slots", "dtype"),
    [
        (16, 4, 65, torch.float32),  # one program per row, two tiles
        (16, 16, 17, torch.float32),
        (8, 48, 17, torch.float32),  # two programs per row
        (8, 48, 17, torch.float16),
    ],
)
def test_attention_sees_the_positions_that_the_ring_keeps(heads, head, slots, dtype):
    rows, width, length = 2, heads * head, slots * 5 // 2
    torch.manual_seed(0)
    # what was in the slots before is nobody's
    keys, values = torch.full((2, rows, slots, width), float("nan"), dtype=dtype)
    qkv = torch.randn(length, rows, 3, width).to(dtype)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-3
    for time in range(length):
        out = triton_kernels.attention_step(qkv[time], keys, values, torch.tensor([time]), heads)
        seen = qkv[max(0, time + 1 - slots) : time + 1].float().unflatten(3, (heads, head))
        weights = torch.einsum("rhd,trhd->trh", seen[-1, :, 0], seen[:, :, 1]).softmax(0)
        expected = torch.einsum("trh,trhd->rhd", weights, seen[:, :, 2]).flatten(1)
        assert out.dtype == dtype
        torch.testing.assert_close(out.float(), expected, rtol=tolerance, atol=tolerance)


def test_attention_keeps_halves_of_single_precision():
    qkv = torch.randn(ROWS, 3, 64)
    keys, values = torch.zeros(2, ROWS, 8, 64, dtype=torch.float16)
    out = triton_kernels.attention_step(qkv, keys, values, torch.tensor([11]), 16)
    assert out.dtype == torch.float32
    assert torch.equal(keys[:, 3], qkv[:, 1].half()) and torch.equal(values[:, 3], qkv[:, 2].half())
    assert keys.count_nonzero() == values.count_nonzero() == ROWS * 64


def head(width, dtype):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(ROWS, width, generator=generator) / 4
    return hidden.to(dtype), torch.randn(VOCABULARY, width, generator=generator).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("width", [64, 144])
def test_blocks_add_up_to_the_log_sum_of_the_logits(width, dtype):
    hidden, weights = head(width, dtype)
    maxima, sums = triton_kernels.head_blocks(hidden, weights)
    logits = hidden.double() @ weights.double().T
    blocks = [part.amax(1) for part in logits.split(256, 1)]
    torch.testing.assert_close(maxima.double(), torch.stack(blocks, 1), rtol=1e-5, atol=1e-5)
    found = (sums.double().log() + maxima).logsumexp(1)
    torch.testing.assert_close(found, logits.logsumexp(1), rtol=1e-6, atol=1e-5)


def draw(hidden, weights, uniforms, time=0):
    """Tokens (length, rows) and latest after one draw at `time`: uniforms (length, rows)."""
    tokens = torch.full(uniforms.shape, -1)
    latest = torch.full(uniforms.shape[1:], -1)
    blocks = triton_kernels.head_blocks(hidden, weights)
    triton_kernels.head_draw(
        hidden, weights, *blocks, uniforms, torch.tensor([time]), tokens, latest
    )
    return tokens, latest


def draw_from(logits, uniforms):
    """A token per uniform from the softmax of the logits (vocabulary,), in a model of width 16."""
    weights = torch.zeros(len(logits), 16)
    weights[:, 0] = logits
    hidden = torch.zeros(len(uniforms), 16)
    hidden[:, 0] = 1
    return draw(hidden, weights, torch.tensor([uniforms], dtype=torch.float64))[1].tolist()


@pytest.mark.parametrize(("width", "dtype"), [(64, torch.float16), (144, torch.float32)])
def test_draws_are_those_of_the_exact_distribution(width, dtype):
    hidden, weights = head(width, dtype)
    hidden = hidden.repeat(10, 1)
    probabilities = (hidden.double() @ weights.double().T).softmax(1)
    ends = probabilities.cumsum(1)
    uniforms = torch.from_numpy(np.random.default_rng(1).random((1, len(hidden))))
    tokens = draw(hidden, weights, uniforms)[1][:, None]
    # the uniform is within the token's share, but for the rounding of the logits
    end = ends.gather(1, tokens).squeeze(1)
    begin = end - probabilities.gather(1, tokens).squeeze(1)
    assert (begin - 1e-5 < uniforms[0]).all() and (uniforms[0] < end + 1e-5).all()


def test_every_token_is_reached_at_the_middle_of_its_share():
    logits = 4 * torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(0))
    probabilities = logits.double().softmax(0)
    (wide,) = torch.where(probabilities > 1e-6)
    middles = (probabilities.cumsum(0) - probabilities / 2)[wide]
    assert draw_from(logits, middles.tolist()) == wide.tolist()
    assert len(wide) > 100


def test_a_token_of_probability_1e_9_is_drawn_by_the_uniform_that_belongs_to_it():
    """Beside a token of nearly all the mass, in the same block: float32 sums would lose it."""
    logits = torch.full((VOCABULARY,), -60.0)
    logits[100] = 0.0
    logits[101] = np.log(1e-9)
    assert draw_from(logits, [1 - 3e-9, 1 - 0.5e-9]) == [100, 101]


def test_a_token_of_probability_1e_9_is_drawn_from_a_block_of_its_own():
    logits = torch.full((VOCABULARY,), -60.0)
    logits[100] = 0.0
    logits[599] = np.log(1e-9)
    assert draw_from(logits, [1 - 3e-9, 1 - 0.5e-9]) == [100, 599]


def test_the_ends_of_the_uniform_never_leave_the_vocabulary():
    """Nor do they reach a token of weight zero."""
    logits = torch.full((VOCABULARY,), -1e4)
    logits[3] = logits[550] = 0.0
    assert draw_from(logits, [0.0, np.nextafter(1.0, 0.0), 1.0]) == [3, 550, 550]


def test_a_draw_writes_the_row_of_its_time():
    hidden, weights = head(64, torch.float32)
    uniforms = torch.from_numpy(np.random.default_rng(1).random((3, ROWS)))
    for time in range(3):
        tokens, latest = draw(hidden, weights, uniforms, time)
        written = torch.full_like(tokens, -1)
        written[time] = draw(hidden, weights, uniforms[[time]])[1]
        assert torch.equal(tokens, written) and torch.equal(latest, written[time])


SIZES = {"1m": (16, 4), "33m": (16, 48)}  # heads, and features of each


@pytest.mark.parametrize("model", SIZES)
def test_the_check_before_a_job_sees_attention_that_is_wrong(monkeypatch, model):
    """At a model's own heads; the paper's have 256 and 512 slots, whose ring ends alike."""
    sizes = *SIZES[model], 24
    triton_selftest.check_attention(triton_kernels, "cpu", *sizes, torch.float32)
    right = triton_kernels.attention_step

    def forgets_where_the_ring_begins_again(qkv, keys, values, time, heads):
        return right(qkv, keys, values, time.clamp(max=keys.shape[1] - 1), heads)

    for wrong in (lambda *a: 1.1 * right(*a), forgets_where_the_ring_begins_again):
        monkeypatch.setattr(triton_kernels, "attention_step", wrong)
        with pytest.raises(ArithmeticError, match="attention"):
            triton_selftest.check_attention(triton_kernels, "cpu", *sizes, torch.float32)


def test_the_check_before_a_job_sees_an_output_layer_that_is_wrong(monkeypatch):
    triton_selftest.check_head(triton_kernels, "cpu", 48, 700, torch.float32)
    blocks = triton_kernels.head_blocks

    def wrong_from_the_second_tile_on(hidden, weights):
        maxima, sums = blocks(hidden, weights)
        sums[64:] *= 2
        return maxima, sums

    monkeypatch.setattr(triton_kernels, "head_blocks", wrong_from_the_second_tile_on)
    with pytest.raises(ArithmeticError, match="head"):
        triton_selftest.check_head(triton_kernels, "cpu", 48, 700, torch.float32)


@pytest.mark.parametrize(
    ("width", "dtype"), [(64, torch.float32), (24, torch.float32), (128, torch.float16)]
)
def test_the_loss_of_a_narrow_model_and_its_gradients(width, dtype):
    """Rows and tokens that end within a tile, and a width that is no power of two."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(150, width, generator=generator).to(dtype)
    weights = (torch.randn(VOCABULARY, width, generator=generator) * 2 / width**0.5).to(dtype)
    targets = torch.randint(VOCABULARY, (150,), generator=generator)
    states, head = (part.double().requires_grad_() for part in (hidden, weights))
    expected = F.cross_entropy(states @ head.T, targets, reduction="none")
    wanted = torch.autograd.grad(expected.sum(), (states, head))
    losses, *gradients = triton_cross_entropy.cross_entropy(hidden, weights, targets)
    torch.testing.assert_close(losses.double(), expected, rtol=1e-5, atol=1e-5)
    assert gradients[0].dtype == dtype and gradients[1].dtype == torch.float32
    for found, right in zip(gradients, wanted, strict=True):
        assert (found - right).norm() / right.norm() < (1e-6 if dtype == torch.float32 else 5e-4)


def test_training_takes_the_loss_of_these_kernels(monkeypatch):
    """The same, with autograd's scale, as in slices."""
    hidden, weights = (part.requires_grad_() for part in head(64, torch.float32))
    targets = torch.arange(ROWS)
    results = []
    for kernels in (None, triton_cross_entropy):
        monkeypatch.setattr(triton_selftest, "loss_kernels", lambda *sizes, it=kernels: it)
        loss = summed_loss(hidden, weights, targets)
        results.append((loss, *torch.autograd.grad(loss * 0.25, (hidden, weights))))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_check_before_a_job_sees_a_loss_that_is_wrong(monkeypatch):
    sizes = "cpu", 48, 700, torch.float32
    triton_selftest.check_loss(triton_cross_entropy, *sizes)
    with torch.no_grad():  # as within the loss, whose gradients are its own
        triton_selftest.check_loss(triton_cross_entropy, *sizes)
    right = triton_cross_entropy.cross_entropy
    for wrong in (
        lambda h, w, t: right(h, w, t.roll(1)),
        lambda *a: (right(*a)[0], right(*a)[1], 1.01 * right(*a)[2]),
    ):
        monkeypatch.setattr(triton_cross_entropy, "cross_entropy", wrong)
        with pytest.raises(ArithmeticError):
            triton_selftest.check_loss(triton_cross_entropy, *sizes)


def test_a_kernel_that_does_not_compile_leaves_the_work_to_pytorch(monkeypatch, caplog):
    """As at a width whose tiles are too large for a GPU's shared memory; others are used all the same."""

    def compile_at(device, heads, head, slots):
        if head > 40:
            raise triton.runtime.errors.OutOfResources(147_456, 101_376, "shared memory")

    monkeypatch.setattr(triton_selftest.gpu_compilers, "usable", lambda device: True)
    monkeypatch.setattr(triton_selftest, "check_attention", lambda kernels, *a: compile_at(*a))
    usable = triton_selftest.attention_kernels.__wrapped__
    assert usable("cuda", 16, 4, 256) is triton_kernels
    assert usable("cuda", 16, 48, 256) is None
    assert "OutOfResources" in caplog.text and "right, but slower" in caplog.text


def test_a_corpus_sampled_with_these_kernels_is_the_cpus(monkeypatch, model_settings):
    model = lively(initialise(model_settings, 5))
    expected = next(sample(model, 1, range(6), 40, 0, 6))
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    for kind in ("attention_kernels", "head_kernels"):
        monkeypatch.setattr(triton_selftest, kind, lambda *sizes: triton_kernels)
    sampler = Sampler(model, 6, 40, 0)
    assert type(sampler.decoder.layers[0]).__name__ == "GPULayer"
    got = next(sample(model, 1, range(6), 40, 0, 6))
    assert (got == expected).mean() > 0.99
