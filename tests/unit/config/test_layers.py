"""Configurations laid over one another, and the difference of two."""

from ouroboros.config.layers import difference, overlay


def test_a_difference_laid_over_again_is_the_whole():
    below = {"a": {"x": 1, "y": [1, 2]}, "b": {"x": 1}}
    whole = {"a": {"x": 1, "y": [3]}, "b": {"x": 1}, "c": {"z": None}}
    assert difference(whole, below) == {"a": {"y": [3]}, "c": {"z": None}}
    assert overlay(below, difference(whole, below)) == whole
