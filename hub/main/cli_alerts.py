"""`gengfu alerts` and `gengfu silences`."""

import os
from datetime import datetime, timedelta
from typing import Annotated

import typer

from alerts.handling.life import Action, Order, act_on_one
from alerts.handling.quieting import count_matching, end_silence, make_silence, warn_about
from hub.domain.alerts import Alert, AlertStatus, Colour
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.domain.silences import Silence, SilenceState
from hub.main.console import as_row, print_json, print_rows, say
from hub.main.report_options import AreaOption, read_time
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import local_zone, utc_now
from hub.runtime.jobs import Jobs
from hub.store.alert_history import alert_history
from hub.store.alerts import AlertFilter, AlertOrder, get_alert, list_alerts
from hub.store.silences import SilenceFilter, list_silences

alerts_app = typer.Typer(
    help="What rules concluded, and what is done about it.", no_args_is_help=True
)
silences_app = typer.Typer(help="When nobody is told of what.", no_args_is_help=True)

ALERT_COLUMNS = (
    *("id", "severity", "status", "colour", "rule", "area", "device", "reason"),
    *("fired_at", "deadline", "taken_by"),
)
SHOWN = (
    *("id", "severity", "status", "colour", "rule", "area", "device", "channel", "point", "value"),
    *("reason", "started_at", "fired_at", "deadline", "taken_by", "resolved_at", "resolution"),
    *("folded_into", "folded", "drill", "quiet_until", "quiet_reason"),
)
HISTORY_COLUMNS = ("at", "kind", "what", "who", "text")
SILENCE_COLUMNS = (
    *("id", "state", "area_name", "about", "author", "reason", "starts_at", "ends_at"),
    *("ended_by", "quiets"),
)

AlertNumber = Annotated[int, typer.Argument(help="Number of the alert.", min=1)]
NoteOption = Annotated[str, typer.Option("--note", help="A remark for its history.")]


@alerts_app.command("list")
def list_all(  # noqa: PLR0913 - each is an option of the command
    area: AreaOption = "",
    *,
    status: Annotated[AlertStatus | None, typer.Option(help="Only these.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only these.")] = None,
    colour: Annotated[Colour | None, typer.Option(help="Only open ones of this colour.")] = None,
    sort: Annotated[AlertOrder, typer.Option(help="What comes first.")] = AlertOrder.NEWEST,
    with_all: Annotated[
        bool, typer.Option("--all", help="Also resolved and folded ones, and exercises.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Alerts that are open, or all of them."""

    async def work(store: Store) -> list[dict[str, object]]:
        now = utc_now()
        async with store.database.transaction() as tx:
            place = await find_place(tx, store.scope, area) if area else None
            wanted = AlertFilter(
                area_id=None if place is None else place.id,
                status=status,
                severity=severity,
                colour=colour,
                is_open=None if with_all or status is not None else True,
                is_folded=None if with_all else False,
                is_drill=None if with_all else False,
                order=sort,
            )
            page = await list_alerts(tx, store.scope, wanted, now=now, limit=limit)
        return [_alert_row(alert, now) for alert in page.items]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=ALERT_COLUMNS, empty="no alert")


@alerts_app.command("show")
def show(
    number: AlertNumber, settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """One alert: why it fired, who was told and why, what was done, what comes next."""

    async def work(store: Store) -> tuple[dict[str, object], list[dict[str, object]]]:
        now = utc_now()
        async with store.database.transaction() as tx:
            alert = await get_alert(tx, store.scope, number)
            lines = await alert_history(tx, store.scope, number, now)
        return _alert_row(alert, now), [as_row(line) for line in lines]

    alert, history = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"alert": alert, "history": history})
        return
    fields = [{"field": name, "value": alert[name]} for name in SHOWN]
    print_rows(fields, as_json=False, columns=("field", "value"), empty="")
    print_rows(history, as_json=False, columns=HISTORY_COLUMNS, empty="no history")


@alerts_app.command("acknowledge")
def acknowledge(
    number: AlertNumber, note: NoteOption = "", settings: SettingsOption = None
) -> None:
    """Say that somebody takes care of an alert: it climbs no further."""
    _do(settings, number, Order(action=Action.ACKNOWLEDGE, note=note))
    say(f"alert {number} is acknowledged")


@alerts_app.command("resolve")
def resolve(
    number: AlertNumber,
    reason: Annotated[str, typer.Option("--reason", help="Why it is over.")],
    settings: SettingsOption = None,
) -> None:
    """Resolve an alert by hand; whoever was told that it fired is told."""
    _do(settings, number, Order(action=Action.RESOLVE, note=reason))
    say(f"alert {number} is resolved")


@silences_app.command("list")
def list_quiet(
    area: AreaOption = "",
    *,
    state: Annotated[SilenceState | None, typer.Option(help="Only these.")] = None,
    with_all: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Silences that hold or are planned, with how many open alerts each matches."""

    async def work(store: Store) -> list[dict[str, object]]:
        now = utc_now()
        async with store.database.transaction() as tx:
            place = await find_place(tx, store.scope, area) if area else None
            wanted = SilenceFilter(area_id=None if place is None else place.id, state=state)
            page = await list_silences(tx, store.scope, wanted, now=now, limit=500)
            found = [
                one
                for one in page.items
                if with_all or state is not None or one.state(now) is not SilenceState.EXPIRED
            ]
            active = [one for one in found if one.state(now) is SilenceState.ACTIVE]
            counts = await count_matching(tx, store.scope, active)
        return [_silence_row(one, counts.get(one.id, 0), now) for one in found]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=SILENCE_COLUMNS, empty="no silence")


@silences_app.command("add")
def add(  # noqa: PLR0913 - each is an option of the command
    area: Annotated[str, typer.Option(help="Code of the area; below it too.")],
    reason: Annotated[str, typer.Option(help="Why nobody shall be told.")],
    *,
    until: Annotated[str, typer.Option(help="Until then: 2026-10-01T06:00.")] = "",
    hours: Annotated[float | None, typer.Option(min=0, help="Or for so many hours.")] = None,
    since: Annotated[str, typer.Option(help="From then on; now when not said.")] = "",
    severity: Annotated[list[Severity] | None, typer.Option(help="Only of these.")] = None,
    rule: Annotated[list[int] | None, typer.Option(help="Only of rules of these numbers.")] = None,
    device: Annotated[list[int] | None, typer.Option(help="Only about these devices.")] = None,
    device_class: Annotated[
        list[str] | None, typer.Option("--class", help="Only about devices of these classes.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only about devices with these tags.")
    ] = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let nobody be told of alerts for a while; whoever was told before still gets their end."""
    matcher = Matcher(
        severities=tuple(severity or ()),
        rule_ids=tuple(rule or ()),
        device_ids=tuple(device or ()),
        classes=tuple(device_class or ()),
        tags=tuple(tag or ()),
    )

    async def work(store: Store) -> Silence:
        now, zone = utc_now(), local_zone(store.settings)
        if bool(until) == (hours is not None):
            msg = "say --until or --hours"
            raise Invalid(msg, field="until")
        starts_at = read_time(since, zone) if since else now
        ends_at = read_time(until, zone) if until else starts_at + timedelta(hours=hours or 0)
        async with store.database.transaction() as tx:
            place = await find_place(tx, store.scope, area)
            wanted = Silence(
                area_id=place.id,
                matcher=matcher,
                reason=reason,
                starts_at=starts_at,
                ends_at=ends_at,
            )
            return await make_silence(tx, store.scope, wanted, now)

    made = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"silence": made.id, "warning": warn_about(made)})
        return
    say(f"silence {made.id} holds from {made.starts_at:%F %H:%M} to {made.ends_at:%F %H:%M} UTC")
    if warning := warn_about(made):
        say(warning)


@silences_app.command("end")
def end(
    number: Annotated[int, typer.Argument(help="Number of the silence.", min=1)],
    settings: SettingsOption = None,
) -> None:
    """End a silence now: what still fires and nobody took is told again."""

    async def work(store: Store) -> None:
        async with store.database.transaction() as tx:
            await end_silence(tx, store.scope, number, utc_now())

    with_store(settings, dict(os.environ), work)
    say(f"silence {number} is over")


def _do(settings: SettingsOption, number: int, order: Order) -> None:
    async def work(store: Store) -> None:
        jobs = Jobs(store.database, utc_now)
        async with store.database.transaction() as tx:
            await act_on_one(tx, store.scope, jobs, number, order, utc_now())

    with_store(settings, dict(os.environ), work)


def _alert_row(alert: Alert, now: datetime) -> dict[str, object]:
    return {
        "id": alert.id,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "colour": alert.colour(now).value,
        "rule": alert.rule_name,
        "area": alert.area_name,
        "device": alert.device_name,
        "channel": alert.channel,
        "point": alert.point,
        "value": alert.value,
        "reason": alert.reason,
        "started_at": alert.started_at,
        "fired_at": alert.fired_at,
        "deadline": alert.deadline,
        "taken_by": alert.assigned_name or alert.acknowledged_by,
        "resolved_at": alert.resolved_at,
        "resolution": alert.resolution,
        "folded_into": alert.folded_into,
        "folded": alert.folded,
        "drill": alert.drill_id,
        "quiet_until": alert.quiet_until,
        "quiet_reason": alert.quiet_reason,
    }


def _silence_row(silence: Silence, quiets: int, now: datetime) -> dict[str, object]:
    is_expiring = silence.is_expiring(now)
    return {
        "id": silence.id,
        "state": "expiring" if is_expiring else silence.state(now).value,
        "area_name": silence.area_name,
        "about": _about(silence.matcher),
        "author": silence.author,
        "reason": silence.reason,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "ended_by": silence.ended_by,
        "quiets": quiets,
    }


def _about(matcher: Matcher) -> str:
    parts = {
        "severity": [one.value for one in matcher.severities],
        "rule": list(map(str, matcher.rule_ids)),
        "device": list(map(str, matcher.device_ids)),
        "class": list(matcher.classes),
        "tag": list(matcher.tags),
    }
    said = [f"{name} {' or '.join(values)}" for name, values in parts.items() if values]
    return ", ".join(said) or "everything"
