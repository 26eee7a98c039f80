"""Checkpoints are Hugging Face model folders: config.json, model.safetensors and the tokenizer.

`AutoModelForCausalLM.from_pretrained(folder)` and `pipeline("text-generation", folder)` work on
them as they are, where transformers has the family; neither is needed to write or read them here.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ouroboros.config.families import families
from ouroboros.data.tokenizer import read_tokenizer, save_tokenizer, vocabulary_size
from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.model.families import LanguageModel, family_of, model_class
from ouroboros.storage.atomic import new_directory, write_json
from ouroboros.storage.checksums import verify_checksums, write_checksums

WEIGHTS = "model.safetensors"


def write_checkpoint(
    model: LanguageModel, tokenizer_folder, end_of_text: int, record: dict, folder
):
    """Write the model, its tokenizer and `record` (training.json) as one folder."""
    with new_directory(folder) as temporary:
        tokenizer, _ = read_tokenizer(tokenizer_folder)
        save_tokenizer(tokenizer, tokenizer.id_to_token(end_of_text), temporary)
        weights = {name: tensor.contiguous() for name, tensor in model.weights().items()}
        save_file(weights, temporary / WEIGHTS, metadata={"format": "pt"})
        write_json(temporary / "config.json", model.config(end_of_text))
        write_json(
            temporary / "generation_config.json",
            {
                "bos_token_id": end_of_text,
                "eos_token_id": end_of_text,
                "pad_token_id": end_of_text,
                "do_sample": True,
                "temperature": 1.0,
                "top_k": 0,
                "top_p": 1.0,
            },
        )
        write_checksums(temporary)
        # not among the sums: it has the clock's time, and equal runs have equal sums
        write_json(temporary / "training.json", record)


def read_checkpoint(folder) -> LanguageModel:
    """The model of a folder, in evaluation mode on the CPU; UserError where it is damaged."""
    folder = Path(folder)
    verify_checksums(folder)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise DamagedArtifact(folder, str(error)) from error
    family = family_of(config)
    if family not in families():
        raise UserError(
            f"The checkpoint {folder} is a {family!r} model; only models of these families can be "
            f"sampled and measured: {', '.join(families())}."
        )
    model = model_class(family).from_config(config)
    try:
        model.load_weights(weights)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"The weights of {folder} do not fit its config.json: {error}") from error
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise UserError(
                f"The checkpoint {folder} holds weights that are not finite ({name}). "
                "Remove the folder and run again; it will be trained anew."
            )
    return model.eval()


def read_lm(folder):
    """The model of a folder, and its end-of-text token; UserError where it and its tokenizer differ."""
    model = read_checkpoint(folder)
    tokenizer, end_of_text = read_tokenizer(folder)
    if model.vocabulary_size != vocabulary_size(tokenizer):
        raise UserError(
            f"The model in {folder} has a vocabulary of {model.vocabulary_size}, its "
            f"tokenizer one of {vocabulary_size(tokenizer)}: they do not belong together. "
            "Remove the folder and run again; it will be trained anew."
        )
    return model, end_of_text
