"""The reports of a real, tiny run: our own page, that of all comparisons, and Snakemake's."""

import copy
import html
import json
import re

import pytest
from browser import needs_chromium, rendered
from tools import TINY


def dom_of(page, folder):
    dom, said = rendered(page, folder)
    assert said == ""
    return dom


def cells(dom, section):
    """The rows of a section's first table, as lists of text."""
    part = dom.split(f'<section id="{section}"')[1].split("</table>")[0]
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.S)]
        for row in re.findall(r"<tr>.*?</tr>", part, re.S)
    ]  # fmt: skip


@needs_chromium
def test_the_page_shows_what_the_artifacts_say(finished, tmp_path):
    results = finished.folder / "results/tiny"
    dom = dom_of(results / "report.html", tmp_path)
    ppl, text = (json.loads((results / f"gen2/{n}.json").read_text()) for n in ("ppl", "text"))
    rows = {row[0]: row for row in cells(dom, "numbers")}
    assert list(rows)[1:] == ["baseline", "0", "1", "2", "3"]
    assert rows["2"][1].split(" ± ")[0] == f"{ppl['perplexity']:,.2f}"
    assert rows["2"][2:4] == [
        f"{text['entropy']:.3f} ± {text['entropy_error']:.3f}", f"{text['oov_words']:,}",
    ]  # fmt: skip
    samples = cells(dom, "samples")
    assert [re.sub(r"\W+", " ", name) for name in samples[0]] == [
        "Initial corpus", "Generation 1", "Generation 2", "Generation 3",
    ]  # fmt: skip
    stored = json.loads((results / "samples.json").read_text())["generations"]
    begun = samples[1][1].split("end of text")[0].split()
    assert begun == stored[1]["texts"][0].split("<|endoftext|>")[0].split()
    found = json.loads((results / "findings.json").read_text())["findings"]
    for verdict in ("confirmed", "contradicted", "not enough data"):
        count = sum(finding["verdict"] == verdict for finding in found)
        shown = re.search(rf"<strong>(\d+)</strong> {verdict}", dom)
        assert int(shown[1]) == count == dom.count(f'verdict {verdict.replace(" ", "-")}"')
    for setting in ("learning_rate: 0.01", "vocabulary_size: 300", "regime: replace"):
        assert setting in dom
    assert "mem_mb" not in dom


@pytest.fixture(scope="module")
def copied(finished, tmp_path_factory):
    """The finished run once more, with a comparison of its one lineage."""
    workflow = finished.copy(tmp_path_factory.mktemp("compared") / "run")
    config = copy.deepcopy(TINY)
    config["comparisons"] = {
        "paper": ["tiny"],
        "other": ["tiny"],
    }  # `paper` is the shipped one's name
    workflow.configure(config)
    return workflow


def test_the_report_of_all_has_every_comparison(copied):
    assert copied.planned("results/report.html") == {
        "figure paper perplexity", "figure other perplexity", "findings paper", "findings other",
        "report_of_all",
    }  # fmt: skip
    result = copied.run("results/report.html")
    assert result.returncode == 0, result.stdout[-4000:]
    page = (copied.folder / "results/report.html").read_text()
    assert "<h1>other and paper</h1>" in page
    figures = len(list((copied.folder / "results/tiny/figures").glob("*.svg"))) - 1
    assert page.count("<figure") == 2 + figures  # figure 1 of either, what they share once
    paper, other = (copied.folder / f"results/{group}" for group in ("paper", "other"))
    found = json.loads((paper / "findings.json").read_text())["findings"]
    profiles = [json.loads((group / "profile.json").read_text()) for group in (paper, other)]
    definitions = {
        (of["id"], *of["lineages"]) for profile in profiles for of in profile["verdicts"]
    }
    assert page.count('<span class="verdict') == len(found) + len(definitions)
    assert all(said in page for said in profiles[0]["sentences"].values())


def test_equal_artifacts_give_equal_pages(copied):
    page = copied.folder / "results/tiny/report.html"
    before = page.read_bytes()
    page.unlink()
    result = copied.run("results/tiny/report.html")
    assert result.returncode == 0, result.stdout[-4000:]
    assert page.read_bytes() == before


def test_snakemake_s_own_report_has_captions_categories_and_labels(copied, tmp_path):
    result = copied.run("tiny", "--report", "results/snakemake-report.html")
    assert result.returncode == 0, result.stdout[-4000:]
    text = (copied.folder / "results/snakemake-report.html").read_text()
    for expected in (
        "Ouroboros trains language models on their own text", "Figures", "Findings", "Samples",
        "Tables", "Perplexity on the validation set by generation", "results/tiny/report.html",
        "entropy.svg", "everything on one page",
    ):  # fmt: skip
        assert expected in text, expected
