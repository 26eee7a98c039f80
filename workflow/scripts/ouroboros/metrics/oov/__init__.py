"""The second count of OOV words: words of any number of tokens, by a lexicon free of noise."""
