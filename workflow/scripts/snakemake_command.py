"""The `snakemake` of .venv/bin: sort out which words are targets, then call Snakemake's own main.

Snakemake gives every word after `--resources` or `--configfile` to that option, a target too, and
ends in a traceback. Jobs and plugins call `python -m snakemake` and never pass here.
"""

import argparse
import getpass
import os
import sys
import tempfile
from pathlib import Path

from snakemake.cli import get_argument_parser, main
from snakemake.common import get_appdirs
from snakemake.exceptions import WorkflowError

CONFIGURATIONS = (".yaml", ".yml", ".json")


def sort_words(words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Return the command line with its targets at the end, after `--`.

    Words that an option of several words cannot mean (`belongs_to`) are targets. Ends the program
    with a message where such an option is left without any.
    """
    options, targets, words = [], [], list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            targets += words
            break
        if not word.startswith("-") or word == "-":
            targets.append(word)
            continue
        options.append(word)
        action = option_that_takes_more(word, parser)
        if action is None:
            continue
        following = 0
        while following < len(words) and not words[following].startswith("-"):
            following += 1
        if action.nargs in ("+", "*"):
            given, words = words[:following], words[following:]
            own = [each for each in given if belongs_to(action, each)]
            if action.nargs == "+" and not own:
                parser.error(
                    f"argument {'/'.join(action.option_strings)}: {_wanted(action, given)}"
                )
            options += own
            targets += [each for each in given if each not in own]
        else:
            count = min(following, 1 if action.nargs in (None, "?") else action.nargs)
            options += words[:count]
            words = words[count:]
    return [*options, "--", *targets] if targets else options


def option_that_takes_more(word: str, parser: argparse.ArgumentParser) -> argparse.Action | None:
    """Return the option to which the words after `word` belong; None where it stands alone.

    Knows `--res` for `--resources`, beginnings of names that are unambiguous, `--resources=gpu=1`,
    `-j4`, and letters in one word (`-nj 4`).
    """
    known = parser._option_string_actions
    if word.startswith("--") or word in known:
        same = {id(known[name]): known[name] for name in known if name.startswith(word)}
        action = known.get(word) or (next(iter(same.values())) if len(same) == 1 else None)
        return action if action is not None and action.nargs != 0 else None
    for place, letter in enumerate(word[1:], start=1):
        action = known.get(f"-{letter}")
        if action is None or action.nargs != 0:
            return action if place == len(word) - 1 else None
    return None


def belongs_to(action: argparse.Action, word: str) -> bool:
    """Tell whether a word after an option of several words can be one of its own."""
    if action.dest == "configfile":
        below_results = Path(word).parts[:1] == ("results",)
        return word.endswith(CONFIGURATIONS) and not (below_results and word.endswith(".json"))
    if action.choices:
        return word in map(str, action.choices)
    return "=" in word or not _takes_pairs(action)


def _takes_pairs(action):
    return "=" in str(action.metavar) or action.dest in ("groups", "group_components")


def _wanted(action, given):
    if action.dest == "configfile":
        wanted = "a file that ends in .yaml, .yml or .json"
    elif action.choices:
        wanted = f"one or more of {', '.join(map(str, action.choices))}"
    else:
        wanted = str(action.metavar)
    return f"expected {wanted}" + (f", which {given[0]!r} is not" if given else "")


def check(words: list[str], parser: argparse.ArgumentParser):
    """End the program with a message where the words make no sense or a configuration is missing."""
    try:
        found, _ = parser.parse_known_args(words)
    except (ValueError, WorkflowError) as error:
        parser.error(str(error))
    for file in found.configfile or ():
        if not Path(file).is_file():
            parser.error(f"argument --configfile: there is no file {str(file)!r}")


def name_the_user():
    """Give a user who has no name, as in a container, one; Snakemake asks for it, and for a home."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # since Python 3.13 the second
        os.environ["USER"] = str(os.getuid())
        os.environ.setdefault("HOME", "/")


def check_cache():
    """End the program where the cache cannot be written that Snakemake keeps what it reads in."""
    cache = get_appdirs().user_cache_dir
    try:
        os.makedirs(cache, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        sys.exit(
            f"snakemake: error: Snakemake's cache {cache} cannot be written ({error.strerror}). Name a "
            "folder that can be in the environment: XDG_CACHE_HOME=FOLDER snakemake ..., on macOS HOME."
        )


if __name__ == "__main__":
    name_the_user()
    parser = get_argument_parser()
    parser.prog = "snakemake"
    sys.argv = ["snakemake", *sort_words(sys.argv[1:], parser)]
    check(sys.argv[1:], parser)
    check_cache()
    main()
