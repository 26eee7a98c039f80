"""Statistics of a corpus: words, repetition, divergence from the initial corpus."""
