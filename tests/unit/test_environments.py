"""The two descriptions of the environment agree."""

import re

import yaml
from tools import REPOSITORY


def test_pip_and_conda_pin_the_same_versions():
    lines = (REPOSITORY / "envs/requirements.txt").read_text().splitlines()
    pip = [line.split("#")[0].strip() for line in lines if line and not line.startswith("#")]
    conda = yaml.safe_load((REPOSITORY / "envs/ouroboros.yaml").read_text())
    assert conda["dependencies"][-1]["pip"] == pip
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", requirement) for requirement in pip)


def test_what_is_installed_is_what_is_pinned():
    from importlib.metadata import version

    for line in (REPOSITORY / "envs/requirements.txt").read_text().splitlines():
        if "==" in line:
            name, pin = line.split("#")[0].strip().split("==")
            assert version(name).split("+")[0] == pin, name
