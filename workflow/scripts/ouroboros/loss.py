"""Cross-entropy straight from final states, a slice of the logits alive at a time.

At 50,257 tokens the logits of one micro-batch are gigabytes; a slice of them stays near the caches.
"""

import torch

from ouroboros import native
from ouroboros.draw import Head


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
    """Makes the gradients along with the loss, since the logits are not kept for later."""

    @staticmethod
    def forward(ctx, hidden, head, targets):
        device = hidden.device.type
        dtype = hidden.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        with torch.autocast(device, enabled=False):
            states, weights = hidden.detach().to(dtype), head.detach().to(dtype)
            to_logits = _Gradient(weights, len(targets))
            to_hidden = torch.empty_like(states)
            to_head = torch.zeros_like(head, dtype=torch.float32)
            losses = torch.empty(len(targets), device=hidden.device)
            for start in range(0, len(targets), to_logits.rows):
                part = slice(start, start + to_logits.rows)
                gradient = to_logits(states[part], targets[part], losses[part])
                torch.mm(gradient, weights, out=to_hidden[part])
                if dtype == torch.float32:
                    to_head.addmm_(gradient.T, states[part])
                else:
                    to_head += gradient.T @ states[part]
        ctx.save_for_backward(to_hidden.to(hidden.dtype), to_head)
        ctx.head_dtype = head.dtype
        return losses.sum(dtype=torch.float64).float()

    @staticmethod
    def backward(ctx, scale):
        to_hidden, to_head = ctx.saved_tensors
        return to_hidden * scale, (to_head * scale).to(ctx.head_dtype), None


class _Gradient:
    """Probability minus one-hot of a slice of rows, in one buffer for all slices."""

    def __init__(self, weights, tokens):
        vocabulary, width = weights.shape
        # The head's gradient passes through memory once per slice: wide models need more rows, and
        # a GPU more still to be busy.
        self.rows = min(tokens, 4096 if weights.is_cuda else max(192, 2 * width))
        self.weights = weights
        self.logits = weights.new_empty(self.rows, vocabulary)
        self.panels = native.panels(weights) if native.usable(weights) else None

    def __call__(self, states, targets, losses):
        """Fills `losses`; gradient of their sum for the logits (rows, vocabulary)."""
        rows, width = states.shape
        vocabulary = len(self.weights)
        logits = self.logits[:rows]
        if self.panels is not None:
            native.call("head_logits", states, self.panels, logits, rows, width, vocabulary)
        else:
            torch.mm(states, self.weights.T, out=logits)
        if logits.device.type == "cpu" and native.kernels() and str(logits.dtype) in KERNELS:
            kernel = KERNELS[str(logits.dtype)]
            native.call(kernel, logits, targets, losses, rows, vocabulary)
            return logits
        return reference_gradient(logits, targets, losses)


KERNELS = {
    "torch.float32": "cross_entropy_float",
    "torch.bfloat16": "cross_entropy_bfloat16",
}


def reference_gradient(logits, targets, losses):
    """The same by torch's own functions; `logits` is overwritten where it is float32."""
    dtype, logits = logits.dtype, logits.float()
    chosen = logits.gather(1, targets[:, None])
    logs = logits.logsumexp(1, keepdim=True)
    losses.copy_((logs - chosen).squeeze(1))
    logits.sub_(logs).exp_().scatter_add_(1, targets[:, None], torch.full_like(chosen, -1.0))
    return logits.to(dtype)
