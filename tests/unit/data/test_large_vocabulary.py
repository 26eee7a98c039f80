"""A vocabulary of more than 65,536 tokens: ids survive from the text to the next generation."""

import itertools
import json
import math
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import sample as sample_script
import torch
from tokenizers import Tokenizer
from tools import initialise, lively, read_shards

from ouroboros.data.corpus import Corpus, row_groups
from ouroboros.data.tokenise import pack, read_token_stories, tokenise
from ouroboros.data.tokenizer import END_OF_TEXT, read_tokenizer, vocabulary_size, write_tokenizer
from ouroboros.metrics.text.divergence import drift
from ouroboros.metrics.text.statistics import text_statistics
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.exact_draw import draw
from ouroboros.model.scoring import story_losses
from ouroboros.randomness import seed_for, uniforms
from ouroboros.storage.parquet import write_parquet
from ouroboros.training.trainer import Training, TrainingSettings, train

SIZE = 70_000
LENGTH = 16
SETTINGS = TrainingSettings(
    batch=8, learning_rate=1e-2, betas=(0.9, 0.95), weight_decay=0.1, gradient_clip=1.0,
    epochs=3, max_epochs=3, patience=1, precision="fp32",
)  # fmt: skip


@pytest.fixture
def folder(tokenizer, tmp_path):
    """The small tokenizer, with its 300 tokens at the end of 70,000."""
    content = json.loads(tokenizer.to_str())
    vocabulary = {f"filler{index}": index for index in range(SIZE - 300)}
    for token, index in content["model"]["vocab"].items():
        vocabulary[token] = SIZE - 300 + index
    content["model"]["vocab"] = vocabulary
    content["added_tokens"][0]["id"] = SIZE - 1
    large = Tokenizer.from_str(json.dumps(content))
    write_tokenizer(large, END_OF_TEXT, tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


@pytest.fixture
def stories(folder, texts, tokenizer, tmp_path):
    """Tokenised: each id is the small tokenizer's, 69,700 further on."""
    logs = pa.nulls(len(texts), pa.float64())
    write_parquet(tmp_path / "texts", pa.table({"text": texts, "log_probability": logs}))
    tokenise(tmp_path / "texts", read_tokenizer(folder)[0], tmp_path / "stories")
    found = read_token_stories(tmp_path / "stories")
    expected = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    assert [(story - (SIZE - 300)).tolist() for story in found] == expected
    return tmp_path / "stories"


@pytest.fixture
def model(model_settings):
    return lively(initialise(replace(model_settings, vocabulary_size=SIZE), 5)).eval()


def test_stories_are_tokenised_packed_and_trained_on(folder, stories, model):
    tokenizer, end = read_tokenizer(folder)
    assert (vocabulary_size(tokenizer), end) == (SIZE, SIZE - 1)
    shard = stories.with_name("shard")
    count = pack(stories, end, LENGTH, shard)
    corpus = read_shards([shard])
    stream = [int(token) for story in read_token_stories(stories) for token in (*story, end)]
    assert corpus.tokens.dtype == np.uint32
    assert corpus.tokens.reshape(-1).tolist() == stream[: count * LENGTH]
    assert corpus.previous.tolist() == [end, *stream[LENGTH - 1 : count * LENGTH - 1 : LENGTH]]

    few = Corpus(corpus.tokens[:16], corpus.previous[:16])
    training = Training(initialise(model.settings, 0), SETTINGS, few, 0, 1, torch.device("cpu"), 8)
    trained = train(training, SETTINGS.epochs)
    assert training.losses[0] == pytest.approx(math.log(SIZE), rel=0.05)
    assert training.losses[-1] < training.losses[0] - 1

    story = read_token_stories(stories)[0]
    (losses,) = story_losses(trained, [story], end, 24, 8)
    inputs = torch.tensor([[end, *story[:23].tolist()]])
    with torch.no_grad():
        expected = trained.logits(inputs)[0].log_softmax(-1)
    for place in range(24):
        assert losses[place] == pytest.approx(-expected[place, int(story[place])].item(), abs=1e-4)


def test_a_shard_is_sampled_and_measured(folder, model, tmp_path):
    tokenizer, end = read_tokenizer(folder)
    write_checkpoint(model, folder, end, {}, tmp_path / "checkpoint")
    shard, rows, before = tmp_path / "shard.parquet", 40, torch.get_num_threads()
    sample_script.main(
        SimpleNamespace(
            input=SimpleNamespace(checkpoint=str(tmp_path / "checkpoint")), output=[str(shard)],
            params=SimpleNamespace(
                indices=[0, rows], sequence_length=LENGTH, seed=0, generation=1, temperature=1.0
            ),
            resources=SimpleNamespace(gpu=0, batch=16), threads=1,
        )
    )  # fmt: skip
    torch.set_num_threads(before)
    corpus = read_shards([shard])
    tokens = corpus.tokens.astype(np.int64)
    assert corpus.tokens.dtype == np.uint32
    assert corpus.previous.tolist() == [end] * rows
    assert tokens.max() < SIZE and (tokens > 65_535).sum() > 20

    # each token is the inverse CDF of its uniform under the full forward pass, but for rounding
    draws = torch.from_numpy(uniforms(seed_for(0, 1, "sampling"), range(rows), LENGTH))
    inputs = np.concatenate([np.full((rows, 1), end), tokens[:, :-1]], axis=1)
    with torch.no_grad():
        logits = model.logits(torch.from_numpy(inputs))
    expected = draw(logits.flatten(0, 1), draws.flatten()).numpy()
    assert (tokens.reshape(-1) == expected).mean() > 0.98

    statistics = text_statistics(row_groups([shard]), tokenizer, end, [], rows)
    counts = Counter(tokens.reshape(-1).tolist())
    assert statistics["distinct_tokens"] == len(counts)
    shares = [count / tokens.size for count in counts.values()]
    assert statistics["entropy"] == pytest.approx(-sum(share * math.log(share) for share in shares))
    for order in (2, 3, 4):
        grams = [tuple(row[i : i + order]) for row in tokens for i in range(LENGTH - order + 1)]
        assert statistics["distinct_n"][str(order)] == len(set(grams)) / len(grams)
    same = drift(lambda: row_groups([shard]), lambda: row_groups([shard]), rows, SIZE)
    assert same["bigrams"] == [len([*itertools.pairwise(range(LENGTH))]) * rows] * 2
    assert same["bigram_divergence"] == {"lost": 0, "gained": 0}
