"""Checkpoints and corpora open in older releases of the libraries that others use."""

import json
import os
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import torch

from ouroboros.model.checkpoint import read_checkpoint
from ouroboros.storage.checksums import verify_checksums

OLDER = (
    "transformers==4.57.1", "tokenizers==0.22.1", "huggingface_hub==0.36.0", "datasets==2.21.0",
    "pyarrow==18.1.0", "fsspec==2024.6.1", "dill==0.3.8", "multiprocess==0.70.16",
)  # fmt: skip
TEXT = "Once upon a time Mia had a"
READ_CHECKPOINT = """
import json, sys
import torch, transformers
folder, text, options = sys.argv[1:]
tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **json.loads(options))
model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
inputs = tokenizer(text, return_tensors="pt")
greedy = {"max_new_tokens": 9, "do_sample": False}
with torch.no_grad():
    found = {
        "version": transformers.__version__,
        "ids": inputs["input_ids"].tolist(),
        "logits": model(**inputs).logits.tolist(),
        "generated": model.generate(**inputs, **greedy)[0].tolist(),
        "piped": transformers.pipeline("text-generation", folder)(text, **greedy)[0]["generated_text"],
    }
print(json.dumps(found))
"""
READ_TABLES = """
import json, sys
import datasets, pyarrow, pyarrow.parquet as pq
cache, *paths = sys.argv[1:]
found = {"versions": [datasets.__version__, pyarrow.__version__]}
for path in paths:
    rows = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=cache).to_list()
    assert rows == pq.read_table(path).to_pylist()
    found[path] = rows
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """Runs a program with older libraries; returns the JSON of its last line."""
    folder = tmp_path_factory.mktemp("older")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--no-deps", "--dry-run", "--ignore-installed", "six"]).returncode:
        pytest.skip("no package index answers")
    subprocess.run([*pip, "--no-deps", "--target", folder, *OLDER], check=True)
    environment = {**os.environ, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}

    def run(program, *arguments):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        done = subprocess.run(command, env=environment, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
@pytest.mark.parametrize("names", [True, False], ids=["as it is", "made before"])
def test_a_checkpoint_opens_in_transformers_4(older, finished, tmp_path, names):
    """One made before names no inputs, and AutoTokenizer has to be told them (README)."""
    folder, options = finished.folder / "results/tiny/gen2/checkpoint", {}
    verify_checksums(folder)
    if not names:
        folder = shutil.copytree(folder, tmp_path / "checkpoint")
        config = json.loads((folder / "tokenizer_config.json").read_text())
        options = {"model_input_names": config.pop("model_input_names")}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    found = older(READ_CHECKPOINT, folder, TEXT, json.dumps(options))
    assert found["version"] == "4.57.1"
    ids, logits = torch.tensor(found["ids"]), torch.tensor(found["logits"])
    model = read_checkpoint(finished.folder / "results/tiny/gen2/checkpoint")
    with torch.no_grad():
        assert (model.logits(ids) - logits).abs().max() < 1e-4
    assert found["generated"][: ids.shape[1]] == found["ids"][0]
    assert found["generated"][ids.shape[1]] == logits[0, -1].argmax()
    assert found["piped"].startswith(TEXT)


@pytest.mark.slow
def test_corpora_open_in_an_older_datasets_and_pyarrow(older, finished, tmp_path):
    paths = sorted(finished.folder.glob("results/**/*.parquet"))
    assert len(paths) > 10
    found = older(READ_TABLES, tmp_path, *paths)
    assert found.pop("versions") == ["2.21.0", "18.1.0"]
    for path in paths:
        assert found[str(path)] == pq.read_table(path).to_pylist(), path
