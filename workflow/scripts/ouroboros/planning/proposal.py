"""The proposal of a fit: a configuration file to use, and a page that says what it gives up."""

from pathlib import Path

import yaml

from ouroboros.config.families import declaration
from ouroboros.config.layers import difference, overlay
from ouroboros.config.resolve import resolve
from ouroboros.pipeline import paths
from ouroboros.planning.arithmetic import OFF
from ouroboros.planning.fit import Choice, given_up
from ouroboros.planning.fitted_lineage import FittedLineage
from ouroboros.planning.plan import duration
from ouroboros.storage.markdown import table

SECTIONS = ("corpora", "tokenizers", "models", "training", "sampling", "evaluation", "tasks")


def proposal(lineage: FittedLineage, found: Choice, seconds: float) -> str:
    """The text of a configuration file that stands for the user's own, for this lineage.

    Raises UserError where it could not be used.
    """
    config = lineage.changed(found)
    below = yaml.safe_load((lineage.root / "config.yaml").read_text(encoding="utf-8"))
    changed = {
        section: difference(config.get(section, {}), below.get(section, {}))
        for section in (*SECTIONS, "resources", "cluster")
    }
    needed, name = {}, lineage.name
    while name is not None:  # it may be like another one
        needed[name] = config["lineages"][name]
        name = needed[name].get("like")
    changed["lineages"] = {
        name: entry for name, entry in needed.items() if entry != below["lineages"].get(name)
    }
    if judge := lineage.settings["evaluation"]["judge"]:
        changed["judges"] = {judge: config["judges"][judge]}
    models = {lineage.config["lineages"][name].get("model") for name in needed} | {found.model}
    used = {name: model for name, model in changed["models"].items() if name in models}
    changed["models"] = used
    changed = {section: entries for section, entries in changed.items() if entries}
    resolve(overlay(below, changed), lineage.schema)  # it can be used
    text = yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)
    return f"# {lineage.name} in {duration(seconds)}, --cores {lineage.cores}\n{text}"


def page(lineage: FittedLineage, found: Choice, seconds: float, text: str, path: str) -> str:
    """The proposal as a page of Markdown; its configuration file has this `text` and is at `path`."""
    before, models = lineage.configured, lineage.models
    known = lineage.guess(before)
    planned = lineage.planned(found)  # after the guess: the notes are about this one
    parameters = {
        name: declaration(model).non_embedding_parameters(model) for name, model in models.items()
    }

    def described(choice, sequences, wall_clock):
        return [choice.model, f"{parameters[choice.model]:,}", sequences, str(choice.generations),
                str(choice.batch), wall_clock]  # fmt: skip

    def of(sequences):
        return f"auto, {sequences:,}" if sequences == lineage.initial else f"{sequences:,}"

    configured = lineage.settings["sampling"]["sequences"]
    configured = of(lineage.initial) if configured == "auto" else f"{configured:,}"
    rows = zip(
        ["model", "parameters besides the embeddings", "sequences of a generation", "generations",
         "batch", "wall-clock"],
        described(before, configured, f"{duration(known)} by arithmetic (a factor of {OFF})"),
        described(found, of(found.sequences), f"{duration(planned)} as planned"),
        strict=True,
    )  # fmt: skip
    changes = given_up(before, found, lineage.whole, parameters)
    lines = [
        f"# {lineage.name} in {duration(seconds)}",
        "",
        table(("", "as configured", "proposed"), [*rows], "<<<", pad=True),
    ]
    if changes:
        lines += [
            "Against the lineage as configured:",
            "",
            *(f"- {change}" for change in changes),
            "",
        ]
    else:
        lines += ["Nothing has to be given up.", ""]
    if planned < 0.6 * seconds:
        lines += ["There is time to spare: more text, or another model, would use it.", ""]
    lines += ["```yaml", text.rstrip(), "```", "", f"It is in {path}:", "",
              "```", f"snakemake --configfile {path} --cores {lineage.cores} {lineage.name}",
              "```", ""]  # fmt: skip
    if Path(paths.EPOCHS.format(lineage=lineage.name)).exists():
        lines.append(
            f"- results/{lineage.name} has results of other settings, which this makes again: give the "
            "lineage another name in the file to keep them"
        )
    lines += [f"- {note}" for note in lineage.notes]
    return "\n".join(lines).rstrip() + "\n"
