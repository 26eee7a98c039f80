"""The DAG: the paper's chain from the shipped configuration, the recursion, and what a change costs."""

import copy
import re

import pytest
from tools import REPOSITORY, TINY, artifacts, listed_jobs, snakemake


def dry_run(*arguments):
    result = snakemake("-n", "--cores", "all", *arguments, cwd=REPOSITORY)
    assert result.returncode == 0, result.stdout
    return result.stdout


def job_counts(output):
    table = output.rsplit("Job stats:", 1)[1]
    return {rule: int(count) for rule, count in re.findall(r"^([\w-]+) +(\d+)$", table, re.M)}


@pytest.mark.parametrize("lineage", ["33m", "1m"])
def test_the_contract(lineage, tmp_path):
    """The command of the README, in the shipped repository, at the paper's sizes."""
    results = f"--directory={tmp_path}"
    output = dry_run(f"results/{lineage}/gen40/ppl.json", results, "--resources", "gpu=1")
    counts = job_counts(output)
    assert (counts["train_first"], counts["train"], counts["ppl"]) == (1, 39, 1)
    assert counts["sample"] == 39 * 4  # four shards each


def test_everything_for_both(tmp_path):
    counts = job_counts(dry_run("all", f"--directory={tmp_path}"))
    assert counts["train"] == 2 * 39
    assert counts["ppl"] == 2 * 41  # the baseline's too
    assert counts["text"] == counts["oov"] == 2 * 41  # the initial corpus's too
    assert counts["initial_corpus"] == counts["tokenise"] == 1  # what both share is made once


def test_generation_n_trains_on_the_corpus_of_generation_n_minus_1(tmp_path):
    output = dry_run("results/33m/gen40/checkpoint", f"--directory={tmp_path}")
    inputs = {}
    for job in listed_jobs(output):
        if job["rule"] in ("train", "train_first"):
            n = int(re.search(r"gen(\d+)/checkpoint", job["output"])[1])
            inputs[n] = re.findall(r"33m/gen(\d+)/corpus/shard-(\d{5})\.parquet", job["input"])
    assert sorted(inputs) == list(range(1, 41))
    assert inputs[1] == [("0", "00000")]
    for n in range(2, 41):
        assert inputs[n] == [(str(n - 1), f"{shard:05d}") for shard in range(4)]


def test_accumulate_trains_on_all_corpora_before(workflow):
    config = copy.deepcopy(TINY)
    config["lineages"]["tiny"]["regime"] = "accumulate"
    workflow.configure(config)
    output = workflow.run("results/tiny/gen3/checkpoint", "-n").stdout
    job = next(job for job in listed_jobs(output) if "gen3/checkpoint" in job["output"])
    found = re.findall(r"gen(\d)/corpus/shard-0000(\d)", job["input"])
    assert found == [("0", "0"), ("1", "0"), ("1", "1"), ("2", "0"), ("2", "1")]


def test_local_folders_are_inputs(workflow):
    """Of a dataset, a tokenizer and a task: as Snakemake compares them, a change makes anew."""
    config = copy.deepcopy(TINY)
    config["corpora"]["own"] = {"source": "hub", "path": "stories"}
    config["tokenizers"]["small"] = {"source": "hub", "path": "words"}
    config["tasks"] = {"mine": {"kind": "sst2", "source": "hub", "path": "examples"}}
    workflow.configure(config)
    made_of = {
        "results/corpora/own/train.parquet": "stories/train.csv",
        "results/corpora/own/small/tokenizer": "words/tokenizer.json",
        "results/tasks/mine/train.parquet": "examples/deep/train.csv",
    }
    for file in made_of.values():
        (workflow.folder / file).parent.mkdir(parents=True)
        (workflow.folder / file).touch()
    jobs = listed_jobs(workflow.run(*made_of, "-n").stdout)
    for output, file in made_of.items():
        assert any(output in job["output"] and file in job["input"] for job in jobs), file


def test_a_thousand_generations_do_not_break_the_recursion(workflow):
    config = copy.deepcopy(TINY)
    config["sampling"]["tiny"]["shards"] = 1
    workflow.configure(config)
    result = workflow.run("results/tiny/gen1000/ppl.json", "-n", "--quiet")
    assert result.returncode == 0, result.stdout[-2000:]


class TestAChangeRerunsExactlyWhatDependsOnIt:
    """On a finished lineage: what a dry-run lists after one setting has changed."""

    @pytest.fixture
    def after(self, lineage_copy):
        def change(section, name, key, value):
            config = copy.deepcopy(TINY)
            config.setdefault(section, {}).setdefault(name, {})[key] = value
            lineage_copy.configure(config)
            return {job for job in lineage_copy.planned("tiny") if job != "tiny"}

        return change

    summary = frozenset(
        {"table tiny", "findings tiny", "results_table tiny", "report_page tiny"}
        | {f"figure tiny {figure}" for figure in ("perplexity", "losses")}
    )

    def test_nothing(self, after):
        assert after("evaluation", "tiny", "samples", 2) == set()

    def test_samples(self, after):
        assert after("evaluation", "tiny", "samples", 3) == {
            *(f"samples tiny gen{n}" for n in range(4)), "lineage_samples tiny", "report_page tiny",
        }  # fmt: skip

    def test_context_of_perplexity(self, after):
        lms = ["baseline", "gen1", "gen2", "gen3"]
        assert after("evaluation", "tiny", "context", 30) == {
            *(f"ppl tiny {lm}" for lm in lms), *self.summary,
        }  # fmt: skip

    def test_temperature(self, after):
        """Generation 1 stays: it learned from the initial corpus."""
        assert after("sampling", "tiny", "temperature", 0.9) == {
            *(f"sample tiny gen{n} 0000{shard}" for n in (1, 2, 3) for shard in (0, 1)),
            *(f"train tiny {n}" for n in (2, 3)),
            *(f"{rule} tiny gen{n}" for rule in ("ppl", "theory") for n in (2, 3)),
            *(f"{rule} tiny gen{n}" for rule in ("text", "oov", "support", "samples") for n in (1, 2, 3)),
            *self.summary, "figure tiny entropy", "figure tiny theory", "lineage_samples tiny",
        }  # fmt: skip

    def test_learning_rate(self, after):
        jobs = after("training", "tiny", "learning_rate", 2.0e-2)
        assert "train_first tiny" in jobs and "train tiny 3" in jobs and "ppl tiny gen1" in jobs
        assert not any(
            job.startswith(("gen0", "tok", "initial", "lexicon", "baseline")) for job in jobs
        )
        assert "ppl tiny baseline" not in jobs and "text tiny gen0" not in jobs

    def test_more_generations(self, after):
        jobs = after("lineages", "tiny", "generations", 4)
        assert {job for job in jobs if "gen4" in job or job == "train tiny 4"} == {
            "train tiny 4", "sample tiny gen4 00000", "sample tiny gen4 00001", "ppl tiny gen4",
            "text tiny gen4", "oov tiny gen4", "support tiny gen4", "theory tiny gen4", "samples tiny gen4",
        }  # fmt: skip
        # and five figures, two tables, findings, samples and report of all
        assert len(jobs) == 9 + 10

    def test_memory_of_a_job(self, after):
        """What a job asks of the machine changes nothing in what it makes."""
        overrides = copy.deepcopy(TINY["lineages"]["tiny"]["overrides"])
        overrides["resources"]["train"] |= {"mem_mb": 900, "batch": 4}
        assert after("lineages", "tiny", "overrides", overrides) == set()


def test_artifacts_are_where_the_design_says(finished):
    assert artifacts(finished.folder / "results") >= {
        "tiny/gen0/corpus/shard-00000.parquet",
        "tiny/gen3/corpus/shard-00001.parquet",
        "tiny/gen3/checkpoint/model.safetensors",
        "tiny/gen3/ppl.json",
        "tiny/gen3/text.json",
        "tiny/gen3/oov.json",
        "tiny/gen3/samples.md",
        "tiny/baseline/ppl.json",
        "tiny/epochs.json",
        "tiny/samples.md",
        "tiny/table.md",
        "tiny/figures/perplexity.svg",
        "tiny/figures/entropy.png",
    }
