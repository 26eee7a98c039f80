"""What a run will cost: its jobs, hours and bytes together, and how long it takes on so many GPUs."""

from collections import defaultdict

from ouroboros.planning.schedule import Job, critical_path, makespan

CORES_PER_GPU = 8  # where nothing else is said


def plan(listed: list[dict], costs, gpus: list[int], cores: int | None, machine_cores: int) -> dict:
    """The plan of the jobs that a dry-run lists, as JSON holds it.

    `costs`: the `Costs` of these jobs. `gpus`: how many there may be. `cores`: CPU cores that the
    run has; None stands for the machine's, and at least 8 for each GPU where jobs want GPUs.
    """
    maker = {path: index for index, job in enumerate(listed) for path in job["output"]}
    jobs, rules, disk = [], defaultdict(lambda: [0, 0.0, 0.0]), defaultdict(lambda: [0, 0.0])
    for job in listed:
        seconds = costs.seconds(job)
        parents = sorted({maker[path] for path in job["input"] if path in maker})
        jobs.append(Job(seconds, job["gpus"], job["cores"], parents))
        if not job["output"]:  # a target
            continue
        row = rules[job["rule"]]
        row[0], row[1], row[2] = row[0] + 1, row[1] + seconds, row[2] + seconds * job["gpus"]
        for path in job["output"]:
            artifact, size = costs.bytes(path)
            disk[artifact][0] += 1
            disk[artifact][1] += size
    wants_gpus = any(job.gpus for job in jobs)
    clock = []
    for count in gpus if wants_gpus else [0]:
        room = cores or max(machine_cores, CORES_PER_GPU * count)
        clock.append({"gpus": count, "cores": room, "seconds": makespan(jobs, count, room)})
    return {
        "jobs": sum(row[0] for row in rules.values()),
        "seconds": sum(row[1] for row in rules.values()),
        "gpu_seconds": sum(row[2] for row in rules.values()),
        "critical_path_seconds": critical_path(jobs),
        "wall_clock": clock,
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


def page(name: str, result: dict) -> str:
    """A plan as Markdown."""
    path = result["critical_path_seconds"]
    lines = [f"# Plan of {name}", "", *_table(("GPUs", "CPU cores", "wall-clock"), [
        (str(row["gpus"] or "none"), str(row["cores"]), duration(row["seconds"]))
        for row in result["wall_clock"]
    ])]  # fmt: skip
    lines += [
        "",
        f"{result['jobs']:,} jobs of {duration(result['seconds'])} together, "
        f"{result['gpu_seconds'] / 3600:,.1f} hours of a GPU. Generations wait for one another: "
        f"whatever the number of GPUs, no run is shorter than {duration(path)}.",
        "",
    ]
    rows = [
        (rule, f"{row['jobs']:,}", duration(row["seconds"] / row["jobs"]), duration(row["seconds"]),
         f"{row['gpu_seconds'] / 3600:,.1f}")
        for rule, row in result["rules"].items()
    ]  # fmt: skip
    lines += _table(("rule", "jobs", "each", "together", "GPU hours"), rows)
    rows = [(kind, f"{row['files']:,}", size(row["bytes"])) for kind, row in result["disk"].items()]
    rows.append(("together", "", size(sum(row["bytes"] for row in result["disk"].values()))))
    lines += ["", *_table(("on disk", "files", "size"), rows), ""]
    lines += [f"- {note}" for note in result.get("notes", [])]
    return "\n".join(lines).rstrip() + "\n"


def duration(seconds: float) -> str:
    """Seconds in the two units that fit."""
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
    """Bytes in the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def _table(head, rows):
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells):
        first, *rest = zip(cells, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return "| " + " | ".join(cells) + " |"

    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return [line(head), "|" + "|".join(rule) + "|", *map(line, rows)]
