"""`gengfu discover` and `gengfu devices`: find cameras, list, import and export."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from adapters.onvif.discovery import Found, discover_multicast, scan_range
from hub.domain.addresses import AddressPolicy
from hub.domain.health import Status
from hub.main.console import (
    Exit,
    as_row,
    fail,
    print_json,
    print_rows,
    progress,
    reported_errors,
    say,
)
from hub.main.inventory import BadLine, Result, Taken, read_lines, take_line, write_rows
from hub.main.storage import (
    JsonOption,
    SettingsOption,
    Store,
    find_place,
    read_settings,
    with_store,
)
from hub.main.surroundings import device_policy
from hub.store import device_lists, exports
from hub.store.device_lists import DeviceFilter
from hub.store.scoping import MAX_LIMIT

devices_app = typer.Typer(help="Devices and the links to them.", no_args_is_help=True)

NOTHING_LISTED = "no device fits; links to devices are added in the console or by devices import"
COLUMNS = ("id", "name", "kind", "area_name", "status", "since", "layer", "detail", "address")


def discover(
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", help="Network or address to scan; none: multicast only."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for multicast answers.")] = 4.0,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Find ONVIF cameras: by multicast in this network, by address range in others."""
    with reported_errors():
        loaded = read_settings(settings, dict(os.environ), level="warning")
        policy = device_policy(loaded, frozenset())
        found = uvloop.run(_discover(policy, ranges or [], seconds))
    print_rows(
        [as_row(one) for one in found],
        as_json=as_json,
        columns=("address", "name", "hardware", "endpoint_reference"),
        empty="no camera answered: try --range with the cameras' network, and check"
        " network.devices in the settings",
    )


async def _discover(policy: AddressPolicy, ranges: Sequence[str], seconds: float) -> list[Found]:
    if not ranges:
        return await discover_multicast(timeout_s=seconds)
    with progress() as bar:
        task = bar.add_task("asking", total=None)
        return await scan_range(
            ranges,
            policy=policy,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


@devices_app.command("list")
def list_devices(
    text: Annotated[str, typer.Option("--q", help="Any part of name, serial, address.")] = "",
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    area: Annotated[str, typer.Option(help="Code of an area; below it too.")] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What there is, and how it is."""

    async def work(store: Store) -> list[dict[str, object]]:
        return await _all_lines(store, text=text, status=status, area=area)

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=COLUMNS, empty=NOTHING_LISTED)


@devices_app.command("export")
def export_devices(
    file: Annotated[Path, typer.Argument(help="CSV file to write; - for standard output.")],
    settings: SettingsOption = None,
) -> None:
    """Write all devices as CSV, without passwords."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            return [as_row(row) for row in await exports.export_devices(tx, store.scope)]

    rows = with_store(settings, dict(os.environ), work)
    try:
        if str(file) == "-":
            write_rows(sys.stdout, rows)
        else:
            with file.open("w", encoding="utf-8", newline="") as stream:
                write_rows(stream, rows)
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    say(f"{len(rows)} devices exported")


@devices_app.command("import")
def import_devices(
    file: Annotated[Path, typer.Argument(help="CSV file with name,protocol,address,area,…")],
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only, change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add links to devices from a CSV file: good rows go in, every bad one is named."""
    # A file that cannot be read is said before any database is started for it.
    with reported_errors():
        lines = read_lines(file)

    async def work(store: Store) -> list[Result]:
        with progress() as bar:
            return [
                await take_line(store.database, store.scope, line, is_dry_run=dry_run)
                for line in bar.track(lines, description="importing")
            ]

    results = with_store(settings, dict(os.environ), work)
    bad = [one for one in results if isinstance(one, BadLine)]
    known, taken = results.count(Taken.KNOWN), results.count(Taken.NEW)
    if as_json:
        print_json(
            {
                "rows": len(lines),
                "taken": taken,
                "known": known,
                "refused": [as_row(one) for one in bad],
                "dry_run": dry_run,
            }
        )
    else:
        if bad:
            rows = [as_row(one) for one in bad]
            print_rows(rows, as_json=False, columns=("line", "column", "reason"), empty="")
        done = "would be added" if dry_run else "added"
        say(
            f"{len(lines)} rows: {taken} {done}, {known} there already and left as they are,"
            f" {len(bad)} refused"
        )
    if bad:
        raise typer.Exit(Exit.FAILED)


async def _all_lines(
    store: Store, *, text: str, status: Status | None, area: str
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    cursor: str | None = None
    async with store.database.transaction() as tx:
        area_id = (await find_place(tx, store.scope, area)).id if area else None
        wanted = DeviceFilter(text=text, status=status, area_id=area_id)
        while True:
            page = await device_lists.list_devices(
                tx, store.scope, wanted, limit=MAX_LIMIT, cursor=cursor
            )
            rows += [as_row(line) for line in page.items]
            cursor = page.next
            if cursor is None:
                return rows
