"""What `gengfu check` looks at: each part with its state, what that means and what to do."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.mqtt.publishing import BrokerPublisher
from config.schema import Settings
from hub.domain.access import system_scope
from hub.domain.errors import GengfuError
from hub.domain.secrets import Secret
from hub.main.servers import Servers, open_servers
from hub.patrols.reporting.pdf import pdf_trouble
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.store import connections
from hub.store.database import Database
from hub.store.migrate import pending_migrations
from hub.store.server import inspect_server
from hub.store.vault import Vault

SCOPE = system_scope("hub.check")
LOW_DISK_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line. ``is_good`` False makes the command fail."""

    part: str
    is_good: bool
    found: str


def check_files(settings: Settings) -> Iterator[Finding]:
    """The data folder, its disk and the key."""
    folder = settings.data_dir.absolute()
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    trouble = None
    if not nearest.is_dir():
        trouble = f"{nearest} is no folder: change data_dir"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        trouble = f"{nearest} is not writable: change its owner or data_dir"
    yield Finding(part="data folder", is_good=trouble is None, found=trouble or str(folder))
    free = shutil.disk_usage(nearest).free
    yield Finding(
        part="disk",
        is_good=free > LOW_DISK_BYTES,
        found=f"{free / 1024**3:.1f} GiB free" + ("" if free > LOW_DISK_BYTES else ": free some"),
    )
    yield _key(settings.key_file)


def check_paper() -> Finding:
    """Whether reports of patrols can be made as PDF; pages and workbooks can without it."""
    trouble = pdf_trouble()
    return Finding(
        part="PDF", is_good=True, found=f"reports have no PDF: {trouble}" if trouble else "works"
    )


def check_servers(settings: Settings) -> list[Finding]:
    """The broker and the database: the running hub's, or started and ended again here.

    Blocks, main thread only: an embedded server may be started. Makes no key.
    """
    running = EmbeddedPostgres.find_running(settings.data_dir)
    if running is not None and settings.database.url is None:
        hub = Finding(part="hub", is_good=True, found="runs on this data folder")
        return [hub, *asyncio.run(_check_database(settings, running))]
    try:
        with open_servers(settings) as servers:
            return [
                _broker(settings, servers),
                *asyncio.run(_check_database(settings, servers.database_url)),
            ]
    except GengfuError as error:
        return [Finding(part="servers", is_good=False, found=str(error))]


async def _check_database(settings: Settings, url: Secret) -> list[Finding]:
    """Which database it is, whether it is up to date and whether the key fits."""
    vault = _readable_key(settings.key_file)
    try:
        database = await Database.open(url.reveal(), vault=vault, max_size=2)
    except GengfuError as error:
        return [Finding(part="database", is_good=False, found=str(error).strip())]
    try:
        info = await inspect_server(database)
        missing = await pending_migrations(database)
        keys = (
            []
            if missing
            else await _key_fits(database, settings.key_file, has_key=vault is not None)
        )
    finally:
        await database.close()
    edition = f"TimescaleDB {info.timescaledb} ({info.edition}), " if info.timescaledb else ""
    return [
        Finding(
            part="database",
            is_good=True,
            found=f"{edition}PostgreSQL {info.postgresql}: {info.meaning}",
        ),
        Finding(
            part="tables",
            is_good=True,
            found="up to date" if not missing else f"gengfu run will apply {', '.join(missing)}",
        ),
        *keys,
    ]


def _readable_key(file: Path) -> Vault | None:
    try:
        return Vault.open(file) if file.exists() else None
    except GengfuError:
        return None  # said by check_files


async def _key_fits(database: Database, file: Path, *, has_key: bool) -> list[Finding]:
    """Whether the stored device passwords can be read; nothing to say while there are none."""
    async with database.transaction() as tx:
        if not await connections.list_states(tx, SCOPE):
            return []
        if not has_key:
            found = (
                f"{file} is missing or no key, but this database has one: restore it from the "
                "back-up; without it the stored device passwords are lost"
            )
            return [Finding(part="key", is_good=False, found=found)]
        try:
            await connections.list_connections(tx, SCOPE)
        except GengfuError as error:
            return [Finding(part="key", is_good=False, found=str(error))]
    return [Finding(part="key", is_good=True, found="fits the stored device passwords")]


def _key(file: Path) -> Finding:
    if not file.exists():
        return Finding(part="key", is_good=True, found=f"{file} will be made at the first start")
    try:
        Vault.open(file)
    except GengfuError as error:
        return Finding(part="key", is_good=False, found=str(error))
    is_private = file.stat().st_mode & 0o077 == 0
    found = str(file) if is_private else f"{file} can be read by others: chmod 600 it"
    return Finding(part="key", is_good=is_private, found=found)


def _broker(settings: Settings, servers: Servers) -> Finding:
    if servers.broker is not None:
        return Finding(part="broker", is_good=True, found=servers.broker.limits)
    publisher = BrokerPublisher(
        address=servers.broker_address,
        credentials=servers.broker_credentials,
        options=servers.broker_options(settings),
    )
    try:
        asyncio.run(publisher.log_in())
    except GengfuError as error:
        return Finding(part="broker", is_good=False, found=str(error))
    return Finding(part="broker", is_good=True, found=f"{servers.broker_address} lets us in")
