"""The report's page: its tables, its captions, and what it looks like in a browser."""

import re
from html.parser import HTMLParser

import docutils.utils
import pandas as pd
import pytest
from browser import evaluated, needs_chromium, rendered
from tools import REPOSITORY

from ouroboros.findings.evaluate import group_findings
from ouroboros.pipeline.declarations import figures
from ouroboros.report.captions import caption
from ouroboros.report.drawing.generations import draw_by_generation
from ouroboros.report.page import (
    figure,
    page,
    part_id,
    rows,
    settings_text,
    verdicts,
)
from ouroboros.report.tables import (
    Table,
    classification,
    definitions,
    gpt_eval,
    in_order,
    made_with,
    numbers,
    side_by_side,
)

TEMPLATE = REPOSITORY / "workflow/report/page.html"
EVIL = '<script>document.body.dataset.bad = 1</script><img src="http://127.0.0.1/x">&'
VERSIONS = dict.fromkeys(("ouroboros", "torch", "transformers", "python"), "1.0")


def measured(generations):
    """A lineage's measurements, in an order that is not theirs."""
    lms = {}
    for lm in [*(f"gen{n}" for n in range(generations, -1, -1)), "baseline"]:
        made = {"provenance": {"device": "cpu", "seed": 0, "versions": {**VERSIONS, "commit": "c"}}}
        lms[lm] = {
            "ppl": {"perplexity": 10.0, "standard_error": 0.02, **made},
            "text": {"entropy": 5.12345, "oov_words": 12345, "tail": {"surviving": 0.5}, "zipf": {"slope": -1.1},
                     "most_frequent_tokens": [[".", 0.1], [" a", 0.05], ["\n", 0.01]], **made},
            "oov": {"oov_words": 23456, "oov_share": 0.0421, "most_frequent_oov_words": [["z", 9], ["eee", 1]],
                    **made},
            "classification": {
                "sst2": {
                    "accuracy": 0.75, "standard_error": 0.01, "weighted_f1": 0.7,
                    "majority": {"class": EVIL, "accuracy": 0.5, "weighted_f1": 0.33}, **made,
                }
            },
        }  # fmt: skip
    del (
        lms["gen0"]["ppl"],
        lms["gen0"]["classification"],
        lms["baseline"]["text"],
        lms["baseline"]["oov"],
    )
    score = {"mean": 7.0, "standard_error": 0.25}
    lms["gen1"]["gpt_eval"] = {
        "grammar": score, "creativity": score, "consistency": {"mean": None, "standard_error": None},
        "graded": 438, "unparsed": 2, "bill": {"money": 1.234}, **made,
    }  # fmt: skip
    return lms


def finding(lineage, p_value):
    return {
        "id": "x", "lineages": [lineage], "statement": f"It rises {EVIL}", "source": "3.2",
        "statistic": "Mann-Kendall", "values": {}, "p_value": p_value,
        "verdict": "confirmed" if p_value else "not enough data", "explanation": "2.0 +- 0.1",
    }  # fmt: skip


def definition(lineage, p_value):
    return {
        "id": "any-increase", "lineages": [lineage], "definition": f"Risk increases {EVIL}",
        "statistic": "difference", "threshold": None, "p_value": p_value,
        "verdict": "holds" if p_value else "not measured", "evidence": f"1.0 +- 0.1 {EVIL}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A page with all sections, two lineages of 40 generations, and markup in every text."""
    folder = tmp_path_factory.mktemp("page")
    made = measured(40)
    texts = [f"Once upon {EVIL} a time.<|endoftext|>" + "word" * 60] * 3
    lineages = [
        {
            "name": name, "generations": 40, "numbers": numbers(made), "gpt_eval": gpt_eval(made),
            "accuracy": classification(made, "accuracy"), "made_with": made_with(made),
            "weighted_f1": classification(made, "weighted_f1"),
            "start": f"Each generation begins with the weights of {EVIL}.",
            "epochs": f"Trained for 3 epochs {EVIL}",
            "sentence": f"{name}: perplexity went from 2 to 3 {EVIL}.",
            "settings": settings_text({"model": {"note": EVIL + "x" * 300}}),
            "samples": [{"generation": n, "texts": texts} for n in range(41)],
        }
        for name in ("33m", "1m")
    ]  # fmt: skip
    drawn = []
    for owner, compared in (("both", ["33m", "1m"]), ("33m", ["33m"])):
        drawing = folder / f"results/{owner}/figures/perplexity.svg"
        drawing.parent.mkdir(parents=True)
        draw_by_generation(
            pd.DataFrame(
                {"lineage": name, "generation": n, "value": 10.0 + n, "error": 0.2}
                for name in compared
                for n in range(1, 41)
            ),
            "Perplexity on the validation set", {}, [drawing],
        )  # fmt: skip
        drawn.append(figure(drawing, figures()["perplexity"].CAPTION, rows(lineages)))
    text = page(
        TEMPLATE, lineages, title=EVIL, figures=drawn,
        side_by_side=side_by_side(
            {"33m": made, "1m": made}, {"33m": {"regime": "mix"}, "1m": {"regime": EVIL}}
        ),
        findings=verdicts([finding("33m", 0.01), finding("33m", None), finding("1m", 0.2)]),
        profile=group_findings([definition("33m", 0.01), definition("1m", None)]),
        definitions=definitions([definition("33m", 0.01), definition("1m", None)]),
    )  # fmt: skip
    path = folder / "report page.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_of_numbers():
    tables = numbers(measured(11))
    table = tables[""]
    assert [row[0] for row in table.rows] == ["baseline", *(str(n) for n in range(12))]
    names = [name for name, _ in table.head]
    row = dict(zip(names, table.rows[5], strict=True))
    # 10 * 0.02: the delta method takes the mean loss's error to perplexity's
    assert row["perplexity"] == "10.00 ± 0.20"
    assert (row["entropy"], row["OOV words"], row["rare tokens left"]) == (
        "5.123",
        "12,345",
        "50.0%",
    )
    assert (row["all OOV words"], row["share of all OOV words"]) == ("23,456", "4.21%")
    assert row["rep-4"] == ""
    assert all(row[0] != "baseline" for name in list(tables)[1:] for row in tables[name].rows)
    assert ["1", "", "", "", "", "-1.100", "", "", "", "", ""] in tables["More about the text"].rows
    assert ["1", ". ␣a \\n", "", "", "z eee", ""] in tables["Most frequent tokens and words"].rows
    assert in_order({"gen10": {}, "gen2": {}, "baseline": {}}) == ["baseline", "gen2", "gen10"]


def test_tables_of_scores_are_there_where_scores_are():
    made = measured(1)
    assert gpt_eval(made).rows == [["1", "7.00 ± 0.25", "7.00 ± 0.25", "", "438", "2", "1.23"]]
    # .01 of the examples and .01 of the seeds of fine-tuning, assumed where there is one
    assert classification(made, "accuracy").rows[0] == ["baseline", "0.750 ± 0.014"]
    made["baseline"]["classification"]["sst2"]["seeds"] = 3  # and the error has their spread
    assert classification(made, "accuracy").rows[0] == ["baseline", "0.750 ± 0.010"]
    assert classification(made, "weighted_f1").rows == [["baseline", "0.700"], ["1", "0.700"]]
    assert classification(made, "weighted_f1").head[1] == ("sst2", f"always “{EVIL}”: 0.330")
    bare = {"gen1": {"ppl": made["gen1"]["ppl"]}}
    assert gpt_eval(bare) is None and classification(bare, "accuracy") is None


def test_different_makers_are_all_named():
    made = measured(2)
    made["gen2"]["ppl"]["provenance"] = {**made["gen1"]["ppl"]["provenance"], "device": "H100"}
    rows = {row[0]: row for row in made_with(made).rows}
    assert rows["ppl"][1:4] == ["3", "H100, cpu", "0"]
    assert rows["classification"][1:3] == ["3", "cpu"]


def test_findings_are_counted_and_parted_by_lineage():
    got = verdicts([finding("a", 0.01), finding("b", 0.3), finding("a", None)])
    assert got["counts"] == {"confirmed": 2, "contradicted": 0, "not enough data": 1}
    assert [(p.name, len(p.tested), len(p.untested)) for p in got["parts"]] == [
        ("a", 1, 1), ("b", 1, 0),
    ]  # fmt: skip


def test_captions_are_html_and_include_nothing():
    text, html = caption("**Losses <by> generation** (figure 1). The\nrest.\n")
    assert text == "Losses <by> generation (figure 1)"
    assert "<strong>Losses &lt;by&gt; generation</strong> (figure 1)." in html
    for forbidden in (".. include:: /etc/hostname", ".. raw:: html\n\n   <b>x</b>", "**open"):
        with pytest.raises(docutils.utils.SystemMessage):
            caption(f"Text.\n\n{forbidden}\n")


def test_every_caption_reads_well():
    files = [path for path in TEMPLATE.parent.glob("*.rst") if path.name != "figure.rst"]
    captions = {path.name: path.read_text() for path in files}
    captions |= {name: figure.CAPTION for name, figure in figures().items()}
    for name, text in captions.items():
        first, _ = caption(text)
        assert 10 < len(first) < 200 and "{{" not in text, name


def test_what_a_model_wrote_cannot_become_markup(shown):
    text = shown.read_text()
    assert text.count("<script") == 1 and "<img" not in text
    assert "Once upon &lt;script&gt;" in text and "Trained for 3 epochs &lt;script&gt;" in text
    assert text.count(EVIL.replace("&", "&amp;")) == 0 and EVIL not in text


def test_the_page_says_what_the_error_of_an_accuracy_contains(shown):
    assert "a standard deviation of 0.01 between seeds is assumed" in shown.read_text()


def test_nothing_is_fetched(shown):
    found = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attributes):
            names = ("src", "srcset", "href", "xlink:href", "data", "poster", "action")
            found.extend(value for name, value in attributes if name in names)
            assert tag not in ("iframe", "object", "base", "image")

    text = shown.read_text()
    Links().feed(text)
    assert len(found) > 100
    assert {link for link in found if not link.startswith("#")} == {"data:,"}
    style = re.search("<style>(.*?)</style>", text, re.S)[1]
    assert "@import" not in style
    assert set(re.findall(r"url\(.", text)) == {"url(#"}  # parts of the same figure
    scripts = re.findall("<script>(.*?)</script>", text, re.S)
    assert scripts == [(TEMPLATE.parent / "page.js").read_text()]
    assert not re.search("fetch|XMLHttp|import|http", scripts[0])


def test_ids_are_unique_and_links_resolve(shown):
    text = shown.read_text()
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 300
    links = re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)
    assert len(links) > 500 and set(links) <= set(ids)


def test_the_contents_have_every_section_and_its_parts(shown):
    nav = re.search("<nav.*?</nav>", shown.read_text(), re.S)[0]
    links = re.findall('href="#([^"]+)"', nav)
    expected = ["collapse", "findings", "findings/33m", "findings/1m", "side-by-side"]
    expected += ["figures", "figures/both", "figures/33m"]
    for section in ("numbers", "samples", "gpt-eval", "classification", "provenance"):
        expected += [section, f"{section}/33m", f"{section}/1m"]
    assert links == expected


def test_a_pair_s_part_is_not_that_of_a_lineage_with_such_a_name():
    ids = [part_id("findings", name) for name in ("a and b", "a_and_b", "a-and-b", "a, b and c")]
    assert len(set(ids)) == 4 and not any(" " in made for made in ids)


def test_a_generation_s_number_its_samples_and_its_points_lead_to_each_other(shown):
    text = shown.read_text()
    row, samples = "33m/gen7/numbers", "33m/gen7/samples"
    tables = text.count(f'<a href="#{samples}">7</a>')
    assert tables == 3 + 2 + 1  # numbers, scores, and the list above the samples
    assert f'<th scope="row" id="{row}"><a href="#{samples}">7</a>' in text
    assert f'<th scope="col" id="{samples}"><a href="#{row}">Generation 7</a>' in text
    point = f'href="#{row}" tabindex="-1"><title>33m, generation 7: 17.00 ± 0.20</title>'
    assert text.count(point) == 2  # of its own figure and of the comparison's
    assert 'href="#1m/gen7/numbers" tabindex="-1"><title>1m, generation 7' in text


def test_a_figure_drawn_before_there_were_titles_is_shown_as_it_was(tmp_path):
    old = tmp_path / "results/33m/figures/losses.svg"
    old.parent.mkdir(parents=True)
    old.write_text(
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' width="600.5pt" height="302pt"><defs><style>*{stroke-linecap: butt}</style><path id="m1"/></defs>'
        '<use xlink:href="#m1" clip-path="url(#m1)"/></svg>'
    )
    made = figure(old, "**Losses.**", {})
    assert made["owner"] == "33m" and made["wide"]
    assert "<style" not in made["svg"] and "<?xml" not in made["svg"]
    for part in ('id="33m/figures/losses/m1"', 'xlink:href="#33m/figures/losses/m1"',
                 "url(#33m/figures/losses/m1)", 'role="img" aria-label="Losses, of 33m"'):  # fmt: skip
        assert part in made["svg"]


@needs_chromium
def test_the_browser_shows_all_sections_and_complains_of_nothing(shown, tmp_path):
    dom, said = rendered(shown, tmp_path)
    assert said == ""
    assert set(re.findall(r'<section id="([^"]+)"', dom)) == {
        "collapse", "findings", "side-by-side", "figures", "numbers", "samples", "gpt-eval", "classification", "provenance",
    }  # fmt: skip
    assert "data-bad" not in dom
    assert "<button" in dom  # the policy lets the page's own script run


@needs_chromium
def test_tables_sort_by_a_click_and_what_has_no_value_is_last(tmp_path):
    """Numbers with errors, percents and thousands by size; words by letters; a third click: as it was."""
    columns = {
        "perplexity": ["1,030.46 ± 0.20", "9.50 ± 10.00", "inf", "", "-3.2", "1e-05"],
        "share": ["50.0%", "6.0%", "nan", "-", "100.0%", "7.5%"],
        "words": ["b 2", "", "a", "c", "10", "B"],
    }
    cells = list(zip("012345", *columns.values(), strict=True))
    made = Table([("generation", "its number"), *((name, "") for name in columns)], cells)
    lineage = {
        "name": "33m", "generations": 5, "numbers": {"": made}, "gpt_eval": None, "accuracy": None,
        "made_with": made, "epochs": "", "start": None, "settings": "", "sentence": None,
        "samples": [{"generation": 0, "texts": ["x"]}],
    }  # fmt: skip
    path = tmp_path / "page.html"
    path.write_text(page(TEMPLATE, [lineage], [], verdicts([]), [], "33m"), encoding="utf-8")
    got = evaluated(
        path, tmp_path,
        """
        const table = document.querySelector("#numbers table");
        return [...table.tHead.rows[0].cells].slice(1).map(head => [1, 2, 3].map(() => {
            head.querySelector("button").click();
            const sorts = [...table.querySelectorAll("[aria-sort]")].map(e => e.ariaSort);
            return [...table.tBodies[0].rows].map(row => row.cells[0].textContent).join("") + sorts;
        }));
        """,
        390,
    )  # fmt: skip
    assert got == [
        ["451023ascending", "201543descending", "012345"],
        ["150423ascending", "405123descending", "012345"],
        ["425031ascending", "305241descending", "012345"],
    ]


@needs_chromium
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overflows_and_every_generation_is_a_jump_away(shown, tmp_path, width):
    got = evaluated(
        shown, tmp_path,
        """
        const nav = document.querySelector("nav"), closed = nav.offsetHeight;
        for (const e of document.querySelectorAll("nav ul ul a, .lead, h3")) e.textContent = "x".repeat(60);
        document.querySelectorAll("details").forEach(d => d.open = true);
        const all = [...document.querySelectorAll("body *")];
        const inside = e => e.closest(".scroll, pre, .skip");
        const over = all.filter(e => !inside(e) && e.getBoundingClientRect().right > innerWidth + 1);
        location.hash = "#33m/gen30/samples";
        const column = document.getElementById("33m/gen30/samples"), box = column.closest(".scroll");
        const scrolled = box.scrollLeft;
        box.scrollLeft = 1e6;  // and back, where the pinned column must not hide it
        location.hash = "";
        location.hash = "#33m/gen30/samples";
        const said = row => {  // what is under the middle of a point
            const point = document.querySelector(`figure [href="#${row}"] circle`);
            point.scrollIntoView({block: "center"});
            const at = point.getBoundingClientRect();
            return document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2)
                .closest("a").querySelector("title").textContent;
        };
        const top = row => {
            location.hash = "#" + row;
            return document.getElementById(row).getBoundingClientRect().top;
        };
        const a = column.getBoundingClientRect(), b = box.getBoundingClientRect();
        return {width: innerWidth, closed: closed, contents: nav.offsetHeight, page: document.documentElement.scrollWidth,
                over: over.map(e => e.outerHTML.slice(0, 200)),
                figures: [...document.querySelectorAll("figure svg")].map(
                    e => e.clientHeight / e.clientWidth > 0.6 && e.ariaLabel.length > 10),
                pointed: said("33m/gen7/numbers"), row: top("33m/gen7/numbers"),
                left: a.left - b.left, right: b.right - a.right, scrolled: scrolled,
                top: a.top, height: innerHeight,
                pinned: box.querySelector("th").getBoundingClientRect().left - b.left};
        """,
        width,
    )  # fmt: skip
    assert got["width"] == width >= got["page"]
    assert got["over"] == [] and got["figures"] == [True, True]
    assert (
        got["closed"] < got["height"] * 0.4
    )  # eight sections, each a line beside the page at desk width
    if width >= 1024:  # it is always in sight, and scrolls where it must
        assert got["contents"] < got["height"]
    assert got["pointed"].endswith("m, generation 7: 17.00 ± 0.20")
    assert 50 < got["row"] < got["height"] - 20
    assert got["scrolled"] > 1000 and got["left"] >= 0 and got["right"] >= -1
    assert 0 <= got["top"] < got["height"] / 2
    if width >= 1024:  # the initial corpus stays beside it
        assert 0 <= got["pinned"] <= 2 and got["left"] >= 300
