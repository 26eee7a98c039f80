"""Tokenizers, and what is refused."""

import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from tools import END

from ouroboros.data.tokenizer import (
    END_OF_TEXT,
    encode_texts,
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


@pytest.fixture
def foreign(tokenizer, tmp_path):
    """Makes a tokenizer of a local tokenizer.json: the fixture's, after `change` of its content."""

    def made(change):
        content = json.loads(tokenizer.to_str())
        change(content)
        (tmp_path / "tokenizer.json").write_text(json.dumps(content))
        settings = {"source": "hub", "path": str(tmp_path), "end_of_text": END_OF_TEXT}
        return make_tokenizer(settings, [])[0]

    return made


CUTS = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
PADS = {
    "strategy": {"Fixed": 200}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 3,
    "pad_type_id": 0, "pad_token": "#",
}  # fmt: skip
ENDS = {
    "type": "TemplateProcessing",
    "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "e", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"e": {"id": "e", "ids": [END], "tokens": [END_OF_TEXT]}},
}  # fmt: skip
BERT = {"type": "BertProcessing", "sep": [END_OF_TEXT, END], "cls": [END_OF_TEXT, END]}
BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(truncation=CUTS),
        lambda content: content.update(padding=PADS),
        lambda content: content.update(post_processor=ENDS),
        lambda content: content.update(
            post_processor={"type": "Sequence", "processors": [BYTES, BERT]}
        ),
        lambda content: content["model"].update(dropout=0.9),
    ],
    ids=["truncation", "padding", "template", "sequence", "dropout"],
)
def test_what_cuts_pads_adds_or_draws_is_switched_off(foreign, tokenizer, texts, tmp_path, change):
    """In what is made, and in what a folder of results holds already."""
    expected = [encoding.ids for encoding in tokenizer.encode_batch(texts[:20])]
    given = foreign(change)
    write_tokenizer(
        Tokenizer.from_file(str(tmp_path / "tokenizer.json")), END_OF_TEXT, tmp_path / "old"
    )
    for each in (given, read_tokenizer(tmp_path / "old")[0]):
        assert [encoding.ids for encoding in each.encode_batch(texts[:20])] == expected
        assert each.to_str() == tokenizer.to_str()


def test_the_vocabulary_counts_ids_without_a_token():
    assert vocabulary_size(make_tokenizer({"source": "gpt2"}, [])[0]) == 50_257
    assert vocabulary_size(Tokenizer(models.WordLevel({END_OF_TEXT: 0, "a": 5}))) == 6


def test_one_that_is_not_byte_level(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({END_OF_TEXT: 0, "a": 1}))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UserError, match="not a byte-level BPE"):
        make_tokenizer({"source": "hub", "path": str(tmp_path), "end_of_text": END_OF_TEXT}, [])


def ordinary_end_of_text(content):
    content["added_tokens"][0]["special"] = False


def without_added_tokens(content):
    content["added_tokens"] = []


@pytest.mark.parametrize("change", [ordinary_end_of_text, without_added_tokens])
def test_an_end_of_text_that_is_no_special_token_becomes_one(foreign, change):
    """Where it is not, text that spells it out would end there."""
    made = foreign(change)
    assert made.get_added_tokens_decoder()[END].special
    (encoding,) = encode_texts(made, [f"Mia{END_OF_TEXT}Tom"])
    assert END not in encoding.ids
    assert made.decode(encoding.ids) == f"Mia{END_OF_TEXT}Tom"


def test_ids_with_holes_work(foreign, texts):
    def change(content):
        vocabulary = content["model"]["vocab"]
        content["model"]["vocab"] = {
            token: index if index < 150 else index + 70_000 for token, index in vocabulary.items()
        }

    made = foreign(change)
    assert vocabulary_size(made) == 70_300
    assert [made.decode(encoding.ids) for encoding in encode_texts(made, texts[:9])] == texts[:9]


def test_an_added_token_that_takes_anothers_id_is_refused(foreign):
    """The library gives it the number of tokens before it; with holes, another may have that."""

    def change(content):
        vocabulary = content["model"]["vocab"]
        del vocabulary[END_OF_TEXT]
        vocabulary |= {token: index + 20 for token, index in vocabulary.items() if index >= 150}

    with pytest.raises(UserError, match="one id, 299, for two tokens"):
        foreign(change)


def test_a_byte_without_a_token_is_refused_where_a_text_has_it(foreign):
    """The library leaves it out of the text."""

    def change(content):
        del content["model"]["vocab"]["Ã"]  # the first byte of é
        content["normalizer"] = {"type": "NFC"}

    made = foreign(change)
    assert made.decode(encode_texts(made, ["Mia 漢"])[0].ids) == "Mia 漢"
    for text in ("Zoé", "Zoe\u0301", ("Mia", "Zoé")):
        with pytest.raises(UserError, match="no token for 'é', which stands in the text"):
            encode_texts(made, ["Mia", text] if isinstance(text, str) else [text])


def suffix(content):  # CLIP's
    content["model"]["end_of_word_suffix"] = "</w>"


def prefix(content):
    content["model"] |= {"continuing_subword_prefix": "##", "merges": []}


def no_bytes(content):
    content["pre_tokenizer"] = None


def no_spaces(content):
    split = {"type": "Split", "pattern": {"String": " "}, "behavior": "Removed", "invert": False}
    content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, BYTES]}


def no_text(content):
    content["decoder"] = {"type": "Fuse"}


def no_decoder(content):
    content["decoder"] = None


def characters(content):  # as they are; é is a byte's character too
    content["pre_tokenizer"] = {"type": "Digits", "individual_digits": True}
    content["decoder"] = {"type": "Fuse"}


def other_characters(content):
    content["model"]["vocab"]["▁Once"] = 300


def whole_words(content):
    vocabulary = content["model"]["vocab"]
    content["model"] = {"type": "WordLevel", "vocab": vocabulary, "unk_token": END_OF_TEXT}


@pytest.mark.parametrize(
    "change",
    [
        suffix, prefix, no_bytes, no_spaces, no_text, no_decoder, characters, other_characters,
        whole_words,
    ],
)  # fmt: skip
def test_one_whose_tokens_are_not_the_texts_bytes(foreign, change):
    with pytest.raises(UserError, match="not a byte-level BPE"):
        foreign(change)


def test_an_unreachable_hub_says_what_works_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settings = {"source": "hub", "path": "nobody/nothing", "end_of_text": END_OF_TEXT}
    with pytest.raises(UserError, match="nobody/nothing.*Without a network, use `source: gpt2`"):
        make_tokenizer(settings, [])
