"""Why a device is as it is: probes, days and outages over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx

from hub.domain.health import Depth, Inspection, Layer, ProbeResult, Recording, Status
from hub.store.camera_days import Finding, keep_findings
from hub.store.database import Database
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM, Field, World, sign_in

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


async def test_the_last_probes_say_why(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    outside.recent[world.east_camera] = [
        ProbeResult(
            probed_at=NOW,
            latency_s=4.0,
            failed_layer=Layer.CREDENTIALS,
            detail="the camera refuses the user name or the password",
            lines=("0.001 s network: connected", "0.004 s credentials: DESCRIBE: 401"),
            depth=Depth.STREAM,
        )
    ]
    await sign_in(client, "east-viewer")
    answer = await client.get(f"/api/v1/devices/{world.east_camera}/probes")
    [probe] = answer.json()["items"]
    assert probe["failed_layer"] == "credentials"
    assert probe["depth"] == "stream"
    assert probe["lines"][1].endswith("401")
    other = await client.get(f"/api/v1/devices/{world.west_camera}/probes")
    assert other.status_code == 404


async def test_days_tell_clock_and_holes(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    hole = (day + timedelta(hours=3), day + timedelta(hours=4))
    found = Inspection(
        inspected_at=NOW,
        clock_offset_s=-75.0,
        recording=Recording(recorded_s=82_800, planned_s=86_400, holes=(hole,)),
        recording_day=day,
    )
    async with database.transaction() as tx:
        finding = Finding(device_id=world.east_camera, tried_at=NOW, day=day, inspection=found)
        await keep_findings(tx, SYSTEM, [finding])
    await sign_in(client, "east-viewer")
    answer = await client.get(f"/api/v1/devices/{world.east_camera}/days")
    days = answer.json()["items"]
    [told] = [one for one in days if one["recorded_s"] is not None]
    assert told["recorded_s"] == 82_800
    assert len(told["holes"]) == 1
    assert {one["clock_offset_s"] for one in days} >= {-75.0}
    other = await client.get(f"/api/v1/devices/{world.west_camera}/days")
    assert other.status_code == 404


async def test_outages_name_the_parent_and_what_lies_in_maintenance(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        for status, minutes in ((Status.ONLINE, 90), (Status.OFFLINE, 60), (Status.ONLINE, 20)):
            await change_status(
                tx,
                SYSTEM,
                Told(
                    device_id=world.east_camera,
                    status=status,
                    since=NOW - timedelta(minutes=minutes),
                ),
            )
        await tx.execute(
            "INSERT INTO maintenance_windows (area_id, starts_at, ends_at, reason, author)"
            " VALUES (%(area)s, %(from)s, %(until)s, 'mast', 'ops')",
            {
                "area": world.town,
                "from": NOW - timedelta(minutes=70),
                "until": NOW - timedelta(minutes=45),
            },
        )
    await sign_in(client, "east-viewer")
    answer = await client.get("/api/v1/outages", params={"area": world.east})
    [outage] = answer.json()["items"]
    assert outage["maintenance_s"] == 15 * 60
    assert outage["parent_id"] is None
    still = await client.get("/api/v1/outages", params={"open": "true"})
    assert still.json()["items"] == []


async def test_outages_come_in_pages(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, ended_at)"
            " SELECT %(device)s, %(now)s - n * interval '1 minute',"
            "  %(now)s - n * interval '1 minute' + interval '20 s' FROM generate_series(1, 7) n",
            {"device": world.east_camera, "now": NOW},
        )
    await sign_in(client, "east-viewer")
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(4):
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/outages", params=params)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    bad = await client.get("/api/v1/outages", params={"cursor": "x"})
    assert bad.status_code == 422
