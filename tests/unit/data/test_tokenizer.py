"""Tokenizers, and what is refused."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from tools import END

from ouroboros.data.tokenizer import (
    END_OF_TEXT,
    make_tokenizer,
    read_tokenizer,
    vocabulary_size,
    write_tokenizer,
)
from ouroboros.errors import UserError


def test_gpt2_is_gpt2():
    tokenizer, end_of_text = make_tokenizer({"source": "gpt2"}, [])
    assert tokenizer.get_vocab_size() == 50257
    assert tokenizer.token_to_id(end_of_text) == 50256
    assert tokenizer.encode("Once upon a time").ids == [7454, 2402, 257, 640]


def test_a_trained_one_loses_nothing_and_is_the_same_again(texts):
    settings = {"source": "train", "vocabulary_size": 300}
    (tokenizer, _), (again, _) = (make_tokenizer(settings, texts) for _ in range(2))
    assert again.to_str() == tokenizer.to_str()
    assert tokenizer.get_vocab_size() == 300
    odd = "naïve 漢字 \n\ttabs  and   spaces — “quotes”"
    assert tokenizer.decode(tokenizer.encode(odd).ids) == odd


def test_a_folder_holds_all_of_it(tokenizer, tmp_path):
    write_tokenizer(tokenizer, END_OF_TEXT, tmp_path / "folder")
    again, end = read_tokenizer(tmp_path / "folder")
    assert again.to_str() == tokenizer.to_str()
    assert end == END


def test_a_local_folder_as_the_hub(tokenizer, tmp_path):
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    settings = {"source": "hub", "path": str(tmp_path), "end_of_text": END_OF_TEXT}
    assert make_tokenizer(settings, [])[0].get_vocab_size() == 300
    with pytest.raises(UserError, match="no token '</s>'"):
        make_tokenizer(settings | {"end_of_text": "</s>"}, [])


def test_the_vocabulary_counts_ids_without_a_token():
    assert vocabulary_size(make_tokenizer({"source": "gpt2"}, [])[0]) == 50_257
    assert vocabulary_size(Tokenizer(models.WordLevel({END_OF_TEXT: 0, "a": 5}))) == 6


def test_one_that_is_not_byte_level(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({END_OF_TEXT: 0, "a": 1}))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UserError, match="not a byte-level BPE"):
        make_tokenizer({"source": "hub", "path": str(tmp_path), "end_of_text": END_OF_TEXT}, [])


def test_an_unreachable_hub_says_what_works_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settings = {"source": "hub", "path": "nobody/nothing", "end_of_text": END_OF_TEXT}
    with pytest.raises(UserError, match="nobody/nothing.*Without a network, use `source: gpt2`"):
        make_tokenizer(settings, [])
