"""Whether a camera that can be moved is wanted now, and when it was moved last."""

from datetime import UTC, datetime, timedelta

from hub.domain.access import Scope
from hub.maintenance.pictures.obeying import is_free
from hub.store.database import Database
from hub.store.ptz_use import is_in_use, was_moved_since
from tests.db.conftest import SYSTEM, County

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)


async def test_a_camera_is_free_when_no_round_wants_it_and_it_was_not_moved(
    database: Database, county: County
) -> None:
    east, west = county.east_camera.id, county.west_camera.id
    west_scope = Scope(paths=(county.west.path,), actor="wei")
    async with database.transaction() as tx:
        assert not await is_in_use(tx, SYSTEM, east)
        await tx.execute(
            "WITH r AS (INSERT INTO patrol_rounds (plan_name, area_id, time_zone, window_s,"
            "  seconds_per_stop, planned_at, state) VALUES ('p', %(area)s, 'UTC', 60, 1, now(),"
            "  'running') RETURNING id)"
            " INSERT INTO patrol_stops (round_id, position, device_id, device_name, area_id,"
            "  area_name) SELECT id, 1, %(device)s, 'c', %(area)s, 'a' FROM r",
            {"area": county.east.id, "device": east},
        )
        assert await is_in_use(tx, SYSTEM, east)
        assert await is_in_use(tx, county.east_scope, east)
        assert not await is_in_use(tx, west_scope, east)
        assert not await is_in_use(tx, SYSTEM, west)
        await tx.execute("UPDATE patrol_stops SET verdict = 'seen'")
        assert not await is_in_use(tx, SYSTEM, east)
        await tx.execute("UPDATE patrol_stops SET verdict = 'pending'")
        await tx.execute("UPDATE patrol_rounds SET state = 'finished'")
        assert not await is_in_use(tx, SYSTEM, east)
        for ago, score in ((30, 5.0), (2, None)):
            await tx.execute(
                "INSERT INTO picture_checks (at, device_id, mode, is_night, ptz)"
                " VALUES (%(at)s, %(device)s, 'colour', true, %(score)s)",
                {"at": NOW - timedelta(hours=ago), "device": east, "score": score},
            )
        since = NOW - timedelta(hours=31)
        assert await was_moved_since(tx, SYSTEM, east, since)
        assert not await was_moved_since(tx, SYSTEM, west, since)
        assert not await was_moved_since(tx, west_scope, east, since)
        assert not await was_moved_since(tx, SYSTEM, east, NOW - timedelta(hours=20))
    assert await is_free(database, east, NOW - timedelta(hours=20))
    assert not await is_free(database, east, since)
