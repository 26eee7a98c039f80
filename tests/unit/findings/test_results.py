"""Series of a lineage's measurements."""

import pytest
from lineages import measured

from ouroboros.findings.results import Lineage


def test_the_error_of_perplexity_is_that_of_the_loss_times_perplexity():
    assert Lineage(measured(2)).perplexity().errors == pytest.approx([5 * 0.01, 6 * 0.01])
