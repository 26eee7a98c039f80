"""Which LMs are judged, and by whom."""

# Scripts find the judges here, with their defaults filled in.
config["judges"] = RESOLVED["judges"]


def judged(lineage):
    """The LMs that a lineage's judge grades: the baseline, generation 1, and every so many more."""
    every = LINEAGES[lineage]["evaluation"]["judged_every"]
    return ["baseline", *lms(lineage)[::every]]


def gpt_eval_files(lineage):
    """The grades of a lineage's judged LMs; none where it has no judge."""
    if LINEAGES[lineage]["evaluation"]["judge"] is None:
        return []
    return [f"results/{lineage}/{lm}/gpt_eval.json" for lm in judged(lineage)]


def judge_name(wildcards):
    """The judge of the wildcards' lineage."""
    name = LINEAGES[wildcards.lineage]["evaluation"]["judge"]
    if name is None:
        raise WorkflowError(
            f"The lineage {wildcards.lineage} has no judge. Name an entry of `judges` under `judge` "
            "of its evaluation settings."
        )
    return name


def judge_identity(wildcards):
    """What decides a judge's replies; its pace and its prices do not."""
    name = judge_name(wildcards)
    keys = ("base_url", "model", "temperature", "max_tokens", "attempts")
    return {"name": name, **{key: RESOLVED["judges"][name][key] for key in keys}}
