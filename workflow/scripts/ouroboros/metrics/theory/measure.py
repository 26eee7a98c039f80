"""Measure the errors that a generation adds, and what they have become since the initial corpus."""

import math

import numpy as np
import pyarrow as pa
import torch

from ouroboros.data.corpus import row_groups
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.errors import DamagedArtifact
from ouroboros.metrics.theory import errors
from ouroboros.metrics.theory.beginnings import Beginnings, most_frequent
from ouroboros.metrics.theory.divergence import divergence
from ouroboros.metrics.theory.truth import next_tokens
from ouroboros.model.checkpoint import read_lm
from ouroboros.storage.parquet import read_parquet

DRAWS = 20  # of the control's counts
SERIES = ("log_y", "log_y_above_cut", "log_y_control")  # columns of the table, beside `log_tokens`


def measure(inputs, settings, device, batch) -> tuple[dict, pa.Table]:
    """The contents of theory.json, and the series' state: a row per beginning, its ln y and ln y_v."""
    tokenizer, _ = read_tokenizer(inputs.tokenizer)
    model, end_of_text = read_lm(inputs.checkpoint)
    size = vocabulary_size(tokenizer)
    found = most_frequent(
        lambda: row_groups(inputs.initial), end_of_text, size, settings["beginnings"]
    )
    counts = found.counts.sum(1)
    log_p = log_probabilities(model, found.contexts, end_of_text)[:, :size]
    if inputs.before:
        before = read_series(inputs.before[0], found)
    else:
        before = initial_series(found, tokenizer, *inputs.grammar)
    after = errors.accumulate(before["log_y"], before["log_tokens"], log_p)
    log_before = before["log_tokens"] - before["log_y"][:, None]
    control = errors.growth_of_counts(counts, log_p, np.random.default_rng(0), DRAWS)
    grown = {
        "log_y": after.log_y - before["log_y"],
        "log_y_above_cut": errors.growth(log_before, log_p, settings["probability_cut"]),
        "log_y_control": control,
    }
    series = {"log_tokens": after.log_tokens} | {
        name: before[name] + grown[name] for name in SERIES
    }
    contexts = [
        {
            "tokens": list(context), "text": tokenizer.decode(context, skip_special_tokens=False),
            "count": int(count),
        }
        for context, count in zip(found.contexts, counts, strict=True)
    ]  # fmt: skip
    columns = {
        "growth": grown["log_y"], "growth_above_cut": grown["log_y_above_cut"],
        "growth_control": control, "log_alpha": after.log_alpha,
        "log10_y": series["log_y"] / math.log(10),
        "log10_y_above_cut": series["log_y_above_cut"] / math.log(10),
        "log10_y_control": series["log_y_control"] / math.log(10),
        "log10_memory": (np.log(counts) - series["log_y"]) / math.log(10),
    }  # fmt: skip
    for name, values in columns.items():
        for context, value in zip(contexts, values.tolist(), strict=True):
            context[name] = value if math.isfinite(value) else None
    means = {name: _mean(values) for name, values in columns.items()}
    distance, distance_error = (
        divergence(inputs.losses[0], inputs.known_stories[0]) if inputs.grammar else (None, None)
    )
    finite = np.isfinite(grown["log_y"])
    spread = (
        grown["log_y"][finite].std(ddof=1) / math.sqrt(finite.sum()) if finite.sum() > 1 else None
    )
    return {
        **means, "growth_error": spread, "finite": int(finite.sum()),
        "beginnings_measured": len(contexts), "from_grammar": bool(inputs.grammar),
        "divergence": distance, "divergence_error": distance_error,
        "identity_error": errors.identity_error(after, log_p), "contexts": contexts,
    }, series_table(found, series)  # fmt: skip


def _mean(values):
    """The mean of those that are finite, or None."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def log_probabilities(model, contexts, end_of_text: int) -> np.ndarray:
    """ln p(v | x) of exactly these contexts x, after the empty context: float64 (contexts, vocabulary)."""
    found = [None] * len(contexts)
    with torch.inference_mode():
        for length in {len(context) for context in contexts}:
            rows = [row for row, context in enumerate(contexts) if len(context) == length]
            ids = torch.tensor([[end_of_text, *contexts[row]] for row in rows])
            for row, logs in zip(rows, model.log_probabilities(ids).numpy(), strict=True):
                found[row] = logs
    return np.array(found)


def initial_series(found: Beginnings, tokenizer, grammar=None) -> dict[str, np.ndarray]:
    """The series before generation 1: y = N and y_v = N_v, or N times the true probability where a grammar knows it."""
    counts = found.counts.sum(1)
    shares = found.counts / counts[:, None]
    if grammar is not None:
        shares = next_tokens(StoryGrammar.from_file(grammar), tokenizer, found.contexts)
    with np.errstate(divide="ignore"):
        log_y = np.log(counts)
        return {"log_tokens": np.log(shares) + log_y[:, None], **dict.fromkeys(SERIES, log_y)}


def series_table(found: Beginnings, series: dict) -> pa.Table:
    """The state of the series as a table, which `read_series` reads."""
    tokens = series["log_tokens"]
    flat = pa.array(np.ascontiguousarray(tokens).reshape(-1))
    columns = {name: pa.array(series[name]) for name in SERIES}
    return pa.table({
        "context": pa.array([list(context) for context in found.contexts], pa.list_(pa.int32())),
        **columns, "log_tokens": pa.FixedSizeListArray.from_arrays(flat, tokens.shape[1]),
    })  # fmt: skip


def read_series(path, found: Beginnings) -> dict[str, np.ndarray]:
    """The series after the generation before. DamagedArtifact where it is of other beginnings."""
    table = read_parquet(path).read()
    if [tuple(context) for context in table["context"].to_pylist()] != found.contexts:
        raise DamagedArtifact(path, "its beginnings are not those of the initial corpus")
    tokens = table["log_tokens"].combine_chunks().flatten().to_numpy()
    return {
        "log_tokens": tokens.reshape(len(found.contexts), -1),
        **{name: table[name].to_numpy() for name in SERIES},
    }
