"""Targets, reports, plans and resources of an experiment."""

import copy

import pytest
from tools import CONFIG, REPOSITORY, SCHEMA

from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError
from ouroboros.pipeline import plans, reports, targets
from ouroboros.pipeline.experiment import Experiment
from ouroboros.pipeline.resources import resource, site_resources


def experiment(**sections):
    config = copy.deepcopy(CONFIG)
    for section, changes in sections.items():
        config[section] = {**config.get(section, {}), **changes}
    return Experiment(resolve(config, SCHEMA), REPOSITORY)


@pytest.fixture(scope="module")
def shipped():
    return experiment()


def test_figures_of_a_lineage_and_of_a_comparison(shipped):
    own = ["entropy", "accuracy", "weighted_f1", "losses", "theory", "schematic"]
    assert reports.figure_files(shipped, "demo") == [
        f"results/demo/figures/{name}.svg" for name in ("perplexity", *own)
    ]
    assert reports.figure_files(shipped, "paper") == [
        "results/paper/figures/perplexity.svg",
        *(f"results/{name}/figures/{figure}.svg" for name in ("33m", "1m") for figure in own),
    ]


def test_the_report_of_everything_is_of_all_comparisons(shipped):
    assert reports.report_groups(shipped, None) == ["paper"]
    assert reports.report_lineages(shipped, None) == ["33m", "1m"]
    assert reports.report_lineages(shipped, "demo") == ["demo"]
    both = experiment(comparisons={"paper": ["33m", "1m"], "more": ["1m", "demo"]})
    assert reports.report_lineages(both, None) == ["33m", "1m", "demo"]
    figures = reports.report_figures(both, None)
    assert len(figures) == len(set(figures))
    settings = reports.report_settings(both, "demo")["demo"]
    assert "resources" not in settings and settings["corpus"]["demo"]["source"] == "grammar"


def test_the_schematic_shows_what_each_lm_is_tested_by():
    """GPT-Eval is of the LMs that are judged, and the baseline writes no corpus."""
    judged = copy.deepcopy(CONFIG["evaluation"])
    judged["paper"] |= {"judge": "gpt35"}
    made = experiment(evaluation=judged)
    assert made.figures["schematic"].settings(made, "33m") == {
        "tests": {
            "baseline": ["perplexity", "GPT-Eval", "theory"],
            "gen1": ["perplexity", "generated text", "GPT-Eval", "theory"],
            "gen2": ["perplexity", "generated text", "theory"],
            "gen40": ["perplexity", "generated text", "theory"],
        },
        "tasks": 8,
        "mark": "",
    }


def test_how_often_copies_are_fine_tuned():
    evaluation = copy.deepcopy(CONFIG["evaluation"])
    evaluation["small"]["classified_every"] = 2
    made = experiment(evaluation=evaluation)
    lms = ["baseline", *(f"gen{n}" for n in range(1, 41, 2))]
    assert made.measured("small", "classification") == lms
    assert made.files("small", "classification") == [
        f"results/small/{lm}/classification/demo-sst2.json" for lm in lms
    ]
    assert len(made.measured("demo", "ppl")) == 7
    assert made.measured("demo", "classification") == ["baseline", "gen1", "gen6"]


def test_targets_of_a_group(shipped):
    found = targets.group_targets(shipped, "demo")
    for name in ("report.html", "findings.json", "table.md", "samples.md", "gen0/samples.md"):
        assert f"results/demo/{name}" in found
    assert "results/demo/gpt_eval.md" not in found


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("dmeo", "there is no such lineage, comparison or target. Did you mean 'demo'"),
        ("result/33m/gen4/ppl.json", "Targets begin with results/"),
        ("results/34m/gen4/ppl.json", "there is no lineage '34m' .* Did you mean '33m'"),
        (
            "results/corpora/x",
            "no lineage uses a corpus 'x'.* or ask for another: tinystories, gram",
        ),
        (
            "results/corpora/grammar/gpt3/tokens.json",
            "no rule .* Ask for results/corpora/tinystories/gpt2",
        ),
        ("results/tasks/imdb/test.parquet", "no rule .* Ask for results/tasks/"),
        ("results/lexicon/x", "There are results/lexicon/-18.0.txt and results/lexicon/clean.txt"),
        ("results/judges/x.jsonl", "A judge's replies come with its grades"),
        ("results/calibration/x.json", "ask for `plan`"),
        (
            "results/",
            "this is a folder, and no target. Ask for one of 33m, 1m, small, demo, paper, all",
        ),
        ("results/corpora", "this is a folder, and no target. Ask for results/corpora/tiny"),
        (
            "results/demo",
            "this is a folder, and no target. Ask for demo, which is all .* or for a file",
        ),
        ("./results/demo/gen4/", "this is a folder, and no target. Ask for demo"),
        ("results/demo/gen4/corpus", "this is a folder"),
        ("results/demo/gen4/pl.json", "no rule makes this file. For generation 4 of demo"),
        (
            "results/paper/x",
            "no rule .* Of the comparison paper there are results/paper/report.html",
        ),
        ("results/demo/gen4/checkpoint/config.json", "Ask for results/demo/gen4/checkpoint."),
        (
            "results/corpora/grammar/gpt2/tokenizer/x",
            "Ask for results/corpora/grammar/gpt2/tokenizer.",
        ),
    ],
)
def test_what_is_said_of_a_wrong_target(shipped, target, said):
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(targets.complain_of_path(shipped, target))


@pytest.mark.parametrize(
    ("target", "corpora", "tasks"),
    [
        ("demo", {"demo"}, {"demo-sst2"}),
        ("./results/demo/gen4/ppl.json", {"demo"}, {"demo-sst2"}),
        ("results/corpora/grammar/gpt2/tokens.json", {"grammar"}, set()),
        ("results/tasks/imdb/train.parquet", set(), {"imdb"}),
        ("results/lexicon/clean.txt", set(), set()),
    ],
)
def test_what_a_target_is_made_of(shipped, target, corpora, tasks):
    assert targets.sources(shipped, target)[:2] == (corpora, tasks)


def test_all_is_made_of_what_the_comparisons_are(shipped):
    paper = targets.sources(shipped, "paper")
    assert paper[0] == {"tinystories"}
    for target in ("all", "plan", "results/report.html"):
        assert targets.sources(shipped, target) == paper
    planned = experiment(plan={"groups": ["demo"]})
    assert targets.sources(planned, "plan")[0] == {"demo"}


def test_calibrations_are_shared_by_equal_settings():
    made = experiment(
        lineages={**CONFIG["lineages"], "twin": {**CONFIG["lineages"]["demo"], "seed": 5}}
    )
    key = plans.calibration_key(made, "demo")
    assert key == plans.calibration_key(made, "twin") and key.startswith("demo-")
    assert key != plans.calibration_key(made, "1m")
    assert plans.calibrated(made, key) == "demo"


def test_calibrations_of_the_papers_lineages_stay_valid():
    """Their digests: with another one, what is on disk already would be measured again."""
    keys = [plans.calibration_key(experiment(), name) for name in ("33m", "1m")]
    assert keys == ["33m-076fa7a6", "1m-bfc1e978"]


@pytest.mark.parametrize("sampling, same", [({"temperature": 0.7}, True), ({"top_p": 0.9}, False)])
def test_what_is_drawn_by_more_than_a_temperature_is_measured_so(sampling, same):
    demo = CONFIG["lineages"]["demo"]
    other = {**demo, "overrides": {**demo["overrides"], "sampling": sampling}}
    made = experiment(lineages={**CONFIG["lineages"], "other": other})
    assert (plans.calibration_key(made, "demo") == plans.calibration_key(made, "other")) == same
    assert ("decoding" in plans.calibration_settings(made, "other")) != same


def test_seeds_of_fine_tuning_change_no_speed():
    """A calibration made before there were seeds still holds."""
    demo = copy.deepcopy(CONFIG["evaluation"]["small"])
    demo["classification"]["seeds"] = 3
    made, plain = experiment(evaluation={"small": demo}), experiment()
    assert made.lineages["demo"]["evaluation"]["classification"]["seeds"] == 3
    assert plans.calibration_key(made, "demo") == plans.calibration_key(plain, "demo")
    assert "seeds" not in plans.calibration_settings(plain, "demo")["classification"]
    with pytest.raises(UserError, match="no lineage has these settings. Calibrations of this"):
        plans.calibrated(made, "demo-00000000")
    given = {"rates": {"demo": dict.fromkeys(("train", "sample", "ppl", "fine_tuning"), 1)}}
    assert plans.calibrations(experiment(plan=given), ["demo"]) == {}
    assert list(plans.calibrations(made, ["33m", "1m"])) == ["33m", "1m"]


def test_resources_grow_with_the_attempts_up_to_the_clusters_limit():
    made = experiment(cluster={"max_runtime": 2000})
    assert resource(made, "train", "mem_mb", "33m", 2) == 20_000
    assert resource(made, "train", "runtime", "33m", 2) == 2000
    assert resource(made, "train", "gpu", "33m", 3) == 1
    assert resource(made, "train", "threads", "33m", 3) == 4
    assert resource(made, "train", "mem_mb", "demo", 1) == 1500  # the lineage's own
    assert resource(made, "task", "mem_mb", None, 1) == 8000


def test_the_sites_choices_depend_on_the_gpus():
    cluster = {"account": "us", "partition": "cpu", "gpu_partition": "gpu", "gpu_model": "h100"}
    assert site_resources(cluster, 0)["slurm_partition"] == "cpu"
    assert site_resources(cluster, 2) == {
        "slurm_account": "us", "slurm_partition": "gpu", "gpu_model": "h100", "nodes": 1,
    }  # fmt: skip
    assert site_resources(cluster, 0)["gpu_model"] is None
