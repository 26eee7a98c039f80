"""Quieten transformers while it makes a model: its remarks are no news to a job's log."""

import contextlib


@contextlib.contextmanager
def quiet():
    """Within it, transformers reports errors alone, and shows no progress."""
    from transformers.utils import logging  # here: it takes seconds

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
