"""A GPT-Neo as transformers stores it: the content of config.json, and the names of its weights."""

import torch

from ouroboros.model.families.gpt_neo.settings import EPSILON, GPTNeoSettings

# our name -> transformers' name inside a block; the fused qkv is split in three
BLOCK_NAMES = {
    "ln_1": "ln_1",
    "out": "attn.attention.out_proj",
    "ln_2": "ln_2",
    "fc": "mlp.c_fc",
    "proj": "mlp.c_proj",
}
PROJECTIONS = [f"attn.attention.{name}_proj.weight" for name in "qkv"]


def to_transformers(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A GPTNeo's weights under transformers' names; the output head is tied and not among them."""
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
    """The reverse of `to_transformers`: a state dict of GPTNeo."""
    ends = ("wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias")
    state = {name: weights[f"transformer.{name}"] for name in ends}
    for layer in range(layers):
        theirs, ours = f"transformer.h.{layer}.", f"blocks.{layer}."
        state[f"{ours}qkv.weight"] = torch.cat([weights[theirs + name] for name in PROJECTIONS])
        for module, name in BLOCK_NAMES.items():
            for kind in ("weight", "bias"):
                state[f"{ours}{module}.{kind}"] = weights[f"{theirs}{name}.{kind}"]
    return state


def to_config(settings: GPTNeoSettings, end_of_text: int) -> dict:
    """The content of config.json; `context` is a key of our own."""
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


def from_config(config: dict) -> dict:
    """The fields of GPTNeoSettings from the content of config.json."""
    return {
        "layers": config["num_layers"],
        "hidden_size": config["hidden_size"],
        "heads": config["num_heads"],
        "window": config["window_size"],
        "context": config.get("context", config["max_position_embeddings"]),
        "positions": config["max_position_embeddings"],
        "initial_std": config.get("initializer_range", 0.02),
        "vocabulary_size": config["vocab_size"],
    }
