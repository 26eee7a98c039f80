"""What the reports show, and of whom."""

CAPTIONS = {"accuracy": "classification", "weighted_f1": "classification"}


def in_report(path, caption):
    """An output that is a figure, shown in Snakemake's own report too; `caption` names its .rst."""
    owner = path.split("/")[1]
    return report(
        path,
        caption=f"{workflow.basedir}/workflow/report/{caption}.rst",
        category="Figures",
        subcategory=owner,
        labels={"figure": Path(path).stem, "of": owner},
    )


def figure_files(group):
    """The figures of a lineage or a comparison, in the order of the report.

    The caption of figures/{name}.svg is workflow/report/{name}.rst, but for those in CAPTIONS.
    """
    return [
        f"results/{group}/figures/perplexity.svg",
        *(
            f"results/{name}/figures/{figure}.svg"
            for name in GROUPS[group]
            for figure in own_figures(name)
        ),
    ]


def own_figures(lineage):
    """The figures of a lineage, but for figure 1, which may be a comparison's."""
    graded, tasks = gpt_eval_files(lineage), classification_files(lineage)
    return [
        "entropy",
        *(["gpt_eval"] if graded else []),
        *(["accuracy", "weighted_f1"] if tasks else []),
        "losses",
        "schematic",
    ]


def report_groups(wildcards):
    """The wildcards' group; for the report of everything, all that `all` makes."""
    if "group" in wildcards.keys():
        return [wildcards.group]
    return list(COMPARISONS or LINEAGES)


def report_figures(wildcards):
    """The figures of all groups of a report; what comparisons share, once."""
    return list(
        dict.fromkeys(path for group in report_groups(wildcards) for path in figure_files(group))
    )


def report_captions(wildcards):
    """The caption of each of `report_figures`."""
    return [
        f"{workflow.basedir}/workflow/report/{CAPTIONS.get(name, name)}.rst"
        for name in (Path(path).stem for path in report_figures(wildcards))
    ]


def report_lineages(wildcards):
    """The lineages of a report."""
    return list(dict.fromkeys(name for group in report_groups(wildcards) for name in GROUPS[group]))


def report_measurements(wildcards):
    """The measurements of a report's lineages."""
    return [path for name in report_lineages(wildcards) for path in measurement_files(name)]


def report_settings(wildcards):
    """The resolved settings of a report's lineages, resources left out: they change no result."""
    return {name: _shown(LINEAGES[name]) for name in report_lineages(wildcards)}


def _shown(lineage):
    tasks = lineage["evaluation"]["classification"]["tasks"]
    shown = {key: lineage[key] for key in lineage if key not in ("name", "resources")}
    for part, section in (("corpus", "corpora"), ("tokenizer", "tokenizers")):
        shown[part] = {lineage[part]: RESOLVED[section][lineage[part]]}
    return {**shown, "tasks": {name: RESOLVED["tasks"][name] for name in tasks}}
