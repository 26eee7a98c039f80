"""Artifacts on disk: atomic writes and checksums."""
