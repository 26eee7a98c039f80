"""The status of a folder as plain text of at most 100 columns, and its exit code."""

import textwrap
import time
from collections import defaultdict
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.pipeline import paths, run_records
from ouroboros.planning.plan import duration
from ouroboros.preflight.snakemake_lock import describe_lock, is_locked
from ouroboros.status.jobs import (
    AT_WORK,
    CUT_OFF,
    DONE,
    FAILED,
    SENT,
    TRAINING,
    read_jobs,
    sign_of_life,
)
from ouroboros.status.time_left import seconds_to_go

WIDTH, NAME = 100, 24  # columns of a line, of a lineage's name
ALL_DONE, HAS_FAILED, NOTHING, RUNNING, STOPPED = range(5)  # exit codes
WORST = (HAS_FAILED, STOPPED, RUNNING, ALL_DONE)  # which of several runs' codes counts
SHARED = "(shared)"  # what several lineages need
CHAIN = (*TRAINING, "sample")  # generations wait for these


def status(root: Path) -> tuple[str, int]:
    """The status of the runs of this folder, and the exit code.

    Raises UserError where there is nothing to tell. `root`: the folder of the Snakefile.
    """
    runs = [run for _, run in run_records.read_all()]
    if not runs:
        raise UserError(_nothing_here())
    pages, codes = zip(*(_page(run, root) for run in runs), strict=True)
    return "\n\n".join(pages), min(codes, key=WORST.index)


def _nothing_here():
    here = Path.cwd()
    if not any(path.is_dir() for path in Path("results").glob("*")):
        return (
            f"Nothing ran in {here}. Start a run there (snakemake --cores all demo), or name the folder "
            "of one: make status DIRECTORY=FOLDER"
        )
    return (
        f"{here} has results, but no record of a run in logs/runs/: they were made by an older version, "
        "or without their logs. The next run leaves a record; what it would do there, the same command "
        "with -n lists."
    )


def _page(run, root):
    alive = False if run["ended"] else run_records.is_alive(run)
    over = alive is False or (alive is None and not is_locked(Path.cwd()))
    jobs = read_jobs(run, over)
    done, failed = ([job for job in jobs if job.state == state] for state in (DONE, FAILED))
    if run["outcome"] == run_records.DONE or len(done) == len(jobs):
        code, said, failed = ALL_DONE, "done", []
    elif over:
        code, said = STOPPED, "failed" if failed else "stopped"
    else:
        code, said = RUNNING, "running" if alive else "running, or killed"
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run["started"]))
    lines = [
        _cut(f"{' '.join(run['targets'])}: {said}; {len(done)} of {len(jobs)} jobs done", WIDTH),
        _cut(f"begun {began} by process {run['pid']} on {run['host']}, {_where(run)}", WIDTH),
        *_wrapped(_how_it_stands(run, code, alive, failed)),
        "",
    ]
    left, basis = seconds_to_go(run, jobs, root) if code != ALL_DONE else (None, None)
    lines += _table(run, jobs, left)
    if basis:
        total = f"about {duration(max(left.values()))}, by" if left else "unknown:"
        lines += ["", *_wrapped(f"time left: {total} {basis}")]
    if failed:
        lines += ["", "failed:"]
    for job in failed:
        lines.append(_cut(f"  {job.owner or SHARED} {job.name}: {job.log}", WIDTH))
        lines += _wrapped(job.error or _without_a_word(run), indent="    ")
    return "\n".join(lines), HAS_FAILED if failed else code


def _where(run):
    return "jobs on this machine" if run["executor"] == "local" else f"jobs by {run['executor']}"


def _how_it_stands(run, code, alive, failed):
    """A sentence on what a reader has to know or do; empty where the state says it all."""
    if code == STOPPED and failed:
        return "Nothing runs any more. Put right what failed; the same command again carries on."
    if code == STOPPED and run["ended"]:
        return "It was stopped before all was done. The same command again carries on."
    if code == STOPPED:
        killed = f"Its Snakemake is no more on {run['host']}. The same command again carries on."
        return (alive is False and describe_lock(Path.cwd())) or killed
    if code == RUNNING and alive is None:
        seen = sign_of_life(run)
        ago = f"; a log grew {duration(max(0.0, time.time() - seen))} ago" if seen else ""
        return (
            f"It began on {run['host']}, and from this machine one cannot see whether it still runs{ago}. "
            f"Look there for process {run['pid']}."
        )
    return ""


def _without_a_word(run):
    return (
        "its log names no error: it was killed (memory, time limit), or ended before its script began. "
        f"Snakemake's log: {run['snakemake_log']}"
    )


def _table(run, jobs, left):
    """A line for each lineage, comparison, and what is shared: generations, jobs, work, time left."""
    lineages = [name for name in run["resolved"]["lineages"] if name in run_records.lineages(run)]
    of = defaultdict(list)
    for place, job in enumerate(jobs):
        of[job.owner or SHARED].append(place)
    others = [name for name in of if name not in lineages]
    if SHARED in others and all(jobs[place].state == DONE for place in of[SHARED]):
        others.remove(SHARED)
    rows = [("lineage", "generations", "jobs", "at work", "left")]
    for name in [*lineages, *others]:
        places = of[name]
        own = [jobs[place] for place in places]
        done = sum(job.state == DONE for job in own)
        seconds = [left[place] for place in places if place in left] if left else []
        rows.append(
            (
                _cut(name, NAME),
                _generations(run, name, own) if name in lineages else "",
                f"{done} of {len(own)}" if own else "none",
                _work(run, own),
                duration(max(seconds)) if seconds else "",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    work = rows[0].index("at work")
    room = WIDTH - sum(widths) + widths[work] - len("  ") * (len(widths) - 1)
    widths[work] = min(widths[work], room)
    rows = [(*row[:work], _cut(row[work], room), *row[work + 1 :]) for row in rows]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _generations(run, lineage, jobs):
    """`5 of 8`: those that are trained, and sampled as far as the run asks for it."""
    numbers = {int(job.lm[3:]) for job in jobs if (job.lm or "").startswith("gen")}
    if lineage in run_records.lineages_of(run["targets"], run["resolved"]):
        numbers.add(run["resolved"]["lineages"][lineage]["generations"])
    last = max(numbers, default=0)
    undone = {job.lm for job in jobs if job.rule in CHAIN and job.state != DONE}
    there = [
        f"gen{n}" not in undone
        and Path(paths.CHECKPOINT.format(lineage=lineage, lm=f"gen{n}")).exists()
        for n in range(1, last + 1)
    ]
    return f"{sum(there)} of {last}"


def _work(run, jobs):
    """The jobs that are at work, or were cut off, in words: the training or sampling first, with its rate; how much else."""
    found = defaultdict(list)
    for job in jobs:
        if job.state in (AT_WORK, SENT, CUT_OFF):
            found[job.rule not in CHAIN, job.state != AT_WORK, job.name].append(job)
    if not found:
        return ""
    first, *others = (found[key] for key in sorted(found))
    more = sum(map(len, others))
    return _doing(run, first) + (f" +{more} more" if more else "")


def _doing(run, jobs):
    """One rule's jobs of one LM, in words: how far they are, and the sum of their rates."""
    job = jobs[0]
    reports = [each.reported for each in jobs if each.reported]
    count = f" ({len(jobs)} jobs)" if len(jobs) > 1 else ""
    if job.state == CUT_OFF:
        return f"cut off: {job.name}{count}"
    if job.state == SENT:
        return f"{job.name}{count}: {'starting' if run['executor'] == 'local' else 'queued'}"
    if not reports:
        return f"{job.name}{count}: begun" + (f" {duration(job.since)} ago" if job.since else "")
    share = sum(report.done for report in reports) / max(1, sum(report.total for report in reports))
    rate, unit = sum(report.rate for report in reports), reports[0].unit
    if job.rule == "sample":
        lineage = run["resolved"]["lineages"][job.owner]
        rate, unit = rate / lineage["sampling"]["sequence_length"], "sequences"
    epoch = reports[-1].what.rpartition(", ")[2] if job.rule in TRAINING else ""
    epoch = f", {epoch}" if epoch else ""
    return f"{job.name}{epoch}{count} {share:.0%}, {_rounded(rate)} {unit}/s"


def _rounded(rate):
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _wrapped(text, indent=""):
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False,
        max_lines=4, placeholder=" …",
    )  # fmt: skip


def _cut(text, width):
    return text if len(text) <= width else f"{text[: width - 1]}…"
