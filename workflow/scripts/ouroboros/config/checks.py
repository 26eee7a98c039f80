"""Checks that no schema can express: settings that have to fit one another.

Each raises UserError naming the key, what is wrong and what would be right.
"""

from ouroboros.config.families import declaration, is_counted
from ouroboros.errors import UserError, suggestion


def check_lineage(where, lineage):
    """Check sizes, lengths, shards and GPUs of one lineage; `where` names it in messages."""
    model, sampling = lineage["model"], lineage["sampling"]
    family = declaration(model)
    family.check(f"{where}.model", model)
    for part, key, length in (
        ("sampling", "sequence_length", sampling["sequence_length"]),
        ("evaluation", "context", lineage["evaluation"]["context"]),
    ):
        if length > family.positions(model):
            raise UserError(
                f"{where}.{part}: {key} {length} is more than the model's positions "
                f"({family.positions(model)}). Lower it, or raise positions of the model."
            )
    training = lineage["training"]
    if "schedule" in training and training["epochs"] == "auto":
        raise UserError(
            f"{where}.training: schedule {training['schedule']} has to know when a training ends, and "
            "`epochs: auto` does not. Set epochs to a number, or remove schedule."
        )
    if is_counted(model) and training["epochs"] != 1:
        raise UserError(
            f"{where}.training: a model of the family {model['family']} counts its corpus once. Set epochs to 1."
        )
    if is_counted(model) and sampling.get("repetition_penalty", 1) != 1:
        raise UserError(
            f"{where}.sampling: repetition_penalty depends on all tokens of a sequence, and a model of the "
            f"family {model['family']} on a few. Remove it."
        )
    if sampling["sequences"] != "auto":
        _check_shards(where, sampling)
    _check_gpus(where, training["batch"], lineage["resources"]["train"])


def _check_shards(where, sampling):
    """Check that the shards of a corpus are of one size, and that none is empty."""
    if sampling["shards"] > sampling["sequences"]:
        raise UserError(
            f"{where}.sampling: shards {sampling['shards']} is more than sequences "
            f"({sampling['sequences']}); a shard holds at least one sequence."
        )
    if sampling["sequences"] % sampling["shards"]:
        raise UserError(
            f"{where}.sampling: shards {sampling['shards']} does not divide sequences "
            f"({sampling['sequences']}). {_equal_shards(**sampling)}"
        )


def _equal_shards(sequences, shards, **_):
    """The nearest settings that make equal shards, as a sentence."""
    fewer = max(k for k in range(1, shards) if sequences % k == 0)
    more = min(k for k in range(shards, sequences + 1) if sequences % k == 0)
    return (
        f"Set shards to {fewer} or {more}, or sequences to {sequences // shards * shards} or "
        f"{(sequences // shards + 1) * shards}."
    )


def _check_gpus(where, batch, resources):
    """Check that each GPU of a training job gets at least one micro-batch of every update."""
    micro_batches = -(-batch // resources["batch"])
    if resources["gpu"] > micro_batches:
        share = batch // resources["gpu"]
        less = f", or resources.train.batch to {share} or less" if share else ""
        raise UserError(
            f"{where}.resources.train: gpu {resources['gpu']} is more than the "
            f"{micro_batches} micro-batches of an update ({batch} sequences, {resources['batch']} at "
            f"once): some GPUs would have nothing to do. Set gpu to {micro_batches} or less{less}."
        )


def check_tasks(where, lineage, tasks):
    """Tasks have to be there, and their texts to fit the model."""
    settings, model = lineage["evaluation"]["classification"], lineage["model"]
    positions = declaration(model).positions(model)
    if settings["tasks"] and is_counted(model):
        raise UserError(
            f"{where}.evaluation.classification.tasks: a model of the family {model['family']} cannot be "
            "fine-tuned. Set tasks to []."
        )
    for name in settings["tasks"]:
        if name not in tasks:
            raise UserError(
                f"{where}.evaluation.classification.tasks: there is no {name!r} under `tasks`. "
                f"{suggestion(name, tasks)}"
            )
        length = tasks[name].get("max_length", settings["max_length"])
        if length > positions:
            raise UserError(
                f"{where}.evaluation.classification: max_length {length} of {name} is more than the "
                f"model's positions ({positions}). Lower it, or raise positions of the model."
            )


def check_judge(where, lineage, judges):
    """Check that the judge of a lineage exists."""
    judge = lineage["evaluation"]["judge"]
    if judge is not None and judge not in judges:
        raise UserError(
            f"{where}.evaluation: there is no {judge!r} under `judges`. {suggestion(judge, judges)}"
        )


def check_reserved(resolved: dict, reserved: set[str]):
    """Check that no lineage or comparison has a name that the workflow itself uses."""
    for kind in ("lineages", "comparisons"):
        for name in resolved[kind]:
            if name in reserved:
                raise UserError(
                    f"config: {kind}.{name}: this name is taken by the workflow itself. "
                    f"Give it another one; taken are {', '.join(sorted(reserved))}."
                )


def check_comparisons(lineages: dict, comparisons: dict):
    """Check that comparisons have names of their own, and that their members exist."""
    for name, members in comparisons.items():
        if name in lineages:
            raise UserError(
                f"config: comparisons.{name}: a lineage has this name already; both are folders "
                "of results/, so give the comparison another one."
            )
        for member in members:
            if member not in lineages:
                raise UserError(
                    f"config: comparisons.{name}: there is no lineage {member!r}. "
                    f"{suggestion(member, lineages)}"
                )


def check_plan(plan, config, resolved):
    """Check that the entries that a plan names exist, and that a time is given for one lineage."""
    groups = [*resolved["lineages"], *resolved["comparisons"]]
    for key, known in (
        ("groups", groups),
        ("rates", config["models"]),
        ("corpora", config["corpora"]),
        ("tasks", resolved["tasks"]),
    ):
        for name in plan[key]:
            if name not in known:
                raise UserError(
                    f"config: plan.{key}: there is no {name!r}. {suggestion(name, known)}"
                )
    if plan["fit"] is not None:
        # one with `seeds` is a comparison, of lineages that the configuration has no entries of
        lineages = [name for name in config["lineages"] if name not in resolved["comparisons"]]
        if len(plan["groups"]) != 1 or plan["groups"][0] not in lineages:
            raise UserError(
                f"config: plan.fit: {plan['fit']} is for one lineage (with one seed), which `groups` names: "
                f"plan='{{fit: {plan['fit']}, groups: [{lineages[0] if lineages else 'mine'}]}}'. There "
                f"are {', '.join(lineages)}."
            )
