"""What is known of a stop's place, and what is learnt to move there, on both databases."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.domain.access import Scope
from hub.domain.devices import Preset
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Database
from hub.store.events import add_events
from hub.store.patrol_places import LEAST_LOOKS, MOST_LOOKS, Place, learn_movements, load_places
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import MINUTE, add_cameras, change

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


async def look_up(
    database: Database, device_ids: list[int], scope: Scope = SYSTEM, now: datetime = MIDNIGHT
) -> dict[int, Place]:
    async with database.transaction() as tx:
        return dict(await load_places(tx, scope, device_ids, now=now, zone=SHANGHAI))


_RULE = (
    "INSERT INTO rules (name, area_id, severity, condition) VALUES ('r', %(area)s, 'warning',"
    " '{}') RETURNING id"
)
_ALERT = (
    "INSERT INTO alerts (rule_id, subject, condition, severity, area_id, device_id, device_name,"
    " reason, started_at, fired_at, status) SELECT max(id), %(subject)s, 'event_of_kind',"
    " %(severity)s, %(area)s, %(device)s, %(name)s, %(reason)s, %(at)s, %(at)s, %(status)s"
    " FROM rules"
)


async def raise_alert(database: Database, area: int, device: int | None, **told: object) -> None:
    values = {
        "subject": f"{device} {told}",
        "severity": "warning",
        "area": area,
        "device": device,
        "name": "",
        "reason": "it is so",
        "at": MIDNIGHT - 5 * MINUTE,
        "status": "firing",
        **told,
    }
    await change(database, _ALERT, **values)


def happened(area: int, path: str, device: int, kind: str, **told: object) -> StoredEvent:
    at = MIDNIGHT - 10 * MINUTE
    values = {"at": at, "received_at": at, "is_active": True, **told}
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=area,
        area_path=path,
        device_id=device,
        **values,  # type: ignore[arg-type]  # by name
    )


async def test_open_alerts_and_last_events_are_of_the_camera_and_of_what_is_around_it(
    database: Database, county: County
) -> None:
    east, west = county.east, county.west
    camera, neighbour = await add_cameras(database, county.east_link.id, east.id, 2)
    (sensor,) = await add_cameras(database, county.west_link.id, east.id, 1)
    await change(database, "UPDATE devices SET kind = 'sensor' WHERE id = %(id)s", id=sensor)
    await change(database, _RULE, area=county.county.id)
    await raise_alert(database, east.id, camera, severity="critical", reason="covered")
    await raise_alert(database, east.id, camera, status="resolved")
    await raise_alert(database, east.id, neighbour, reason="not about this place")
    await raise_alert(database, east.id, sensor, name="smoke 1", reason="smoke")
    await raise_alert(database, west.id, None, reason="another village")
    place = (east.id, east.path)
    async with database.transaction() as tx:
        await add_events(
            tx,
            SYSTEM,
            [
                happened(*place, camera, "motion.started"),
                happened(*place, camera, "motion.stopped", is_active=False),
                happened(*place, camera, "line.crossed", replayed=True),
                happened(*place, camera, "sound.started", at=MIDNIGHT - timedelta(hours=2)),
                happened(*place, camera, "fan_failure.started", severity=Severity.WARNING),
                happened(*place, sensor, "door.opened", severity=Severity.WARNING),
                happened(*place, sensor, "device.offline", severity=Severity.WARNING),
                happened(*place, neighbour, "motion.started"),
            ],
        )
    known = await look_up(database, [camera, county.west_camera.id])
    found = known[camera]
    assert [(one.device_id, one.severity, one.reason) for one in found.alerts] == [
        (camera, Severity.CRITICAL, "covered"),
        (sensor, Severity.WARNING, "smoke"),
    ]
    assert [(one.device_id, one.kind) for one in found.events] == [
        (camera, "motion.started"),
        (sensor, "door.opened"),
    ]
    assert [one.reason for one in known[county.west_camera.id].alerts] == ["another village"]
    outside = Scope(paths=(west.path,), actor="w")
    assert set(await look_up(database, [camera, county.west_camera.id], outside)) == {
        county.west_camera.id
    }


async def test_a_camera_with_presets_has_motors(database: Database, county: County) -> None:
    fixed, dome, bullet = await add_cameras(database, county.east_link.id, county.east.id, 3)
    await change(
        database,
        "UPDATE channels SET presets = %(presets)s WHERE device_id = %(id)s",
        presets='[{"token": "1", "name": "Gate"}]',
        id=dome,
    )
    await change(
        database,
        "INSERT INTO asset_records (device_id, ptz_type) VALUES (%(id)s, 'ptz_bullet')",
        id=bullet,
    )
    known = await look_up(database, [fixed, dome, bullet])
    assert [known[one].has_ptz for one in (fixed, dome, bullet)] == [False, True, True]
    assert known[dome].presets == (Preset(token="1", name="Gate"),)


async def test_what_moves_is_learnt_of_normal_stops_by_the_hour(
    database: Database, county: County
) -> None:
    quiet, busy, odd = await add_cameras(database, county.east_link.id, county.east.id, 3)
    await change(
        database,
        "INSERT INTO patrol_rounds (plan_name, area_id, time_zone, window_s, seconds_per_stop,"
        " planned_at, state) VALUES ('p', %(area)s, 'Asia/Shanghai', 600, 1, %(at)s, 'running')",
        area=county.east.id,
        at=MIDNIGHT,
    )
    async with database.transaction() as tx:
        walk = int(str(await tx.scalar(int, "SELECT max(id) FROM patrol_rounds")))
    stops = ((quiet, "normal", 0.0), (busy, "normal", 0.04), (odd, "abnormal", 0.2))
    for position, (device, result, moved) in enumerate(stops, 1):
        await change(
            database,
            "INSERT INTO patrol_stops (round_id, position, device_id, device_name, area_id,"
            " area_name, verdict, result, moved, at) VALUES (%(round)s, %(position)s, %(device)s,"
            " '', %(area)s, '', 'seen', %(result)s, %(moved)s, %(at)s)",
            round=walk,
            position=position,
            device=device,
            area=county.east.id,
            result=result,
            moved=moved,
            at=MIDNIGHT + 10 * MINUTE,
        )
    for look in range(LEAST_LOOKS):
        assert (await look_up(database, [busy]))[busy].usual_movement is None, look
        async with database.transaction() as tx:
            assert await learn_movements(tx, SYSTEM, walk) == 2
    usual = {
        device: one.usual_movement
        for device, one in (await look_up(database, [quiet, busy, odd])).items()
    }
    assert usual == {quiet: 0.0, busy: pytest.approx(0.04, abs=1e-6), odd: None}
    # An hour earlier is near enough, noon is another matter.
    assert (await look_up(database, [quiet], now=MIDNIGHT - 30 * MINUTE))[
        quiet
    ].usual_movement == 0.0
    assert (await look_up(database, [quiet], now=MIDNIGHT + timedelta(hours=12)))[
        quiet
    ].usual_movement is None
    # What was seen long ago fades: the street is closed, and nothing drives there any more.
    await change(database, "UPDATE patrol_stops SET moved = 0 WHERE device_id = %(id)s", id=busy)
    for _ in range(3 * MOST_LOOKS):
        async with database.transaction() as tx:
            await learn_movements(tx, SYSTEM, walk)
    faded = (await look_up(database, [busy]))[busy].usual_movement
    assert faded is not None
    assert 0 < faded < 0.04 / 10
