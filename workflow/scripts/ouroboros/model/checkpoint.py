"""Checkpoints are Hugging Face model folders: weights in safetensors under transformers' names.

`AutoModelForCausalLM.from_pretrained(folder)` and `pipeline("text-generation", folder)` work on
them as they are; neither is needed to write or read them here.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.errors import UserError, damaged
from ouroboros.model.gpt_neo import EPSILON, GPTNeo, ModelSettings
from ouroboros.storage.atomic import new_directory, write_json
from ouroboros.storage.checksums import check_sums, write_sums

# our name -> transformers' name inside a block; the fused qkv is split in three
BLOCK_NAMES = {
    "ln_1": "ln_1",
    "out": "attn.attention.out_proj",
    "ln_2": "ln_2",
    "fc": "mlp.c_fc",
    "proj": "mlp.c_proj",
}
PROJECTIONS = [f"attn.attention.{name}_proj.weight" for name in "qkv"]


def write_checkpoint(model: GPTNeo, tokenizer_folder, end_of_text: int, record: dict, folder):
    """Write the model, its tokenizer and `record` (training.json) as one folder."""
    with new_directory(folder) as temporary:
        shutil.copytree(tokenizer_folder, temporary, dirs_exist_ok=True)
        (temporary / ".snakemake_timestamp").unlink(missing_ok=True)
        weights = {name: tensor.contiguous() for name, tensor in to_transformers(model).items()}
        save_file(weights, temporary / "model.safetensors", metadata={"format": "pt"})
        write_json(temporary / "config.json", _config(model.settings, end_of_text))
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
        write_sums(temporary)
        # not among the sums: it tells the time, and equal runs have equal sums
        write_json(temporary / "training.json", record)


def read_checkpoint(folder) -> GPTNeo:
    """The model of a folder, in evaluation mode on the CPU; UserError where it is damaged."""
    folder = Path(folder)
    check_sums(folder)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise damaged(folder, str(error)) from error
    if config.get("model_type") != "gpt_neo":
        raise UserError(
            f"The checkpoint {folder} is a {config.get('model_type')!r} model; "
            "only GPT-Neo checkpoints can be sampled and measured."
        )
    model = GPTNeo(_settings(config))
    try:
        model.load_state_dict(from_transformers(weights, config["num_layers"]))
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
    if model.settings.vocabulary_size != tokenizer.get_vocab_size():
        raise UserError(
            f"The model in {folder} has a vocabulary of {model.settings.vocabulary_size}, its "
            f"tokenizer one of {tokenizer.get_vocab_size()}: they do not belong together. "
            "Remove the folder and run again; it will be trained anew."
        )
    return model, end_of_text


def to_transformers(model: GPTNeo) -> dict[str, torch.Tensor]:
    """The weights under transformers' names; the output head is tied and not among them."""
    weights = {}
    for name, tensor in model.state_dict().items():
        if not name.startswith("blocks."):
            weights[f"transformer.{name}"] = tensor
            continue
        _, layer, module, kind = name.split(".")
        prefix = f"transformer.h.{layer}."
        if module == "qkv":
            parts = zip(PROJECTIONS, tensor.chunk(3), strict=True)
            weights |= {prefix + projection: part for projection, part in parts}
        else:
            weights[f"{prefix}{BLOCK_NAMES[module]}.{kind}"] = tensor
    return weights


def from_transformers(weights: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """The reverse of `to_transformers`: a state dict of `GPTNeo`."""
    ends = ("wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias")
    state = {name: weights[f"transformer.{name}"] for name in ends}
    for layer in range(layers):
        theirs, ours = f"transformer.h.{layer}.", f"blocks.{layer}."
        state[f"{ours}qkv.weight"] = torch.cat([weights[theirs + name] for name in PROJECTIONS])
        for module, name in BLOCK_NAMES.items():
            for kind in ("weight", "bias"):
                state[f"{ours}{module}.{kind}"] = weights[f"{theirs}{name}.{kind}"]
    return state


def _config(settings, end_of_text):
    kinds = ["global", "local"]
    types = [[kinds, settings.layers // 2]] if settings.layers > 1 else []
    types += [[["global"], 1]] if settings.layers % 2 else []
    return {
        "architectures": ["GPTNeoForCausalLM"],
        "model_type": "gpt_neo",
        "vocab_size": settings.vocabulary_size,
        "max_position_embeddings": settings.positions,
        "hidden_size": settings.hidden_size,
        "num_layers": settings.layers,
        "num_heads": settings.heads,
        "intermediate_size": 4 * settings.hidden_size,
        "window_size": settings.window,
        "attention_types": types,
        "attention_layers": [kinds[layer % 2] for layer in range(settings.layers)],
        "activation_function": "gelu_new",
        "layer_norm_epsilon": EPSILON,
        "initializer_range": settings.initial_std,
        "embed_dropout": 0.0,
        "attention_dropout": 0.0,
        "resid_dropout": 0.0,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "pad_token_id": end_of_text,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "context": settings.context,
    }


def _settings(config):
    return ModelSettings(
        layers=config["num_layers"],
        hidden_size=config["hidden_size"],
        heads=config["num_heads"],
        window=config["window_size"],
        context=config.get("context", config["max_position_embeddings"]),
        positions=config["max_position_embeddings"],
        initial_std=config.get("initializer_range", 0.02),
        vocabulary_size=config["vocab_size"],
    )
