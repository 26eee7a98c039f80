"""The compiled kernels: built once, done without where they cannot be, and equal to PyTorch."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tools import initialise, lively

from ouroboros.errors import UserError
from ouroboros.kernels import cpu
from ouroboros.model import cross_entropy
from ouroboros.model.decoding import Decoding
from ouroboros.model.exact_draw import draw
from ouroboros.model.families.gpt_neo.decoder import GPTNeoDecoder
from ouroboros.model.families.gpt_neo.small_model import SmallModelSampler, fits
from ouroboros.model.output_head import Head
from ouroboros.sampling.sampler import sample

pytestmark = pytest.mark.usefixtures("several_threads")

SCRIPTS = Path(cpu.__file__).parents[3]


def build(cache, **environment):
    """A process of its own that asks for the kernels; what it prints and logs."""
    code = "import logging; logging.basicConfig(); from ouroboros.kernels import cpu; print(cpu.kernels() is not None)"
    environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(cache), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=SCRIPTS, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_two_jobs_may_build_at_once_and_leave_one_library(tmp_path):
    jobs = [build(tmp_path), build(tmp_path)]
    assert [job.communicate()[0] for job in jobs] == ["True\n", "True\n"]
    (library,) = (tmp_path / "ouroboros").iterdir()
    before = library.stat().st_mtime_ns
    assert build(tmp_path).communicate()[0] == "True\n"
    assert library.stat().st_mtime_ns == before


def test_without_a_compiler_it_says_so_and_goes_on(tmp_path):
    said, _ = build(tmp_path, CXX="no-such-compiler").communicate()
    assert said.endswith("False\n")
    assert "no no-such-compiler on the PATH" in said and "slower" in said


def test_a_compiler_that_fails_is_quoted(tmp_path):
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\necho 'a.cpp: error: out of registers\nterminated.' >&2; exit 1\n")
    broken.chmod(0o755)
    said, _ = build(tmp_path, CXX=str(broken)).communicate()
    assert said.endswith("False\n") and "(a.cpp: error: out of registers)" in said


def test_a_file_that_is_no_program_is_named(tmp_path, monkeypatch):
    (tmp_path / "g++").write_bytes(b"\x7fELF")
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "g++"))
    with pytest.raises(cpu.CompilerError, match="Exec format error"):
        cpu._compile("-E")


@pytest.mark.parametrize("call", ["ccache {}", "'{}' -pipe", "{}"])
def test_cxx_is_a_command_as_in_a_makefile(tmp_path, monkeypatch, call):
    """A launcher before the compiler, options after it, or a path with a space in it."""
    compiler = tmp_path / "my tools/g++"
    compiler.parent.mkdir()
    compiler.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/said"\n')
    (tmp_path / "ccache").write_text('#!/bin/sh\nexec "my tools/g++" launched\n')
    for program in (compiler, tmp_path / "ccache"):
        program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("CXX", call.format(compiler))
    cpu._compile("-E", "a.cpp")
    said = (tmp_path / "said").read_text()
    assert said == {"c": "launched\n", "'": "-pipe -E a.cpp\n", "{": "-E a.cpp\n"}[call[0]]


def test_a_cache_that_no_program_is_loaded_from_is_told_from_a_missing_compiler(
    tmp_path, monkeypatch, caplog
):
    writes = 'while [ $# -gt 1 ]; do test "$1" = -o && echo no library > "$2"; shift; done'
    (tmp_path / "g++").write_text(f"#!/bin/sh\n{writes}\n")
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "g++"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cpu.kernels.__wrapped__() is None
    assert "XDG_CACHE_HOME" in caplog.text and "Install" not in caplog.text


@pytest.fixture
def both(monkeypatch):
    """Calls a function with the kernels and without them."""
    assert cpu.kernels(), "this machine has no C++ compiler"

    def call(function):
        with_kernels = function()
        with monkeypatch.context() as patch:
            patch.setattr(cpu, "kernels", lambda: None)
            return with_kernels, function()

    return call


def states(rows, width, vocabulary):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, width, generator=generator)
    return hidden, torch.randn(vocabulary, width, generator=generator)


@pytest.mark.parametrize(
    "sizes", [(1, 5, 33), (25, 64, 1000), (30, 48, 512), (13, 768, 300), (9, 16, 70_000)]
)
def test_the_head(both, sizes):
    hidden, weights = states(*sizes)
    uniforms = torch.rand(len(hidden), dtype=torch.float64)
    ours, theirs = both(lambda: Head(weights).draw(hidden, uniforms))
    assert torch.equal(ours, theirs)
    ours, theirs = both(lambda: Head(weights).logsumexp(hidden))
    assert torch.allclose(ours, theirs, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("vocabulary", [33, 300, 1024])
def test_the_gradient_of_the_loss(both, dtype, vocabulary):
    hidden, weights = states(50, 16, vocabulary)
    targets = torch.arange(50) * 7 % vocabulary
    targets[0] = vocabulary - 1

    def gradient():
        losses = torch.empty(50)
        made = cross_entropy._Gradient(weights.to(dtype), 50)(hidden.to(dtype), targets, losses)
        return losses, made.float().clone()

    (losses, ours), (expected, theirs) = both(gradient)
    assert torch.allclose(losses, expected, atol=1e-5 if dtype == torch.float32 else 0.05)
    error = (ours - theirs).norm() / theirs.norm()
    assert error < (1e-6 if dtype == torch.float32 else 1e-2)


@pytest.mark.parametrize("heads, hidden", [(4, 16), (16, 64), (2, 40), (3, 144)])
def test_decode_steps(both, model_settings, heads, hidden):
    """By the kernel of attention, and by PyTorch."""
    settings = replace(model_settings, heads=heads, hidden_size=hidden)
    model = lively(initialise(settings, 1), scale=4.0)
    ids = torch.randint(0, 300, (13, 60), generator=torch.Generator().manual_seed(0))

    @torch.inference_mode()
    def steps():
        decoder = GPTNeoDecoder(model, 13, 60)
        kinds.append(type(decoder.layers[0]).__name__)
        return torch.stack([
            decoder.step(ids[:, time], time, torch.tensor([time])) for time in range(60)
        ])  # fmt: skip

    kinds = []
    ours, theirs = both(steps)
    assert kinds == ["CPULayer", "Layer"]
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize(
    "heads, hidden, rows", [(4, 16, 5), (16, 64, 70), (2, 40, 33), (4, 64, 32)]
)
def test_a_narrow_model_is_sampled_by_its_forward(model_settings, heads, hidden, rows):
    """States at every position, beyond window, context and ring, and draws by these states."""
    settings = replace(model_settings, heads=heads, hidden_size=hidden)
    model = lively(initialise(settings, 1), scale=4.0)
    assert fits(model)
    length, vocabulary = 60, settings.vocabulary_size
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(length, rows, dtype=torch.float64, generator=generator)
    draws[3], draws[4] = 0.0, 1 - 2.0**-53
    given = torch.randint(-vocabulary, vocabulary, (length + 1, rows), generator=generator).clamp(
        -1
    )
    tokens = torch.zeros(length + 1, rows, dtype=torch.int64)
    narrow, states = SmallModelSampler(model, rows, length, Decoding(0.5)), []
    for time in range(length):
        narrow.steps(tokens, draws, given, time, time + 1)
        states.append(narrow.states().clone())
    with torch.no_grad():
        expected = model.logits(tokens[:-1].T).transpose(0, 1) / 0.5
        logits = torch.stack(states) @ model.head.T
    assert torch.allclose(logits, expected, atol=1e-4)
    drawn = torch.stack([draw(logits[time], draws[time]) for time in range(length)])
    taken = given[1:] >= 0
    assert torch.equal(tokens[1:][taken], given[1:][taken]) and taken.any()
    assert torch.equal(tokens[1:][~taken], drawn[~taken])
    again = torch.zeros_like(tokens)
    SmallModelSampler(model, rows, length, Decoding(0.5)).steps(again, draws, given, 0, length)
    assert torch.equal(again, tokens)


@pytest.mark.parametrize("width, small", [(128, True), (144, False)])
def test_a_wide_model_is_sampled_step_by_step(model_settings, width, small):
    """Its weights would not stay in a core's cache."""
    assert fits(initialise(replace(model_settings, hidden_size=width), 1)) is small


def test_a_narrow_model_can_draw_what_is_rare(model_settings):
    """Tokens of a thousand-millionth, and one of a share that float32's sums would lose."""
    model = initialise(replace(model_settings, vocabulary_size=300), 1)
    with torch.no_grad():
        model.ln_f.weight.zero_()
        model.ln_f.bias.copy_(torch.eye(model.settings.hidden_size)[0])
        model.wte.weight.zero_()
        model.wte.weight[:, 0] = -20.0  # e^-20 = 2e-9 of the likeliest token's
        model.wte.weight[7, 0] = 0.0
    probabilities = torch.softmax(model.wte.weight[:, 0].double(), 0)
    middles = probabilities.cumsum(0) - probabilities / 2
    tokens = torch.zeros(2, 300, dtype=torch.int64)
    given = torch.full_like(tokens, -1)
    SmallModelSampler(model, 300, 1).steps(tokens, middles[None].contiguous(), given, 0, 1)
    assert torch.equal(tokens[1], torch.arange(300))


def test_a_corpus_is_the_same_without_kernels(both, model_settings):
    """Up to floating point, which here changes no token."""
    model = lively(initialise(model_settings, 5))
    ours, theirs = both(lambda: next(sample(model, 1, range(10), 50, 0, 10)))
    assert (ours == theirs).mean() > 0.99


def test_sequences_longer_than_the_positions(model_settings):
    with pytest.raises(UserError, match="65 tokens .* 64 positions"):
        next(sample(initialise(model_settings, 1), 1, range(2), 65, 0, 2))
