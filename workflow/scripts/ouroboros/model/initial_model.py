"""A pre-trained model of the hub or of a folder, as a model of one of our families."""

import os
import re

import torch
from tokenizers import Tokenizer

from ouroboros.config.families import DEFAULT
from ouroboros.data.hub_cache import cache_error
from ouroboros.data.tokenizer import fetch_tokenizer, vocabulary_size
from ouroboros.errors import UserError
from ouroboros.model.families import LanguageModel, family_class
from ouroboros.model.transformers_log import quiet

SIZES = {
    "architecture": "model_type", "layers": "num_hidden_layers", "hidden_size": "hidden_size",
    "heads": "num_attention_heads", "positions": "max_position_embeddings", "window": "window_size",
}  # fmt: skip


def read_initial_model(
    source: str, settings: dict, tokenizer: Tokenizer, end_of_text: int
) -> LanguageModel:
    """The model `source` (a folder, or owner/name of the hub), on the CPU and in float32.

    `settings`: the lineage's entry of `models`, whose sizes have to be the model's. Rows of the
    embeddings beyond the tokenizer's vocabulary, which many models are padded with, are cut off.
    Raises UserError where the model, its tokenizer or its sizes do not fit. Code that comes with a model is
    never run.
    """
    theirs = _fetch(source)
    _check_sizes(source, settings, theirs.config)
    _check_tokenizer(source, tokenizer, end_of_text)
    vocabulary, known = vocabulary_size(tokenizer), theirs.config.vocab_size
    if vocabulary > known:
        raise UserError(
            f"The tokenizer has {vocabulary:,} tokens, and the initial model {source} knows {known:,}: they "
            "do not belong together. Give the lineage the model's own tokenizer."
        )
    if vocabulary < known:
        theirs.resize_token_embeddings(vocabulary, mean_resizing=False)
    other = UserError(
        f"The initial model {source} computes other logits than this family of models would with its "
        "weights. Name it as a model of the family hf."
    )
    try:
        model = family_class(settings).from_transformers(theirs, settings).eval()
    except (KeyError, RuntimeError) as error:  # a layer has another shape
        raise other from error
    # beyond the window, where one layer sees less than another
    longest = min(settings["positions"], settings.get("window", 0) + 32)
    ids = torch.arange(longest)[None] % vocabulary
    with torch.inference_mode():
        ours = model.hidden(ids) @ model.head.T
        if not torch.allclose(ours, theirs(ids).logits, rtol=1e-3, atol=1e-3):
            raise other
    return model


def _fetch(source):
    from transformers import AutoModelForCausalLM

    try:
        with quiet():
            model, loaded = AutoModelForCausalLM.from_pretrained(
                source, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
            )
    except Exception as error:  # whatever the network, the hub's client and transformers raise
        if explained := cache_error(f"The initial model {source}", error, source):
            raise explained from error
        raise UserError(_explain(source, error)) from error
    if loaded["missing_keys"]:
        raise UserError(
            f"The initial model {source} lacks weights of a causal LM "
            f"({', '.join(sorted(loaded['missing_keys'])[:3])}): it is another kind of model."
        )
    return model.eval()


def _explain(source, error):
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "trust_remote_code" in str(error) or "custom code" in str(error):
        return (
            f"The initial model {source} comes with code of its own, which is never run here. Choose one of "
            "an architecture that transformers has."
        )
    if "AutoModelForCausalLM" in str(error) or "model_type" in str(error):
        return (
            f"The initial model {source} is no causal LM that transformers has: the `model_type` in its "
            "config.json has to be that of one, such as gpt2 or llama."
        )
    if not os.path.isdir(source) and re.search(r"gated|\b40[13]\b", str(error)):
        return (
            f"The hub refuses the initial model {source}, or has none of this name. Where it is gated, ask "
            "for access on its page, and give your token: `hf auth login`, or HF_TOKEN in the environment."
        )
    return (
        f"The initial model {source} could not be read ({type(error).__name__}: {said}). Give the name of a "
        "model of the hub (owner/name), or a folder with its config.json, weights and tokenizer.json."
    )


def _check_sizes(source, settings, config):
    if settings.get("family", DEFAULT) == DEFAULT != config.model_type:
        raise UserError(
            f"The initial model {source} is a {config.model_type}. Write in the lineage's entry of `models`: "
            f"{{family: hf, architecture: {config.model_type}, ...}}"
        )
    found = {
        key: getattr(config, name)
        for key, name in SIZES.items()
        if key in settings and hasattr(config, name)
    }
    if found != {key: settings[key] for key in found}:
        wanted = ", ".join(f"{key}: {value}" for key, value in found.items())
        raise UserError(
            f"The initial model {source} is of other sizes than the lineage's entry of `models`. Write "
            f"there: {{family: {settings.get('family', DEFAULT)}, {wanted}}}"
        )


def _check_tokenizer(source, tokenizer, end_of_text):
    try:
        own = fetch_tokenizer(source).get_vocab(with_added_tokens=True)
    except UserError as error:
        raise UserError(
            f"The initial model {source} has no tokenizer.json that can be read, so that nobody knows its tokens."
        ) from error
    name = tokenizer.id_to_token(end_of_text)
    others = [token for token, index in tokenizer.get_vocab().items() if own.get(token) != index]
    if others:
        raise UserError(
            f"The lineage's tokenizer is not that of the initial model {source}: {len(others):,} tokens have "
            f"another number there, or none ({others[0]!r}). Name an entry of `tokenizers` for it: "
            f"{{source: hub, path: {source}, end_of_text: {name!r}}}"
        )
