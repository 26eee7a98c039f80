"""Checks before any job runs: the cluster, Snakemake's lock, modification times of files."""
