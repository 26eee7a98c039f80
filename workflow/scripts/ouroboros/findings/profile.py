"""A profile of collapse: which of the literature's definitions of the word hold for a lineage.

Eight definitions are in use (Schaeffer et al. 2025, arXiv 2503.03150). Each is tested by a statistic of
measurements, at a threshold of the configuration (`collapse`). Risk is the loss on the validation set, which is real text.
"""

import contextlib
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ouroboros.findings.estimates import Estimate, combine
from ouroboros.findings.evaluate import tested_together
from ouroboros.findings.results import Lineage, Missing, loss_difference
from ouroboros.findings.sentence import sentence
from ouroboros.findings.statistics import noise
from ouroboros.findings.verdict import (
    CONFIRMED,
    CONTRADICTED,
    FAILS,
    HOLDS,
    UNDECIDED,
    UNMEASURED,
    verdict,
)
from ouroboros.metrics.support.declaration import hallucinated_error, phrases_error
from ouroboros.metrics.text.declaration import entropy_error, surviving_error

SIZES = 3  # of models, that a scaling law needs


class Definition(NamedTuple):
    """`text`: the definition, with its threshold in braces. `threshold`: its key in `collapse`, if it has one.

    `test(runs, threshold)` returns an Estimate that is above 0 where the definition holds, and the numbers in a
    sentence; it raises Missing.
    """

    id: str
    text: str
    statistic: str
    threshold: str | None
    test: Callable[..., tuple[Estimate, str]]


def definitions() -> list[Definition]:
    """The definitions about one lineage, in the order of the paper; that of scaling laws is `scaling`."""
    return [
        Definition(
            "catastrophic", "Risk increases catastrophically: perplexity is {} times generation 1's or more",
            "paired difference of losses", "catastrophic", _catastrophic,
        ),
        Definition(
            "any-increase", "Risk increases at all", "paired difference of losses", None, _any_increase,
        ),
        Definition(
            "diverging", "Risk diverges: in the last third of the generations the loss rises at {} of its pace in the "
            "first third or more (an extrapolation: forty generations show no limit)",
            "paces of the first and last third", "diverging", _diverging,
        ),
        Definition(
            "variance", "Variance collapses: the effective number of tokens, exp(entropy), is {} of the initial "
            "corpus's or less", "difference of entropies", "variance", _variance,
        ),
        Definition(
            "modes", "Modes of the real data disappear: of its most frequent phrases, {} are left or fewer",
            "share of phrases", "modes", _share_gone("support.phrases_left", phrases_error, "phrases left"),
        ),
        Definition(
            "tails", "Tails of the real data disappear: of its rare tokens, {} are left or fewer",
            "share of tokens", "tails", _share_gone("text.tail.surviving", surviving_error, "rare tokens left"),
        ),
        Definition(
            "hallucinated", "Hallucinated data appears: the share of sentences that the source never makes is {} or more "
            "above generation 1's",
            "difference of shares", "hallucinated", _hallucinated,
        ),
    ]  # fmt: skip


SCALING = (
    "The scaling law changes: its exponent, of loss over the model's parameters, differs by {} or more "
    "between the first and the last generation"
)


def profiles(
    measured: dict[str, dict],
    sizes: dict[str, int],
    setups: list[list[str]],
    thresholds: dict[str, float],
) -> dict:
    """The content of profile.json: `verdicts` (see `profile` and `scaling`) and `sentences`, lineage -> one sentence.

    Arguments as of evaluate.findings; `thresholds`: `collapse` of the configuration.
    """
    lineages = {name: Lineage(artifacts) for name, artifacts in measured.items()}
    verdicts, sentences = [], {}
    runs = tested_together(setups)
    for names in runs:
        found = profile([lineages[name] for name in names], names, thresholds)
        verdicts += found
        for name in names:
            with contextlib.suppress(Missing):
                sentences[name] = sentence(lineages[name], name, found, thresholds)
    groups = [[lineages[name] for name in names] for names in runs]
    of_sizes = [sizes[names[0]] for names in runs]
    verdicts.append(scaling(groups, [*lineages], of_sizes, thresholds["scaling"]))
    return {"sentences": sentences, "verdicts": verdicts}


def profile(runs: list[Lineage], names: list[str], thresholds: dict[str, float]) -> list[dict]:
    """The verdicts on one lineage, or on several that differ by their seeds: dicts that JSON can hold."""
    found = []
    for definition in definitions():
        threshold = definition.threshold and thresholds[definition.threshold]
        entry = {
            "id": definition.id, "lineages": names,
            "definition": definition.text.format(f"{threshold:g}" if threshold else ""),
            "statistic": definition.statistic, "threshold": threshold or None,
        }  # fmt: skip
        try:
            estimate, evidence = definition.test(runs, threshold)
        except Missing as missing:
            found.append(
                {**entry, "verdict": UNMEASURED, "p_value": None, "evidence": f"no {missing}"}
            )
            continue
        measured = {"verdict": _verdict(estimate), "p_value": estimate.p_above()}
        found.append({**entry, **measured, "evidence": evidence})
    return found


def _verdict(estimate):
    """The verdict on a number being above 0, in the words of definitions."""
    words = {CONFIRMED: HOLDS, CONTRADICTED: FAILS}
    return words.get(verdict(estimate.p_above(), estimate.p_below()), UNDECIDED)


def _of_runs(runs, estimate, noise):
    """The mean of `estimate(run)` over the runs, whose spread is in its error.

    One lineage shows no such spread: its error is at least that of noise among its generations, `noise(run)`: a deviation and
    its degrees of freedom.
    """
    found = combine([estimate(run) for run in runs])
    if len(runs) > 1:
        return found
    deviation, freedom = noise(runs[0])
    return found._replace(error=deviation, freedom=freedom) if deviation > found.error else found


def _noise_of(key, weight=1.0):
    """The noise of a number that takes values of a measurement with these squared weights, summed."""

    def of(run):
        deviation, freedom = noise(run.series(key).values)
        return math.sqrt(weight) * deviation, freedom

    return of


def _ends(run):
    """The first and last generations whose perplexity is measured."""
    generations = run.series("ppl.loss").generations
    if len(generations) < 2:
        raise Missing("perplexity of a second generation")
    return generations[0], generations[-1]


def _risen(run, first, last):
    return loss_difference(run, f"gen{last}", run, f"gen{first}")


def _any_increase(runs, _):
    rise = _of_runs(runs, lambda run: _risen(run, *_ends(run)), _noise_of("ppl.loss", 2))
    return rise, f"the loss of the last generation is {rise} nats above generation 1's"


def _catastrophic(runs, factor):
    rise, evidence = _any_increase(runs, None)
    return rise._replace(value=rise.value - math.log(factor)), (
        f"{evidence}: perplexity is {math.exp(min(rise.value, 700)):.3g} times generation 1's"
    )


def _diverging(runs, share):
    """The pace of the last third minus `share` of that of the first, nats per generation."""

    def pace(run, first):
        generations = run.series("ppl.loss").generations
        if len(generations) < 7:
            raise Missing("perplexity of seven generations, in thirds of two steps")
        third = (len(generations) - 1) // 3
        start, end = generations[::third][:2] if first else generations[-1 - third :: third][:2]
        rise = _risen(run, start, end)
        return Estimate(rise.value / (end - start), rise.error / (end - start)), end - start

    def both(first):
        steps = pace(runs[0], first)[1]
        return _of_runs(runs, lambda run: pace(run, first)[0], _noise_of("ppl.loss", 2 / steps**2))

    first, last = both(True), both(False)
    # with no rise to begin with, a rise at the end is measured against none
    weight = share if first.value > 0 else 0.0
    wanted = first._replace(value=weight * first.value, error=weight * first.error)
    difference = last.minus(wanted)._replace(freedom=last.freedom)
    return difference, (
        f"the loss rises by {first} nats a generation in the first third, by {last} in the last"
    )


def _variance(runs, share):
    def change_of(run):
        last = run.series("text.entropy").generations[-1]
        ends = [run.estimate(f"gen{n}", "text.entropy", entropy_error) for n in (last, 0)]
        return ends[0].minus(ends[1])

    change = _of_runs(runs, change_of, _noise_of("text.entropy"))
    return change._replace(value=math.log(share) - change.value), (
        f"entropy is {change} nats above the initial corpus's: {math.exp(change.value):.3g} of its effective tokens"
    )


def _share_gone(key, error, what):
    def test(runs, threshold):
        def last(run):
            return run.estimate(f"gen{run.series(key).generations[-1]}", key, error)

        share = _of_runs(runs, last, _noise_of(key))
        return share._replace(value=threshold - share.value), (
            f"{what} in generation {runs[0].series(key).generations[-1]}: {share.value:.3g} +- {share.error:.2g}"
        )

    return test


def _hallucinated(runs, threshold):
    key = "support.hallucinated"

    def rise_of(run):
        generations = run.series(key).generations
        ends = [
            run.estimate(f"gen{n}", key, hallucinated_error)
            for n in (generations[-1], generations[0])
        ]
        return ends[0].minus(ends[1])

    rise = _of_runs(runs, rise_of, _noise_of(key, 2))
    return rise._replace(value=rise.value - threshold), (
        f"their share is {rise} above generation 1's"
    )


def scaling(
    groups: list[list[Lineage]], names: list[str], sizes: list[int], threshold: float
) -> dict:
    """The verdict on the change of the scaling law ln loss = a - b ln parameters, of models of some sizes.

    `groups`: the runs of each size; `sizes`: their parameters. The exponents of the first and of the last
    generation are those of least squares; the errors are those of the losses.
    """
    entry = {
        "id": "scaling", "lineages": names, "definition": SCALING.format(f"{threshold:g}"),
        "statistic": "exponents by least squares", "threshold": threshold,
    }  # fmt: skip
    if len(set(sizes)) < SIZES:
        return {
            **entry, "verdict": UNMEASURED, "p_value": None,
            "evidence": f"a scaling law needs {SIZES} sizes of models, and there are {len(set(sizes))}",
        }  # fmt: skip
    x = np.log(sizes)
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    exponents = []
    for end in (0, -1):
        logs = []
        for runs in groups:
            losses = []
            for run in runs:
                n = run.series("ppl.loss").generations[end]
                loss = run.estimate(
                    f"gen{n}", "ppl.loss", lambda measured: measured["standard_error"]
                )
                losses.append(Estimate(math.log(loss.value), loss.error / loss.value))
            logs.append(combine(losses))
        value = -sum(w * of.value for w, of in zip(weights, logs, strict=True))
        error = math.sqrt(sum((w * of.error) ** 2 for w, of in zip(weights, logs, strict=True)))
        exponents.append(Estimate(float(value), error))
    first, last = exponents
    change = last.minus(first)
    apart = Estimate(abs(change.value) - threshold, change.error)
    return {
        **entry, "verdict": _verdict(apart), "p_value": apart.p_above(),
        "evidence": f"exponent {first.value:.3g} in the first generation, {last.value:.3g} in the last: change {change}",
    }  # fmt: skip
