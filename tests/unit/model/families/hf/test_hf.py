"""Models of transformers: their states, steps and checkpoints against transformers itself."""

import numpy as np
import pytest
import torch
from tools import END

from ouroboros.data.corpus import Corpus, token_type
from ouroboros.errors import UserError
from ouroboros.model.checkpoint import read_lm, write_checkpoint
from ouroboros.model.families import random_model
from ouroboros.sampling.sampler import sample
from ouroboros.training.trainer import Training, TrainingSettings
from ouroboros.training.trainer_state import gather, restore

LARGE = 70_000  # tokens

SETTINGS = {
    "family": "hf",
    "layers": 2,
    "hidden_size": 32,
    "heads": 4,
    "positions": 64,
    "settings": {},
}
ARCHITECTURES = {
    "gpt2": {}, "llama": {"intermediate_size": 64, "num_key_value_heads": 2},
    "gpt_neox": {"intermediate_size": 64}, "qwen2": {"intermediate_size": 64},
    "phi": {"intermediate_size": 64},  # its output layer has a bias
}  # fmt: skip


def model_of(architecture, seed=0, **settings):
    own = ARCHITECTURES.get(architecture, {}) | settings
    return random_model(
        SETTINGS | {"architecture": architecture, "settings": own}, 300, seed
    ).eval()


@pytest.fixture(params=ARCHITECTURES)
def model(request):
    found = model_of(request.param)
    with torch.no_grad():  # biases begin at zero, where a mistake would not show
        for parameter in found.parameters():
            parameter.add_(
                0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
            )
    return found


def ids(rows=3, time=40):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 300, (rows, time)))


@torch.inference_mode()
def test_a_reloaded_checkpoint_has_the_logits_of_transformers(model, tokenizer_folder, tmp_path):
    from transformers import AutoModelForCausalLM

    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    ours, _ = read_lm(tmp_path / "checkpoint")
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path / "checkpoint", attn_implementation="eager"
    )
    expected = theirs.eval()(ids()).logits
    for of in (model, ours):
        assert (of.hidden(ids()) @ of.head.T - expected).abs().max() < 1e-5


@torch.inference_mode()
def test_steps_are_the_states_of_the_whole(model):
    """Twice: at time 0 the cache begins again."""
    decoder, whole = model.decoder(3, 40, torch.float32), model.hidden(ids())
    for _ in range(2):
        steps = [decoder.step(ids()[:, time], time, torch.tensor([time])) for time in range(40)]
        assert (torch.stack(steps, 1) - whole).abs().max() < 1e-5


def test_weights_depend_on_the_seed_alone():
    first, same, other = model_of("gpt2", 1), model_of("gpt2", 1), model_of("gpt2", 2)
    for name, tensor in first.weights().items():
        assert torch.equal(tensor, same.weights()[name])
    assert any(
        not torch.equal(tensor, other.weights()[name]) for name, tensor in first.weights().items()
    )


def test_there_is_no_dropout():
    found = model_of("gpt2").train()
    assert torch.equal(found.hidden(ids()), found.hidden(ids()))


@pytest.mark.parametrize("architecture, settings, said", [
    ("gpt22", {}, "transformers has no architecture 'gpt22'"),
    ("t5", {}, "cannot be built"),
    ("mamba", {}, "cannot be built"),
    ("llama", {"intermediate": 64}, "llama has no setting intermediate. It has: .*intermediate_size"),
    ("gemma2", {"head_dim": 8, "intermediate_size": 64}, "cannot be built|scaled, or capped"),
])  # fmt: skip
def test_what_is_said_of_what_cannot_be_built(architecture, settings, said):
    with pytest.raises(UserError, match=said):
        model_of(architecture, **settings)


@pytest.fixture
def training():
    """A function that makes the training of a model, over a vocabulary that 16 bits do not hold."""
    tokens = np.random.default_rng(0).integers(0, LARGE, (24, 32)).astype(token_type(LARGE))
    corpus = Corpus(tokens, np.zeros(24, tokens.dtype))

    def make():
        settings = SETTINGS | {"architecture": "gpt2", "hidden_size": 8, "heads": 2}
        how = TrainingSettings(4, 3e-3, (0.9, 0.95), 0.1, 1.0, 1, 1, 1, "fp32")
        return Training(random_model(settings, LARGE, 0), how, corpus, 0, 1, torch.device("cpu"), 4)

    return make


def test_a_resumed_training_is_the_uninterrupted_one(training):
    """Byte for byte, with a vocabulary of more than 65,536."""
    whole, part, rest = training(), training(), training()
    rows = [np.arange(start, start + 4) for start in range(0, 24, 4)]
    for each in rows:
        whole.update(each)
    for each in rows[:3]:
        part.update(each)
    restore(rest, *gather(part))
    for each in rows[3:]:
        rest.update(each)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, rest.model.state_dict()[name]), name


def test_a_vocabulary_of_more_than_65_536_is_sampled(training):
    (drawn,) = sample(training().model.eval(), 0, range(8), 32, 0, 8)
    assert drawn.dtype == np.uint32 and 65_536 < drawn.max() < LARGE
