"""Settings with which the run of a lineage ends within a given time."""

import dataclasses
from collections.abc import Callable

from ouroboros.config.families import declaration
from ouroboros.errors import UserError
from ouroboros.planning.plan import duration

AIM = 0.9  # of the time, by the plan's figures: what is not planned takes the rest
GENERATIONS = 40  # the paper's: up to as many where there is time to spare
FEW = 10  # generations, below which the corpus is made smaller first
LEAST_SHARE = 0.1  # of the sequences of the initial corpus
UPDATES = 100  # of an epoch at least, or the batch is made smaller
LEAST_BATCH = 4
MOST_MEASURED = 4  # models
# Width and layers of the models that are tried, each at most some 1.5 times as dear as the one before.
LADDER = (
    (64, 2), (80, 2), (96, 2), (112, 2), (112, 3), (128, 3), (128, 4), (144, 4), (160, 4), (176, 4),
    (192, 4), (224, 4), (256, 4), (288, 4), (320, 4), (384, 4), (448, 4), (512, 4), (640, 4), (768, 4),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Choice:
    """The settings that a fit decides: the model by its name, the sequences of a generation's corpus, the
    number of generations, and the sequences of an update.
    """

    model: str
    sequences: int
    generations: int
    batch: int


def budget_seconds(text: str) -> float:
    """Seconds of a duration as the configuration has it: a number and s, m, h or d."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def ladder(own: dict, tokens: int) -> dict[str, dict]:
    """The models to try, by name, beside a lineage's own (`own`: its entry), which decides their context.

    No larger than the corpus can teach: they have no more parameters besides the embeddings than it has
    `tokens`. The smallest is there in any case.
    """
    positions = declaration(own).positions(own)
    shared = {key: own[key] for key in ("window", "context", "initial_std") if key in own}
    models = {}
    for width, layers in LADDER:
        heads = width // (16 if width < 200 else 32)
        model = {"layers": layers, "hidden_size": width, "heads": heads, "positions": positions}
        if not models or declaration(model).non_embedding_parameters(model) <= tokens:
            models[f"fit-{width}x{layers}"] = model | shared
    return models


def batch_for(sequences: int, configured: int) -> int:
    """The batch: as configured, or smaller, so that an epoch of few sequences has UPDATES updates."""
    if sequences >= UPDATES * configured:
        return configured
    batch = 1 << max(2, (sequences // UPDATES).bit_length() - 1)
    return min(configured, max(LEAST_BATCH, batch))


def fit(
    seconds: float, configured: Choice, models: list[str], shards: int, guess: Callable,
    planned: Callable, longest: int = GENERATIONS,
) -> Choice:  # fmt: skip
    """The settings that are preferred among those with which a run ends within AIM of `seconds`.

    First the model is made smaller, or larger where there is time for it; then generations are fewer,
    down to FEW; then sequences, down to LEAST_SHARE; then generations again, down to 1. Time to spare
    goes into generations, up to `longest`.

    `configured`: with all of the corpus. `models`: names, the lineage's own among them. `guess` and
    `planned` give the seconds of a Choice, by arithmetic and by measured rates: a model is measured
    where it is first planned. Raises UserError where a single generation takes longer.
    """
    aim = AIM * seconds
    model = _largest_model(aim, configured, models, guess, planned)
    start = dataclasses.replace(configured, model=model)

    def fits(**changes):
        return planned(dataclasses.replace(start, **changes)) <= aim

    most = configured.generations
    if fits():
        most, more = max(most, longest), most
        found = largest(more, most, lambda n: fits(generations=n))
        return dataclasses.replace(start, generations=found)
    few = min(FEW, most)
    if fits(generations=few):
        found = largest(few, most, lambda n: fits(generations=n))
        return dataclasses.replace(start, generations=found)
    parts = configured.sequences // shards  # of a shard
    least = max(1, int(LEAST_SHARE * parts))
    if fits(generations=few, sequences=least * shards):
        found = largest(least, parts, lambda n: fits(generations=few, sequences=n * shards))
        return dataclasses.replace(start, generations=few, sequences=found * shards)
    small = dataclasses.replace(start, sequences=least * shards)
    shortest = planned(dataclasses.replace(small, generations=1))
    if shortest > aim:
        raise UserError(
            f"One generation of the smallest model takes {duration(shortest)} here, so no run ends within "
            f"{duration(seconds)}. The shortest time to ask for is {_asked(shortest / AIM)}; less text or "
            "a tokenizer of fewer tokens makes it shorter."
        )
    found = largest(1, few, lambda n: planned(dataclasses.replace(small, generations=n)) <= aim)
    return dataclasses.replace(small, generations=found)


def _asked(seconds):
    """A duration that is not shorter, as the configuration takes it."""
    for letter, unit in (("s", 1), ("m", 60), ("h", 3600), ("d", 86400)):
        if letter == "d" or seconds <= 120 * unit:
            return f"{int(seconds // unit) + 1}{letter}"


def _largest_model(aim, configured, models, guess, planned):
    """The dearest model that ends in time with everything as configured, else the cheapest one."""
    guesses = {name: guess(dataclasses.replace(configured, model=name)) for name in models}
    by_cost = sorted(models, key=guesses.get, reverse=True)
    tried, correction = {}, 1.0
    while True:
        fitting = [name for name in by_cost if tried.get(name, correction * guesses[name]) <= aim]
        best = fitting[0] if fitting else by_cost[-1]
        if len(tried) >= MOST_MEASURED:  # of those that are measured
            best = next((name for name in fitting if name in tried), by_cost[-1])
        if best in tried or len(tried) >= MOST_MEASURED:
            return best
        tried[best] = planned(dataclasses.replace(configured, model=best))
        correction = tried[best] / guesses[best]


def largest(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The largest number for which `holds`, which holds for `least` and up to some number."""
    while least < most:
        middle = (least + most + 1) // 2
        if holds(middle):
            least = middle
        else:
            most = middle - 1
    return least


def up_to(jobs: list[dict], generations: int) -> list[dict]:
    """The jobs of a dry-run without those of later generations."""
    return [job for job in jobs if _generation(job) <= generations]


def _generation(job):
    wildcards = job["wildcards"]
    number = wildcards.get("n") or wildcards.get("lm", "").removeprefix("gen")
    return int(number) if number.isdecimal() else 0


def given_up(
    configured: Choice, found: Choice, whole: int, parameters: dict[str, int]
) -> list[str]:
    """The changes that a choice makes, in sentences. `parameters`: of models, besides the embeddings."""
    said = []
    if found.model != configured.model:
        before, after = parameters[configured.model], parameters[found.model]
        kind = "smaller" if after < before else "larger"
        said.append(
            f"a {kind} model: {after:,} parameters besides the embeddings instead of {before:,}"
        )
    if found.generations != configured.generations:
        kind = "fewer" if found.generations < configured.generations else "more"
        said.append(f"{kind} generations: {found.generations} instead of {configured.generations}")
    if found.sequences < whole:
        said.append(
            f"a smaller corpus of each generation: {found.sequences:,} sequences, "
            f"{found.sequences / whole:.0%} of the initial corpus, which makes lineages collapse sooner"
        )
    if found.batch != configured.batch:
        said.append(
            f"a batch of {found.batch} instead of {configured.batch}, so that an epoch has "
            f"{found.sequences // found.batch} updates instead of {found.sequences // configured.batch}"
        )
    return said
