"""Speed and memory of measuring perplexity, side by side with the paper's authors' way.

    python benchmarks/perplexity.py --stories valid.jsonl

Theirs: one story after the other through transformers' model with `labels`, the mean loss weighted
by the story's length. Ours is the exact definition: at `--context` tokens its window slides.
"""

import time

import common
import numpy as np
import sides
import torch
from comparison import Work, compare
from limit import forward_flop

from ouroboros.data.sources import read_source
from ouroboros.data.tokenizer import make_tokenizer
from ouroboros.errors import UserError
from ouroboros.model.scoring import story_losses

WARM_UP = 4  # stories
SLICE = 512  # tokens in one product of the LM head, whose size the limit is measured at


def read_texts(options) -> list[str]:
    """The first stories of a file, or of our grammar."""
    if options.stories:
        files = [str(options.stories)]
        source = {"source": "files", "files": files, "validation_files": files}
        source |= {"column": "text", "separator": "<|endoftext|>"}
    else:
        grammar = str(sides.REPOSITORY / "resources" / "story_grammar.yaml")
        source = {"source": "grammar", "grammar": grammar, "seed": 0}
        source |= {"stories": 0, "validation_stories": options.count}
    return [story.text.strip() for story in read_source(source)[1]][: options.count]


def tokenise(texts, options) -> tuple[list[np.ndarray], int]:
    """Stories as tokens, by the lineage's tokenizer, and its end-of-text token."""
    tokenizer, end_of_text = make_tokenizer(common.tokenizer_settings(options.model), texts)
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    encoded = [np.array(encoding.ids, np.uint16) for encoding in encodings]
    positions = common.model_settings(options.model).positions
    # theirs needs a target in every story, and has no window that slides
    fitting = [story for story in encoded if 2 <= len(story) <= positions]
    return fitting, tokenizer.token_to_id(end_of_text)


def prepare_ours(options, tokens, end_of_text):
    model = common.random_model(options.model)

    def repeat(tokens=tokens):
        start = time.perf_counter()
        story_losses(model, tokens, end_of_text, options.context, options.batch)
        return sum(map(len, tokens)) / (time.perf_counter() - start)

    repeat(tokens[:WARM_UP])
    return repeat


def prepare_theirs(options, tokens, end_of_text):
    model = common.in_transformers(common.random_model(options.model))

    @torch.no_grad()
    def repeat(tokens=tokens):
        start = time.perf_counter()
        total, count = 0.0, 0
        for story in tokens:
            ids = torch.from_numpy(story.astype(np.int64))[None]
            total += model(ids, labels=ids).loss.item() * len(story)
            count += len(story)
        return count / (time.perf_counter() - start)

    repeat(tokens[:WARM_UP])
    return repeat


def flop(settings, tokens, context) -> float:
    """Operations per token of the exact definition."""
    total = 0
    for story in tokens:
        start = min(len(story), context)
        window = forward_flop(settings, context, 1)  # of a token beyond the context
        total += forward_flop(settings, start, start) + (len(story) - start) * window
    return total / sum(map(len, tokens))


def main():
    parser = common.make_parser(__doc__.splitlines()[0])
    parser.add_argument(
        "--stories", metavar="FILE", help=".jsonl, .txt or .parquet; else our grammar's"
    )
    parser.add_argument("--count", type=common.positive, default=1000, help="stories")
    parser.add_argument("--context", type=common.positive, help="of our side; else the lineage's")
    parser.add_argument("--batch", type=common.positive, help="of our side; else the workflow's")
    options = parser.parse_args()
    lineage, settings = common.lineage(options.model), common.model_settings(options.model)
    options.context = options.context or lineage["evaluation"]["context"]
    options.batch = options.batch or lineage["resources"]["ppl"]["batch"]
    if options.context > settings.positions:
        parser.error(f"--context: {options.model} has {settings.positions} positions")
    try:
        tokens, end_of_text = tokenise(read_texts(options), options)
    except UserError as error:
        parser.error(str(error))
    if not tokens:
        parser.error(f"no story has 2 to {settings.positions} tokens")
    windows = sum(max(0, len(story) - options.context) for story in tokens)
    compare(
        options,
        f"perplexity, {options.model}, {len(tokens)} {'real' if options.stories else 'grammar'} "
        f"stories of {np.mean([len(story) for story in tokens]):.0f} tokens ({windows} tokens "
        f"beyond a context of {options.context}), batch {options.batch}, fp32",
        "transformers' model, a story at a time, fp32",
        (prepare_ours, options, tokens, end_of_text),
        (prepare_theirs, options, tokens, end_of_text),
        Work(SLICE, flop(settings, tokens, options.context)),
    )


if __name__ == "__main__":
    main()
