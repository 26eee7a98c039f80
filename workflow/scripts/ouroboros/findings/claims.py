"""The paper's claims, of one lineage and of two sizes of models, each with its test.

Findings 3 to 6 are those of the paper's introduction; its section 3.2 numbers them 1 to 4.
"""

from collections.abc import Callable
from typing import NamedTuple

from ouroboros.findings.level_tests import better, ends_no_better, never_better
from ouroboros.findings.results import Missing
from ouroboros.findings.trend_tests import above, rises_always, rises_then_falls, stays, trend
from ouroboros.metrics.classification.declaration import task_name

LAST = 40  # the last generation that the paper measured
MARGIN = 0.05  # accuracy is "no better" if it is higher by less than this
GUESS = 0.5  # accuracy of guessing between RTE's two classes
FALLING = ("imdb", "sst2", "yelp", "qqp", "qnli")  # tasks whose accuracy falls
OTHERS = ("mrpc", "rte", "cola")
SCORES = ("grammar", "consistency")


class Claim(NamedTuple):
    """`source`: its place in the paper. `test` takes the Lineage that the claim is about, or that of
    the smaller model and that of the larger one.
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
            "3.2.1, figure 1", lambda small, large: above(_gap(small, large)),
        ),
        Claim(
            "smaller-rises-faster", "The smaller model's perplexity rises faster",
            "3.2.1, figure 1", lambda small, large: trend(_gap(small, large), 1),
        ),
    ]  # fmt: skip


def _gap(small, large):
    gap = small.perplexity().minus(large.perplexity())
    if not gap.values:
        raise Missing("ppl.perplexity of generations that both have")
    return gap._replace(unit="perplexity of the smaller minus that of the larger model")


def _language_modeling():
    drift = "The text drifts away from the initial corpus: KL(initial || generated) of {} rises"
    return [
        Claim(
            "perplexity-rises", "Perplexity rises from every generation to the next",
            "finding 3; 3.2.1, figure 1", lambda lineage: rises_always(lineage.perplexity()),
        ),
        Claim(
            "perplexity-ends-at-baseline",
            "In the end an LM predicts the initial corpus no better than the untrained baseline",
            "section 3; abstract", _ends_at_baseline,
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


def _ends_at_baseline(lineage):
    ends = lineage.ends("ppl.loss", "ppl.standard_error", "log-likelihood per token")
    ends = [end._replace(values=[-end.values[0]]) for end in ends]
    return ends_no_better(*ends, 0.0, LAST)


def _text():
    return [
        Claim(
            "entropy-rises-then-falls", "Entropy of the generated text rises at first, then falls",
            "3.2.2, figure 2; section 4",
            lambda lineage: rises_then_falls(_series(lineage, "text.entropy"), LAST),
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
            "Most of the tokens in runs are among the initial corpus's 100 most frequent tokens",
            "finding 4; 3.2.2", lambda lineage: above(_series(lineage, "text.run_head_share"), 0.5),
        ),
        Claim(
            "rare-tokens-are-lost", "The initial corpus's rarest tokens are lost (genetic drift)",
            "section 4", _trend("text.tail.surviving", -1),
        ),
    ]  # fmt: skip


def _gpt_eval():
    def falls_faster(lineage):
        grammar, consistency = (lineage.series(f"gpt_eval.{s}.mean", unit=s) for s in SCORES)
        return trend(grammar.minus(consistency), 1)

    def baseline_is_not_lowest(score):
        def test(lineage):
            prefix = f"gpt_eval.{score}."
            last, baseline = lineage.ends(f"{prefix}mean", f"{prefix}standard_error", score)
            return better(baseline, last)

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
                f"The untrained baseline's {score} score is not the lowest: it is above the last "
                "generation's", "3.2.2; extended data table 2", baseline_is_not_lowest(score),
            )
            for score in SCORES
        ),
    ]  # fmt: skip


def _classification():
    figure = "3.2.3, figure 4"
    found = []
    for task in FALLING:
        name = task_name(task)
        found += [
            Claim(
                f"{task}-begins-above", f"{name}: generation 1 is more accurate than the baseline",
                figure, lambda lineage, task=task: better(*_accuracies(lineage, task, first=True)),
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
                f"finding 6; {figure}",
                lambda lineage, task=task: ends_no_better(
                    *_accuracies(lineage, task), MARGIN, LAST
                ),
            ),
        ]  # fmt: skip
    return [
        *found,
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
            "rte-guesses", "RTE: no generation is more accurate than guessing (50%)",
            figure, lambda lineage: never_better(_with_errors(lineage, "rte"), GUESS, 0.0, MARGIN),
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


def _cola_no_better(lineage):
    _, baseline = _accuracies(lineage, "cola")
    series = _with_errors(lineage, "cola")
    return never_better(series, baseline.values[0], baseline.errors[0], MARGIN)


def _with_errors(lineage, task):
    prefix = f"classification.{task}."
    series = lineage.series(f"{prefix}accuracy", f"{prefix}standard_error", "accuracy")
    if not series.errors:
        raise Missing(f"{prefix}standard_error of every generation")
    return series


def _accuracies(lineage, task, first=False):
    prefix = f"classification.{task}."
    return lineage.ends(f"{prefix}accuracy", f"{prefix}standard_error", "accuracy", first)


def _trend(key, direction, after_peak=False):
    """The test of a rise (1) or fall (-1) of a measurement, perhaps only from entropy's peak on."""

    def test(lineage):
        series = _series(lineage, key)
        if after_peak:
            entropy = _series(lineage, "text.entropy")
            peak = entropy.generations[entropy.values.index(max(entropy.values))]
            series = series.where(lambda n: n >= peak)
        return trend(series, direction)

    return test


def _stays(key, may_fall=False):
    return lambda lineage: stays(_series(lineage, key), may_fall)


def _series(lineage, key):
    unit = key.split(".", 1)[1]
    # Not every generation is to be graded or fine-tuned, but every one has text.
    return lineage.series(key, unit=unit, every=key.startswith("text."))
