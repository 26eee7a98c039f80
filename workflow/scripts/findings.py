"""Rule findings: the paper's findings, judged by what was measured of a lineage or of several."""

from pathlib import Path

from adaptor import run
from ouroboros.artifacts import read_json, write_json, write_text
from ouroboros.findings import findings, findings_section
from ouroboros.provenance import provenance


def main(snakemake):
    models = snakemake.params.models
    measured = {lineage: {} for lineage in models}
    for path in map(Path, snakemake.input):
        figures = read_json(path)
        made = figures["provenance"]
        artifacts = measured[made["lineage"]].setdefault(made["lm"], {})
        if path.parent.name == "classification":
            artifacts = artifacts.setdefault("classification", {})
        artifacts[path.stem] = figures
    # The parameters besides the embeddings, which depend on the tokenizer (Kaplan et al. 2020).
    sizes = {name: 12 * m["layers"] * m["hidden_size"] ** 2 for name, m in models.items()}
    found = findings(measured, sizes)
    block = provenance(group=snakemake.wildcards.group, lineages=list(models))
    write_json(snakemake.output.json, {"findings": found, "provenance": block})
    write_text(snakemake.output.markdown, findings_section(found))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
