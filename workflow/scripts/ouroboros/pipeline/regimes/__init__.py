"""Regimes, which say what a generation trains on: a module per regime, and its name is the regime's.

A regime has `sources(n)`: the generations whose corpora generation n trains on, in order; 0 is the
initial corpus. Its docstring is what the documentation says of it; `MARK`, where it has one, is
what the schematic writes below the text of generation n-1, from generation 2 on.
"""
