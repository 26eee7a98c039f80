"""`snakemake plan`, seeds, and what lineages share: on a real Snakemake."""

import copy
import json

import yaml
from tools import TINY

from ouroboros.planning.arithmetic import MACHINE

RATES = {"train": 1.0e5, "sample": 1.0e5, "ppl": 1.0e5, "fine_tuning": 100.0}


def with_seeds(**plan):
    config = copy.deepcopy(TINY)
    del config["lineages"]["tiny"]["seed"]
    config["lineages"]["tiny"]["seeds"] = [1, 2]
    config["plan"] = {"rates": {"tiny": RATES}, **plan}
    return config


def test_the_plan_has_the_jobs_of_the_run(workflow):
    """With given rates no model is measured; the machine is."""
    config = copy.deepcopy(TINY)
    config["plan"] = {"rates": {"tiny": RATES}, "groups": ["tiny"]}
    workflow.configure(config)
    result = workflow.run("plan")
    assert result.returncode == 0, result.stdout[-3000:]
    assert "# Plan of tiny" in result.stdout and "| train " in result.stdout
    plan = json.loads((workflow.folder / "results/tiny/plan.json").read_text())
    assert plan["jobs"] == len(workflow.planned("tiny")) - 1  # the target itself
    assert plan["rules"]["sample"]["jobs"] == 6 and plan["rules"]["train"]["jobs"] == 2
    assert not any("s of work per job of" in note for note in plan["notes"])  # all rules are known
    assert plan["critical_path_seconds"] <= plan["wall_clock"][0]["seconds"] <= plan["seconds"]
    made = {path.name for path in (workflow.folder / "results").iterdir()}
    assert made == {"calibration", "tiny"}  # nothing of what is planned was made
    again = workflow.run("plan")
    assert "# Plan of tiny" in again.stdout


def test_seeds_share_all_that_no_seed_decides(workflow):
    workflow.configure(with_seeds())
    jobs = workflow.planned("tiny")
    shared = {job for job in jobs if "tiny-s" not in job}
    assert {job.split()[0] for job in shared} == {
        "initial_corpus", "tokenizer", "tokenise", "sequences", "lexicon", "clean_lexicon",
        "findings", "figure", "results_table", "report_page", "tiny",
    }  # fmt: skip
    assert len(shared) == 11  # each of them once
    for seed in (1, 2):
        assert f"train tiny-s{seed} 3" in jobs and f"sample tiny-s{seed} gen1 00001" in jobs


def test_the_initial_corpus_is_a_link_that_reads_as_a_file(finished):
    own = finished.folder / "results/tiny/gen0/corpus/shard-00000.parquet"
    assert own.is_symlink() and own.resolve().name == "sequences-32.parquet"
    assert own.resolve().is_relative_to(finished.folder / "results/corpora")


def test_a_plan_of_what_is_not_there(workflow):
    workflow.configure(with_seeds(groups=["tinny"]))
    result = workflow.run("plan")
    assert result.returncode
    assert "plan.groups: there is no 'tinny'. Did you mean 'tiny'?" in result.stdout


def test_a_run_of_days_says_so_before_it_starts(workflow):
    """It starts all the same, and the first job fails here: there is too little text."""
    config = copy.deepcopy(TINY)
    config["sampling"]["tiny"]["sequences"] = 4_000_000_000
    workflow.configure(config)
    (workflow.folder / "own.txt").write_text("A story.")
    result = workflow.run("tiny")
    assert "This run takes about" in result.stdout and "groups: [tiny]" in result.stdout
    assert result.stdout.index("This run takes") < result.stdout.index("rule initial_corpus")


def test_settings_for_a_time_are_a_configuration_that_can_be_run(workflow):
    """With given rates nothing is measured; the machine's speed is there."""
    config = copy.deepcopy(TINY)
    rates = dict.fromkeys(RATES, 1.0e9)
    config["plan"] = {"rates": {"tiny": rates}, "groups": ["tiny"], "fit": "40s"}
    workflow.configure(config)
    machine = workflow.folder / "results/calibration/machine.json"
    machine.parent.mkdir(parents=True)
    machine.write_text(json.dumps(MACHINE))
    result = workflow.run("plan")
    assert result.returncode == 0, result.stdout[-3000:]
    assert "fewer generations: " in result.stdout
    proposed = yaml.safe_load((workflow.folder / "results/tiny/fit.yaml").read_text())
    assert proposed["corpora"] == TINY["corpora"]
    generations = proposed["lineages"]["tiny"]["generations"]
    assert 1 <= generations < 3 and proposed["lineages"]["tiny"]["seed"] == 7
    workflow.configure(proposed)
    assert f"train tiny {generations}" in {*workflow.planned("tiny"), "train tiny 1"}
    assert list(machine.parent.iterdir()) == [machine]
