"""Train language models on their own text, generation after generation, and measure them."""

__version__ = "0.1.0"
