"""Fixture of several tests: the clean lexicon of spaCy's own table, which takes seconds to make."""

import pytest


@pytest.fixture(scope="session")
def clean_words():
    from ouroboros.metrics.oov.lexicon import clean_lexicon

    return clean_lexicon()
