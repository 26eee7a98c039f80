"""What the paper states of a lineage and of two sizes of models, each with the test that judges it.

Findings 3 to 6 are those of the paper's introduction; its section 3.2 numbers them 1 to 4.
"""

from collections.abc import Callable
from typing import NamedTuple

from ouroboros.findings.level_tests import better, ends_no_better, never_better
from ouroboros.findings.results import Missing
from ouroboros.findings.trend_tests import above, rises_always, rises_then_falls, stays, trend

LAST, LAST_GPT_EVAL = 40, 36  # the last generations that the paper measured
MARGIN = 0.05  # "no better" in accuracy means: by less than this
GUESS = 0.5  # accuracy of guessing between RTE's two classes
TASKS = {"imdb": "IMDB", "sst2": "SST-2", "yelp": "Yelp", "qqp": "QQP", "qnli": "QNLI"}
OTHERS = {"mrpc": "MRPC", "rte": "RTE", "cola": "CoLA"}
SCORES = ("grammar", "consistency")


class Statement(NamedTuple):
    """`source`: its place in the paper. `judge` takes what it is a statement of: one Lineage, or
    the smaller model's and the larger one's."""

    id: str
    text: str
    source: str
    judge: Callable[..., dict]


def of_a_lineage() -> list[Statement]:
    """The statements of one lineage, in the paper's order."""
    return [*_language_modeling(), *_text(), *_gpt_eval(), *_classification()]


def of_two_sizes() -> list[Statement]:
    """The statements of a smaller and a larger model."""
    return [
        Statement(
            "larger-is-lower", "The larger model has the lower perplexity in every generation",
            "3.2.1, figure 1", lambda small, large: above(_gap(small, large)),
        ),
        Statement(
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
        Statement(
            "perplexity-rises", "Perplexity rises from every generation to the next",
            "finding 3; 3.2.1, figure 1", lambda lineage: rises_always(lineage.perplexity()),
        ),
        Statement(
            "perplexity-ends-at-baseline",
            "In the end an LM predicts the initial corpus no better than the untrained baseline",
            "section 3; abstract", _likelihood_at_the_end,
        ),
        Statement(
            "tokens-drift", drift.format("its tokens"), "finding 3; 3.2.1",
            _trend("text.unigram_divergence.lost", 1),
        ),
        Statement(
            "bigrams-drift", drift.format("its pairs of tokens"), "finding 3; 3.2.1",
            _trend("text.bigram_divergence.lost", 1),
        ),
    ]  # fmt: skip


def _likelihood_at_the_end(lineage):
    ends = lineage.ends("ppl.loss", "ppl.standard_error", "log-likelihood per token")
    ends = [end._replace(values=[-end.values[0]]) for end in ends]
    return ends_no_better(*ends, 0.0, LAST)


def _text():
    return [
        Statement(
            "entropy-rises-then-falls", "Entropy of the generated text rises at first, then falls",
            "3.2.2, figure 2; section 4",
            lambda lineage: rises_then_falls(_series(lineage, "text.entropy"), LAST),
        ),
        Statement(
            "oov-rises", "The number of out-of-vocabulary words rises",
            "3.2.2, figure 2", _trend("text.oov_words", 1),
        ),
        Statement(
            "oov-rises-on", "OOV words go on rising where entropy falls",
            "3.2.2, figure 2", _trend("text.oov_words", 1, behind_the_peak=True),
        ),
        Statement(
            "runs-grow", "Generated text is more and more repetitive: tokens that lie in runs",
            "finding 4; 3.2.2", _trend("text.run_share", 1),
        ),
        Statement(
            "rep-4-grows", "Generated text is more and more repetitive: rep-4",
            "finding 4; 3.2.2", _trend("text.rep_4", 1),
        ),
        Statement(
            "runs-grow-behind-peak", "Where entropy falls, repetition grows",
            "3.2.2; section 4", _trend("text.run_share", 1, behind_the_peak=True),
        ),
        Statement(
            "runs-are-frequent-tokens",
            "Repetitions are usually (more than half) the initial corpus's 100 most frequent tokens",
            "finding 4; 3.2.2", lambda lineage: above(_series(lineage, "text.run_head_share"), 0.5),
        ),
        Statement(
            "rare-tokens-are-lost", "The initial corpus's rarest tokens are lost (genetic drift)",
            "section 4", _trend("text.tail.surviving", -1),
        ),
    ]  # fmt: skip


def _gpt_eval():
    def falls_faster(lineage):
        grammar, consistency = (lineage.series(f"gpt_eval.{s}.mean", unit=s) for s in SCORES)
        return trend(grammar.minus(consistency), 1)

    def baseline_is_not_lowest(score):
        def judge(lineage):
            keys = f"gpt_eval.{score}."
            last, baseline = lineage.ends(f"{keys}mean", f"{keys}standard_error", score)
            return better(baseline, last)

        return judge

    return [
        *(
            Statement(
                f"{score}-falls", f"The {score} score of completions falls",
                "finding 5; 3.2.2, figure 3", _trend(f"gpt_eval.{score}.mean", -1),
            )
            for score in SCORES
        ),
        Statement(
            "consistency-falls-faster", "Consistency falls faster than grammar",
            "3.2.2, figure 3", falls_faster,
        ),
        *(
            Statement(
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
    for task, name in TASKS.items():
        found += [
            Statement(
                f"{task}-begins-above", f"{name}: generation 1 is more accurate than the baseline",
                figure, lambda lineage, task=task: better(*_accuracies(lineage, task, first=True)),
            ),
            Statement(
                f"{task}-falls", f"{name}: accuracy falls",
                f"finding 6; {figure}", _trend(f"classification.{task}.accuracy", -1),
            ),
            Statement(
                f"{task}-f1-falls", f"{name}: weighted F1 falls",
                "extended data figures 8 and 9", _trend(f"classification.{task}.weighted_f1", -1),
            ),
            Statement(
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
            Statement(
                f"{task}-does-not-rise", f"{name}: accuracy does not rise",
                "3.2.3", _stays(f"classification.{task}.accuracy", may_fall=True),
            )
            for task, name in OTHERS.items()
        ),
        Statement(
            "cola-no-better", "CoLA: no generation is more accurate than the baseline",
            figure, _cola_no_better,
        ),
        Statement(
            "rte-guesses", "RTE: no generation is more accurate than guessing (50%)",
            figure, lambda lineage: never_better(_with_errors(lineage, "rte"), GUESS, 0.0, MARGIN),
        ),
        Statement(
            "mrpc-accuracy-stays", "MRPC: accuracy has no trend (its classes are out of balance)",
            "3.2.3; extended data figure 8", _stays("classification.mrpc.accuracy"),
        ),
        Statement(
            "mrpc-f1-falls", "MRPC: weighted F1 falls",
            "3.2.3; extended data figure 8", _trend("classification.mrpc.weighted_f1", -1),
        ),
    ]  # fmt: skip


def _cola_no_better(lineage):
    _, baseline = _accuracies(lineage, "cola")
    series = _with_errors(lineage, "cola")
    return never_better(series, baseline.values[0], baseline.errors[0], MARGIN)


def _with_errors(lineage, task):
    keys = f"classification.{task}."
    series = lineage.series(f"{keys}accuracy", f"{keys}standard_error", "accuracy")
    if not series.errors:
        raise Missing(f"{keys}standard_error of every generation")
    return series


def _accuracies(lineage, task, first=False):
    keys = f"classification.{task}."
    return lineage.ends(f"{keys}accuracy", f"{keys}standard_error", "accuracy", first)


def _trend(keys, direction, behind_the_peak=False):
    """A judge of a rise (1) or fall (-1), if asked for only of what is behind entropy's peak."""

    def judge(lineage):
        series = _series(lineage, keys)
        if behind_the_peak:
            entropy = _series(lineage, "text.entropy")
            peak = entropy.generations[entropy.values.index(max(entropy.values))]
            series = series.part(lambda n: n >= peak)
        return trend(series, direction)

    return judge


def _stays(keys, may_fall=False):
    return lambda lineage: stays(_series(lineage, keys), may_fall)


def _series(lineage, keys):
    unit = keys.split(".", 1)[1]
    # Generations that were never meant to be judged or fine-tuned are not missing.
    return lineage.series(keys, unit=unit, every=keys.startswith("text."))
