"""Cross-entropy from final states, with one slice of the logits in memory at a time.

With 50,257 tokens the logits of one micro-batch are gigabytes; a slice of them fits the caches. Of a
narrow model on a GPU none are in memory (kernels/triton_cross_entropy.py).
"""

import functools

import torch

from ouroboros.kernels import cpu, gpu_compilers
from ouroboros.model import triton_selftest
from ouroboros.model.exact_draw import products
from ouroboros.model.output_head import Head

PARTS = 8  # of the head's gradient in half precision, where its sums are rounded


def token_losses(hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Negative log-probability of every target in nats, without gradients.

    hidden (tokens, width), head (vocabulary, width), targets (tokens,) -> float32 (tokens,).
    """
    with torch.no_grad():
        chosen = (hidden * head[targets]).sum(1)
        return Head(head).logsumexp(hidden) - chosen


def summed_loss(hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the targets' losses, with gradients for `hidden` and `head`; shapes as above."""
    return _SummedLoss.apply(hidden, head, targets)


class _SummedLoss(torch.autograd.Function):
    """Compute the gradients in the forward pass, since the logits are not stored."""

    @staticmethod
    def forward(ctx, hidden, head, targets):
        device = hidden.device.type
        dtype = hidden.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        with torch.autocast(device, enabled=False):
            states, weights = hidden.detach().to(dtype), head.detach().to(dtype)
            vocabulary, width = weights.shape
            if kernels := triton_selftest.loss_kernels(device, width, vocabulary):
                losses, to_hidden, to_head = kernels.cross_entropy(
                    states.contiguous(), weights.contiguous(), targets.contiguous()
                )
            else:
                losses, to_hidden, to_head = in_slices(states, weights, targets)
        ctx.save_for_backward(to_hidden.to(hidden.dtype), to_head)
        ctx.head = head
        return losses.sum(dtype=torch.float64).float()

    @staticmethod
    def backward(ctx, scale):
        to_hidden, to_head = ctx.saved_tensors
        # in place: the head's gradient is as large as the head, and is used once
        to_head = to_head.mul_(scale).to(ctx.head.dtype)
        if ctx.head.is_leaf and ctx.head.grad is not None:
            # added here: autograd would hold it until the embeddings' gradient, as large, is computed
            ctx.head.grad += to_head
            to_head = None
        return to_hidden.mul_(scale), to_head, None


def in_slices(
    states: torch.Tensor, weights: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Losses (tokens,), and the gradients of their sum for states and, in float32, for weights."""
    to_logits = _Gradient(weights, len(targets))
    to_hidden = torch.empty_like(states)
    to_head = torch.zeros_like(weights, dtype=torch.float32)
    losses = torch.empty(len(targets), device=states.device)
    for start in range(0, len(targets), to_logits.rows):
        part = slice(start, start + to_logits.rows)
        gradient = to_logits(states[part], targets[part], losses[part])
        torch.mm(gradient, weights, out=to_hidden[part])
        add_product(to_head, gradient, states[part])
    return losses, to_hidden, to_head


def add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor):
    """Add `left.T @ right` to `total`, in place, with sums in float32.

    left (rows, m), right (rows, n), of one type; total float32 (m, n). Of a corpus that has collapsed a
    sum over a slice's rows may be more than fp16 holds (65,504).
    """
    if left.dtype == torch.float32:
        total.addmm_(left.T, right)
    elif _sums_in_float32(total.device.type):
        torch.addmm(total, left.T, right, out_dtype=torch.float32, out=total)
    elif left.dtype == torch.float16:
        for sums, columns in zip(total.chunk(PARTS), left.chunk(PARTS, 1), strict=True):
            sums += columns.T.float() @ right.float()
    else:  # mm rounds the product to bf16 in a copy, which is made in parts
        for sums, columns in zip(total.chunk(PARTS), left.chunk(PARTS, 1), strict=True):
            sums += columns.T @ right


@functools.cache
def _sums_in_float32(device: str) -> bool:
    """Tell whether torch multiplies halves into float32 there, which it does on CUDA alone."""
    if device != "cuda":
        return False
    try:
        tried = torch.zeros(8, 8, device=device, dtype=torch.float16)
        torch.addmm(tried.float(), tried, tried, out_dtype=torch.float32)
        return True
    except (RuntimeError, NotImplementedError):
        return False


class _Gradient:
    """Gradient of the logits (softmax minus one-hot) of a slice of rows, in one buffer for all slices."""

    def __init__(self, weights, tokens):
        vocabulary, width = weights.shape
        # The head's gradient passes through memory once per slice: wide models need larger slices,
        # and a GPU larger ones still.
        most = 4096 if weights.is_cuda else max(192, width)
        self.rows = -(-tokens // -(-tokens // most))  # slices of even size
        self.weights = weights
        self.kernel = KERNELS.get(weights.dtype) if weights.device.type == "cpu" else None
        if self.kernel and cpu.kernels():
            self.logits = weights.new_empty(self.rows, vocabulary)
            self.panels = cpu.panels(weights) if cpu.usable(weights) else None
        else:
            self.kernel = None

    def __call__(self, states, targets, losses):
        """Fill `losses`; returns the gradient of their sum with respect to the logits (rows, vocabulary)."""
        if self.kernel is None:
            compute = _compiled() if states.is_cuda else torch_gradient
            logits = products(states, self.weights)
            gradient, losses[:] = compute(logits, targets, states.dtype)
            return gradient
        sizes = *states.shape, len(self.weights)
        logits = self.logits[: len(states)]
        if self.panels is None:
            torch.mm(states, self.weights.T, out=logits)
        else:
            cpu.call("head_logits", states, self.panels, logits, *sizes)
        cpu.call(self.kernel, logits, targets, losses, len(states), len(self.weights))
        return logits


KERNELS = {torch.float32: "cross_entropy_float", torch.bfloat16: "cross_entropy_bfloat16"}


def torch_gradient(logits, targets, dtype):
    """The same by torch's own functions: gradient (rows, vocabulary) of `dtype` and float32 losses (rows,)."""
    logs = logits.logsumexp(1, keepdim=True)
    losses = (logs - logits.gather(1, targets[:, None])).squeeze(1)
    columns = torch.arange(logits.shape[1], device=logits.device)
    return ((logits - logs).exp() - (columns == targets[:, None]).float()).to(dtype), losses


@functools.cache
def _compiled():
    """`torch_gradient`, compiled where that works: the gradient is then never stored in float32."""
    return torch.compile(torch_gradient) if gpu_compilers.usable("cuda") else torch_gradient
