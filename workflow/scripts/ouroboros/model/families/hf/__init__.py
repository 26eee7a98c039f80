"""Any causal LM of transformers: see declaration.py."""
