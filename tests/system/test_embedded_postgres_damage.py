"""The embedded database meets damaged files and disks that do not take what it writes."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.domain.errors import ConfigError
from hub.runtime.embedded_postgres import EmbeddedPostgres
from tests.system.running_hub import (
    DATABASE_HUB,
    ROOT,
    copy_database,
    create_database,
    kept,
    put,
)

log = logging.getLogger(__name__)
pytestmark = pytest.mark.timeout(120)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_database(tmp_path_factory.mktemp("created"))


@pytest.fixture
def copied(created: Path, tmp_path: Path) -> Path:
    return copy_database(created, tmp_path / "copied")


@pytest.mark.threat("K5")
@pytest.mark.parametrize(
    ("damaged", "size"),
    [
        ("cluster/global/pg_control", 100),
        ("cluster/global/pg_filenode.map", 10),
        ("cluster/base/*/pg_filenode.map", 10),
        ("cluster/pg_wal/0*", 0),
        ("cluster/PG_VERSION", 0),
    ],
)
def test_damage_to_the_data_is_said_with_the_way_out(copied: Path, damaged: str, size: int) -> None:
    for path in (copied / "postgres").glob(damaged):
        os.truncate(path, size)
    with pytest.raises(ConfigError) as caught:
        EmbeddedPostgres.start(copied)
    text = str(caught.value)
    log.info(text)
    assert str(copied / "postgres" / "cluster") in text
    assert "restore a backup" in text
    left = [p for p in Path("/proc").glob("[0-9]*/cwd") if is_same(p, copied)]
    assert left == []


def is_same(link: Path, data_dir: Path) -> bool:
    try:
        return link.samefile(data_dir / "postgres" / "cluster")
    except OSError:
        return False


@pytest.mark.threat("K5")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cluster/postgresql.conf", b"\xff\x00 rubbish '\n"),
        ("cluster/pg_hba.conf", b"\xff\x00 rubbish '\n"),
        ("cluster/pg_hba.conf", None),
        ("cluster/postmaster.pid", b""),
        ("cluster/postmaster.pid", b"\xff\x00 rubbish '\n"),
        ("password", b""),
        ("password", b"\xff\x00 rubbish '\n"),
        ("password", None),
        ("lock", b"\xff\x00 rubbish '\n"),
    ],
)
def test_damage_to_our_own_files_is_repaired(
    copied: Path, name: str, content: bytes | None
) -> None:
    path = copied / "postgres" / name
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)
    with EmbeddedPostgres.start(copied) as database:
        assert kept(database.url) == [1]


def test_a_password_changed_by_one_letter_is_replaced(copied: Path) -> None:
    path = copied / "postgres" / "password"
    text = path.read_text()
    path.write_text(("B" if text[0] == "A" else "A") + text[1:])
    with EmbeddedPostgres.start(copied) as database:
        assert kept(database.url) == [1]


def test_a_creation_cut_off_half_way_begins_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres.start(tmp_path) as database:
        put(database.url, 1)
        assert kept(database.url) == [1]
    assert not draft.exists()


def test_another_major_version_is_refused_by_name(copied: Path) -> None:
    (copied / "postgres" / "cluster" / "PG_VERSION").write_text("13\n")
    with pytest.raises(ConfigError, match=r"PostgreSQL 13.*holds 18.*pg_upgrade"):
        EmbeddedPostgres.start(copied)


@pytest.mark.threat("K10")
def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/sys/gengfu.*cannot|cannot use /sys/gengfu"):
        EmbeddedPostgres.start(Path("/sys/gengfu"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match=r"file is not a folder"):
        EmbeddedPostgres.start(tmp_path / "file")


@needs_root
@pytest.mark.threat("K10")
@pytest.mark.parametrize("options", ["size=24m", "size=300m,nr_inodes=300", "ro"])
def test_a_full_or_read_only_disk_is_said(tmp_path: Path, options: str) -> None:
    mount = f"mount -t tmpfs -o {options},mode=0700 gengfu-test {tmp_path}"
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount in a namespace of its own")
    command = [sys.executable, "-c", DATABASE_HUB, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "-m", "/bin/sh", "-c", f'{mount} && exec "$0" "$@"', *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    last = done.stderr.strip().splitlines()[-1]
    log.info(last)
    assert done.returncode == 1
    assert last.startswith("hub.domain.errors.ConfigError")
    assert any(word in last for word in ("MB free", "No space left", "Read-only"))
