"""Rule recipe: which sequences of which corpora a generation trains on."""

from ouroboros.config.regimes import regimes
from ouroboros.data.recipe import count_sequences, split, write_recipe
from ouroboros.jobs.script import run
from ouroboros.pipeline.regimes import RESERVE, by_source


def main(snakemake):
    settings, corpora = snakemake.params.settings, by_source(snakemake.input)
    sizes = count_sequences(corpora)
    reserve = split(sizes[RESERVE], settings["initial_sequences"])[1] if RESERVE in sizes else ()
    generation, regime = settings["generation"], regimes()[settings["regime"]]
    parts = regime.parts(generation, sizes.__getitem__, **settings["settings"])
    write_recipe(parts, sizes, settings["seed"], generation, snakemake.output[0], reserve)


if "snakemake" in globals():
    run(main, snakemake)
