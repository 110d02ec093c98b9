"""`gengfu patrols` and `gengfu report`."""

import os
from datetime import timedelta
from typing import Annotated

import typer

from hub.main.console import as_row, print_json, print_rows, say
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import utc_now
from hub.maintenance.uptime import Rate, UptimeReport, report_uptime
from hub.patrols.desk import run_now
from hub.runtime.jobs import Jobs
from hub.store import patrols
from hub.store.uptime import Period

patrols_app = typer.Typer(help="The midnight video patrol.", no_args_is_help=True)
report_app = typer.Typer(help="Figures for supervisors.", no_args_is_help=True)

PLAN_COLUMNS = ("id", "name", "area_id", "rrule", "time_zone", "seconds_per_stop", "is_enabled")
UPTIME_COLUMNS = ("area", "devices", "online_rate", "coverage", "outages", "down_h", "verdict")


@patrols_app.command("list")
def list_plans(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """The patrol plans."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            page = await patrols.list_plans(tx, store.scope, limit=500)
        return [as_row(plan) for plan in page.items]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=PLAN_COLUMNS, empty="no patrol plan yet")


@patrols_app.command("run")
def run_plan(
    plan: Annotated[int, typer.Argument(help="Number of the plan.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Start a round of a plan now; the running hub walks it."""

    async def work(store: Store) -> int:
        jobs = Jobs(store.database, utc_now)
        async with store.database.transaction() as tx:
            return await run_now(tx, store.scope, jobs, plan, now=utc_now())

    number = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"round": number})
    else:
        say(f"round {number} starts as soon as a hub with the role work runs")


@report_app.command("uptime")
def uptime(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days back.")] = 30,
    area: Annotated[str, typer.Option(help="Code of an area; below it too.")] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Time-weighted online rate by area, with its coverage."""

    async def work(store: Store) -> UptimeReport:
        now = utc_now()
        async with store.database.transaction() as tx:
            area_id = (await find_place(tx, store.scope, area)).id if area else None
            period = Period(since=now - timedelta(days=days), until=now, area_id=area_id)
            return await report_uptime(tx, store.scope, period, now=now, with_devices=as_json)

    report = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json(report)
        return
    rows = [_line(one.area_name, one.devices, one.rate) for one in report.areas]
    rows.append(_line("all", sum(one.devices for one in report.areas), report.total))
    print_rows(rows, as_json=False, columns=UPTIME_COLUMNS, empty="no device yet")
    say(f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, {report.formula}")


def _line(area: str, devices: int, rate: Rate) -> dict[str, object]:
    return {
        "area": area,
        "devices": devices,
        "online_rate": "-" if rate.online is None else f"{rate.online:.2%}",
        "coverage": f"{rate.coverage:.1%}",
        "outages": rate.outages,
        "down_h": f"{rate.down_s / 3600:.1f}",
        "verdict": "collecting: too little is known" if rate.is_withheld else "published",
    }
