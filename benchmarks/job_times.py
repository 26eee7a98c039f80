"""Where the time of a run goes: by rule, wall-clock and the CPU's seconds, of starts and of work.

    python benchmarks/job_times.py [FOLDER]     # of the last run there; FOLDER: where snakemake ran

Wall-clock is from Snakemake's log, which has whole seconds; a job that waits for nothing but is
written late counts as longer. CPU seconds are from the last line of each job's log: `start` is Python
and its imports. What Snakemake itself takes is in neither.
"""

import argparse
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

CPU = re.compile(r"CPU seconds: ([\d.]+) to start, ([\d.]+) at work\.")
COLUMNS = ("rule", "jobs", "wall-clock", "CPU to start", "CPU at work")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    folder = parser.parse_args().folder
    log = max(folder.glob(".snakemake/log/*.snakemake.log"), default=None)
    if log is None:
        parser.error(f"nothing ran in {folder.resolve()}: there is no log of Snakemake's.")
    rules, began, ended = read_run(folder, log.read_text(encoding="utf-8"))
    print(table(rules, (ended - began).total_seconds()))


def read_run(folder: Path, text: str) -> tuple[dict, datetime, datetime]:
    """Rule -> its jobs as [seconds, CPU to start, CPU at work]; when the run began and ended."""
    rules, running, times = defaultdict(list), {}, []
    rule = log = None
    for line in text.splitlines():
        if match := re.match(r"\[(\w{3} \w{3} +\d+ [\d:]+ \d{4})\]", line):
            times.append(datetime.strptime(match[1], "%a %b %d %H:%M:%S %Y"))
        elif match := re.match(r"(?:local)?rule (\w+):", line):
            rule, log = match[1], None
        elif match := re.match(r"    log: (\S+)", line):
            log = folder / match[1]
        elif match := re.match(r"    jobid: (\d+)", line):
            running[match[1]] = (rule, log, times[-1])
        elif match := re.match(r"Finished jobid: (\d+)", line):
            name, path, since = running[match[1]]
            if path:  # a target has no log
                rules[name].append([(times[-1] - since).total_seconds(), *cpu_seconds(path)])
    return rules, times[0], times[-1]


def cpu_seconds(path: Path) -> tuple[float, float]:
    """CPU seconds of a job's start and of its work; of a log from before there was such a line, 0."""
    found = CPU.findall(path.read_text(encoding="utf-8")) if path.exists() else []
    return tuple(map(float, found[-1])) if found else (0.0, 0.0)


def table(rules: dict, seconds: float) -> str:
    """The run as a table of Markdown, the longest rule first."""
    rows = [(name, len(jobs), *map(sum, zip(*jobs, strict=True))) for name, jobs in rules.items()]
    rows.sort(key=lambda row: -row[2])
    totals = [sum(column) for column in list(zip(*rows, strict=True))[1:]]
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|--:|--:|--:|--:|"]
    for name, count, *numbers in [*rows, ("all", *totals)]:
        lines.append(f"| {name} | {count} | {' | '.join(f'{n:,.0f} s' for n in numbers)} |")
    share = totals[3] / max(totals[2] + totals[3], 1e-9)
    lines.append(
        f"\nThe run took {seconds:,.0f} s; {share:.0%} of its jobs' CPU seconds were work."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
