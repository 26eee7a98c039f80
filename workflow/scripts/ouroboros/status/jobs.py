"""States of a run's jobs, from artifacts, the jobs' logs and Snakemake's log.

All of these are files, so that a run on a cluster is seen from any machine that shares its folder.
"""

import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ouroboros.jobs.progress import Reported, last_reported
from ouroboros.pipeline import paths
from ouroboros.preflight.file_times import TOLERANCE

DONE, AT_WORK, SENT, FAILED, CUT_OFF, WAITING = (
    "done", "at work", "sent", "failed", "cut off", "waiting",
)  # fmt: skip
TRAINING = ("train_first", "train")
TAIL = 65_536  # bytes at the end of a log in which an error or a line of progress is looked for
# what jobs/script.py writes: a user's error, or a traceback after the second
ERROR = re.compile(
    r"^\d{4}-\d\d-\d\d \S+ (?:error: |(This is an error of the workflow itself:\n))"
    r"(.*?)(?=\n\d{4}-\d\d-\d\d |\Z)",
    re.M | re.S,
)
# of Snakemake's log: [date], a heading, and what belongs to it, indented
DATE = re.compile(r"\[(\w{3} \w{3} [ \d]\d \S+ \d{4})\]$")
HEADING = re.compile(r"(?:(Error in )|local)?rule \w+:$")


@dataclass
class Job:
    """A job of a record (see pipeline/run_records.py) and how far it is.

    `since`: seconds since it was started, None where that is unknown. `reported`: its last line of
    progress. `error`: what the log of a job that failed says.
    """

    record: dict
    state: str
    since: float | None = None
    reported: Reported | None = None
    error: str | None = None

    @property
    def rule(self) -> str:
        return self.record["rule"]

    @property
    def log(self) -> str:
        return self.record["log"] or self.record["output"][0]

    @property
    def lm(self) -> str | None:
        """The LM or corpus that it is of: "gen3"; None of a job for a whole lineage, or for several."""
        artifact = paths.parse(self.record["output"][0])
        return artifact.wildcards.get("lm") if artifact else None

    @property
    def owner(self) -> str | None:
        """Its lineage, or its comparison; None of what lineages share."""
        wildcards = self.record["wildcards"]
        return wildcards.get("lineage") or wildcards.get("group")

    @property
    def name(self) -> str:
        """Its rule, and the LM or the corpus that it is of."""
        rule = "train" if self.rule in TRAINING else self.rule
        return f"{self.lm} {rule}" if self.lm else rule


def read_jobs(run: dict, over: bool) -> list[Job]:
    """The jobs of a recorded run, in the record's order; `over`: its Snakemake has ended."""
    events = _events(run["snakemake_log"])
    return [_read(job, run, events, over) for job in run["jobs"]]


def sign_of_life(run: dict) -> float | None:
    """When a log of a run last grew, in seconds since 1970."""
    logs = [run["snakemake_log"], *(job["log"] for job in run["jobs"])]
    return max(filter(None, map(_modified, filter(None, logs))), default=None)


def _read(job, run, events, over):
    began = run["started"] - TOLERANCE
    if all((_modified(path) or 0.0) >= began for path in job["output"]):
        return Job(job, DONE)
    log = job["log"] or job["output"][0]
    happened, when = events.get(log, (None, None))
    since = time.time() - when if when else None
    written = _modified(log) or 0.0
    # of this attempt: an earlier one's log stands there while the next waits for its node
    own = written >= max(began, (when or began) - TOLERANCE)
    text = _tail(log) if own or happened == FAILED else ""
    # generation 1 also measures its held-out stories, between two epochs
    what = "generation" if job["rule"] in TRAINING else ""
    reported, error = last_reported(text, what), _error(text)
    if happened == FAILED or error:
        return Job(job, FAILED, since, reported, error)
    if not own and happened is None:
        return Job(job, WAITING)
    if over:
        return Job(job, CUT_OFF, since, reported)
    return Job(job, AT_WORK if own else SENT, since, reported)


def _error(text):
    """The last error in a job's log: a user's whole, of a traceback the last line; None without one."""
    found = [*ERROR.finditer(text)]
    if not found:
        return None
    traceback, said = found[-1].groups()
    lines = said.split("\n") if not traceback else said.strip().split("\n")[-1:]
    return " ".join(" ".join(lines).split())


def _events(snakemake_log):
    """The last event of each job, by its log -> (AT_WORK or FAILED, seconds since 1970)."""
    events, when, happened = {}, None, None
    try:
        # by lines: with a hundred thousand jobs it is large
        with open(snakemake_log or "", encoding="utf-8", errors="replace") as lines:
            for line in map(str.rstrip, lines):
                if date := DATE.match(line):
                    when = datetime.strptime(date[1], "%a %b %d %H:%M:%S %Y").timestamp()
                elif heading := HEADING.match(line):
                    happened = FAILED if heading[1] else AT_WORK
                elif happened and line.startswith("    log: "):
                    log = line[9:].removesuffix(" (check log file(s) for error details)")
                    events[log], happened = (happened, when), None
    except OSError:  # removed, or this user's no more
        pass
    return events


def _modified(path):
    """When a file was last modified, in seconds since 1970; None where it is not there."""
    try:
        # gen0's corpus is a link that was made later than what it leads to
        return max(Path(path).lstat().st_mtime, Path(path).stat().st_mtime)
    except OSError:
        return None


def _tail(path):
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
