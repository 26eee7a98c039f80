"""The distribution of token losses: against arithmetic by hand and against numpy's histogram."""

import json

import numpy as np
import pytest

from ouroboros.metrics.ppl.loss_distribution import (
    EDGES,
    loss_distribution,
    loss_histogram,
    loss_quantiles,
)


def losses(*values):
    return np.array(values, np.float32)


def test_quantiles_by_hand():
    # 1, 2, ..., 1000 tenths: the q-quantile is the smallest that q of them do not exceed
    shuffled = np.random.default_rng(0).permutation(np.arange(1, 1001)).astype(np.float32)
    assert loss_quantiles(shuffled) == {
        "0.01": 10.0, "0.1": 100.0, "0.25": 250.0, "0.5": 500.0, "0.75": 750.0, "0.9": 900.0,
        "0.99": 990.0, "0.999": 999.0, "max": 1000.0,
    }  # fmt: skip


def test_bins_hold_their_lower_edge_and_the_last_is_open():
    found = loss_histogram(losses(-1e-9, 0.0, 0.2499, 0.25, 23.99, 24.0, 1e6))
    counts = dict(zip(found["edges"], found["counts"], strict=True))
    assert {edge: count for edge, count in counts.items() if count} == {
        0.0: 3, 0.25: 1, 23.75: 1, 24.0: 2,
    }  # fmt: skip


def test_histogram_against_numpy():
    values = np.random.default_rng(1).exponential(3, 10_000).astype(np.float32)
    expected, _ = np.histogram(values, [*EDGES, np.inf])
    assert loss_histogram(values)["counts"] == expected.tolist()


def test_stories_count_by_their_tokens_and_edges_do_not_depend_on_the_losses():
    one = loss_distribution([losses(1, 1, 1), losses(), losses(5)])
    assert one["loss_quantiles"]["0.75"] == 1.0
    assert sum(one["loss_histogram"]["counts"]) == 4
    assert (
        one["loss_histogram"]["edges"] == loss_distribution([losses(19)])["loss_histogram"]["edges"]
    )
    assert json.loads(json.dumps(one, allow_nan=False)) == one


@pytest.mark.parametrize("value", [0.0, 3.25, 30.0])
def test_one_token(value):
    quantiles = loss_quantiles(losses(value))
    assert set(quantiles.values()) == {value}
