"""Documentation that keeps its word: links that lead somewhere, an index of all pages, a tutorial that works."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from tools import REPOSITORY, TINY
from tutorial import Step, follow, steps, unsaid

from ouroboros.config.layers import overlay
from ouroboros.planning.arithmetic import MACHINE

TUTORIAL = (REPOSITORY / "docs/tutorial.md").read_text()
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
KINDS = ("train", "sample", "ppl", "fine_tuning")  # of rates
ANCHOR = re.compile(r"[^\w\- ]")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in [ANCHOR.sub("", h.lower()).replace(" ", "-") for h in headings], link


def test_the_index_has_every_page():
    index = (REPOSITORY / "docs/README.md").read_text()
    for page in PAGES:
        name = page.relative_to(REPOSITORY / "docs") if page.parent.name == "docs" else None
        assert name is None or str(name) == "README.md" or f"({name})" in index, page


def test_what_a_page_shows_is_compared_line_by_line():
    """Numbers, units of times and widths may differ; words, and the order of lines, may not."""
    said = "jobs: 12\n| total |  300 s |\n\nIt ends in 4 min.\nThe end.\n"
    assert unsaid("jobs: 7\n...\nIt ends in 30 s.\n", said) is None
    assert unsaid("| total | 2 h |\n", said) is None
    assert unsaid("The end.\njobs: 7\n", said) == "jobs: 7"
    assert unsaid("It starts in 4 min.\n", said) == "It starts in 4 min."


def test_a_page_that_lies_is_found(tmp_path):
    page = "```yaml\n# a.yaml\nb: 1\n```\n\n```console\n$ cat a.yaml\n# a.yaml\nb: 2\n$ {}\n```\n"
    assert next(said for _, said in follow(page.format("true"), tmp_path)) == "# a.yaml\nb: 1\n"
    with pytest.raises(AssertionError, match="did not say"):
        list(follow(page.replace("b: 2", "c: 2").format("true"), tmp_path))
    with pytest.raises(AssertionError, match=r"\$ false"):
        list(follow(page.format("false"), tmp_path))


def as_cloned(folder):
    """The repository in a new folder, installed."""
    ignored = shutil.ignore_patterns(
        ".venv", ".git", ".snakemake", "results", "logs", "mutants", "__pycache__", ".*_cache"
    )
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


@pytest.mark.slow
@pytest.mark.alone
def test_the_tutorial(tmp_path):
    assert [*follow(TUTORIAL, as_cloned(tmp_path / "clone"))]


def test_the_tutorial_with_little_text(tmp_path, finished):
    """Its commands, with a tiny model, a time to fit to of seconds, and given rates."""
    folder = as_cloned(tmp_path / "clone")
    machine = folder / "results/calibration/machine.json"
    machine.parent.mkdir(parents=True)
    machine.write_text(json.dumps(MACHINE))
    shutil.copytree(finished.folder / "results/lexicon", folder / "results/lexicon")

    def smaller(step):
        if step.name == "docstrings.py":
            return Step(step.text.replace("rglob", "glob").replace("*.py", "[a-d]*.py"), step.name)
        if step.name == "mine.yaml":
            return Step(yaml.safe_dump(overlay(yaml.safe_load(step.text), tiny())), step.name)
        step.text = step.text.replace("fit: 20m", "fit: 45s")
        for said in (step, *step.beside):  # it has fewer generations, and so fewer lines of numbers
            lines = said.output.splitlines()
            said.output = "\n".join(line for line in lines if not re.search(r"\d", line))
        return step

    assert len([*follow(TUTORIAL, folder, smaller)]) == sum(
        1 + len(step.beside) for step in steps(TUTORIAL) if not step.name
    )


def tiny():
    """Parts of the lineage `small` in small."""
    return {
        "tokenizers": {"bpe2048": {"vocabulary_size": 300}},
        "models": {"small": TINY["models"]["tiny"]},
        "training": {"small": {"epochs": 1}},
        "sampling": {"small": {"sequence_length": 32}},
        "evaluation": {"small": {"context": 32, "classification": {"tasks": []}}},
        "lineages": {
            "mine": {"overrides": {"resources": {rule: {"threads": 1} for rule in KINDS[:2]}}}
        },
        "plan": {"rates": {"small": dict.fromkeys(KINDS, 1.0e9)}},
    }
