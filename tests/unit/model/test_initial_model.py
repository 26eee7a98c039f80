"""Pre-trained models, built here by transformers and saved as a user's would be, read as models of our families."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.errors import UserError
from ouroboros.model import initial_model
from ouroboros.model.initial_model import read_initial_model

HF = {"family": "hf", "architecture": "gpt2", "layers": 2, "hidden_size": 32, "heads": 4, "positions": 64,
      "settings": {}}  # fmt: skip
NEO = {"layers": 2, "hidden_size": 32, "heads": 4, "window": 16, "context": 64, "positions": 64,
       "initial_std": 0.02}  # fmt: skip


@pytest.fixture
def vocabulary(tokenizer_folder):
    return vocabulary_size(read_tokenizer(tokenizer_folder)[0])


@pytest.fixture
def saved(tmp_path, tokenizer_folder, vocabulary):
    """A function that saves a model of transformers with the tokenizer's files beside it."""

    def save(kind, **keys):
        import transformers

        torch.manual_seed(0)
        config = getattr(transformers, f"{kind}Config")(**{"vocab_size": vocabulary} | keys)
        auto = (
            transformers.AutoModelForCausalLM
            if kind != "T5"
            else transformers.AutoModelForSeq2SeqLM
        )
        model = auto.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn(parameter.shape))
        model.save_pretrained(tmp_path / "model")
        text = (tokenizer_folder / "tokenizer.json").read_text()
        (tmp_path / "model/tokenizer.json").write_text(text)
        return model, tmp_path / "model"

    return save


def gpt2(**keys):
    return {"n_layer": 2, "n_embd": 32, "n_head": 4, "n_positions": 64} | keys


def read(folder, settings, tokenizer_folder):
    return read_initial_model(str(folder), settings, *read_tokenizer(tokenizer_folder))


def ids(vocabulary):
    return torch.randint(0, vocabulary, (3, 40), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("padding", [0, 13])
@torch.inference_mode()
def test_gpt2_computes_as_it_did_without_its_padding(saved, tokenizer_folder, vocabulary, padding):
    theirs, folder = saved("GPT2", **gpt2(vocab_size=vocabulary + padding, resid_pdrop=0.1))
    ours = read(folder, HF, tokenizer_folder)
    assert ours.vocabulary_size == vocabulary
    expected = theirs(ids(vocabulary)).logits[..., :vocabulary]
    assert (ours.hidden(ids(vocabulary)) @ ours.head.T - expected).abs().max() < 1e-4


@torch.inference_mode()
def test_gpt_neo_takes_the_fast_path(saved, tokenizer_folder, vocabulary):
    theirs, folder = saved("GPTNeo", **NEO_SIZES, attention_types=[[["global", "local"], 1]])
    ours = read(folder, NEO, tokenizer_folder)
    expected = theirs(ids(vocabulary)).logits
    assert (ours.logits(ids(vocabulary)) - expected).abs().max() < 1e-4
    with pytest.raises(UserError, match="of other sizes .*window: 16"):
        read(folder, NEO | {"window": 32}, tokenizer_folder)


NEO_SIZES = {
    "num_layers": 2,
    "hidden_size": 32,
    "num_heads": 4,
    "max_position_embeddings": 64,
    "window_size": 16,
}


@pytest.mark.parametrize("keys", [
    {"attention_types": [[["global"], 2]]}, {"attention_types": [[["global", "local"], 1]], "intermediate_size": 48},
])  # fmt: skip
def test_a_gpt_neo_of_another_kind_is_refused(saved, tokenizer_folder, keys):
    """Its layers are all global, which shows beyond the window alone; or its perceptron is narrower."""
    _, folder = saved("GPTNeo", **NEO_SIZES, **keys)
    with pytest.raises(UserError, match="computes other logits"):
        read(folder, NEO, tokenizer_folder)


def test_another_family_is_named(saved, tokenizer_folder):
    _, folder = saved("GPT2", **gpt2())
    with pytest.raises(UserError, match="is a gpt2. .*family: hf, architecture: gpt2"):
        read(folder, NEO, tokenizer_folder)


@pytest.mark.parametrize("beyond", [-1, 5])
def test_a_padding_token_is_none_here(saved, tokenizer_folder, vocabulary, beyond):
    """Its row of the embeddings would not be trained, and may be end-of-text's or among those cut off."""
    sizes = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 24,
             "max_position_embeddings": 64}  # fmt: skip
    _, folder = saved("Llama", vocab_size=vocabulary + 9, pad_token_id=vocabulary + beyond, **sizes)
    settings = HF | {"architecture": "llama", "settings": {"intermediate_size": 24}}
    ours = read(folder, settings, tokenizer_folder)
    assert ours.net.get_input_embeddings().padding_idx is None
    with pytest.raises(UserError, match="settings: {'intermediate_size': 24}"):
        read(folder, settings | {"settings": {}}, tokenizer_folder)


def test_other_sizes_are_refused_with_the_line_to_write(saved, tokenizer_folder):
    _, folder = saved("GPT2", **gpt2())
    line = "{family: hf, architecture: gpt2, layers: 2, hidden_size: 32, heads: 4, positions: 64}"
    with pytest.raises(UserError, match=re.escape(line)):
        read(folder, HF | {"layers": 3}, tokenizer_folder)


def test_a_vocabulary_smaller_than_the_tokenizer_is_refused(saved, tokenizer_folder, vocabulary):
    _, folder = saved("GPT2", **gpt2(vocab_size=vocabulary - 1))
    with pytest.raises(UserError, match="do not belong together"):
        read(folder, HF, tokenizer_folder)


def test_another_tokenizer_is_refused_with_the_entry_to_write(saved, tokenizer_folder):
    _, folder = saved("GPT2", **gpt2())
    own = json.loads((folder / "tokenizer.json").read_text())
    tokens = own["model"]["vocab"]
    (first, a), (second, b) = sorted(tokens.items(), key=lambda pair: pair[1])[50:52]
    tokens[first], tokens[second] = b, a
    (folder / "tokenizer.json").write_text(json.dumps(own))
    with pytest.raises(UserError, match="2 tokens have .*source: hub"):
        read(folder, HF, tokenizer_folder)


def test_what_is_no_causal_lm_is_refused(saved, tokenizer_folder):
    _, folder = saved("T5", d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
    with pytest.raises(UserError, match="no causal LM"):
        read(folder, HF, tokenizer_folder)


def test_missing_weights_are_not_made_up(saved, tokenizer_folder):
    from safetensors.torch import load_file, save_file

    _, folder = saved("GPT2", **gpt2())
    weights = load_file(folder / "model.safetensors")
    del weights["transformer.h.1.mlp.c_fc.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="lacks weights"):
        read(folder, HF, tokenizer_folder)


def test_code_that_comes_with_a_model_is_never_run(saved, tokenizer_folder, tmp_path):
    _, folder = saved("GPT2", **gpt2())
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="never run"):
        read(folder, HF, tokenizer_folder)
    assert not (tmp_path / "ran").exists()


def test_a_hub_that_cannot_be_reached_is_named(tokenizer_folder, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="owner/name"):
        read("nobody/no-such-model", HF, tokenizer_folder)


class Gate(BaseHTTPRequestHandler):
    """Answers as the hub does for a model that one has to ask for."""

    def do_HEAD(self):
        self.send_response(403)
        self.send_header("X-Error-Code", "GatedRepo")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_):
        pass


def test_a_gated_model_is_said_to_be(tokenizer_folder, tmp_path):
    """In a process of its own: the hub's client reads the hub's address as it is imported."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = (
            "import sys; from ouroboros.data.tokenizer import read_tokenizer\n"
            "from ouroboros.model.initial_model import read_initial_model\n"
            "read_initial_model('owner/gated', {}, *read_tokenizer(sys.argv[1]))"
        )
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path),
            "PYTHONPATH": str(Path(initial_model.__file__).parents[2]),
        }  # fmt: skip
        result = subprocess.run(
            [sys.executable, "-c", code, tokenizer_folder],
            capture_output=True,
            text=True,
            env=environment,
        )
        server.shutdown()
    assert "ask for access on its page" in result.stderr, result.stderr
