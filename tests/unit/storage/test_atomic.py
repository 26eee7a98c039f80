"""Artifacts are whole or absent, whatever fails."""

import errno
import json
import os
import subprocess
from stat import S_ISDIR

import pytest

from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.atomic import (
    link,
    new_directory,
    new_file,
    read_json,
    write_json,
    write_text,
)


def test_a_failure_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), new_file(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "old"
    with pytest.raises(RuntimeError), new_directory(tmp_path / "d") as temporary:
        (temporary / "x").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_directory_replaces_the_one_before(tmp_path):
    for name in ("one", "two"):
        with new_directory(tmp_path / "d") as temporary:
            (temporary / name).write_text(name)
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["two"]


@pytest.mark.parametrize("failure", ["writing", "flushing"])
def test_a_failure_over_an_old_folder_leaves_it_whole(tmp_path, monkeypatch, failure):
    with new_directory(tmp_path / "d") as temporary:
        (temporary / "a").write_text("old")
        (temporary / "deep").mkdir()
        (temporary / "deep/b").write_text("old")

    def broken(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises((RuntimeError, OSError)), new_directory(tmp_path / "d") as temporary:
        (temporary / "a").write_text("new")
        if failure == "writing":
            raise RuntimeError
        monkeypatch.setattr(os, "fsync", broken)
    old = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert old == {"d", "d/a", "d/deep", "d/deep/b"}
    assert (tmp_path / "d/a").read_text() == (tmp_path / "d/deep/b").read_text() == "old"


@pytest.fixture
def calls(monkeypatch):
    """Calls of fsync, as (inode, size of the file), and of replace, as (inode, the new name)."""
    calls, fsync, replace = [], os.fsync, os.replace

    def recording_fsync(descriptor):
        status = os.fstat(descriptor)
        calls.append(("fsync", status.st_ino, None if S_ISDIR(status.st_mode) else status.st_size))
        fsync(descriptor)

    def recording_replace(source, target):
        calls.append(("replace", os.stat(source).st_ino, target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(os, "replace", recording_replace)
    return calls


def test_a_file_is_on_disk_whole_before_it_has_its_name_and_its_name_after(tmp_path, calls):
    path = tmp_path / "a"
    path.write_text("old")
    with new_file(path) as temporary:
        temporary.write_text("brand new")
        assert path.read_text() == "old"
    inode = path.stat().st_ino
    assert calls == [
        ("fsync", inode, 9), ("replace", inode, path), ("fsync", tmp_path.stat().st_ino, None),
    ]  # fmt: skip


def test_all_of_a_folder_is_on_disk_before_it_has_its_name_and_its_name_after(
    tmp_path, monkeypatch, calls
):
    folder = tmp_path / "d"
    with new_directory(folder) as temporary:
        (temporary / "old").write_text("old")
    calls.clear()
    record = os.fsync

    def fsync(descriptor):
        assert (folder / "old").exists() or calls[-1][0] == "replace"
        record(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with new_directory(folder) as temporary:
        (temporary / "a").write_text("a")
        (temporary / "deep").mkdir()
        (temporary / "deep/b").write_text("bb")
    *flushed, replaced, parent = calls
    assert sorted(flushed) == sorted(
        ("fsync", path.stat().st_ino, path.stat().st_size)
        for path in (folder / "a", folder / "deep/b")
    )
    assert replaced == ("replace", folder.stat().st_ino, folder)
    assert parent == ("fsync", tmp_path.stat().st_ino, None)


def test_a_link_is_relative_and_replaces_the_one_before(tmp_path, calls):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        link(tmp_path / name, tmp_path / "deep/link")
    assert os.readlink(tmp_path / "deep/link") == "../two"
    assert [call[0] for call in calls] == ["replace", "fsync"] * 2
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["link"]


def test_a_link_below_a_link_to_another_disk_finds_its_target(tmp_path):
    """results/LINEAGE is a link: a relative path is counted from the real folder."""
    (tmp_path / "results/corpora").mkdir(parents=True)
    (tmp_path / "results/corpora/a").write_text("a")
    (tmp_path / "scratch/deep/tiny").mkdir(parents=True)
    (tmp_path / "results/tiny").symlink_to("../scratch/deep/tiny")
    link(tmp_path / "results/corpora/a", tmp_path / "results/tiny/gen0/a")
    assert (tmp_path / "results/tiny/gen0/a").read_text() == "a"
    assert not os.readlink(tmp_path / "results/tiny/gen0/a").startswith("/")


def test_a_damaged_artifact_has_the_name_that_a_rule_makes(tmp_path, monkeypatch):
    """Also where results/ itself is a link: the command in the message is to work."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "results").symlink_to("scratch")
    write_text("results/corpora/a", "a")
    link("results/corpora/a", "results/tiny/gen0/a")
    said = str(DamagedArtifact("results/tiny/gen0/a", "it is"))
    assert "--force results/corpora/a\n" in said


@pytest.fixture
def lacking(monkeypatch):
    """A file system that lacks a call: it fails as it does on one."""

    def lack(name, code, fails=lambda *arguments: True):
        call = getattr(os, name)

        def failing(*arguments, **options):
            if fails(*arguments):
                raise OSError(code, os.strerror(code))
            return call(*arguments, **options)

        monkeypatch.setattr(os, name, failing)

    return lack


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fsync", errno.EINVAL),  # folders on CIFS and some FUSE
        ("chmod", errno.EPERM),  # exFAT, CIFS, drvfs
        ("chmod", errno.ENOTSUP),
        ("symlink", errno.EPERM),  # exFAT
        ("symlink", errno.EOPNOTSUPP),  # CIFS, Google Drive
        ("symlink", errno.ENOSYS),
    ],
)
def test_what_a_file_system_lacks_is_done_without(tmp_path, lacking, name, code):
    only_folders = {"fsync": lambda descriptor: S_ISDIR(os.fstat(descriptor).st_mode)}
    lacking(name, code, **({"fails": only_folders[name]} if name in only_folders else {}))
    write_text(tmp_path / "a", "new")
    with new_directory(tmp_path / "d") as temporary:
        (temporary / "b").write_text("b")
    link(tmp_path / "a", tmp_path / "deep/link")
    assert (tmp_path / "a").read_text() == (tmp_path / "deep/link").read_text() == "new"
    assert (tmp_path / "deep/link").is_symlink() == (name != "symlink")
    assert {path.name for path in tmp_path.rglob("*")} == {"a", "d", "b", "deep", "link"}


@pytest.mark.parametrize("name", ["fsync", "chmod", "symlink"])
def test_a_broken_disk_is_none_that_lacks_something(tmp_path, lacking, name):
    lacking(name, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        write_text(tmp_path / "a", "new")
        link(tmp_path / "a", tmp_path / "link")


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    left = [".a.99.partial", ".b.99.partial", ".ab.99.partial", "a.partial", ".*.99.partial"]
    for name in left:
        (tmp_path / name).write_text("half")
    (tmp_path / ".a.98.partial").mkdir()
    (tmp_path / ".a.98.partial/x").write_text("half")
    write_text(tmp_path / "a", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"a", *left[1:]}
    write_text(tmp_path / "*", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "*", *left[1:-1]}


def test_the_mode_is_what_the_umask_gives(tmp_path):
    before = os.umask(0o027)
    try:
        with new_file(tmp_path / "a") as temporary:
            temporary.write_text("a")
            temporary.chmod(0o600)
        with new_directory(tmp_path / "d") as temporary:
            (temporary / "b").write_text("b")
            (temporary / "b").chmod(0o600)
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    for path in (tmp_path / "a", tmp_path / "d/b"):
        assert path.stat().st_mode & 0o777 == 0o640


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "a.json", {"loss": 1.5})
    assert json.loads((tmp_path / "a.json").read_text()) == {"loss": 1.5}


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"loss": ')
    with pytest.raises(UserError, match=r"a\.json is damaged: it is not valid JSON"):
        read_json(tmp_path / "a.json")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_nothing_is_left(small_disk, model_settings, tokenizer_folder):
    import numpy as np
    from tools import initialise

    from ouroboros.data.corpus import ShardWriter
    from ouroboros.model.checkpoint import write_checkpoint

    def shard():
        with ShardWriter(small_disk / "shard", 100, np.uint16) as writer:
            rng = np.random.default_rng(0)
            for _ in range(10):
                writer.add(rng.integers(0, 60000, (100, 100)).astype(np.uint16), 0)

    def checkpoint():
        write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, small_disk / "c")

    for write in (
        lambda: write_text(small_disk / "text", "x" * 200_000),
        lambda: write_json(small_disk / "a.json", {"x": "x" * 200_000}),
        shard,
        checkpoint,
    ):
        with pytest.raises(UserError, match="no space left on device"):
            write()
        assert list(small_disk.iterdir()) == []
    write_text(small_disk / "text", "room for this")
    assert (small_disk / "text").read_text() == "room for this"


def test_a_read_only_file_system_is_said(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UserError, match="read-only file system"):
        write_text(small_disk / "text", "x")
