"""Folders whose names end every job are refused, and others are not."""

import sys
from pathlib import Path

import pytest

from ouroboros.errors import UserError
from ouroboros.preflight.place import check_place


@pytest.mark.parametrize("name", ["[proj] clone", "it's (mine) & $HOME", "müller", "a~b#c!"])
def test_the_clone_may_have_any_name_without_braces(name):
    check_place(Path("/disk", name), "/opt/müller/[x]/.venv/bin/python3.11")


@pytest.mark.parametrize("name", ["a{b}c", "{x", "x}"])
def test_braces_are_refused(name):
    with pytest.raises(UserError, match="for a wildcard. Rename that folder"):
        check_place(Path("/disk", name, "clone"), sys.executable)


@pytest.mark.parametrize("sign", " \t'\"$&;|<>()`\\{")
def test_a_python_that_a_shell_does_not_find_is_refused(sign):
    with pytest.raises(UserError, match="into shell commands without quotes"):
        check_place(Path("/disk"), f"/disk/my{sign}drive/.venv/bin/python")
