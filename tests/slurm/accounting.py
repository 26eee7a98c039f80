"""SLURM's accounting daemon and its database, for a cluster of cluster.py's."""

DAEMONS = ("mariadb-install-db", "mariadbd", "slurmdbd")
ACCOUNT = "research"
SLURM_CONF = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[slurmdbd]}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations
AccountingStorageTRES=gres/gpu
"""
SLURMDBD_CONF = """\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports[slurmdbd]}
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[mariadbd]}
StorageUser=slurm
StoragePass=slurm
"""
ACCOUNTS = """\
CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON *.* TO slurm@'127.0.0.1';
"""


def start(cluster, values: dict):
    """Start the database, and the daemon in front of it, before SLURM itself."""
    folder, ports = cluster.folder, values["ports"]
    conf = folder / "slurmdbd.conf"
    conf.touch(0o600)  # or slurmdbd refuses it
    conf.write_text(SLURMDBD_CONF.format(**values))
    (folder / "accounts.sql").write_text(ACCOUNTS)
    data = "--no-defaults", f"--datadir={folder}/database", "--user=root"
    cluster.call("mariadb-install-db", *data, "--skip-test-db")
    cluster.daemon(
        "mariadbd", *data, "--skip-name-resolve", "--bind-address=127.0.0.1",
        f"--port={ports['mariadbd']}", f"--socket={folder}/database.socket",
        f"--pid-file={folder}/mariadbd.pid", f"--init-file={folder}/accounts.sql",
    )  # fmt: skip
    cluster.answers(ports["mariadbd"])
    cluster.daemon("slurmdbd", "-D")
    cluster.answers(ports["slurmdbd"])
    manage = "sacctmgr", "--immediate", "add"
    cluster.call(*manage, "cluster", "ouroboros")
    cluster.call(*manage, "account", ACCOUNT)
    cluster.call(*manage, "user", "root", f"account={ACCOUNT}")
