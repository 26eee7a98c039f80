"""Look at a GPU for ten minutes, on its first day: does it compute rightly, and how fast?

    python benchmarks/gpu.py > gpu.jsonl            # on a machine with a GPU
    python benchmarks/gpu.py --device cpu           # the same steps, tiny, Triton in its interpreter

The most important first. A step prints a JSON line: `ok` is true, false, or null where it only
measures or cannot be tried here. What fails does not keep the next step from being made. The last
line is the verdict, with rates for `plan.rates` of a configuration; docs/gpu.md keeps both.
"""

import argparse
import functools
import json
import os
import sys
import time
from dataclasses import dataclass, replace

import common
import numpy as np
import torch

from ouroboros.data.corpus import Corpus
from ouroboros.jobs import gpu_locks
from ouroboros.jobs.batch_size import halve_until_fits
from ouroboros.jobs.device import autocast, has_kernels_for
from ouroboros.kernels import gpu_compilers
from ouroboros.model import triton_selftest
from ouroboros.model.families.gpt_neo import attention
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.model.output_head import Head
from ouroboros.sampling import sampler
from ouroboros.sampling.rescoring import departure
from ouroboros.sampling.sampler import fitting_batch, sample
from ouroboros.training.trainer import Training, TrainingSettings, make_optimizer

STEPS = []  # in their order
BOUND = 4.5  # standard errors; of right samples 7 in 1,000,000 are further away


def step(function):
    """Enter a step."""
    STEPS.append(function)
    return function


@dataclass(frozen=True)
class Sizes:
    """How large everything is: as in the paper, or tiny."""

    models: tuple[str, ...] = ("33m", "1m")
    heads: tuple[tuple[int, int], ...] = ((16, 48), (16, 4))  # heads, and features of each
    slots: tuple[int, ...] = (256, 512)
    rows: int = 4097
    vocabulary: int = 50257
    sequences: int = 256
    length: int = 600
    draws: int = 2_000_000
    batches: tuple[int, ...] = (32, 17)
    micro_batches: tuple[int, ...] = (32, 160)
    large: int = 8065  # rows that are sampled at once
    theirs: tuple[int, ...] = (200, 2000)
    stages: tuple[int, ...] = (2, 3, 4)


TINY = Sizes(
    ("demo",), ((4, 12),), (24,), 130, 700, 24, 24, 20_000, (3, 2), (2,), 16, (4,), (2, 3)
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """The device that is looked at, and the sizes to do it with."""

    device: str
    sizes: Sizes

    @property
    def is_gpu(self):
        return self.device == "cuda"

    @functools.cached_property
    def half(self):
        """The type of a job's products there."""
        return torch.float16 if self.is_gpu else torch.float32

    def settings(self, name):
        """A model of the configuration; tiny ones have as many positions and tokens as they need."""
        found = common.model_settings(name)
        if self.is_gpu:
            return found
        return replace(found, vocabulary_size=self.sizes.vocabulary, hidden_size=16)

    def model(self, name):
        settings = self.settings(name)
        settings = replace(settings, initial_std=settings.hidden_size**-0.5)
        return GPTNeo(settings).initialise(0).eval().to(self.device)

    def wait(self):
        if self.is_gpu:
            torch.cuda.synchronize()

    def seconds(self, run, tries=3):
        """The quickest of several tries, after one that does not count."""
        run()
        best = float("inf")
        for _ in range(tries):
            self.wait()
            start = time.perf_counter()
            run()
            self.wait()
            best = min(best, time.perf_counter() - start)
        return best


@step
def versions(machine):
    """Versions of GPU, driver and libraries."""
    import triton

    found = {"torch": torch.__version__, "triton": triton.__version__, "cuda": torch.version.cuda}
    if not machine.is_gpu:
        return None, found
    properties = torch.cuda.get_device_properties(0)
    capability = torch.cuda.get_device_capability()
    found |= {
        "gpu": properties.name, "driver": gpu_locks.driver_version(), "capability": list(capability),
        "memory_gb": round(properties.total_memory / 1e9, 1), "processors": properties.multi_processor_count,
        "compiles": gpu_compilers.usable("cuda"),
    }  # fmt: skip
    return has_kernels_for(capability, torch.cuda.get_arch_list()) and found["compiles"], found


@step
def kernels_against_float64(machine):
    """Attention of a decode step, sums and draws of the output layer, at the models' sizes."""
    from ouroboros.kernels import triton_kernels

    found = {}
    for heads, head in machine.sizes.heads:
        for slots in machine.sizes.slots:
            worst = _attention_error(machine, triton_kernels, heads, head, slots)
            found[f"attention {heads}x{head}, {slots} slots"] = worst
        name = f"output layer {heads * head} wide"
        found[name], outside = _head_errors(machine, triton_kernels, heads * head)
        found[f"{name}: draws outside their share"] = outside
        if heads * head <= triton_selftest.WIDEST:
            found[f"gradients of the loss, {heads * head} wide"] = _loss_error(
                machine, heads * head
            )
    rounded = ("attention", "gradients")  # to halves
    return all(v < (0.005 if k.startswith(rounded) else 1e-4) for k, v in found.items()), found


def _attention_error(machine, kernels, heads, head, slots):
    width, last = heads * head, slots + 87
    generator = torch.Generator().manual_seed(slots)
    history = torch.randn(last + 1, 2, 3, width, generator=generator) / head**0.25
    history = history.to(machine.device, torch.float16)
    # what was in the slots before is nobody's
    keys, values = torch.full((2, 2, slots, width), float("nan"), device=machine.device).half()
    worst = 0.0
    for at in range(last + 1):
        keys[:, at % slots], values[:, at % slots] = history[at, :, 1], history[at, :, 2]
        if at not in (0, 15, 16, slots - 1, slots, slots + 1, last):
            continue
        now = torch.tensor([at], device=machine.device)
        out = kernels.attention_step(history[at], keys, values, now, heads)
        seen = history[max(0, at + 1 - slots) : at + 1].double().unflatten(3, (heads, head))
        weights = torch.einsum("rhd,trhd->rht", seen[-1, :, 0], seen[:, :, 1]).softmax(-1)
        expected = torch.einsum("rht,trhd->rhd", weights, seen[:, :, 2]).flatten(1)
        worst = max(worst, (out.double() - expected).abs().max().item())
    return worst


def _head_errors(machine, kernels, width):
    """The largest error of a log sum, and the furthest a uniform lies outside its token's share."""
    generator = torch.Generator().manual_seed(width)
    rows, vocabulary = machine.sizes.rows, machine.sizes.vocabulary
    hidden = torch.randn(rows, width, generator=generator).to(machine.device, torch.float16)
    weights = torch.randn(vocabulary, width, generator=generator) * 2 / width**0.5
    weights = weights.to(machine.device, torch.float16)
    maxima, sums = kernels.head_blocks(hidden, weights)
    uniforms = torch.rand(rows, dtype=torch.float64, generator=generator).to(machine.device)
    drawn = triton_selftest.draw_tokens(kernels, hidden, weights, uniforms)
    error = outside = 0.0
    for part in torch.arange(rows, device=machine.device).split(256):
        logits = hidden[part].double() @ weights.double().T
        found = (sums[part].double().log() + maxima[part]).logsumexp(1)
        error = max(error, (found - logits.logsumexp(1)).abs().max().item())
        shares = logits.softmax(1)
        ends = shares.cumsum(1).gather(1, drawn[part, None]).squeeze(1)
        begins = ends - shares.gather(1, drawn[part, None]).squeeze(1)
        beyond = torch.maximum(begins - uniforms[part], uniforms[part] - ends)
        outside = max(outside, beyond.max().item())
    return error, outside


def _loss_error(machine, width):
    """The largest relative error of a narrow model's gradients."""
    from ouroboros.kernels.triton_cross_entropy import cross_entropy

    generator = torch.Generator().manual_seed(width)
    rows, vocabulary = min(512, machine.sizes.rows), machine.sizes.vocabulary
    hidden = torch.randn(rows, width, generator=generator).to(machine.device, torch.float16)
    weights = torch.randn(vocabulary, width, generator=generator) * 2 / width**0.5
    weights = weights.to(machine.device, torch.float16)
    targets = torch.randint(vocabulary, (rows,), generator=generator).to(machine.device)
    _, *found = cross_entropy(hidden, weights, targets)
    states, head = (part.double().requires_grad_() for part in (hidden, weights))
    loss = torch.nn.functional.cross_entropy(states @ head.T, targets, reduction="sum")
    wanted = torch.autograd.grad(loss, (states, head))
    return max(((a - b).norm() / b.norm()).item() for a, b in zip(found, wanted, strict=True))


@step
def samples_follow_their_model(machine):
    """A batch through CUDA graphs, scored again in float32; and against a run without graphs."""
    found, right = {}, True
    for name in machine.sizes.models:
        model, sizes = machine.model(name), machine.sizes
        draws = (model, 1, range(sizes.sequences), sizes.length, 0, sizes.sequences)
        sequences, plain = next(sample(*draws)), next(sample(*draws, sampler=_WithoutGraphs))
        away = departure(model, sequences, 0)
        same = float((sequences == plain).mean())
        found[name] = {"standard errors": away, "tokens equal without graphs": same}
        right &= abs(away) < BOUND and same > 0.99
    return right, found


class _WithoutGraphs(sampler.Sampler):
    def _replay(self, time):
        self._step(time)


@step
def draws_against_their_probabilities(machine):
    """Chi-square of draws from a peaked distribution."""
    from scipy import stats

    vocabulary, draws = machine.sizes.vocabulary, machine.sizes.draws
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(vocabulary, generator=generator, dtype=torch.float64)
    weights = torch.zeros(vocabulary, 16, device=machine.device, dtype=machine.half)
    weights[:, 0] = logits.to(machine.device)
    head = Head(weights)
    shares = weights[:, 0].double().softmax(0).cpu().numpy()
    counts = np.zeros(vocabulary)
    uniforms = torch.rand(draws, dtype=torch.float64, generator=generator)
    for part in uniforms.split(50_000):
        hidden = torch.zeros(len(part), 16, device=machine.device, dtype=machine.half)
        hidden[:, 0] = 1
        tokens = head.draw(hidden, part.to(machine.device)).cpu().numpy()
        counts += np.bincount(tokens, minlength=vocabulary)
    often = shares * draws >= 5  # the others are one class
    observed = np.append(counts[often], counts[~often].sum())
    expected = np.append(shares[often], shares[~often].sum()) * draws
    statistic, p = stats.chisquare(observed, expected)
    return p > 1e-4, {"draws": draws, "per degree": statistic / (len(observed) - 1), "p": p}


@step
def flex_against_a_mask(machine):
    """Attention of training, and its gradient."""
    if not machine.is_gpu:
        return None, {"why": "flex_attention is for a GPU"}
    found = {}
    for heads, head in machine.sizes.heads:
        for batch in machine.sizes.batches:
            shape = batch, machine.sizes.length, 3, heads, head
            inputs = torch.randn(shape, device="cuda", dtype=torch.float16) / head**0.25
            results = []
            for function in (attention.flex, attention.masked):
                qkv = inputs.clone().requires_grad_()
                out = function(qkv, 256)
                out.float().square().sum().backward()
                results.append((out.detach().float(), qkv.grad.float()))
            for what, ours, theirs in zip(("out", "gradient"), *results, strict=True):
                error = ((ours - theirs).norm() / theirs.norm()).item()
                found[f"{what} {heads}x{head}, batch {batch}"] = error
    return all(value < 0.01 for value in found.values()), found


def _training(machine, name, device, precision, micro_batch, update, seed=0):
    """A training of random tokens with the settings of a lineage, and its rows."""
    settings = machine.settings(name)
    rng = np.random.default_rng(seed)
    tokens = rng.integers(settings.vocabulary_size, size=(update, machine.sizes.length))
    tokens = tokens.astype(np.uint16)
    lineage = common.lineage(name)["training"]
    training = Training(
        GPTNeo(settings).initialise(0), TrainingSettings(**{**lineage, "precision": precision}),
        Corpus(tokens, np.zeros(update, np.uint16)), seed=0, generation=1, device=torch.device(device),
        micro_batch=micro_batch,
    )  # fmt: skip
    training.model.train()
    return training, np.arange(update)


@step
def an_update_against_float32(machine):
    """Loss and gradients of one update, compiled in fp16, against a CPU's in fp32; equal runs."""
    found, right = {}, True
    for name in machine.sizes.models:
        batch = min(8, machine.sizes.micro_batches[0])
        (ours, rows), (plain, _) = (
            _training(machine, name, device, precision, batch, batch)
            for device, precision in ((machine.device, "fp16"), ("cpu", "fp32"))
        )
        losses = ours.update(rows), plain.update(rows)
        least = min(
            torch.cosine_similarity(a.grad.float().cpu().flatten(), b.grad.flatten(), 0).item()
            for a, b in zip(ours.model.parameters(), plain.model.parameters(), strict=True)
        )
        difference = abs(losses[0] - losses[1])
        twice = []
        for _ in range(2):
            again, rows = _training(machine, name, machine.device, "fp16", batch, batch)
            for _ in range(5):
                again.update(rows)
            twice.append(torch.cat([p.detach().flatten() for p in again.model.parameters()]))
        found[name] = {
            "loss": losses[0], "difference of losses": difference, "least cosine of a gradient": least,
            "equal runs give equal bytes": bool(torch.equal(*twice)),
        }  # fmt: skip
        right &= difference < 0.01 and least > 0.98
    return right, found


@step
def updates_against_transformers(machine):
    """Twenty updates, and the same by transformers' model in a plain loop with torch's scaler."""
    name, updates = machine.sizes.models[-1], 20
    batch = min(8, machine.sizes.micro_batches[0])
    ours, rows = _training(machine, name, machine.device, "fp16", batch, batch)
    theirs = common.in_transformers(GPTNeo(machine.settings(name)).initialise(0)).train()
    theirs.to(machine.device)
    theirs.config.use_cache = False
    optimizer = make_optimizer(theirs, ours.settings)
    scaler = torch.amp.GradScaler(machine.device, enabled=machine.is_gpu)
    inputs, targets = ours._micro_batch(rows)
    found = []
    for _ in range(updates):
        with autocast(torch.device(machine.device), "fp16"):
            logits = theirs(inputs).logits.float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), ours.settings.gradient_clip)
        scaler.step(optimizer)
        scaler.update()
        found.append((ours.update(rows), loss.item()))
    furthest = max(abs(a - b) for a, b in found)
    return furthest < 0.05, {"first": found[0], "last": found[-1], "furthest apart": furthest}


@step
def a_batch_that_is_too_large(machine):
    """Ten times what fits: halved, then made."""
    if not machine.is_gpu:
        return None, {"why": "a CPU has no limit of its own to run into"}
    model, length = machine.model(machine.sizes.models[0]), machine.sizes.length
    wanted = 10 * fitting_batch(model, length, 10**6)
    made, rows = halve_until_fits(
        wanted,
        lambda rows: sampler.Sampler(model, rows, length, 0).sample(np.zeros((rows, 2)), _Silent()),
    )
    return len(made) == rows < wanted, {"asked for": wanted, "made at once": rows}


@step
def sampling_speed(machine):
    """Tokens a second, the time of a step early and late, the dearest kernels, and transformers'."""
    sizes, found = machine.sizes, {}
    for name in sizes.models:
        model = machine.model(name)
        rows = min(sizes.large, fitting_batch(model, sizes.length, sizes.large))
        ours = sampler.Sampler(model, rows, sizes.length, 0)
        draws = np.random.default_rng(0).random((rows, sizes.length))
        whole = machine.seconds(lambda ours=ours, draws=draws: ours.sample(draws, _Silent()), 1)
        found[name] = {"rows": rows, "tokens/s": rows * sizes.length / whole}
        if machine.is_gpu:
            for at in (50, 300, sizes.length - 1):
                ours.device_time.fill_(at)
                run = functools.partial(ours._replay, at)
                found[name][f"step at {at}, ms"] = 1e3 * machine.seconds(run)
            found[name]["dearest, ms"] = _dearest(functools.partial(ours._replay, sizes.length - 1))
        del ours
        theirs = common.in_transformers(model).to(machine.device, machine.half)
        theirs.generation_config.eos_token_id = None
        for rows in sizes.theirs:
            run = functools.partial(_generate, theirs, rows, min(64, sizes.length))
            rate = rows * min(64, sizes.length) / machine.seconds(run, 1)
            found[name][f"generate, {rows} rows, tokens/s"] = rate
    return None, found


class _Silent:
    def add(self, count, remark=""):
        """Progress that nobody looks at."""


def _generate(model, rows, tokens):
    prompt = torch.zeros(rows, 1, dtype=torch.int64, device=model.device)
    model.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_k=0, max_new_tokens=tokens,
        pad_token_id=0,
    )  # fmt: skip


def _dearest(run):
    """The ten kernels that take the most time, name -> milliseconds."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        run()
        torch.cuda.synchronize()
    events = sorted(seen.key_averages(), key=lambda event: -event.device_time_total)[:10]
    return {event.key[:60]: event.device_time_total / 1e3 for event in events}


@step
def training_speed(machine):
    """Tokens a second of an update, and of transformers' model in a plain loop."""
    found = {}
    for name in machine.sizes.models:
        found[name] = {}
        for batch in machine.sizes.micro_batches:
            training, rows = _training(machine, name, machine.device, "fp16", batch, batch)
            took = machine.seconds(functools.partial(training.update, rows))
            found[name][f"micro-batch {batch}, tokens/s"] = batch * machine.sizes.length / took
            del training
        theirs = common.in_transformers(GPTNeo(machine.settings(name)).initialise(0)).train()
        theirs.to(machine.device)
        batch = min(8, machine.sizes.micro_batches[0])
        ids = torch.zeros(batch, machine.sizes.length, dtype=torch.int64, device=machine.device)

        def update(theirs=theirs, ids=ids):
            with autocast(torch.device(machine.device), "fp16"):
                theirs(ids, labels=ids).loss.backward()

        rate = ids.numel() / machine.seconds(update)
        found[name][f"transformers, micro-batch {batch}, tokens/s"] = rate
    return None, found


@step
def stages_of_the_output_layer(machine):
    """How many loads of the output layer's kernel should be on their way at once."""
    from ouroboros.kernels import triton_kernels

    found = {}
    for heads, head in machine.sizes.heads:
        width = heads * head
        hidden = torch.randn(machine.sizes.rows, width, device=machine.device).half()
        weights = torch.randn(machine.sizes.vocabulary, width, device=machine.device).half()
        for stages in machine.sizes.stages:
            run = functools.partial(triton_kernels.head_blocks, hidden, weights, stages)
            try:
                found[f"{width} wide, {stages} stages, ms"] = 1e3 * machine.seconds(run)
            except Exception as error:
                found[f"{width} wide, {stages} stages, ms"] = type(error).__name__
    return None, found


def rates(lines) -> dict:
    """`plan.rates` of a configuration, from the lines of the steps that measured them."""
    by_name = {line["step"]: line for line in lines if not line.get("error")}
    found = {}
    for rate, name in (("sample", "sampling_speed"), ("train", "training_speed")):
        for model, numbers in by_name.get(name, {}).get("found", {}).items():
            ours = [
                value for key, value in numbers.items()
                if key.endswith("tokens/s") and not key.startswith(("generate", "transformers"))
            ]  # fmt: skip
            found.setdefault(model, {})[rate] = round(max(ours))
    return found


def run(machine, minutes, say):
    """Take the steps, and say each one's line and the verdict; a step that begins too late is left out."""
    begun, lines = time.monotonic(), []
    for function in STEPS:
        line = {"step": function.__name__}
        start = time.monotonic()
        if start - begun > 60 * minutes:
            line |= {"ok": None, "error": f"left out: the {minutes} minutes are over"}
        else:
            try:
                ok, found = function(machine)
                line |= {"ok": None if ok is None else bool(ok), "found": found}
            except Exception as error:
                line |= {"ok": False, "error": f"{type(error).__name__}: {error}"[:500]}
        lines.append({**line, "seconds": round(time.monotonic() - start, 1)})
        say(lines[-1])
    wrong = [line["step"] for line in lines if line["ok"] is False]
    verdict = {"verdict": "wrong" if wrong else "right", "wrong": wrong, "rates": rates(lines)}
    say(verdict)
    return verdict


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, help="no step begins after them")
    parser.add_argument(
        "--only", nargs="+", choices=[f.__name__ for f in STEPS], help="these steps"
    )
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch sees no GPU here; `--device cpu` takes the steps on a CPU, tiny.")
    if options.only:
        STEPS[:] = [function for function in STEPS if function.__name__ in options.only]
    if options.device == "cpu":
        os.environ["TRITON_INTERPRET"] = "1"  # read when the kernels are imported
    machine = Machine(options.device, Sizes() if options.device == "cuda" else TINY)
    verdict = run(
        machine, options.minutes, lambda line: print(json.dumps(line, default=float), flush=True)
    )
    sys.exit(1 if verdict["wrong"] else 0)


if __name__ == "__main__":
    main()
