"""Attention without masks for transformers' GPT-Neo, as fine-tuning uses it."""

import torch
import torch.nn.functional as F
from torch import nn

from ouroboros.model.families.gpt_neo.attention import attention, masked


def replace_attention(theirs: nn.Module):
    """Give every block of a GPT-Neo of transformers our attention, in place."""
    for block in theirs.transformer.h:
        block.attn.attention = _Attention(block.attn.attention, theirs.config.window_size)


class _Attention(nn.Module):
    """In the place of transformers' `GPTNeoSelfAttention`, with its weights.

    Nothing looks ahead, so that padding on the right needs no mask.
    """

    def __init__(self, theirs, window):
        super().__init__()
        self.projections = nn.ModuleList([theirs.q_proj, theirs.k_proj, theirs.v_proj])
        self.out_proj = theirs.out_proj
        self.heads = theirs.num_heads
        self.span = window if theirs.attention_type == "local" else theirs.bias.shape[-1]

    def forward(self, x, **_):
        """x (batch, time, width) -> the same, and None for the weights of attention."""
        weights = torch.cat([projection.weight for projection in self.projections])
        qkv = F.linear(x, weights).unflatten(2, (3, self.heads, -1))
        # texts are short: on a GPU, torch's own attention needs no compiling for every length
        attend = attention if x.device.type == "cpu" else masked
        return self.out_proj(attend(qkv, self.span).flatten(2)), None
