"""Refuse, before anything runs, lineages that want more real text than their corpus has.

The Snakefile's checks use it, so it imports nothing heavy.
"""

from ouroboros.config.regimes import regimes
from ouroboros.errors import UserError
from ouroboros.planning.data_sizes import corpus_size

MARGIN = 1.3  # an estimate may be too low by as much


def check_real_text(facts: dict, margin: float = MARGIN):
    """Raise UserError for a lineage that wants more real sequences than its corpus has.

    `facts`: of `plan_facts`. Exact where the corpus has been tokenised; before that, by the size of its files
    or the settings of a grammar, and only where it is clear, by `margin`. Of a dataset of the hub nothing is known.
    """
    for name, lineage in facts["lineages"].items():
        initial, corpus = lineage.get("initial_sequences"), facts["corpora"][lineage["corpus"]]
        if initial is None or (corpus["settings"]["source"] == "hub" and not corpus["counts"]):
            continue
        wanted = initial + _fresh(lineage, initial)
        given = facts["plan"]["corpora"].get(lineage["corpus"], {})
        sizes, _ = corpus_size(
            lineage["corpus"],
            corpus["settings"],
            given,
            corpus["counts"],
            corpus["bytes"],
            corpus["tokenizer"],
        )
        stream = sum(sizes["train"][of] for of in ("tokens", "stories"))
        there = stream // lineage["sampling"]["sequence_length"]
        if wanted > there * (1 if corpus["counts"] else margin):
            about = "" if corpus["counts"] else "about "
            raise UserError(
                f"config: lineages.{name}: it wants {wanted:,} real sequences ({initial:,} `initial_sequences` "
                f"and {wanted - initial:,} fresh ones in {lineage['generations']} generations), and the corpus "
                f"{lineage['corpus']} has {about}{there:,}. Give it more text, or set fewer `generations`, a "
                "smaller `rho` or fewer `initial_sequences`."
            )


def has_real_text(facts: dict, name: str, generations: int) -> bool:
    """True where the corpus of a lineage is thought to have the real text that so many generations want."""
    lineage = facts["lineages"][name] | {"generations": generations}
    try:
        check_real_text({**facts, "lineages": {name: lineage}}, margin=1)
    except UserError:
        return False
    return True


def _fresh(lineage, initial):
    """Sequences that the last generation's recipe reaches to in the text beyond C_0."""
    sequences = lineage["sampling"]["sequences"]
    sampled = initial if sequences == "auto" else sequences
    parts = regimes()[lineage["regime"]].parts(
        lineage["generations"],
        lambda k: sampled if k else initial,
        **lineage.get("regime_settings", {}),
    )
    return max((part.start + part.count for part in parts if part.start is not None), default=0)
