"""Corpora and completions sampled from a model."""
