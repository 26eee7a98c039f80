"""The model against transformers' GPT-Neo, and the decode step against the forward."""

from dataclasses import replace

import pytest
import torch
from tools import initialise, lively
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from ouroboros.kernels import cpu
from ouroboros.model.cross_entropy import summed_loss
from ouroboros.model.families.gpt_neo.declaration import parameters
from ouroboros.model.families.gpt_neo.decoder import GPTNeoDecoder, Layer
from ouroboros.model.families.gpt_neo.settings import GPTNeoSettings
from ouroboros.model.families.gpt_neo.transformers_format import from_transformers


def theirs(model):
    """The same weights in transformers' implementation."""
    config = GPTNeoConfig(**{k: v for k, v in model.config(0).items() if k != "dtype"})
    config._attn_implementation = "eager"
    other = GPTNeoForCausalLM(config).eval()
    missing, unexpected = other.load_state_dict(model.weights(), strict=False)
    assert not unexpected
    assert all(name == "lm_head.weight" for name in missing)
    return other


@pytest.mark.parametrize("layers", [1, 4, 5])
def test_logits_equal_transformers_beyond_the_window(model_settings, layers):
    settings = replace(model_settings, layers=layers, context=64)
    model = lively(initialise(settings, 1))
    ids = torch.randint(0, 300, (3, 60), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = model.logits(ids).log_softmax(-1)
        reference = theirs(model)(ids).logits.log_softmax(-1)
    assert reference.std() > 0.5  # not a flat distribution that anything would match
    assert (ours - reference).abs().max() < 1e-4


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_both_of_transformers_keys_name_the_same_layers(model_settings, layers):
    config = initialise(replace(model_settings, layers=layers), 1).config(0)
    expanded = GPTNeoConfig.expand_attention_types_params(config["attention_types"])
    assert expanded == config["attention_layers"] == ["global", "local", "global", "local", "global"][:layers]  # fmt: skip


PAPER_1M = GPTNeoSettings(
    layers=8, hidden_size=64, heads=16, window=256, context=2048, positions=2048, initial_std=0.02,
    vocabulary_size=50257,
)  # fmt: skip


def test_the_paper_model_equals_transformers_over_600_positions():
    model = lively(initialise(PAPER_1M, 1), scale=4.0)
    assert sum(parameter.numel() for parameter in model.parameters()) == 3_745_984
    ids = torch.randint(0, 50257, (1, 600), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = model.logits(ids).log_softmax(-1)
        reference = theirs(model)(ids).logits.log_softmax(-1)
    assert (ours - reference).abs().max() < 1e-4


@pytest.mark.parametrize("heads, width, scale", [(16, 64, 4.0), (4, 192, 2.0)])
def test_gradients_equal_transformers_over_600_positions(heads, width, scale):
    """Of the mean loss, for every weight: the fused loss and attention's own backward."""
    settings = replace(PAPER_1M, layers=4, heads=heads, hidden_size=width, vocabulary_size=1000)
    model = lively(initialise(settings, 1), scale)
    ids = torch.randint(0, 1000, (2, 600), generator=torch.Generator().manual_seed(0))
    hidden = model.hidden(ids[:, :-1]).flatten(0, 1)
    loss = summed_loss(hidden, model.head, ids[:, 1:].flatten()) / ids[:, 1:].numel()
    loss.backward()
    other = theirs(model).double()  # of float32 it has as much rounding of its own
    expected = other(ids, labels=ids).loss
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for parameter in other.parameters():
        parameter.data = parameter.grad  # so that the conversion of weights converts gradients
    wanted = from_transformers(other.state_dict(), settings.layers)
    for name, parameter in model.named_parameters():
        error = (parameter.grad - wanted[name]).norm() / wanted[name].norm()
        assert error < 1e-5, (name, error)


def test_the_33m_model_has_the_paper_parameters():
    settings = GPTNeoSettings(4, 768, 16, 256, 512, 2048, 0.02, 50257)
    with torch.device("meta"):
        from ouroboros.model.families.gpt_neo.model import GPTNeo

        model = GPTNeo(settings)
    assert sum(parameter.numel() for parameter in model.parameters()) == 68_514_048
    stated = {"layers": 4, "hidden_size": 768, "positions": 2048}
    assert parameters(stated, 50257) == 68_514_048


def test_context_limits_what_every_layer_sees(model_settings):
    """Through 4 layers of context 5, position 40 depends on the 16 before it and on no other."""
    model = lively(initialise(replace(model_settings, context=5, window=5), 1))
    ids = torch.randint(0, 300, (1, 41), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = model.hidden(ids)[0, 40]
        for position, reaches in ((40 - 4 * 4 - 1, False), (40 - 4 * 4, True)):
            changed = ids.clone()
            changed[0, position] = (ids[0, position] + 1) % 300
            assert (not torch.equal(model.hidden(changed)[0, 40], before)) == reaches


@pytest.mark.parametrize(
    "settings, scale",
    [
        (None, 12.0),  # beyond the window of 8 and the context of 24
        (replace(PAPER_1M, context=512, vocabulary_size=1000), 4.0),  # beyond 256 and 512
        (replace(PAPER_1M, context=512, vocabulary_size=1000, layers=2, hidden_size=768), 1.5),
    ],
)
def test_decode_steps_equal_the_forward_at_every_position(model_settings, settings, scale):
    settings = settings or model_settings
    time_steps = 60 if settings is model_settings else 600
    model = lively(initialise(settings, 1), scale)
    vocabulary = settings.vocabulary_size
    ids = torch.randint(0, vocabulary, (2, time_steps), generator=torch.Generator().manual_seed(0))
    decoder = GPTNeoDecoder(model, 2, time_steps)
    with torch.no_grad():
        whole = model.logits(ids)
        for time in range(time_steps):
            state = decoder.step(ids[:, time], time, torch.tensor([time]))
            assert torch.allclose(state @ model.head.T, whole[:, time], atol=1e-4), time


def test_decode_steps_without_kernels_equal_the_forward_at_every_position(
    model_settings, monkeypatch
):
    """Beyond the 64 slots that one CUDA graph reads, and beyond the window of 70."""
    settings = replace(model_settings, window=70, context=128, positions=130, layers=2)
    model = lively(initialise(settings, 1))
    ids = torch.randint(0, 300, (2, 130), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = model.logits(ids)
        monkeypatch.setattr(cpu, "kernels", lambda: None)
        decoder = GPTNeoDecoder(model, 2, 130)
        assert {type(layer) for layer in decoder.layers} == {Layer}
        for time in range(130):
            state = decoder.step(ids[:, time], time, torch.tensor([time]))
            assert torch.allclose(state @ model.head.T, whole[:, time], atol=1e-4), time


def test_initial_weights_belong_to_the_seed(model_settings):
    first, again, other = (initialise(model_settings, seed) for seed in (1, 1, 2))
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        if a.dim() > 1:
            assert not torch.equal(a, c)
    assert first.wte.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert first.blocks[0].out.bias.abs().max() == 0
