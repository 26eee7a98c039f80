"""A checkpoint as a classifier: transformers' `AutoModelForSequenceClassification`, made faster.

Two changes leave every number as it is, up to floating point. The model's family replaces parts by
faster ones. And the embeddings are those of the tokens that occur: Adam leaves the others, whose
gradients are all zero, where they are, but would read and write each of them at every update.
"""

import numpy as np
import torch
from safetensors import SafetensorError
from torch import nn

from ouroboros.config.families import families
from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.model.families import family_of, model_class
from ouroboros.model.transformers_log import quiet
from ouroboros.storage.checksums import verify_checksums


def read_classifier(folder, classes: int, vocabulary: np.ndarray, seed: int):
    """The model of a checkpoint with a new head for `classes` classes, from `seed`.

    `vocabulary` holds the token ids that occur, in increasing order: the model takes places in it
    instead of ids, and pads with `len(vocabulary)`, which therefore no text can contain. A text is
    right-padded, and its class is read from its last token. UserError where the folder is damaged
    or of another tokenizer.
    """
    # Imported here: it takes seconds, which tests and jobs that stop before need not wait.
    import transformers

    verify_checksums(folder)
    torch.manual_seed(seed)  # of the head, and of dropout where an architecture has any
    try:
        with quiet():  # that the head is new is no news
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=classes, dtype=torch.float32,
                use_safetensors=True, trust_remote_code=False,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DamagedArtifact(folder, str(error)) from error
    _keep_tokens(model, vocabulary, folder)
    if (family := family_of(model.config.to_dict())) in families():
        model_class(family).accelerate(model)
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
