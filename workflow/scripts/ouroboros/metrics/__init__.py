"""Measurements of a model or of its text."""
