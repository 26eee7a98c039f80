"""The beginnings of stories that LMs complete in GPT-Eval (paper 5.3.3)."""

from pathlib import Path

import yaml

from ouroboros.errors import UserError

HUB = "hub"  # in place of a path: the 44 beginnings of the paper, from TinyStories
OFFICIAL = "roneneldan/TinyStories", "Evaluation prompts.yaml"


def read_prompts(source) -> list[str]:
    """Read a YAML file with a list of beginnings, or the paper's from the hub where `source` is HUB."""
    path = Path(_official() if source == HUB else source)
    try:
        prompts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"The prompts {path} cannot be read: {error}") from error
    if not isinstance(prompts, list) or not prompts:
        raise UserError(f"{path} has to be a YAML list of beginnings of stories, one at least.")
    for number, prompt in enumerate(prompts, start=1):
        if not isinstance(prompt, str) or not prompt.strip():
            raise UserError(
                f"{path}: entry {number} is {prompt!r}, not the beginning of a story. Write it as "
                "a text; where it holds a colon or quotes, begin it with |- on a line of its own."
            )
    return prompts


def _official():
    from huggingface_hub import hf_hub_download

    repository, file = OFFICIAL
    try:
        return hf_hub_download(repository, file, repo_type="dataset")
    except Exception as error:  # whatever the network and the hub's client raise
        raise UserError(
            f"The prompts {file!r} of {repository} could not be fetched from the hub "
            f"({type(error).__name__}). Without a network, set `prompts` of the evaluation to "
            "resources/prompts.yaml or to a file of your own."
        ) from error
