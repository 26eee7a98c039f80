"""The plan of a run: its jobs, hours and bytes in total, and its wall-clock on given numbers of GPUs."""

from collections import defaultdict

from ouroboros.planning.schedule import Job, critical_path, makespan
from ouroboros.storage.markdown import table

CORES_PER_GPU = 8  # at least, unless the configuration gives `plan.cores`


def plan(listed: list[dict], costs, gpus: list[int], cores: int | None, machine_cores: int) -> dict:
    """The plan of the jobs that a dry-run lists (see dry_run.py), as JSON holds it.

    `costs`: their JobCosts. `gpus`: each number of GPUs to give the wall-clock for. `cores`: CPU
    cores of the run; None stands for the machine's, and at least 8 per GPU where jobs ask for GPUs.
    """
    jobs = timed(listed, costs)
    rules, disk = defaultdict(lambda: [0, 0.0, 0.0]), defaultdict(lambda: [0, 0.0])
    for job, seconds in zip(listed, (each.seconds for each in jobs), strict=True):
        if not job["output"]:  # a target
            continue
        row = rules[job["rule"]]
        row[0], row[1], row[2] = row[0] + 1, row[1] + seconds, row[2] + seconds * job["gpus"]
        for path in job["output"]:
            artifact, size = costs.bytes(path)
            disk[artifact][0] += 1
            disk[artifact][1] += size
    any_gpu = any(job.gpus for job in jobs)
    wall_clock = []
    for count in gpus if any_gpu else [0]:
        run_cores = cores or max(machine_cores, CORES_PER_GPU * count)
        wall_clock.append(
            {"gpus": count, "cores": run_cores, "seconds": makespan(jobs, count, run_cores)}
        )
    return {
        "jobs": sum(row[0] for row in rules.values()),
        "seconds": sum(row[1] for row in rules.values()),
        "gpu_seconds": sum(row[2] for row in rules.values()),
        "critical_path_seconds": critical_path(jobs),
        "wall_clock": wall_clock,
        "rules": {
            rule: {"jobs": count, "seconds": seconds, "gpu_seconds": gpu_seconds}
            for rule, (count, seconds, gpu_seconds) in sorted(
                rules.items(), key=lambda item: -item[1][1]
            )
        },
        "disk": {
            artifact: {"files": count, "bytes": round(size)}
            for artifact, (count, size) in sorted(disk.items(), key=lambda item: -item[1][1])
        },
    }


def timed(listed: list[dict], costs) -> list[Job]:
    """The jobs that a dry-run lists, with their seconds, as a schedule takes them."""
    maker = {path: index for index, job in enumerate(listed) for path in job["output"]}
    return [
        Job(
            costs.seconds(job),
            job["gpus"],
            job["cores"],
            sorted({maker[path] for path in job["input"] if path in maker}),
        )
        for job in listed
    ]


def page(name: str, result: dict) -> str:
    """A plan as a page of Markdown."""
    path = result["critical_path_seconds"]
    rows = [
        (str(row["gpus"] or "none"), str(row["cores"]), duration(row["seconds"]))
        for row in result["wall_clock"]
    ]
    lines = [
        f"# Plan of {name}",
        "",
        table(("GPUs", "CPU cores", "wall-clock"), rows, "<>>", pad=True),
        f"{result['jobs']:,} jobs, {duration(result['seconds'])} in total, "
        f"{result['gpu_seconds'] / 3600:,.1f} GPU hours. Generations wait for one another: "
        f"whatever the number of GPUs, no run is shorter than {duration(path)}.",
        "",
    ]
    rows = [
        (rule, f"{row['jobs']:,}", duration(row["seconds"] / row["jobs"]), duration(row["seconds"]),
         f"{row['gpu_seconds'] / 3600:,.1f}")
        for rule, row in result["rules"].items()
    ]  # fmt: skip
    lines.append(table(("rule", "jobs", "each", "total", "GPU hours"), rows, "<>>>>", pad=True))
    rows = [(kind, f"{row['files']:,}", size(row["bytes"])) for kind, row in result["disk"].items()]
    rows.append(("total", "", size(sum(row["bytes"] for row in result["disk"].values()))))
    lines.append(table(("on disk", "files", "size"), rows, "<>>", pad=True))
    lines += [f"- {note}" for note in result.get("notes", [])]
    return "\n".join(lines).rstrip() + "\n"


def duration(seconds: float) -> str:
    """Seconds in words: s, min, h or d, the next smaller unit too where there is room."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24:02d} h"


def size(count: float) -> str:
    """Bytes in words: B, kB, MB, GB or TB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
