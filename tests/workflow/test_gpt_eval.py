"""GPT-Eval in the workflow: real jobs, a judge on loopback."""

import copy
import json
import re

import pytest
import yaml
from judge_server import JudgeServer, error
from tools import SEED, TINY

from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.model.checkpoint import read_lm
from ouroboros.randomness import seed_for
from ouroboros.sampling.completions import complete

KEY = "sk-test-ab12CD34-never-to-be-seen"
TARGET = "results/tiny/gen1/gpt_eval.json"
PROMPTS = ["Tom had a", "Once upon", "Mia"]
REPLIES = "results/judges/local.jsonl"


def configured(url, judge=(), **evaluation):
    config = copy.deepcopy(TINY)
    config["lineages"]["tiny"]["generations"] = 2
    config["evaluation"]["tiny"] |= {
        "prompts": "short.yaml", "completions": 2, "new_tokens": 10, "judge": "local",
        "judged_every": 5, **evaluation,
    }  # fmt: skip
    config["judges"] = {
        "local": {
            "base_url": url, "model": "grader", "requests_per_minute": 10000, "max_retries": 0,
            "price_per_million_input_tokens": 1, "price_per_million_output_tokens": 2, **dict(judge),
        }
    }  # fmt: skip
    return config


@pytest.fixture(scope="module")
def server():
    with JudgeServer(KEY) as server:
        yield server


@pytest.fixture(scope="module")
def judged(finished, tmp_path_factory, server):
    """The tiny lineage with its completions made, and no request sent yet."""
    workflow = finished.copy(tmp_path_factory.mktemp("judged") / "lineage")
    (workflow.folder / "short.yaml").write_text(yaml.safe_dump(PROMPTS))
    workflow.configure(configured(server.url))
    first = workflow.run("results/tiny/gpt_eval_cost.json")
    assert first.returncode == 0, first.stdout[-4000:]
    assert "grader for tiny: 12 requests, about" in first.stdout
    return workflow


def test_the_cost_is_said_without_a_request_or_a_key(judged, server):
    cost = json.loads((judged.folder / "results/tiny/gpt_eval_cost.json").read_text())
    assert cost["requests"] == 12 and cost["lms"]["gen1"]["requests"] == 6
    assert cost["money"] == pytest.approx(
        (cost["input_tokens"] + 2 * cost["output_tokens"]) / 1e6, rel=1e-9
    )
    assert server.requests == []


def test_completions_are_each_lms_own(judged):
    for generation, lm in enumerate(("baseline", "gen1")):
        folder = judged.folder / "results/tiny" / lm
        model, end_of_text = read_lm(folder / "checkpoint")
        tokenizer, _ = read_tokenizer(folder / "checkpoint")
        key = seed_for(SEED, generation, "completions")
        expected = complete(model, tokenizer, end_of_text, PROMPTS, 2, 10, key)
        assert json.loads((folder / "completions.json").read_text())["stories"] == expected


def test_a_stop_is_gone_on_from_and_the_key_is_nowhere(judged, server):
    environment = {"OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    seen = judged.run(TARGET, environment={**environment, "OPENAI_API_KEY": "sk-wrong"}).stdout
    assert "variable OPENAI_API_KEY." in seen and "Traceback" not in seen
    # one request at a time: two replies, then an end
    judged.configure(configured(server.url, {"concurrency": 1}))
    grades = '{"grammar": 1, "creativity": 2, "consistency": 3}'
    server.plan = [grades, grades, (503, {}, error("{given} is busy"))]
    before = len(server.requests)
    stopped = judged.run(TARGET, environment=environment).stdout
    assert "failed 1 times in a row, at last with: 503" in stopped
    assert "gpt_eval tiny gen1: The judge at http" in stopped  # its warnings, in between
    assert len((judged.folder / REPLIES).read_text().splitlines()) == 2
    finished = judged.run(TARGET, environment=environment)
    assert finished.returncode == 0, finished.stdout[-4000:]
    assert len(server.requests) - before == 3 + 4
    result = json.loads((judged.folder / TARGET).read_text())
    assert result["graded"] == 6 and result["grammar"]["mean"] == pytest.approx((2 * 1 + 4 * 8) / 6)
    assert result["provenance"]["judge"]["model"] == "grader"
    files = [path for path in judged.folder.rglob("*") if path.is_file()]
    assert len(files) > 50
    written = b"".join(path.read_bytes() for path in files)
    assert KEY.encode() not in written and KEY not in seen + stopped + finished.stdout


def test_the_key_is_in_no_traceback(judged, server):
    """A job that fails in a way nobody thought of, with all that Snakemake can print."""
    replies = judged.folder / REPLIES
    kept = replies.read_bytes()
    replies.unlink()
    replies.mkdir()
    environment = {"OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    try:
        failed = judged.run("--force", TARGET, "--verbose", "-p", environment=environment)
    finally:
        replies.rmdir()
        replies.write_bytes(kept)
    assert failed.returncode != 0 and "IsADirectoryError" in failed.stdout
    log = (judged.folder / "logs/tiny/gen1/gpt_eval.log").read_text()
    assert "This is an error of the workflow itself" in log and "Traceback" in log
    files = [path for path in judged.folder.rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files)
    assert KEY.encode() not in written and KEY not in failed.stdout
    assert judged.run(TARGET, environment=environment).returncode == 0


def test_what_a_change_costs(judged, server):
    """Behind the test above, which made the grades."""
    assert judged.planned(TARGET) == set()
    judged.configure(configured(server.url, {"concurrency": 3, "budget": 5, "timeout": 9}))
    assert judged.planned(TARGET) == set()
    judged.configure(configured(server.url, {"temperature": 0}))
    assert judged.planned(TARGET) == {"gpt_eval tiny gen1"}
    judged.configure(configured(server.url, new_tokens=9))
    assert judged.planned(TARGET) == {"completions tiny gen1", "gpt_eval tiny gen1"}


def test_which_lms_are_judged(workflow, server):
    config = configured(server.url)
    config["lineages"]["tiny"]["generations"] = 40
    workflow.configure(config)
    assert "there is no file" in workflow.run("tiny", "-n").stdout
    (workflow.folder / "short.yaml").write_text("[Tom had a]")
    found = {job.split()[2] for job in workflow.planned("tiny") if job.startswith("gpt_eval ")}
    assert found == {"baseline", *(f"gen{n}" for n in (1, 6, 11, 16, 21, 26, 31, 36))}
    config["evaluation"]["tiny"]["judge"] = None
    workflow.configure(config)
    assert not any(job.startswith(("gpt_eval", "completions")) for job in workflow.planned("tiny"))
    assert "has no judge" in workflow.run(TARGET, "-n").stdout
    config["evaluation"]["tiny"]["judge"] = "locl"
    workflow.configure(config)
    assert "Did you mean 'local'?" in workflow.run("tiny", "-n").stdout


def test_a_key_in_the_configuration_is_refused(workflow):
    workflow.configure(configured("http://me:secret@127.0.0.1/v1"))
    assert "config: judges.local.base_url" in workflow.run("tiny", "-n").stdout
    workflow.configure(configured("http://127.0.0.1/v1", {"api_key": "x"}))
    assert "unknown key 'api_key'" in workflow.run("tiny", "-n").stdout


def test_figure_cases_and_findings_show_the_grades(judged, server):
    judged.configure(configured(server.url))
    page, findings = "results/tiny/gpt_eval.md", "results/tiny/findings.json"
    figure = "results/tiny/figures/gpt_eval.svg"
    environment = {"OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    made = judged.run(page, figure, findings, environment=environment)
    assert made.returncode == 0, made.stdout[-4000:]
    rows = [line.split(" | ") for line in (judged.folder / page).read_text().splitlines()]
    names = [row[0] for row in rows if len(row) == 5][1:]
    assert names == ["| baseline"] * 2 + ["| 1"] * 2
    assert re.search(r">\s*Consistency\s*<", (judged.folder / figure).read_text())
    judgements = json.loads((judged.folder / findings).read_text())["findings"]
    (falls,) = [finding for finding in judgements if finding["id"] == "grammar-falls"]
    assert falls["values"].get("missing") is None and "grammar" in falls["explanation"]
