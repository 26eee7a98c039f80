"""Stories, tokenizers, tokens, and corpora of sequences."""
