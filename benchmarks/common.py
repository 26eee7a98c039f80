"""Options and models that the benchmarks share."""

import argparse
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import sides
import yaml

from ouroboros.config.resolve import resolve
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.model.families.gpt_neo.settings import GPTNeoSettings
from ouroboros.pipeline.declarations import complete

GPT2_TOKENS = 50257


@cache
def configuration() -> dict:
    """config.yaml, resolved: `lineages`, `tokenizers` ..."""
    config, schema = (
        yaml.safe_load((sides.REPOSITORY / path).read_text(encoding="utf-8"))
        for path in ("config.yaml", "workflow/schemas/config.schema.yaml")
    )
    return resolve(config, complete(schema))


def lineage(name: str) -> dict:
    """The settings of a lineage."""
    return configuration()["lineages"][name]


def tokenizer_settings(name: str) -> dict:
    """The tokenizer of a lineage."""
    return configuration()["tokenizers"][lineage(name)["tokenizer"]]


def model_settings(name: str) -> GPTNeoSettings:
    """The model of a lineage."""
    vocabulary = tokenizer_settings(name).get("vocabulary_size", GPT2_TOKENS)
    return GPTNeoSettings(**lineage(name)["model"], vocabulary_size=vocabulary)


def random_model(name: str) -> GPTNeo:
    """The model of a lineage with random weights, its attention and predictions far from even.

    At a standard deviation of 1 / sqrt(width), states and logits have one of about 1.
    """
    settings = model_settings(name)
    settings = replace(settings, initial_std=settings.hidden_size**-0.5)
    return GPTNeo(settings).initialise(0).eval()


def in_transformers(model: GPTNeo):
    """The same model in transformers, its attention as shipped."""
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = model.config(end_of_text(model.settings))
    config = GPTNeoConfig(**{key: value for key, value in config.items() if key != "dtype"})
    other = GPTNeoForCausalLM(config).eval()
    missing, unexpected = other.load_state_dict(model.weights(), strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)  # it is tied
    return other


def end_of_text(settings: GPTNeoSettings) -> int:
    """GPT-2's; for speed any token will do."""
    return settings.vocabulary_size - 1


def make_parser(description: str, allocator: str = "both") -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--model", default="1m", choices=configuration()["lineages"],
        help="a lineage of config.yaml, whose model is taken, with random weights",
    )  # fmt: skip
    parser.add_argument("--repeats", type=positive, default=3, help="pairs of runs, alternating")
    parser.add_argument(
        "--threads", type=positive, help="of either side; OMP_NUM_THREADS, else all cores",
        default=os.environ.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0))),
    )  # fmt: skip
    parser.add_argument(
        "--allocator", default=allocator, choices=["both", "ours", "none"],
        help="which side runs with the workflow's allocator settings; else as installed",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    return parser


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 upwards")
    return int(text)
