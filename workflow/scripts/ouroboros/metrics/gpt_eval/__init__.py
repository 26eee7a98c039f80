"""Grades that a language model gives to completions."""
