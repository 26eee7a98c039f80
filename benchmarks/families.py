"""Rates by family of models, at the demo's size: GPT-Neo, four architectures of transformers, and `generate`.

Each side in a process of its own, one after the other; medians and spread in tokens/s. The table of docs/models.md.
"""

import argparse
import statistics
import time

from sides import JOBS, Side, alternate

ROWS, LENGTH, VOCABULARY = 300, 256, 2048
BATCH, UPDATES = 4, 50
SIZES = {"layers": 2, "hidden_size": 64, "heads": 4, "positions": LENGTH}
MODELS = {
    "gpt_neo": SIZES | {"window": LENGTH, "context": LENGTH, "initial_std": 0.06},
    **{
        f"hf: {name}": {"family": "hf", "architecture": name, **SIZES, "settings": settings}
        for name, settings in {
            "gpt2": {}, "llama": {"intermediate_size": 176}, "gpt_neox": {"intermediate_size": 256},
            "qwen2": {"intermediate_size": 176},
        }.items()
    },
}  # fmt: skip


def timed(work, tokens):
    began = time.perf_counter()
    work()
    return tokens / (time.perf_counter() - began)


def ours(settings):
    """A function that measures training, sampling and perplexity of a model of ours."""
    import numpy as np
    import torch

    from ouroboros.data.corpus import Corpus
    from ouroboros.model.families import random_model
    from ouroboros.model.scoring import story_losses
    from ouroboros.sampling.sampler import sample
    from ouroboros.training.trainer import Training, TrainingSettings

    drawn = np.minimum(
        np.random.default_rng(0).zipf(1.3, (BATCH * UPDATES, LENGTH)), VOCABULARY - 1
    )
    corpus = Corpus(drawn.astype(np.uint16), np.zeros(len(drawn), np.uint16))
    model = random_model(settings, VOCABULARY, 0)
    how = TrainingSettings(BATCH, 4e-3, (0.9, 0.95), 0.01, 1.0, 1, 1, 1, "fp32")
    training = Training(model, how, corpus, 0, 1, torch.device("cpu"), BATCH)

    def train():
        model.train()
        for start in range(0, len(corpus), BATCH):
            training.update(np.arange(start, start + BATCH))

    def draw():
        for _ in sample(model.eval(), 0, range(ROWS), LENGTH, 0, ROWS):
            pass

    def read():
        story_losses(model.eval(), list(corpus.tokens), 0, LENGTH, 64)

    def measure():
        return {
            "training": timed(train, drawn.size), "sampling": timed(draw, ROWS * LENGTH),
            "perplexity": timed(read, drawn.size),
        }  # fmt: skip

    measure()
    return measure


def generate():
    """A function that measures transformers' own sampling of GPT-2's architecture."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        "gpt2", vocab_size=VOCABULARY, n_layer=2, n_embd=64, n_head=4, n_positions=LENGTH + 1,
        bos_token_id=0, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    start = torch.zeros(ROWS, 1, dtype=torch.long)

    @torch.inference_mode()
    def draw():
        model.generate(start, do_sample=True, top_k=0, min_new_tokens=LENGTH, max_new_tokens=LENGTH)

    draw()
    return lambda: {"sampling": timed(draw, ROWS * LENGTH)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    sides = {name: Side(JOBS, options.threads, ours, settings) for name, settings in MODELS.items()}
    sides["transformers generate: gpt2"] = Side({}, options.threads, generate)
    found = alternate(sides, options.repeats)
    print("| model | training | sampling | perplexity |\n|---|--:|--:|--:|")
    for name, measured in found.items():
        cells = []
        for key in ("training", "sampling", "perplexity"):
            rates = [one[key] for one in measured if key in one]
            cells.append(
                f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
                if rates
                else ""
            )
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
