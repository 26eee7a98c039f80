"""The paper's claims, of one lineage and of two sizes of models, each with its test.

Findings 3 to 6 are those of the paper's introduction; its section 3.2 numbers them 1 to 4. A test
takes `runs`: one lineage, or three or more that differ by their seeds alone.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ouroboros.findings.estimates import Estimate, combine
from ouroboros.findings.level_tests import (
    better,
    ends_no_better,
    every_above,
    mean_of,
    never_better,
    some_above,
    within,
)
from ouroboros.findings.results import Lineage, Missing, loss_difference
from ouroboros.findings.trend_tests import falls_from_peak, rises_then_falls, stays, trend
from ouroboros.metrics.classification.declaration import (
    accuracy_error,
    binomial_error,
    task_name,
)
from ouroboros.metrics.gpt_eval.declaration import grade_error
from ouroboros.metrics.ppl.ratio import ratio
from ouroboros.metrics.text.declaration import entropy_error

LAST = 40  # the last generation that the paper measured
MARGIN = 0.05  # an accuracy is "no better", and "stays", if it differs by less than this
HIGH = 5  # a grade from here up (of 9) is a high one
HALF = (0.35, 0.65)  # a share between these is "about half"
FALLING = ("imdb", "sst2", "yelp", "qqp", "qnli")  # tasks whose accuracy falls
OTHERS = ("mrpc", "rte", "cola")
SCORES = ("grammar", "consistency")


class Claim(NamedTuple):
    """`source`: its place in the paper. `test` takes the runs that the claim is about, or those of
    the smaller model and those of the larger one.
    """

    id: str
    text: str
    source: str
    test: Callable[..., dict]


def lineage_claims() -> list[Claim]:
    """The claims about one lineage, in the paper's order."""
    return [*_language_modeling(), *_text(), *_gpt_eval(), *_classification()]


def size_claims() -> list[Claim]:
    """The claims about a smaller and a larger model."""
    return [
        Claim(
            "larger-is-lower", "The larger model has the lower perplexity in every generation",
            "3.2.1, figure 1", _larger_is_lower,
        ),
        Claim(
            "smaller-rises-faster", "The smaller model's perplexity rises faster",
            "3.2.1, figure 1", lambda small, large: trend(list(map(_gap, small, large)), 1),
        ),
    ]  # fmt: skip


def _gap(small, large):
    gap = _perplexity(small).minus(_perplexity(large))
    if not gap.values:
        raise Missing("ppl.perplexity of generations that both have")
    return gap._replace(unit="perplexity of the smaller minus that of the larger model")


def _larger_is_lower(small, large):
    generations = (_gap(*pair).generations for pair in zip(small, large, strict=True))
    return every_above(
        {
            f"gen{n}": combine(
                [
                    loss_difference(one, f"gen{n}", other, f"gen{n}")
                    for one, other in zip(small, large, strict=True)
                ]
            )
            for n in _shared(generations)
        },
        "perplexity", "is lower",
    )  # fmt: skip


def _perplexity(lineage):
    return lineage.series("ppl.perplexity", unit="perplexity", every=True)


def _language_modeling():
    drift = "The text drifts away from the initial corpus: KL(initial || generated) of {} rises"
    return [
        Claim(
            "perplexity-rises", "Perplexity rises from every generation to the next",
            "finding 3; 3.2.1, figure 1", _perplexity_rises,
        ),
        Claim(
            "perplexity-ends-at-baseline",
            "In the end an LM predicts the initial corpus no better than the baseline",
            "section 3; abstract", _perplexity_ends_at_baseline,
        ),
        Claim(
            "tokens-drift", drift.format("its tokens"), "finding 3; 3.2.1",
            _trend("text.unigram_divergence.lost", 1),
        ),
        Claim(
            "bigrams-drift", drift.format("its pairs of tokens"), "finding 3; 3.2.1",
            _trend("text.bigram_divergence.lost", 1),
        ),
    ]  # fmt: skip


def _perplexity_rises(runs):
    generations = _shared(_perplexity(run).generations for run in runs)
    steps = [(n, after) for n, after in itertools.pairwise(generations)]
    if not steps:
        raise Missing("ppl.perplexity of a second generation")
    differences = {
        f"gen{n} to gen{after}": combine(
            [loss_difference(run, f"gen{after}", run, f"gen{n}") for run in runs]
        )
        for n, after in steps
    }
    return every_above(differences, "perplexity", "rises")


def _perplexity_ends_at_baseline(runs):
    def gain(run, last):
        ends = [run.estimate(lm, "ppl.loss", _loss_error) for lm in ("baseline", f"gen{last}")]
        return ends[0].minus(ends[1])  # a lower loss is better

    return _end_against_baseline(runs, "ppl.loss", gain, 0.0, "log-likelihood per token")


def _loss_error(measured):
    return measured["standard_error"]


def _end_against_baseline(runs, key, gain, margin, what):
    last = _shared(run.series(key).generations for run in runs)[-1]
    difference = combine([gain(run, last) for run in runs])
    what = f"{what} of generation {last} against the baseline's"
    return ends_no_better(difference, what, margin, last, LAST)


def _text():
    return [
        Claim(
            "entropy-rises-then-falls", "Entropy of the generated text rises at first, then falls",
            "3.2.2, figure 2; section 4",
            lambda runs: rises_then_falls(_entropies(runs), LAST),
        ),
        Claim(
            "oov-rises", "The number of out-of-vocabulary words rises",
            "3.2.2, figure 2", _trend("text.oov_words", 1),
        ),
        Claim(
            "oov-rises-on", "The number of OOV words still rises where entropy falls",
            "3.2.2, figure 2", _trend("text.oov_words", 1, after_peak=True),
        ),
        Claim(
            "every-oov-rises",
            "The number of out-of-vocabulary words rises, those of a single token counted too",
            "3.2.2, figure 2", _trend("oov.oov_words", 1),
        ),
        Claim(
            "every-oov-rises-on",
            "The number of OOV words still rises where entropy falls, those of a single token counted too",
            "3.2.2, figure 2", _trend("oov.oov_words", 1, after_peak=True),
        ),
        Claim(
            "runs-grow",
            "Generated text is more and more repetitive: share of tokens in runs of a repeated unit",
            "finding 4; 3.2.2", _trend("text.run_share", 1),
        ),
        Claim(
            "rep-4-grows",
            "Generated text is more and more repetitive: share of repeated 4-grams (rep-4)",
            "finding 4; 3.2.2", _trend("text.rep_4", 1),
        ),
        Claim(
            "runs-grow-behind-peak", "Where entropy falls, repetition grows",
            "3.2.2; section 4", _trend("text.run_share", 1, after_peak=True),
        ),
        Claim(
            "runs-are-frequent-tokens",
            "The tokens in runs are more and more among the initial corpus's 100 most frequent tokens, "
            "compared with the initial corpus's own runs",
            "finding 4; 3.2.2", _trend("text.run_head_share", 1, first=0),
        ),
        Claim(
            "rare-tokens-are-lost", "The initial corpus's rarest tokens are lost (genetic drift)",
            "section 4", _trend("text.tail.surviving", -1),
        ),
    ]  # fmt: skip


def _gpt_eval():
    def falls_faster(runs):
        gaps = [
            _series(run, "gpt_eval.grammar.mean").minus(_series(run, "gpt_eval.consistency.mean"))
            for run in runs
        ]
        return trend(gaps, 1)

    def baseline_is_not_lowest(score):
        key = f"gpt_eval.{score}.mean"

        def test(runs):
            last = _shared(run.series(key).generations for run in runs)[-1]
            error = partial(grade_error, score)
            differences = [
                run.estimate("baseline", key, error).minus(run.estimate(f"gen{last}", key, error))
                for run in runs
            ]
            return better(
                combine(differences), f"{score} of the baseline against generation {last}"
            )

        return test

    return [
        *(
            Claim(
                f"{score}-falls", f"The {score} score of completions falls",
                "finding 5; 3.2.2, figure 3", _trend(f"gpt_eval.{score}.mean", -1),
            )
            for score in SCORES
        ),
        Claim(
            "consistency-falls-faster", "Consistency falls faster than grammar",
            "3.2.2, figure 3", falls_faster,
        ),
        *(
            Claim(
                f"baseline-{score}-not-lowest",
                f"The baseline's {score} score is not the lowest: it is above the last "
                "generation's", "3.2.2; extended data table 2", baseline_is_not_lowest(score),
            )
            for score in SCORES
        ),
        Claim(
            "baseline-half-high",
            f"About half of the baseline's completions get a high score (grammar of {HIGH} or more)",
            "extended data table 2", _baseline_half_high,
        ),
    ]  # fmt: skip


def _baseline_half_high(runs):
    def share(run):
        grades = run.find("baseline", "gpt_eval.grades")
        graded = [[entry for entry in story if entry] for story in grades or []]
        graded = [story for story in graded if story]
        if not graded:
            raise Missing("gpt_eval.grades of the baseline")
        high = [sum(entry["grammar"] >= HIGH for entry in story) for story in graded]
        value, error = ratio(np.array(high), np.array(list(map(len, graded))))
        if error is None:
            raise Missing("grades of two beginnings or more")
        return Estimate(value, error)

    what = f"share of the baseline's completions with a grammar of {HIGH} or more"
    return within(combine(list(map(share, runs))), *HALF, what)


def _classification():
    figure = "3.2.3, figure 4"
    found = []
    for task in FALLING:
        name = task_name(task)
        found += [
            Claim(
                f"{task}-begins-above", f"{name}: generation 1 is more accurate than the baseline",
                figure, lambda runs, task=task: _begins_above(runs, task),
            ),
            Claim(
                f"{task}-falls", f"{name}: accuracy falls",
                f"finding 6; {figure}", _trend(f"classification.{task}.accuracy", -1),
            ),
            Claim(
                f"{task}-f1-falls", f"{name}: weighted F1 falls",
                "extended data figures 8 and 9", _trend(f"classification.{task}.weighted_f1", -1),
            ),
            Claim(
                f"{task}-ends-at-baseline",
                f"{name}: in the end an LM is no more accurate than the baseline",
                f"finding 6; {figure}", lambda runs, task=task: _ends_at_baseline(runs, task),
            ),
        ]  # fmt: skip
    return [
        *found,
        Claim(
            "later-is-sometimes-better",
            "On some task some later generation is more accurate than generation 1",
            "section 4", _later_is_sometimes_better,
        ),
        *(
            Claim(
                f"{task}-does-not-rise", f"{task_name(task)}: accuracy does not rise",
                "3.2.3", _stays(f"classification.{task}.accuracy", may_fall=True),
            )
            for task in OTHERS
        ),
        Claim(
            "cola-no-better", "CoLA: no generation is more accurate than the baseline",
            figure, _cola_no_better,
        ),
        Claim(
            "rte-guesses",
            "RTE: no generation is more accurate than guessing (always the majority class)",
            figure, _rte_guesses,
        ),
        Claim(
            "mrpc-accuracy-stays", "MRPC: accuracy has no trend (its classes are out of balance)",
            "3.2.3; extended data figure 8", _stays("classification.mrpc.accuracy"),
        ),
        Claim(
            "mrpc-f1-falls", "MRPC: weighted F1 falls",
            "3.2.3; extended data figure 8", _trend("classification.mrpc.weighted_f1", -1),
        ),
    ]  # fmt: skip


def _begins_above(runs, task):
    first = _shared(_accuracies(run, task).generations for run in runs)[0]
    difference = combine([_gain(run, task, first) for run in runs])
    return better(difference, f"accuracy of generation {first} against the baseline's")


def _ends_at_baseline(runs, task):
    def gain(run, last):
        return _gain(run, task, last)

    return _end_against_baseline(runs, _accuracy(task), gain, MARGIN, "accuracy")


def _later_is_sometimes_better(runs):
    differences = {}
    for task in (*FALLING, *OTHERS):
        try:
            generations = _shared(_accuracies(run, task).generations for run in runs)
        except Missing:
            continue
        for n in generations[1:]:
            pairs = [[_score(run, task, f"gen{k}") for k in (n, generations[0])] for run in runs]
            differences[f"{task_name(task)}, gen{n}"] = combine(
                [later.minus(first) for later, first in pairs]
            )
    if not differences:
        raise Missing("accuracies of a second generation")
    return some_above(differences, "accuracy")


def _cola_no_better(runs):
    return _never_better(runs, "cola", lambda run: _score(run, "cola", "baseline"), "the baseline")


def _rte_guesses(runs):
    def majority(run):
        first = f"gen{_accuracies(run, 'rte').generations[0]}"
        guess = run.find(first, "classification.rte.majority.accuracy")
        if guess is None:
            raise Missing("classification.rte.majority of the first generation")
        return Estimate(guess, 0.0)  # of the same examples

    return _never_better(runs, "rte", majority, "the majority class")


def _never_better(runs, task, level, name):
    generations = _shared(_accuracies(run, task).generations for run in runs)
    by_run = [
        {n: _score(run, task, f"gen{n}").minus(level(run)) for n in generations} for run in runs
    ]
    differences = {f"gen{n}": combine([of[n] for of in by_run]) for n in generations}
    means = [
        mean_of(list(of.values()), [_shared_error(run, task, n, level(run)) for n in generations])
        for run, of in zip(runs, by_run, strict=True)
    ]
    return never_better(differences, combine(means), f"accuracy above {name}", MARGIN)


def _shared_error(run, task, n, level):
    """The part of an accuracy's error that all generations share: of the examples, and of the level."""
    accuracy = run.find(f"gen{n}", _accuracy(task))
    examples = run.find(f"gen{n}", f"classification.{task}.examples")
    return math.hypot(binomial_error(accuracy, examples), level.error)


def _gain(run, task, n):
    return _score(run, task, f"gen{n}").minus(_score(run, task, "baseline"))


def _score(run, task, lm):
    return run.estimate(lm, _accuracy(task), accuracy_error)


def _accuracies(run, task):
    return run.series(_accuracy(task))


def _accuracy(task):
    return f"classification.{task}.accuracy"


def _trend(key, direction, after_peak=False, first=1):
    """The test of a rise (1) or fall (-1) of a measurement, perhaps only from entropy's peak on."""

    def test(runs):
        found = [_series(run, key, first) for run in runs]
        if not after_peak:
            return trend(found, direction)
        peak = falls_from_peak(_entropies(runs))
        if peak is None:
            raise Missing("a significant fall of entropy from its peak")
        return trend([series.where(lambda n: n >= peak) for series in found], direction)

    return test


def _stays(key, may_fall=False):
    return lambda runs: stays([_series(run, key) for run in runs], MARGIN, may_fall)


def _entropies(runs):
    found = [run.series("text.entropy", entropy_error, "entropy", every=True) for run in runs]
    _shared(series.generations for series in found)  # there must be one
    return found


def _series(run: Lineage, key: str, first: int = 1):
    unit = key.split(".", 1)[1]
    # Not every generation is to be graded or fine-tuned, but every one has text.
    return run.series(key, unit=unit, every=key.startswith("text."), first=first)


def _shared(generations):
    """The generations that all runs have, in order. Raises Missing without one."""
    found = sorted(set.intersection(*map(set, generations)))
    if not found:
        raise Missing("a generation that all lineages have")
    return found
