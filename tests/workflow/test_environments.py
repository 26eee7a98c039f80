"""Pinned requirements can be installed: their lists agree, and resolve as on an ordinary machine."""

import itertools
import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml
from tools import REPOSITORY

REQUIREMENTS = "envs/requirements-dev.txt"  # it includes requirements.txt
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
# Packages of pure Python that are published as source alone; all others have to have a wheel.
SOURCE_ONLY = ("connection-pool", "future", "yattag")


def test_pip_and_conda_pin_the_same_versions():
    lines = (REPOSITORY / "envs/requirements.txt").read_text().splitlines()
    pip = [line.split("#")[0].strip() for line in lines if line and not line.startswith("#")]
    conda = yaml.safe_load((REPOSITORY / "envs/ouroboros.yaml").read_text())
    assert conda["dependencies"][-1]["pip"] == pip
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", requirement) for requirement in pip)


def test_what_is_installed_is_what_is_pinned():
    for line in (REPOSITORY / "envs/requirements.txt").read_text().splitlines():
        if "==" in line:
            name, pin = line.split("#")[0].strip().split("==")
            assert version(name).split("+")[0] == pin, name


def start(*command):
    """Start a command as on a machine that nobody has configured: no local wheels, no constraints."""
    ours = ("PIP_", "UV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def install(*wanted):
    """The exit status and output of pip's installation of what is wanted, without installing it."""
    pip = start(
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--disable-pip-version-check",
        *wanted,
    )
    output, _ = pip.communicate()
    return pip.returncode, output


@pytest.fixture(scope="module")
def index():
    """A package index that answers; without one there is nothing to resolve against."""
    status, output = install("--no-deps", "six")
    if status:
        pytest.skip(f"no package index answers: {output.strip().splitlines()[0]}")


def test_pip_resolves_them_for_this_machine(index):
    """With the builds of the public index: its torch for Linux requires packages that others do not."""
    status, output = install("-r", REQUIREMENTS)
    assert status == 0, output[-3000:]


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([*zip(PYTHONS, PLATFORMS, strict=True)], id="each once"),
        pytest.param([*itertools.product(PYTHONS, PLATFORMS)], id="all", marks=pytest.mark.slow),
    ],
)
def test_they_resolve_for_other_pythons_and_platforms(index, pairs):
    """All side by side: a resolver mostly waits for the index."""
    no_binary = [word for name in SOURCE_ONLY for word in ("--no-binary", name)]
    resolvers = {
        (python, platform): start(
            "uv", "pip", "compile", "--no-config", "--quiet", "--only-binary", ":all:", *no_binary,
            "--python-version", python, "--python-platform", platform, REQUIREMENTS,
        )
        for python, platform in pairs
    }  # fmt: skip
    outputs = {key: resolver.communicate()[0] for key, resolver in resolvers.items()}
    failed = {key: outputs[key][-2000:] for key, made in resolvers.items() if made.returncode}
    assert not failed, failed
