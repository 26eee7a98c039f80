"""Checkpoints as other people's tools see them."""

import errno
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tools import END, initialise, lively
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from ouroboros.errors import UserError
from ouroboros.model.checkpoint import read_checkpoint, read_lm, write_checkpoint
from ouroboros.storage.checksums import verify_checksums, write_checksums


@pytest.fixture
def folder(model_settings, tokenizer_folder, tmp_path):
    model = lively(initialise(model_settings, 1))
    write_checkpoint(model, tokenizer_folder, END, {"epochs": 3}, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_automodel_loads_it_and_gives_the_same_logits(folder, model_settings):
    theirs = AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = torch.randint(0, 300, (2, model_settings.context))
    with torch.no_grad():
        difference = theirs(ids).logits - read_checkpoint(folder).logits(ids)
    assert difference.abs().max() < 1e-4
    assert theirs.num_parameters() == sum(p.numel() for p in read_checkpoint(folder).parameters())


def test_pipeline_generates_text_from_it(folder):
    generate = pipeline("text-generation", str(folder))
    text = generate("Once upon", max_new_tokens=5)[0]["generated_text"]
    assert text.startswith("Once upon") and len(text) > len("Once upon")


def test_its_tokenizer_is_the_corpus_tokenizer(folder, tokenizer, texts):
    theirs = AutoTokenizer.from_pretrained(folder)
    assert theirs(texts[0])["input_ids"] == tokenizer.encode(texts[0]).ids
    assert theirs.decode(theirs(texts[0])["input_ids"]) == texts[0]
    assert theirs.eos_token_id == END


def test_its_tokenizer_gives_what_the_model_takes_in_transformers_4_too(
    model_settings, tokenizer_folder, tmp_path
):
    """Also where the tokenizer's folder was made before it named them."""
    old = shutil.copytree(tokenizer_folder, tmp_path / "old")
    config = json.loads((old / "tokenizer_config.json").read_text())
    named = config.pop("model_input_names")
    (old / "tokenizer_config.json").write_text(json.dumps(config))
    write_checksums(old)
    write_checkpoint(initialise(model_settings, 1), old, END, {}, tmp_path / "checkpoint")
    verify_checksums(tmp_path / "checkpoint")
    assert named == ["input_ids", "attention_mask"]
    assert list(AutoTokenizer.from_pretrained(tmp_path / "checkpoint")("Mia")) == named
    for name in ("tokenizer.json", "tokenizer_config.json"):
        written = (tmp_path / "checkpoint" / name).read_bytes()
        assert written == (tokenizer_folder / name).read_bytes()


def test_what_is_read_is_what_was_written(folder, model_settings):
    wanted = lively(initialise(model_settings, 1))
    got = read_checkpoint(folder)
    assert got.settings == model_settings
    for (name, a), b in zip(got.named_parameters(), wanted.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert json.loads((folder / "training.json").read_text()) == {"epochs": 3}


def test_others_may_read_it(folder):
    assert (folder / "model.safetensors").stat().st_mode & 0o044


def test_it_is_written_where_files_have_no_modes(
    model_settings, tokenizer_folder, tmp_path, monkeypatch
):
    """CIFS, exFAT: chmod fails. Copies of files with their modes would too."""

    def chmod(*_, **__):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", chmod)
    write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, tmp_path / "c")
    read_checkpoint(tmp_path / "c")


def test_a_truncated_file_is_named(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(
        UserError, match="checkpoint is damaged: model.safetensors does not have the checksum"
    ):
        read_checkpoint(folder)


def test_a_file_that_is_no_weights_is_named(folder):
    (folder / "model.safetensors").write_bytes(b"weights of another kind")
    write_checksums(folder)
    with pytest.raises(UserError, match="checkpoint is damaged"):
        read_checkpoint(folder)


def test_another_architecture_is_named(folder):
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "llama"}
    (folder / "config.json").write_text(json.dumps(config))
    write_checksums(folder)
    with pytest.raises(UserError, match="llama"):
        read_checkpoint(folder)


def test_weights_of_another_shape_are_named(folder):
    config = json.loads((folder / "config.json").read_text()) | {"vocab_size": 301}
    (folder / "config.json").write_text(json.dumps(config))
    write_checksums(folder)
    with pytest.raises(UserError, match=r"do not fit its config\.json"):
        read_checkpoint(folder)


def test_weights_that_are_not_finite_are_named(folder):
    weights = load_file(folder / "model.safetensors")
    weights["transformer.wpe.weight"][3, 3] = np.nan
    save_file(weights, folder / "model.safetensors")
    write_checksums(folder)
    with pytest.raises(UserError, match=r"not finite \(wpe\.weight\)"):
        read_checkpoint(folder)


def test_a_vocabulary_that_is_not_the_tokenizers_is_named(folder, model_settings, tokenizer_folder):
    assert read_lm(folder)[1] == END
    other = initialise(replace(model_settings, vocabulary_size=301), 1)
    write_checkpoint(other, tokenizer_folder, 0, {}, folder.parent / "other")
    with pytest.raises(UserError, match="vocabulary of 301, its tokenizer one of 300"):
        read_lm(folder.parent / "other")
