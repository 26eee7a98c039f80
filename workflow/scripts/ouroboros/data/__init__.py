"""Stories, tokenizers, tokens and corpora."""
