"""Kills a small lineage's whole process tree at random moments until it is done, and compares.

    python tests/support/kills.py 100 --seed 1     # 100 kills, in a temporary folder

Every restart is the two documented commands. The artifacts of every lineage that got to its end are
compared byte by byte with those of one that nobody disturbed.
"""

import argparse
import contextlib
import copy
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from tools import TINY, Workflow, artifacts

TARGETS = [
    "results/tiny/gen2/corpus/shard-00000.parquet", "results/tiny/gen2/ppl.json",
    "results/tiny/gen1/ppl.json", "results/tiny/gen2/theory.json", "results/tiny/gen2/support.json",
]  # fmt: skip
RESUMED = re.compile(r"Resuming after (update|sequence) [1-9]")


def long_jobs() -> dict:
    """The tiny lineage, with jobs so long that most kills come inside one, and many states."""
    config = copy.deepcopy(TINY)
    config["state_minutes"] = 0.003
    config["training"]["tiny"] |= {"batch": 4, "learning_rate": 2.0e-3, "max_epochs": 8}
    config["sampling"]["tiny"] |= {"sequences": 450, "shards": 1}
    lineage = config["lineages"]["tiny"]
    lineage["generations"] = 2
    lineage["overrides"]["resources"]["sample"]["batch"] = 3
    lineage["overrides"]["resources"]["train"]["batch"] = 2  # several micro-batches per update
    return config


def stories() -> list[str]:
    """Enough to train on for some seconds."""
    names, things = ["Mia", "Tom", "Lily", "Ben"], ["ball", "kite", "boat", "stone"]
    return [
        f"Once upon a time {name} had a {thing}. {name} put it under tree {number}, and slept."
        for number in range(40)
        for name in names
        for thing in things
    ]


class Victim(Workflow):
    """A copy of the workflow whose runs can be killed."""

    def __init__(self, folder, config=None, targets=TARGETS):
        super().__init__(folder)
        self.targets = targets
        self.set_up(stories())
        self.configure(config or long_jobs())

    def anew(self, folder) -> "Victim":
        """The same run, of which nothing is made yet."""
        other = Victim(folder, targets=self.targets)
        shutil.copy(self.folder / "tiny.yaml", folder)
        return other

    def start(self) -> subprocess.Popen:
        """Snakemake in a session of its own, its output in a file."""
        command = [sys.executable, "-m", "snakemake", "--configfile", "tiny.yaml", "--cores", "2"]
        with open(self.folder / "output.txt", "ab") as output:
            return subprocess.Popen(
                [*command, *self.targets], cwd=self.folder, stdout=output, stderr=output,
                start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip

    def unlock(self):
        """The first of the two documented commands; the second is `start`."""
        result = self.run("--unlock")
        assert result.returncode == 0, result.stdout

    def resumed(self, since: float) -> int:
        """The jobs that carried on from a state after this time (of the clock)."""
        logs = [*(self.folder / "logs").rglob("*.log")]
        return sum(
            path.stat().st_mtime > since and bool(RESUMED.search(path.read_text())) for path in logs
        )

    def settled(self) -> dict[str, bytes]:
        """Every artifact's content, without the clock and host of a provenance block."""
        results = self.folder / "results"
        contents = {}
        for name in artifacts(results):
            if not name.endswith(".snakemake_timestamp"):
                contents[name] = (results / name).read_bytes()
            if name.endswith(".json"):
                content = json.loads(contents[name])
                if isinstance(content.get("provenance"), dict):
                    del content["provenance"]["run"]
                contents[name] = json.dumps(content).encode()
        return contents


def session(leader: int) -> list[psutil.Process]:
    """The processes in the session of this process, whoever its parent is by now."""
    members = []
    for member in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(member.pid) == leader and member.status() != psutil.STATUS_ZOMBIE:
                members.append(member)
    return members


def kill(process: subprocess.Popen, number: int):
    """Send a signal to the whole tree, as a scheduler does; SIGKILL to what is left after minutes."""
    while members := session(process.pid):
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        process.wait()
        psutil.wait_procs(members, timeout=120)
        number = signal.SIGKILL


def differing_bytes(ours: dict[str, bytes], theirs: dict[str, bytes]) -> int:
    """Bytes that differ, over all artifacts; one that is missing counts whole."""
    count = 0
    for name in ours.keys() | theirs.keys():
        a, b = ours.get(name, b""), theirs.get(name, b"")
        count += sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))
    return count


def undisturbed(folder: Path, *run) -> Victim:
    """Run lineages that nobody disturbs to their end; `seconds` is how long that took."""
    victim = Victim(folder, *run)
    started = time.monotonic()
    assert victim.start().wait() == 0, (folder / "output.txt").read_text()[-4000:]
    victim.seconds = time.monotonic() - started
    return victim


def campaign(folder: Path, reference: Victim, kills: int, seed: int, say=print) -> dict:
    """Kill `kills` times; how many lineages and artifacts were compared, and what differed."""
    chance = random.Random(seed)
    whole, expected = reference.seconds, reference.settled()
    say(f"seed {seed}: undisturbed run of {whole:.0f} s, {len(expected)} artifacts")
    total = {"kills": 0, "SIGKILL": 0, "SIGTERM": 0, "resumed": 0, "lineages": 0, "artifacts": 0, "differing": 0}  # fmt: skip
    while total["kills"] < kills:
        victim = reference.anew(folder / f"victim{total['lineages']}")
        while True:
            begun = time.time()
            process = victim.start()
            if total["kills"] == kills:  # the last one is left alone
                process.wait()
            else:
                # of no upper limit: else a machine that has become slower would never get done
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=chance.expovariate(6 / whole))
            if process.poll() is not None:
                total["resumed"] += victim.resumed(begun)
                assert process.returncode == 0, (victim.folder / "output.txt").read_text()[-4000:]
                break
            number = chance.choice([signal.SIGKILL, signal.SIGTERM])
            kill(process, number)
            total["resumed"] += victim.resumed(begun)
            total["kills"] += 1
            total[number.name] += 1
            victim.unlock()
        found = victim.settled()
        differing = differing_bytes(found, expected)
        total["lineages"] += 1
        total["artifacts"] += len(found)
        total["differing"] += differing
        say(f"{total}")
        for name in sorted(found.keys() ^ expected.keys()):
            say(f"only in one of the two: {name}")
        for name in sorted(found.keys() & expected.keys()):
            if found[name] != expected[name]:
                say(f"different: {name}")
        if not differing:
            shutil.rmtree(victim.folder)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reference = undisturbed(Path(folder) / "undisturbed")
        total = campaign(
            Path(folder), reference, options.kills, options.seed, lambda s: print(s, flush=True)
        )
    sys.exit(total["differing"] != 0)


if __name__ == "__main__":
    main()
