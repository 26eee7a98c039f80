"""How long the paper's generations would take on a GPU, by arithmetic: bytes, products and launches.

    python benchmarks/gpu_model.py                 # a table: what each change to the code brings

Nothing here is measured on a GPU, and a third more or less is to be expected. The counts of the Triton
kernels are those that its interpreter makes (a test runs both); the rest is counted from the code. Rates
are an H200's, as others measured them.
"""

from dataclasses import dataclass

import common
from limit import seen

LENGTH, SEQUENCES, EPOCHS = 600, 1_000_000, 3
FLOORS = {
    "33m": (430, 936),
    "1m": (72, 53),
}  # seconds of sampling and training: performance at its limit


@dataclass(frozen=True)
class GPU:
    """An H200."""

    bandwidth: float = 4.3e12  # bytes a second, of 4.8
    products: float = 600e12  # fp16 operations a second in products of wide models
    logits: float = 1.0e12  # exponentials and what goes with each, a second
    start: float = 2.4e-6  # seconds of a small kernel inside a CUDA graph
    submit: float = 25e-6  # seconds of the host for a kernel of training, Python and all
    shared_by_attention: float = 0.84  # of the bandwidth


CHANGES = {
    "tiles of logits made again": "the loss of models up to 128 wide stores no logits",
    "micro-batches of 160": "of the 1m, in place of 32",
    "gradient in fp16": "from the compiled function, and sums in float32 by addmm",
    "next numbers ahead": "uniforms are made while a batch is on its way",
    "three loads": "on their way at once in the output layer, from capability 9.0 on",
    "weights cast once": "and norms, GELU and residuals compiled",
    "more rows": "32,768 at once of models up to 128 wide",
}


@dataclass(frozen=True)
class Sizes:
    """A model's."""

    name: str
    layers: int
    width: int
    vocabulary: int
    spans: tuple[int, ...]

    @classmethod
    def of(cls, name: str) -> "Sizes":
        settings = common.model_settings(name)
        spans = tuple(settings.span(layer) for layer in range(settings.layers))
        return cls(name, settings.layers, settings.hidden_size, settings.vocabulary_size, spans)

    @property
    def narrow(self):
        return self.width <= 128

    @property
    def weights(self):
        """Of the blocks' products."""
        return 12 * self.width**2 * self.layers


def attention_step_counts(rows: int, width: int, slots: int, time: int, programs: int) -> dict:
    """Bytes that `attention_step` reads and writes at position `time`, in fp16.

    Its own slot is passed over where the ring has begun again.
    """
    kept = min(time, slots) - (time >= slots)
    read = rows * (2 * kept + 3) * width * 2 + 8 * rows * programs
    return {"read": read, "written": rows * 3 * width * 2, "products": 0}


def head_blocks_counts(rows: int, width: int, vocabulary: int, tile: int, block: int = 256) -> dict:
    """Bytes that `head_blocks` reads (most of them from the L2 cache) and writes, and its operations."""
    tiles, blocks = -(-rows // tile), -(-vocabulary // block)
    read = 2 * width * (rows * blocks + vocabulary * tiles)
    step = 64
    padded = -(-width // step) * step
    return {
        "read": read, "written": 8 * rows * blocks,
        "products": 2 * tiles * tile * blocks * block * padded,
    }  # fmt: skip


def cross_entropy_counts(rows: int, width: int, vocabulary: int, tile=64, tokens=128) -> dict:
    """Bytes and operations of the two kernels that give the gradients, in fp16; a width of a power of two."""
    row_tiles, token_tiles = -(-rows // tile), -(-vocabulary // tokens)
    read = 2 * width * (2 * rows + 2 * vocabulary)  # each its own tile once ...
    read += (
        2 * width * (vocabulary * (row_tiles - 1) + rows * (token_tiles - 1))
    )  # ... and all others'
    read += 12 * rows * (1 + token_tiles)  # targets and logarithms
    each = 2 * row_tiles * tile * token_tiles * tokens * width
    return {
        "read": read,
        "written": 2 * rows * width + 4 * vocabulary * width,
        "products": 4 * each,
    }


def sampling_step(model: Sizes, rows: int, made: set, gpu: GPU) -> dict:
    """Seconds of a decode step of the mean position, by part."""
    positions = sum(seen(LENGTH, span) for span in model.spans) / LENGTH
    cast = (
        2 if "weights cast once" in made else 8
    )  # bytes of a weight: read, written as halves, read
    features = 74 if "weights cast once" in made else 98  # bytes of a feature, row and layer
    kernels = (9 if "weights cast once" in made else 20) * model.layers + 12
    elements = rows * model.vocabulary
    per_stage = 0.85 if "three loads" in made else 0.69
    products = 2 * elements * model.width / (gpu.products * per_stage)
    return {
        "attention": 4 * positions * model.width * rows / (gpu.bandwidth * gpu.shared_by_attention),
        "output layer": max(products, elements / gpu.logits),
        "draw": rows * 256 * model.width * 2 / gpu.bandwidth,
        "products": max(2 * model.weights * rows / gpu.products, cast * model.weights / gpu.bandwidth),
        "between them": features * model.width * rows * model.layers / gpu.bandwidth
        + (cast - 2) * model.weights / gpu.bandwidth,
        "starts": kernels * gpu.start,
    }  # fmt: skip


def sampling(model: Sizes, made: set, gpu: GPU) -> float:
    """Seconds of a generation's corpus."""
    rows = 31_250 if "more rows" in made and model.narrow else 8_065
    step = sum(sampling_step(model, rows, made, gpu).values())
    host = 0 if "next numbers ahead" in made else 33
    return SEQUENCES / rows * LENGTH * step + host + 80  # four jobs start


def micro_batch(model: Sizes, batch: int, made: set, gpu: GPU) -> dict:
    """Seconds of a micro-batch of training, by part."""
    tokens = batch * LENGTH
    logits = tokens * model.vocabulary
    again = "tiles of logits made again" in made and model.narrow
    parts = {"blocks": 6 * model.weights * tokens / (gpu.products if model.width > 128 else 60e12)}
    if again:
        products = 10 * logits * model.width / (gpu.products / 1.5)
        parts["loss"] = products + 3 * logits / gpu.logits
    else:
        moved = (20 if "gradient in fp16" in made else 28) * logits
        slices = tokens / 4096 * model.vocabulary * model.width
        moved += (8 if "gradient in fp16" in made else 12) * slices
        rate = gpu.products if model.width > 128 else gpu.products / 3
        parts["loss"] = 6 * logits * model.width / rate + moved / gpu.bandwidth
    parts["between them"] = 394 * model.width * tokens * model.layers / gpu.bandwidth
    parts["starts"] = 60 * model.layers * gpu.start
    parts["waiting for the host"] = max(
        0.0, (45 * model.layers + 40) * gpu.submit - sum(parts.values())
    )
    return parts


def training(model: Sizes, made: set, gpu: GPU) -> float:
    """Seconds of a generation's training."""
    batch = 160 if "micro-batches of 160" in made and model.name == "1m" else 32
    return EPOCHS * SEQUENCES / batch * sum(micro_batch(model, batch, made, gpu).values())


def table(gpu: GPU | None = None) -> list[str]:
    """Lines of Markdown: the changes one after the other."""
    gpu = gpu or GPU()
    models = [Sizes.of(name) for name in FLOORS]
    lines = [
        "| with | "
        + " | ".join(f"{m.name} sampling, s | training, s | / floor" for m in models)
        + " |",
        "|---|" + "--:|" * 3 * len(models),
    ]
    made: set = set()
    for change in ("as it was", *CHANGES):
        made |= {change}
        cells = []
        for model in models:
            times = sampling(model, made, gpu), training(model, made, gpu)
            cells += [
                f"{times[0]:,.0f}",
                f"{times[1]:,.0f}",
                f"{sum(times) / sum(FLOORS[model.name]):.1f}",
            ]
        lines.append(f"| {change} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
    for name in FLOORS:
        model, made = Sizes.of(name), set(CHANGES)
        print(
            name, {k: round(1e3 * v, 2) for k, v in sampling_step(model, 8065, made, GPU()).items()}
        )
        print(name, {k: round(1e3 * v, 2) for k, v in micro_batch(model, 32, made, GPU()).items()})
