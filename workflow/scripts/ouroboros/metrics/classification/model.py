"""A checkpoint as a classifier: transformers' `AutoModelForSequenceClassification`, made quick.

Two changes leave every number as it is, up to floating point. GPT-Neo's attention is ours, without
masks. And the embeddings are those of the tokens that occur: Adam leaves the others, whose
gradients are all zero, where they are, but would read and write each of them at every update.
"""

import contextlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import nn

from ouroboros.errors import UserError, damaged
from ouroboros.model.families.gpt_neo.attention import attention, masked
from ouroboros.storage.checksums import check_sums


def read_classifier(folder, classes: int, vocabulary: np.ndarray, seed: int):
    """The model of a checkpoint with a new head for `classes` classes, from `seed`.

    `vocabulary` holds the token ids that occur, in increasing order: the model takes places in it
    instead of ids, and pads with `len(vocabulary)`, which therefore no text can contain. A text is
    right-padded, and its class is read from its last token. UserError where the folder is damaged
    or of another tokenizer.
    """
    # Imported here: it takes seconds, which tests and jobs that stop before need not wait.
    import transformers

    check_sums(folder)
    torch.manual_seed(seed)  # of the head, and of dropout where an architecture has any
    try:
        with _quiet(transformers.logging):  # that the head is new is no news
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=classes, dtype=torch.float32,
                use_safetensors=True, trust_remote_code=False,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise damaged(folder, str(error)) from error
    _keep_tokens(model, vocabulary, folder)
    if model.config.model_type == "gpt_neo":
        for block in model.transformer.h:
            block.attn.attention = _Attention(block.attn.attention, model.config.window_size)
    return model


def _keep_tokens(model, vocabulary, folder):
    weights = model.get_input_embeddings().weight.detach()
    if vocabulary[-1] >= len(weights):
        raise UserError(
            f"The tokenizer in {folder} has a token {vocabulary[-1]}, the model a vocabulary of "
            f"{len(weights)}: they do not belong together. Remove the folder and run again; it "
            "will be trained anew."
        )
    padding = weights.new_zeros(1, weights.shape[1])
    kept = torch.cat([weights[torch.from_numpy(vocabulary)], padding])
    model.set_input_embeddings(nn.Embedding.from_pretrained(kept, freeze=False))
    model.config.pad_token_id = len(vocabulary)


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


@contextlib.contextmanager
def _quiet(logging):
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
