"""Seeds and random streams: one for each purpose, and the same in every version."""

import numpy as np

from ouroboros.randomness import PURPOSES, permutation, seed_for, uniforms


def test_seeds_belong_to_lineage_generation_and_purpose():
    seeds = [seed_for(s, n, purpose) for s in (0, 1) for n in (0, 1, 2) for purpose in PURPOSES]
    assert len(set(seeds)) == 6 * len(PURPOSES)
    assert min(seeds) >= 0 and max(seeds) < 2**63


def test_orders_belong_to_key_and_epoch():
    orders = [permutation(key, epoch, 50) for key in (1, 2) for epoch in (0, 1)]
    assert len({order.tobytes() for order in orders}) == 4
    assert all(sorted(order) == list(range(50)) for order in orders)


def test_uniforms_belong_to_key_and_index_and_not_to_the_length():
    whole = uniforms(7, range(5), 30)
    assert np.array_equal(uniforms(7, [3], 10)[0], whole[3, :10])
    assert len(np.unique([*whole, *uniforms(8, range(5), 30)])) == 300
    assert whole.min() >= 0 and whole.max() < 1


def test_they_are_those_of_results_made_before():
    """A lineage that goes on in a later version draws what it would have drawn."""
    assert {purpose: seed_for(7, 2, purpose) for purpose in PURPOSES[:5]} == {
        "weights": 2167195393923510900, "order": 2276887994119216821,
        "sampling": 2057259600886126311, "split": 9092388782937685331,
        "completions": 8145278344747267214,
    }  # fmt: skip
    assert permutation(5, 1, 8).tolist() == [7, 4, 0, 5, 3, 1, 2, 6]
    assert uniforms(5, [1 << 32 | 2], 2).tolist() == [[0.22120130281500539, 0.0020564963017324356]]
