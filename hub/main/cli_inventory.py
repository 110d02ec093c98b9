"""`gengfu discover`, `devices` and `areas`: find cameras, list, import and export."""

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from hub.domain.addresses import AddressPolicy
from hub.domain.health import Status
from hub.main.console import as_row, print_rows, progress, reported_errors
from hub.main.inventory_files import (
    ChineseOption,
    DryRunOption,
    FileToRead,
    FileToWrite,
    FormatOption,
    export_file,
    import_file,
    print_outcome,
)
from hub.main.storage import (
    JsonOption,
    SettingsOption,
    Store,
    find_place,
    read_settings,
    with_store,
)
from hub.main.surroundings import device_policy
from hub.maintenance import inventory, inventory_areas, inventory_exports
from hub.maintenance.inventory_columns import AREA_COLUMNS, DEVICE_COLUMNS
from hub.maintenance.inventory_devices import ImportOptions
from hub.maintenance.inventory_table import Outcome, Source, open_table
from hub.store import areas, device_lists
from hub.store.device_lists import DeviceFilter
from hub.store.scoping import MAX_LIMIT

if TYPE_CHECKING:
    from adapters.onvif.discovery import Found

devices_app = typer.Typer(help="Devices and the links to them.", no_args_is_help=True)
areas_app = typer.Typer(help="The area tree.", no_args_is_help=True)

NOTHING_LISTED = "no device fits; links to devices are added in the console or by devices import"
COLUMNS = (
    *("id", "name", "kind", "area_name", "status", "since", "layer", "detail", "behind_name"),
    *("is_flapping", "address"),
)


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


async def _discover(policy: AddressPolicy, ranges: Sequence[str], seconds: float) -> "list[Found]":
    # ONVIF takes a quarter of a second to load, which no other command needs.
    from adapters.onvif.discovery import discover_multicast, scan_range  # noqa: PLC0415

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
    status: Annotated[
        list[Status] | None, typer.Option(help="Only these; may be given several times.")
    ] = None,
    area: Annotated[str, typer.Option(help="Code of an area; below it too.")] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What there is, and how it is."""

    async def work(store: Store) -> list[dict[str, object]]:
        return await _all_lines(store, text=text, statuses=tuple(status or ()), area=area)

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=COLUMNS, empty=NOTHING_LISTED)


@devices_app.command("export")
def export_devices(
    file: FileToWrite,
    form: FormatOption = None,
    settings: SettingsOption = None,
    *,
    chinese: ChineseOption = False,
) -> None:
    """Write all devices with their asset records and how they are; no passwords."""
    export_file(
        file,
        form,
        settings,
        "devices",
        partial(inventory_exports.export_devices, is_chinese=chinese),
    )


@devices_app.command("import")
def import_devices(
    file: FileToRead,
    form: FormatOption = None,
    settings: SettingsOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take devices and their asset records from a file: good rows go in, bad ones are named.

    The same file again changes nothing; a corrected one changes what it corrects. Empty cells
    change nothing.
    """

    async def work(store: Store, source: Source) -> Outcome:
        from hub.main.adapters import parse_connection  # noqa: PLC0415 - brings every protocol

        with progress() as bar:
            task = bar.add_task("importing", total=None)
            options = ImportOptions(
                is_dry_run=dry_run,
                on_progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
            return await inventory.import_devices(
                store.database, store.scope, source, parse_connection, options
            )

    def check(source: Source) -> None:
        open_table(source, DEVICE_COLUMNS, inventory.REQUIRED, unless=inventory.UNLESS)

    print_outcome(import_file(file, form, settings, check, work), as_json=as_json)


@areas_app.command("list")
def list_areas(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """The area tree."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            return [as_row(area) for area in await areas.list_areas(tx, store.scope)]

    rows = with_store(settings, dict(os.environ), work)
    columns = ("id", "code", "name", "path")
    print_rows(rows, as_json=as_json, columns=columns, empty="no areas: start the hub once")


@areas_app.command("export")
def export_areas(
    file: FileToWrite,
    form: FormatOption = None,
    settings: SettingsOption = None,
    *,
    chinese: ChineseOption = False,
) -> None:
    """Write all areas, parents before children."""
    export_file(
        file, form, settings, "areas", partial(inventory_exports.export_areas, is_chinese=chinese)
    )


@areas_app.command("import")
def import_areas(
    file: FileToRead,
    form: FormatOption = None,
    settings: SettingsOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take areas from a file (code, name, parent): adds and renames, never moves or removes."""

    async def work(store: Store, source: Source) -> Outcome:
        return await inventory_areas.import_areas(
            store.database, store.scope, source, is_dry_run=dry_run
        )

    def check(source: Source) -> None:
        open_table(source, AREA_COLUMNS, inventory_areas.REQUIRED)

    print_outcome(import_file(file, form, settings, check, work), as_json=as_json)


async def _all_lines(
    store: Store, *, text: str, statuses: tuple[Status, ...], area: str
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    cursor: str | None = None
    async with store.database.transaction() as tx:
        area_id = (await find_place(tx, store.scope, area)).id if area else None
        wanted = DeviceFilter(text=text, statuses=statuses, area_id=area_id)
        while True:
            page = await device_lists.list_devices(
                tx, store.scope, wanted, limit=MAX_LIMIT, cursor=cursor
            )
            rows += [as_row(line) for line in page.items]
            cursor = page.next
            if cursor is None:
                return rows
