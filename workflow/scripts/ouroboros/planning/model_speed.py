"""Speed of one model on this machine, measured on random tokens.

A measurement grows until one run takes a second or two, so that a GPU and a laptop both take about
a minute for a model. The first run of each kind compiles kernels and captures graphs: what it takes
longer than the next is the `start`.
"""

import dataclasses
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from ouroboros.config.families import is_counted
from ouroboros.data.corpus import Corpus, token_type
from ouroboros.data.tokenizer import make_tokenizer, vocabulary_size, write_tokenizer
from ouroboros.jobs.device import choose_device, device_name
from ouroboros.metrics.classification.fine_tuning import FineTuning, fine_tune
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.decoding import Decoding
from ouroboros.model.families import random_model
from ouroboros.model.scoring import story_losses
from ouroboros.sampling.sampler import fitting_batch, sample
from ouroboros.training.trainer import Training, TrainingSettings

MIN_SECONDS = 1.0  # a shorter run gives no reliable rate
REPEATS = 2  # the fastest counts: other work on the machine only ever slows a run
SHORT = 16  # tokens of a short text of a task
STORY = 200  # tokens of a story whose perplexity is measured
MAX_UPDATES = 64  # of fine-tuning
MANY = 1 << 20  # sequences that are sampled where only the initial corpus knows: more than a batch


def measure_model_speed(settings: dict, texts: list[str]) -> dict:
    """Measure the rates of a model, by rule, as JSON holds them.

    `settings`: `model`, `tokenizer`, `training`, `sequence_length`, `sequences` (or `auto`), `context`,
    `classification`, `decoding` where it is more than a temperature, and `resources` of train, sample, ppl and classification. `texts` train the
    tokenizer where that has the source `train`. `busy` is the share of the machine's CPU time that
    others took meanwhile. `train`, `sample` and `ppl` have `start` (seconds
    per job) and `tokens_per_second`; `fine_tuning` has `start`, `seconds_per_update` and
    `seconds_per_token`.
    """
    times = _busy_seconds()
    # A tokenizer of the hub may need a download: only its size matters here, so GPT-2's will do.
    source = settings["tokenizer"]
    source = {"source": "gpt2"} if source["source"] == "hub" else source
    tokenizer, end_of_text = make_tokenizer(source, texts)
    # as many tokens as asked for, though the few texts here may not yield them
    vocabulary = source.get("vocabulary_size", vocabulary_size(tokenizer))
    model = random_model(settings["model"], vocabulary, 0).eval()
    tokens = (
        np.random.default_rng(0).integers(0, vocabulary, 1 << 20).astype(token_type(vocabulary))
    )
    measured = {
        "train": _training(settings, vocabulary, tokens),
        "sample": _sampling(settings, model),
        "ppl": _perplexity(settings, model, tokens),
        "fine_tuning": {"start": 0.0, "seconds_per_update": 0.0, "seconds_per_token": 0.0},
    }
    if settings["classification"]["tasks"]:
        with TemporaryDirectory() as folder:
            write_tokenizer(tokenizer, end_of_text, Path(folder, "tokenizer"))
            checkpoint = Path(folder, "checkpoint")
            write_checkpoint(model.cpu(), Path(folder, "tokenizer"), 0, {}, checkpoint)
            measured["fine_tuning"] = _fine_tuning(settings, checkpoint, vocabulary)
    others, own, possible = np.subtract(_busy_seconds(), times)
    return measured | {"busy": max(0.0, float((others - own) / possible))}


def _busy_seconds():
    """CPU seconds so far: of all processes, of this one and its children, and all that there could be."""
    machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0)
    # a guest's seconds are among the user's
    busy -= getattr(machine, "guest", 0.0) + getattr(machine, "guest_nice", 0.0)
    mine = own.user + own.system + own.children_user + own.children_system
    return busy, mine, time.perf_counter() * psutil.cpu_count()


def time_growing(run, sizes) -> tuple[float, list[tuple[int, float]]]:
    """Time `run(size)` at growing sizes until one takes MIN_SECONDS.

    Returns how many seconds longer the first run took than the next of its size, and (size, seconds)
    of the others, two sizes at least.
    """
    began = time.perf_counter()
    run(sizes[0])
    first = time.perf_counter() - began
    runs = []
    for size in sizes:
        runs.append((size, _seconds(run, size)))
        if len(runs) > 1 and runs[-1][1] >= MIN_SECONDS:
            break
    return max(0.0, first - runs[0][1]), runs


def doubled_sizes(first: int, most: int) -> list[int]:
    """`first`, twice that, and so on up to `most`."""
    sizes = []
    while first < most:
        sizes.append(first)
        first *= 2
    return [*sizes, most]


def extrapolate_steps(runs: list[tuple[int, float]], length: int, spans: list[int]) -> float:
    """Seconds of `length` decode steps, from `runs`: (steps, seconds) of shorter ones.

    A step takes a constant time and a time per key that it attends to; the last two runs give both.
    `spans`: of each layer, the number of tokens that it attends to at most.
    """

    def keys(steps):
        return sum(min(time + 1, span) for time in range(steps) for span in spans)

    steps, seconds = runs[-1]
    if steps >= length or len(runs) < 2 or not spans:
        return seconds * length / steps
    fewer, less = runs[-2]
    # constant * steps + per_key * keys = seconds, for two runs
    determinant = fewer * keys(steps) - steps * keys(fewer)
    per_key = max(0.0, (fewer * seconds - steps * less) / determinant)
    constant = max(0.0, (seconds - per_key * keys(steps)) / steps)
    return constant * length + per_key * keys(length)


def _seconds(run, size):
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run(size)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _device(settings, rule):
    resources = settings["resources"][rule]
    return choose_device(min(1, resources["gpu"]), resources["threads"])  # a rate is of one GPU


def _training(settings, vocabulary, tokens):
    device, length = _device(settings, "train"), settings["sequence_length"]
    most = settings["training"]["batch"]
    rows = np.resize(tokens, (most, length))
    corpus = Corpus(rows, rows[:, 0])
    began = time.perf_counter()
    if is_counted(settings["model"]):
        return _counting(random_model(settings["model"], vocabulary, 0), rows)
    training = Training(
        random_model(settings["model"], vocabulary, 0),
        TrainingSettings(**settings["training"]),
        corpus,
        seed=0,
        generation=1,
        device=device,
        micro_batch=settings["resources"]["train"]["batch"],
    )
    made = time.perf_counter() - began
    start, runs = time_growing(
        lambda count: training.update(np.arange(count)), doubled_sizes(1, most)
    )
    count, seconds = runs[-1]
    if count == most and seconds < MIN_SECONDS:  # updates of full size, several of them
        updates = int(MIN_SECONDS // seconds) + 1
        seconds = _seconds(lambda n: [training.update(np.arange(most)) for _ in range(n)], updates)
        count *= updates
    return {
        "start": made + start,
        "tokens_per_second": count * length / seconds,
        "device": device_name(device),
    }


def _counting(model, rows):
    start, runs = time_growing(
        lambda count: model.count(*[rows[:count]] * 2), doubled_sizes(1, len(rows))
    )
    count, seconds = runs[-1]
    return {"start": start, "tokens_per_second": count * rows.shape[1] / seconds, "device": "cpu"}


def _sampling(settings, model):
    device, length = _device(settings, "sample"), settings["sequence_length"]
    model.to(device)
    batch, sequences = settings["resources"]["sample"]["batch"], settings["sequences"]
    if sequences == "auto":
        sequences = MANY
    if batch == "auto":
        batch = fitting_batch(model, length, sequences)
    batch = min(batch, sequences)
    spans, decoding = model.spans, Decoding(**settings.get("decoding", {}))

    def run(steps):
        for _ in sample(model, 0, range(batch), steps, 0, batch, decoding):
            pass

    start, runs = time_growing(run, doubled_sizes(min(16, length), length))
    seconds = extrapolate_steps(runs, length, spans)
    return {
        "start": start,
        "tokens_per_second": batch * length / seconds,
        "batch": batch,
        "device": device_name(device),
    }


def _perplexity(settings, model, tokens):
    device = _device(settings, "ppl")
    model.to(device)
    batch, story = settings["resources"]["ppl"]["batch"], min(STORY, settings["context"])
    stories = np.resize(tokens, (64 * batch, story))

    def run(count):
        story_losses(model, list(stories[:count]), 0, settings["context"], batch)

    start, runs = time_growing(run, doubled_sizes(min(4, batch), len(stories)))
    count, seconds = runs[-1]
    return {
        "start": start,
        "tokens_per_second": count * story / seconds,
        "device": device_name(device),
    }


def _fine_tuning(settings, checkpoint, vocabulary):
    wanted = {key: value for key, value in settings["classification"].items() if key != "tasks"}
    wanted = dataclasses.replace(FineTuning(**wanted), learning_rate=1e-6)
    device, batch, longest = _device(settings, "classification"), wanted.batch, wanted.max_length
    began = time.perf_counter()
    # one id is kept for padding
    model = read_classifier(checkpoint, 2, np.arange(vocabulary - 1), 0).to(device)
    start = time.perf_counter() - began
    generator, per_update = np.random.default_rng(0), {}
    for length in (SHORT, longest):
        texts = list(generator.integers(0, vocabulary - 1, (MAX_UPDATES * batch, length)))

        def run(updates, texts=texts):
            examples = np.arange(updates * batch)
            fine_tune(model, texts, examples % 2, [examples], wanted)

        _, runs = time_growing(run, doubled_sizes(1, MAX_UPDATES))
        updates, seconds = runs[-1]
        per_update[length] = seconds / updates
    # Two lengths give the time of an update and of each token in it.
    per_token = (per_update[longest] - per_update[SHORT]) / (batch * max(1, longest - SHORT))
    per_token = max(0.0, per_token)
    return {
        "start": start,
        "seconds_per_update": max(0.0, per_update[SHORT] - per_token * batch * SHORT),
        "seconds_per_token": per_token,
        "device": device_name(device),
    }
