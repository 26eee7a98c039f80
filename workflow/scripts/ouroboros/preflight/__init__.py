"""Checks before anything runs: the cluster, the folder's lock, the files' times."""
