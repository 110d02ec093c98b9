"""Real servers for the tests: every database kind, template databases, and what is missing.

A part that is missing skips its tests on a developer's machine and fails them in CI.
"""

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zlib import crc32

import pytest

from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from tests.fresh_databases import FreshDatabases, drop, recreate, with_database

ROOT = Path(__file__).parents[1]
# "timescaledb" is started by deploy/timescaledb.sh; "embedded" comes from the wheel.
DATABASES = ("timescaledb", "embedded")
HTTP = frozenset({"web", "browser"})
# In tests/db: what works on top of the store and brings no query of its own.
ABOVE_THE_STORE = (
    *("test_alert_life", "test_alert_quieting", "test_alerts_conditions", "test_alerts_delivery"),
    *("test_alerts_desk", "test_alerts_drills", "test_alerts_engine", "test_alerts_escalating"),
    *("test_alerts_folding", "test_alerts_holds", "test_alerts_night", "test_alerts_path"),
    *("test_alerts_receivers", "test_dispatch_", "test_discovering", "test_inspecting"),
    *("test_maintenance_flapping", "test_maintenance_parents", "test_maintenance_probing"),
    *("test_maintenance_suggestions", "test_maintenance_windows", "test_patrol", "test_phone_"),
    *("test_picture_", "test_roll_calls", "test_supervisor", "test_watching_"),
)
SLOW = frozenset({"system", "browser"})


def missing(what: str) -> None:
    """Skip here, fail in CI: never a silent gap."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread tests over the databases, and whole programs and browsers over the workers.

    What is said over HTTP, or works on top of the store, does not depend on the database: each
    such test takes one of them, half of the tests the one, half the other. Slow ones mostly wait,
    and nobody is to wait for the last of them: each worker begins with its share, then gets a
    piece of the list, in order.
    """
    twice = {item for item in items if _takes_either(item) and not _is_its_database(item)}
    config.hook.pytest_deselected(items=list(twice))
    items[:] = [item for item in items if item not in twice]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if not SLOW.isdisjoint(item.path.parts)]
    quick = [item for item in items if SLOW.isdisjoint(item.path.parts)]
    bounds = [len(quick) * n // workers for n in range(workers + 1)]
    items[:] = [
        item
        for n in range(workers)
        for item in (*slow[n::workers], *quick[bounds[n] : bounds[n + 1]])
    ]


def _takes_either(item: pytest.Item) -> bool:
    """Tell whether one database is as good as the other for a test."""
    is_above = "db" in item.path.parts and item.path.name.startswith(ABOVE_THE_STORE)
    return is_above or not HTTP.isdisjoint(item.path.parts)


def _is_its_database(item: pytest.Item) -> bool:
    """Tell whether a test that could have any database is to have this one."""
    call = getattr(item, "callspec", None)
    if call is None or "databases" not in call.params:
        return True
    name = f"{item.path.name}:{getattr(item, 'originalname', item.name)}"
    return bool(DATABASES[crc32(name.encode()) % len(DATABASES)] == call.params["databases"])


@pytest.fixture(scope="session")
def timescaledb_url() -> str:
    """The address of a TimescaleDB server, from the environment or started here."""
    given = os.environ.get("GENGFU_TEST_TIMESCALEDB")
    if given:
        return given
    # Tests may lose their data on a power cut, and gain much time.
    quick = {**os.environ, "TSDB_OPTS": "-c fsync=off -c max_connections=200"}
    done = subprocess.run(
        ["deploy/timescaledb.sh", "start"],
        cwd=ROOT,
        env=quick,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        missing(f"TimescaleDB does not start: {done.stderr[-500:]}")
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="session")
def embedded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an embedded PostgreSQL of this test run."""
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("postgres")) as server:
        yield server.url


@pytest.fixture(scope="session", params=DATABASES)
def databases(request: pytest.FixtureRequest) -> Iterator[FreshDatabases]:
    """Each database server in turn, with empty databases for tests."""
    fresh = FreshDatabases(str(request.getfixturevalue(f"{request.param}_url")))
    yield fresh
    fresh.close()


@pytest.fixture
def server_url(databases: FreshDatabases) -> str:
    """The server of the test's database."""
    return databases.server_url


@pytest.fixture
def database_url(databases: FreshDatabases) -> str:
    """An empty, migrated database for one test."""
    return databases.take()


@pytest.fixture
def timescaledb_database_url(timescaledb_url: str) -> Iterator[str]:
    """An empty, migrated database on TimescaleDB alone: reached over TCP, through a proxy too."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    recreate(timescaledb_url, name)
    url = with_database(timescaledb_url, name)
    asyncio.run(migrate(url))
    yield url
    drop(timescaledb_url, name)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A key of this test."""
    return Vault.open(tmp_path / "gengfu.key")


@pytest.fixture
async def database(database_url: str, vault: Vault) -> AsyncIterator[Database]:
    """An open pool on an empty, migrated database."""
    opened = await Database.open(database_url, vault=vault)
    yield opened
    await opened.close()
