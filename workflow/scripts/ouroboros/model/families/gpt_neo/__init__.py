"""GPT-Neo, the architecture of the paper: see declaration.py."""
