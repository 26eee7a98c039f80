"""A real SLURM on this machine alone: one node, pretend GPUs, a folder and ports of its own.

    python tests/slurm/cluster.py FOLDER     # says how to use it, and runs until Ctrl-C

Its GPUs are device files that every machine has: SLURM hands them out as it does real ones. It has an
accounting daemon or none. It runs as root, as the daemons demand, and ends each of them by its process id.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import accounting
import psutil

DAEMONS = ("munged", "slurmctld", "slurmd")
PACKAGES = "slurm-wlm munge slurmdbd mariadb-server"
GPU_FILES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "ptmx"))
SLURM_CONF = """\
ClusterName=ouroboros
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[slurmctld]}
SlurmdPort={ports[slurmd]}
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/prolog
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=20
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:pretend:{gpus} State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=small Nodes={host} MaxTime=600
PartitionName=tight Nodes={host} MaxTime=5
PartitionName=large Nodes={host} MaxTime=7-0
PartitionName=urgent Nodes={host} PriorityTier=2
"""
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none\n"
# Before each task: the step, the GPUs that the job sees, and all that SLURM knows of the job.
PROLOG = """\
#!/bin/sh
echo "$SLURM_STEP_ID|$CUDA_VISIBLE_DEVICES|$({scontrol} show job -o $SLURM_JOB_ID)" >> {folder}/tasks
"""
# The plugin's jobs call srun without any SLURM_* variable, SLURM_CONF among them.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


def missing(accounts: bool = False) -> str | None:
    """Why no SLURM, or none with accounting, can be started here."""
    wanted = DAEMONS + (accounting.DAEMONS if accounts else ())
    absent = [name for name in wanted if not shutil.which(name)]
    if absent:
        return f"{', '.join(absent)} not installed (apt-get install {PACKAGES})"
    return None if os.geteuid() == 0 else "SLURM's daemons want root"


class Cluster:
    """SLURM between `start` and `stop`; `environment` is what its users need."""

    def __init__(self, folder: Path, accounts: bool = False):
        self.folder, self.host = folder.resolve(), socket.gethostname().split(".")[0]
        self.accounts = accounts
        self.environment = {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
        }
        self.daemons = []
        self.users = []  # every process that was started to use it

    def start(self):
        """Start the daemons, in half a minute at most."""
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        values = {"folder": self.folder, "host": self.host, "ports": free_ports()}
        conf = SLURM_CONF + (accounting.SLURM_CONF if self.accounts else NO_ACCOUNTING)
        conf = conf.format(**values, gpus=len(GPU_FILES))
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "cgroup.conf").touch()
        (self.folder / "gres.conf").write_text(
            "".join(f"NodeName={self.host} Name=gpu Type=pretend File={f}\n" for f in GPU_FILES)
        )
        for name, script in (("prolog", PROLOG), ("bin/srun", SRUN)):
            commands = {command: shutil.which(command) for command in ("scontrol", "srun")}
            (self.folder / name).write_text(script.format(**values, **commands))
            (self.folder / name).chmod(0o755)
        self.daemon(
            "munged", "--foreground", "--force", f"--key-file={key}",
            *(f"--{name}-file={self.folder}/munge.{name}" for name in ("pid", "log", "seed")),
            f"--socket={self.folder}/munge.socket",
        )  # fmt: skip
        wait_until((self.folder / "munge.socket").exists, 30, "munged does not start")
        if self.accounts:
            accounting.start(self, values)
        self.daemon("slurmctld", "-D", "-c")
        self.daemon("slurmd", "-D")
        wait_until(lambda: "idle" in self.call("sinfo", "-h", "-o", "%t"), 30, self.logs)

    def daemon(self, *command):
        """Start a daemon that stays in the foreground."""
        with open(self.folder / f"{command[0]}.out", "wb") as output:
            self.daemons.append(subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **self.environment},
            ))  # fmt: skip

    def stop(self):
        """End users, jobs, then daemons, each by its process id."""
        for process in self.users:
            process.kill()  # nothing where it has ended, as it has unless a test failed
            process.wait()
        jobs = self.call("squeue", "-h", "-o", "%i").split()
        if jobs:
            self.call("scancel", "--signal=KILL", "--full", *jobs)
            self.call("scancel", *jobs)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not self.call("squeue", "-h"), 40, "jobs do not end")
        self.kill_tasks()
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def answers(self, port: int):
        """Wait until something listens on a port of the loopback."""

        def listens():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens, 60, self.logs)

    def call(self, *command) -> str:
        """The output of one of SLURM's commands; empty where it fails."""
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60,
            env={**os.environ, **self.environment},
        ).stdout  # fmt: skip

    def jobs(self, folder: Path, rule: str = "") -> list[str]:
        """The jobs of a rule, waiting or not yet at their end, that were submitted from a folder."""
        lines = self.call("squeue", "-h", "-o", "%i|%Z|%k").splitlines()
        found = [line.split("|") for line in lines]
        return [job for job, place, comment in found if place == str(folder) and f"rule_{rule}" in comment]  # fmt: skip

    def preempt(self):
        """A job of a second that goes before all others and takes the node for itself."""
        self.call("srun", "--partition=urgent", "--exclusive", "--mem=0", "true")

    def lose_node(self):
        """The node goes down with all that runs on it, and comes back."""
        update = "scontrol", "update", f"NodeName={self.host}", "Reason=test"
        self.call(*update, "State=down")
        self.kill_tasks()
        self.call(*update, "State=resume")

    def kill_tasks(self):
        """Kill every process of a job. SLURM itself leaves those of a node alone that it takes for lost."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                variables = process.environ()
                ours = f"{self.folder}/bin:" in variables.get("PATH", "")
                if ours and "SLURM_JOB_ID" in variables:
                    process.kill()

    def tasks(self, folder: Path) -> list[dict]:
        """Each start of a job of a folder: what `scontrol show job` says, and `Visible` GPUs."""
        started = []
        for line in (self.folder / "tasks").read_text().splitlines():
            step, visible, job = line.split("|", 2)
            fields = dict(word.split("=", 1) for word in job.split() if "=" in word)
            if step == "0" and fields["WorkDir"] == str(folder):
                started.append({**fields, "Visible": visible})
        return started

    def logs(self) -> str:
        """The ends of the daemons' logs, for a message."""
        files = [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
        return "\n".join(f"{path}:\n{path.read_text()[-1500:]}" for path in files)


def wait_until(condition, seconds: float, message="it did not happen"):
    """Look four times a second until `condition()` holds; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, message() if callable(message) else message
        time.sleep(0.25)
    return found


@contextlib.contextmanager
def running(folder: Path, accounts: bool = False):
    """A cluster, from its start to the end of whatever was started on it."""
    cluster = Cluster(folder, accounts)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def free_ports() -> dict[str, int]:
    """A port of the loopback that nothing listens on for each daemon."""
    with contextlib.ExitStack() as sockets:
        ports = {}
        for name in (*DAEMONS, *accounting.DAEMONS):
            listener = sockets.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            ports[name] = listener.getsockname()[1]
    return ports


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    with (
        contextlib.suppress(KeyboardInterrupt),
        running(Path(sys.argv[1]), accounts=not missing(accounts=True)) as cluster,
    ):
        print(
            *(f"export {name}={value}" for name, value in cluster.environment.items()),
            sep="\n", flush=True,
        )  # fmt: skip
        signal.pause()
