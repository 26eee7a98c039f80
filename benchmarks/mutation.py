"""How many faults the tests catch: cosmic-ray plants them one at a time in a copy of the library.

    python benchmarks/mutation.py                                     # 200 mutants of PACKAGES
    python benchmarks/mutation.py --package pipeline --sample 12      # or any path of the library

A mutant changes one operator, number, condition, loop, decorator or exception; the tests of its
package run with it. The sample is of places in the code, one mutant at each. The same command
again goes on where the last one stopped, then tests the survivors again; changed source code or
another sample begins anew. The copy and the sessions are in mutants/.
"""

import argparse
import hashlib
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import TestOutcome

REPOSITORY = Path(__file__).resolve().parent.parent
SESSIONS = REPOSITORY / "mutants"
TREE = SESSIONS / "tree"
LIBRARY = Path("workflow/scripts/ouroboros")
PACKAGES = [
    "model",
    "training",
    "sampling",
    "metrics/classification",
    "metrics/gpt_eval",
    "metrics/ppl",
    "metrics/text",
    "metrics/oov",
    "findings",
    "pipeline",
    "jobs/snapshots.py",
]
# Other folders of tests that test a package: kernels are compared with the model's own arithmetic, and
# losses with perplexity's definition.
TESTED_IN = {"model": ["kernels", "metrics/ppl"]}
# `|` stands mostly in annotations, where any other operator fails at import; `is` for `==` and
# the reverse change nothing for None, True and small numbers.
TRIVIAL = re.compile("BinaryOperator_BitOr_|_(Is_Eq|Eq_Is|IsNot_NotEq|NotEq_IsNot)$")
COLUMNS = ["caught", "timeout", "survived", "not run"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", nargs="*", help="default: all of PACKAGES")
    parser.add_argument("--sample", type=int, default=200, help="mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--minutes", type=float, default=120, help="0 prints the table alone")
    options = parser.parse_args()
    packages = options.package or PACKAGES
    copy_repository()
    os.chdir(TREE)
    paths = sorted(find_modules([LIBRARY / package for package in packages]))
    digest = hashlib.sha256(repr([(path, path.read_text()) for path in paths]).encode())
    name = f"{options.sample}-seed{options.seed}-{digest.hexdigest()[:12]}.sqlite"
    with use_db(SESSIONS / name) as session:
        if not session.num_work_items:
            session.add_work_items(draw(paths, options.sample, options.seed))
        run(session, packages, time.monotonic() + 60 * options.minutes)
        report(session, packages)


def copy_repository():
    """Copy what git tracks or would track, with the changes that are not committed."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, names.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, TREE / name)


def draw(paths: list[Path], sample: int, seed: int) -> list:
    """Choose `sample` places of the code at random, and one mutant of each."""
    with use_db(":memory:") as every:
        init(paths, every, {})
        items = [i for i in every.work_items if not TRIVIAL.search(i.mutations[0].operator_name)]

    def key(item):
        mutation = item.mutations[0]
        return str(mutation.module_path), mutation.operator_name, mutation.occurrence

    items.sort(key=key)
    random.Random(seed).shuffle(items)
    one_each = {(i.mutations[0].module_path, i.mutations[0].start_pos): i for i in items}
    places = sorted(one_each.values(), key=key)
    return random.Random(seed).sample(places, min(sample, len(places)))


def run(session, packages: list[str], deadline: float):
    """Test the mutants that have no result, in random order; then the survivors again."""
    survivors = [i for i, r in session.completed_work_items if outcome(r) == "survived"]
    for item in [*session.pending_work_items, *survivors]:
        if time.monotonic() > deadline:
            break
        package = package_of(item, packages)
        result = mutate_and_test(item.mutations, test_command(package), time_limit(package))
        session.set_result(item.job_id, result)
        failed = re.search("^(FAILED|ERROR) .*", result.output or "", re.MULTILINE)
        by = f" by {failed[0].split()[1]}" if failed else ""
        print(f"{outcome(result):8} {place(item)}{by}", file=sys.stderr, flush=True)


def test_command(package: str) -> str:
    folders = [package if Path("tests/unit", package).is_dir() else str(Path(package).parent)]
    paths = [f"tests/unit/{folder}" for folder in folders + TESTED_IN.get(package, [])]
    return shlex.join([sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *paths])


@cache
def time_limit(package: str) -> float:
    """Seconds that the tests of `package` may take, by how long they take without a mutant."""
    start = time.monotonic()
    result, output = run_tests(test_command(package), None)
    if result != TestOutcome.SURVIVED:
        sys.exit(f"{output}\nThe tests of {package} fail without a mutant.")
    return 30 + 3 * (time.monotonic() - start)


def report(session, packages: list[str]):
    """Print the outcomes by package, and what each survivor changes."""
    results = dict(session.results)
    counts = {package: Counter() for package in packages}
    for item in session.work_items:
        counts[package_of(item, packages)][outcome(results.get(item.job_id))] += 1
    counts["all"] = sum(counts.values(), Counter())
    print(f"| package | {' | '.join(COLUMNS)} | score |\n|---|{'--:|' * (len(COLUMNS) + 1)}")
    for package, count in counts.items():
        caught = count["caught"] + count["timeout"]
        score = f"{caught / (caught + count['survived']):.0%}" if caught + count["survived"] else ""
        print(f"| {package} | {' | '.join(str(count[c]) for c in COLUMNS)} | {score} |")
    for item in sorted(session.work_items, key=place):
        if outcome(result := results.get(item.job_id)) == "survived":
            print(f"\n{place(item)}\n{re.search('@@.*', result.diff, re.DOTALL)[0]}")


def outcome(result) -> str:
    if result is None or result.test_outcome not in (TestOutcome.KILLED, TestOutcome.SURVIVED):
        return "not run"
    if result.test_outcome == TestOutcome.SURVIVED:
        return "survived"
    return "timeout" if result.output == "timeout" else "caught"


def package_of(item, packages: list[str]) -> str:
    path = item.mutations[0].module_path.relative_to(LIBRARY)
    return next(package for package in packages if path.is_relative_to(package))


def place(item) -> str:
    mutation = item.mutations[0]
    return f"{mutation.module_path}:{mutation.start_pos[0]:03} {mutation.operator_name}"


if __name__ == "__main__":
    main()
