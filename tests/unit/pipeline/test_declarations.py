"""Declarations are found by listing folders, and are light."""

import subprocess
import sys

import pytest
import yaml
from tools import REPOSITORY

from ouroboros.config.families import families
from ouroboros.config.regimes import regimes
from ouroboros.pipeline import declarations
from ouroboros.pipeline.regimes import sources as sources_of

HEAVY = ("torch", "numpy", "pyarrow", "transformers", "tokenizers", "matplotlib", "pandas", "spacy")


def test_what_there_is():
    assert list(regimes()) == [
        "accumulate", "accumulate_subsample", "counts", "fresh", "growth", "history", "mix", "published", "replace",
        "window",
    ]  # fmt: skip
    assert list(declarations.metrics()) == [
        "ppl", "text", "oov", "gpt_eval", "classification", "theory", "support",
    ]  # fmt: skip
    assert list(declarations.figures()) == [
        "perplexity", "entropy", "gpt_eval", "accuracy", "weighted_f1", "losses", "theory", "schematic",
    ]  # fmt: skip


def test_declarations_import_nothing_heavy():
    code = (
        "import sys; from ouroboros.pipeline import declarations as d; d.metrics(); d.figures();"
        "from ouroboros.config.families import families; families();"
        "from ouroboros.config.regimes import regimes; regimes();"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY / "workflow/scripts", text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", [regimes, declarations.metrics, declarations.figures])
def test_every_declaration_says_what_it_is(kind):
    for name, module in kind().items():
        assert module.__doc__.strip().splitlines()[0].endswith("."), name


def test_every_family_says_what_it_is_and_has_all_that_is_read():
    """A family declares all of this; the rest its class checks when a model is made."""
    assert "gpt_neo" in families()
    for name, family in families().items():
        assert family.__doc__.strip().splitlines()[0].endswith("."), name
        for function in ("check", "positions", "parameters", "non_embedding_parameters"):
            assert callable(getattr(family, function)), (name, function)


def test_the_schema_learns_of_them():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    before = yaml.safe_dump(schema)
    definitions = declarations.complete(schema)["$defs"]
    assert definitions["regime"]["properties"]["name"]["enum"] == [*regimes()]
    assert definitions["mix_regime"]["properties"]["rho"]["default"] == 0.1
    assert definitions["evaluation"]["properties"]["context"]["default"] == 512
    assert definitions["gpt_neo_model"]["properties"]["window"]["default"] == 256
    resources = definitions["resources"]["properties"]
    defaults = {
        name: {key: of.get("default") for key, of in resources[name]["properties"].items()}
        for name in ("ppl", "text")
    }
    assert defaults["ppl"]["batch"] == 32 and "batch" not in defaults["text"]
    assert (defaults["text"]["mem_mb"], defaults["text"]["gpu"]) == (6000, 0)
    assert yaml.safe_dump(schema) == before  # a copy is completed


@pytest.mark.parametrize(
    ("regime", "n", "sources"),
    [
        ("replace", 1, [0]),
        ("replace", 7, [6]),
        ("accumulate", 1, [0]),
        ("accumulate", 4, [0, 1, 2, 3]),
    ],
)
def test_regimes(regime, n, sources):
    settings = {} if regime == "replace" else {"cap": None}
    assert sources_of(regimes()[regime], n, settings) == sources
