"""Speed and memory of sampling, side by side with transformers' `generate`.

    python benchmarks/sampling.py --model 1m --batch 100 --tokens 600

Both draw from the full distribution at temperature 1, from the empty context, and go on after an
end-of-text, in fp32.
"""

import itertools
import time

import common
import compiled
import torch
from comparison import Work, compare
from limit import cache_bytes, forward_flop

from ouroboros.sampling.sampler import sample

WARM_UP = 8  # tokens


def prepare_ours(options):
    model = common.random_model(options.model)
    keys = itertools.count()

    def repeat(tokens=options.tokens):
        start = time.perf_counter()
        indices = range(options.batch)
        stop = common.end_of_text(model.settings)
        (drawn,) = sample(model, next(keys), indices, tokens, stop, options.batch)
        assert drawn.shape == (options.batch, tokens)
        return drawn.size / (time.perf_counter() - start)

    repeat(min(WARM_UP, options.tokens))
    return repeat


def prepare_theirs(options):
    model = common.in_transformers(common.random_model(options.model))
    stop = model.config.eos_token_id
    model.generation_config.eos_token_id = None  # rows go on after an end-of-text, like ours
    torch.manual_seed(0)
    prompt = torch.full((options.batch, 1), stop)

    def repeat(tokens=options.tokens):
        start = time.perf_counter()
        drawn = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_k=0,
            max_new_tokens=tokens, pad_token_id=stop,
        )[:, 1:]  # fmt: skip
        assert drawn.shape == (options.batch, tokens)
        return drawn.numel() / (time.perf_counter() - start)

    repeat(min(WARM_UP, options.tokens))
    return repeat


def main():
    parser = common.make_parser(__doc__.splitlines()[0])
    parser.add_argument("--batch", type=common.positive, default=100, help="sequences at once")
    parser.add_argument(
        "--tokens", type=common.positive, help="per sequence; else the lineage's length"
    )
    parser.add_argument(
        "--against", choices=["generate", "compiled"], default="generate",
        help="transformers' generate, or steps under torch.compile with a static cache (compiled.py)",
    )  # fmt: skip
    options = parser.parse_args()
    lineage, settings = common.lineage(options.model), common.model_settings(options.model)
    options.tokens = options.tokens or lineage["sampling"]["sequence_length"]
    if options.tokens > settings.positions:
        parser.error(f"--tokens: {options.model} has {settings.positions} positions")
    tokens, ours = options.tokens, (prepare_ours, options)
    compare(
        options,
        f"sampling, {options.model}, batch {options.batch}, {tokens} tokens, fp32",
        *(
            (
                "transformers generate(do_sample=True, top_k=0), fp32",
                ours,
                (prepare_theirs, options),
            )
            if options.against == "generate"
            else ("torch.compile, static cache, fp32", ours, (compiled.prepare_sampler, options))
        ),
        Work(
            options.batch,
            forward_flop(settings, tokens, tokens) / tokens,
            cache_bytes(settings, tokens) / tokens,
        ),
    )


if __name__ == "__main__":
    main()
