"""Rule findings: test the paper's claims, and which definitions of collapse hold, on a lineage or a comparison."""

from ouroboros.config.families import declaration
from ouroboros.findings.evaluate import findings, findings_section
from ouroboros.findings.profile import profiles
from ouroboros.findings.results import add_story_losses, read_measurements
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.storage.atomic import write_json, write_text


def main(snakemake):
    models = snakemake.params.models
    by_lineage = read_measurements(snakemake.input)
    add_story_losses(by_lineage, snakemake.input)
    measured = {lineage: by_lineage[lineage] for lineage in models}
    # without the embeddings, which depend on the tokenizer
    sizes = {name: declaration(m).non_embedding_parameters(m) for name, m in models.items()}
    found = findings(measured, sizes, snakemake.params.setups)
    made = provenance(group=snakemake.wildcards.group, lineages=list(models))
    profile = profiles(measured, sizes, snakemake.params.setups, snakemake.params.collapse)
    write_json(snakemake.output.profile, {**profile, "provenance": made})
    write_json(snakemake.output.json, {"findings": found, "provenance": made})
    write_text(snakemake.output.markdown, findings_section(found))


if "snakemake" in globals():
    run(main, snakemake)
