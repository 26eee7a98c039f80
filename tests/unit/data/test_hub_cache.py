"""A cache that cannot be written is told from a network that is away."""

import errno
import os

import pytest
from tokenizers import Tokenizer

from ouroboros.data.hub_cache import cache_error
from ouroboros.data.readers import load_rows
from ouroboros.data.tokenizer import make_tokenizer
from ouroboros.errors import UserError


def test_a_local_folder_goes_through_the_cache_too(tmp_path, monkeypatch):
    import datasets

    (tmp_path / "own").mkdir()
    (tmp_path / "own/train.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "file/cache")
    with pytest.raises(UserError, match="could not be put into Hugging Face's cache .*Set HF_HOME"):
        [*load_rows(str(tmp_path / "own"), None, "train", ["text"], "Without a network, no.")]


def test_a_tokenizer_of_the_hub(monkeypatch):
    def fetch(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/cache/models--a--b")

    monkeypatch.setattr(Tokenizer, "from_pretrained", fetch, raising=False)
    settings = {"source": "hub", "path": "a/b", "end_of_text": "<|endoftext|>"}
    monkeypatch.setenv("HF_HOME", "/cache")
    with pytest.raises(UserError, match="/cache/models--a--b.* it is /cache.$"):
        make_tokenizer(settings, [])


def test_the_cause_counts_and_the_network_does_not():
    full = RuntimeError("An error occurred while generating the dataset")
    full.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "No space left on device" in str(cache_error("x", full, "a/b"))
    away = ConnectionError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    assert cache_error("x", away, "a/b") is None
    own = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "own/train.jsonl")
    assert cache_error("x", own, "own") is None
