"""Cross-entropy straight from final states, a slice of the logits alive at a time.

At 50,257 tokens the logits of one micro-batch are gigabytes; a slice of 256 rows is 50 MB.
"""

import torch

ROWS = 256  # rows of logits alive at once


def token_losses(hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Negative log-probability of every target in nats, without gradients.

    hidden (tokens, width), head (vocabulary, width), targets (tokens,) -> float32 (tokens,).
    """
    losses = torch.empty(len(targets), device=hidden.device)
    with torch.no_grad():
        for start in range(0, len(targets), ROWS):
            part = slice(start, start + ROWS)
            logits = (hidden[part] @ head.T).float()
            chosen = logits.gather(1, targets[part, None]).squeeze(1)
            losses[part] = logits.logsumexp(1) - chosen
    return losses


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
            to_hidden = torch.empty_like(hidden)
            to_head = torch.zeros_like(head, dtype=torch.float32)
            total = torch.zeros((), dtype=torch.float64, device=hidden.device)
            for start in range(0, len(targets), ROWS):
                part = slice(start, start + ROWS)
                logits = (states[part] @ weights.T).float()
                target = targets[part, None]
                chosen = logits.gather(1, target)
                largest = logits.amax(1, keepdim=True)
                logits.sub_(largest).exp_()
                mass = logits.sum(1, keepdim=True)
                total += (largest + mass.log() - chosen).sum(dtype=torch.float64)
                # from here on `logits` holds the loss's gradient: probability minus one-hot
                logits.div_(mass).scatter_add_(1, target, torch.full_like(chosen, -1.0))
                gradient = logits.to(dtype)
                to_hidden[part] = gradient @ weights
                if dtype == torch.float32:
                    to_head.addmm_(gradient.T, states[part])
                else:
                    to_head += gradient.T @ states[part]
        ctx.save_for_backward(to_hidden, to_head)
        ctx.head_dtype = head.dtype
        return total.float()

    @staticmethod
    def backward(ctx, scale):
        to_hidden, to_head = ctx.saved_tensors
        return to_hidden * scale, (to_head * scale).to(ctx.head_dtype), None
