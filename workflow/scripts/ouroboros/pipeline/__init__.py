"""The computations of the rules: pure functions of the resolved configuration and a job's wildcards.

Light: the Snakefile imports it, and every job of a cluster reads the Snakefile again.
"""
