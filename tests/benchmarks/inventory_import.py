"""How long it takes to import and export the devices of a county.

Makes a file of cameras with their asset records, a switch to every 24 of them, and imports it
twice into TimescaleDB: into an empty inventory, and again with nothing changed. CSV and XLSX:

    python -m tests.benchmarks.inventory_import [devices]
"""

import asyncio
import io
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import uvloop

from hub.domain.access import system_scope
from hub.main.adapters import parse_connection
from hub.maintenance.inventory import import_devices
from hub.maintenance.inventory_areas import import_areas
from hub.maintenance.inventory_exports import export_devices
from hub.maintenance.inventory_table import Outcome, Source
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import with_database

DATABASE = "bench_inventory"
SCOPE = system_scope("benchmark")
GOAL_S = 60.0
VILLAGES = 480
CHILDREN = 24
COLUMNS = (
    "code", "name", "area", "protocol", "address", "username", "password", "kind", "class", "team",
    "place", "parent", "manufacturer", "model", "serial", "mac", "longitude", "latitude",
    "ptz_type", "position_type", "room", "purpose", "light", "direction", "resolution",
    "mount_height_m", "installed_on", "warranty_until", "owner", "notes",
)  # fmt: skip


def area_rows() -> Iterator[tuple[str, str, str]]:
    """A county, 20 townships, their villages."""
    yield "330402", "南湖区", ""
    for town in range(20):
        yield f"3304020{town:02}", f"{town}镇", "330402"
    for village in range(VILLAGES):
        yield f"3304020{village % 20:02}{village:03}", f"{village}村", f"3304020{village % 20:02}"


def device_rows(devices: int) -> Iterator[tuple[object, ...]]:
    """Cameras, each group behind its switch, which comes after them."""
    for number in range(devices):
        group, place = divmod(number, CHILDREN + 1)
        village = group % VILLAGES
        area = f"3304020{village % 20:02}{village:03}"
        host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        switch = f"SW{group:06}"
        if place == CHILDREN:
            yield (
                switch, f"{village}村交换机{group}", area, "uplink", f"tcp://{host}:22", "", "",
                "switch", "", f"维护{village % 9}队",
            )  # fmt: skip
            continue
        yield (
            f"33040200001320{number:06}", f"{village}村{number}号枪机", area, "rtsp",
            f"rtsp://{host}:554/Streaming/Channels/101", "admin", f"Camera-{number}", "camera",
            "二类点", f"维护{village % 9}队", f"{village}村解放路{number % 300}号",
            switch if (group + 1) * (CHILDREN + 1) <= devices else "",
            "Hikvision", "DS-2CD3T46", f"SN{number:09}",
            ":".join(f"{number >> at & 255:02x}" for at in (40, 32, 24, 16, 8, 0)),
            120.5 + number / 1e6, 30.7 + number / 1e6, "固定枪机", 1 + number % 10, "室外",
            "治安", 2, 1 + number % 8, "2560x1440", 4.5, "2023-05-17", "2026/5/17",
            "南湖区公安分局", "",
        )  # fmt: skip


def write_file(kind: SheetKind, devices: int) -> io.BytesIO:
    """The file to import."""
    file = io.BytesIO()
    began = time.perf_counter()
    write_sheet(file, kind, COLUMNS, device_rows(devices))
    sys.stdout.write(
        f"{kind}: {file.tell() / 2**20:.1f} MiB written in {time.perf_counter() - began:.1f} s\n"
    )
    return file


def database_cpu_s(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    """What the server's processes of this database have used; 0 where that cannot be seen."""
    used = 0.0
    for (pid,) in connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s", [DATABASE]
    ):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            used += sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return used


async def watch_loop(pauses: list[float]) -> None:
    """Note how long the event loop serves nobody else, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        pauses.append(time.perf_counter() - began)


async def one_import(database: Database, file: io.BytesIO, kind: SheetKind, what: str) -> Outcome:
    """Import and print how long it took."""
    server = psycopg.connect(database.address, dbname="postgres", autocommit=True)
    began, used, served = time.perf_counter(), time.process_time(), database_cpu_s(server)
    pauses: list[float] = []
    watch = asyncio.create_task(watch_loop(pauses))
    outcome = await import_devices(
        database, SCOPE, Source(stream=file, kind=kind, name="bench"), parse_connection
    )
    took = time.perf_counter() - began
    watch.cancel()
    served = database_cpu_s(server) - served
    server.close()
    sys.stdout.write(
        f"{kind}, {what}: {outcome.rows:,} rows in {took:.1f} s ({outcome.rows / took:,.0f}/s,"
        f" {took / GOAL_S:.0%} of the {GOAL_S:g} s; CPU: {time.process_time() - used:.1f} s ours,"
        f" {served:.1f} s the database's; load {os.getloadavg()[0]:.1f}): {outcome.new} new,"
        f" {outcome.changed} changed, {outcome.unchanged} unchanged, {outcome.refused_rows} refused"
        f" {list(outcome.refused[:3])}; the loop stood still for at most {max(pauses):.2f} s\n"
    )
    sys.stdout.flush()
    return outcome


async def one_kind(server: str, kind: SheetKind, devices: int) -> None:
    """An empty database, the file twice, an export, and that once more."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    database = await Database.open(url, vault=Vault(b"k" * 32))
    tree = io.BytesIO()
    write_sheet(tree, SheetKind.CSV, ("code", "name", "parent"), area_rows())
    await import_areas(database, SCOPE, Source(stream=tree, kind=SheetKind.CSV))
    file = await asyncio.to_thread(write_file, kind, devices)
    await one_import(database, file, kind, "into an empty inventory")
    await one_import(database, file, kind, "once more")
    out = io.BytesIO()
    began = time.perf_counter()
    count = await export_devices(database, SCOPE, out, kind)
    sys.stdout.write(f"{kind}: {count:,} devices exported in {time.perf_counter() - began:.1f} s\n")
    await one_import(database, out, kind, "its own export")
    await database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{kind}: at most {most:,.0f} MiB of memory so far\n")


async def run(devices: int) -> None:
    """Both kinds of file."""
    server = await asyncio.to_thread(start_timescaledb)
    for kind in SheetKind:
        await one_kind(server, kind, devices)


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 70_000))
