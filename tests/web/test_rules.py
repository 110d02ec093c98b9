"""Rules with hours, classes and tags; holidays; tags of devices."""

from collections.abc import Mapping

import httpx
import pytest

from tests.web.stage import World, sign_in

RULES, HOLIDAYS = "/api/v1/rules", "/api/v1/holidays"
NIGHT: Mapping[str, object] = {
    "rrule": "FREQ=DAILY;BYHOUR=22",
    "duration_s": 28800,
    "time_zone": "Asia/Shanghai",
    "days": "working",
}
BREAK_IN: Mapping[str, object] = {
    "type": "combination",
    "events": [{"kind": "door.opened"}, {"kind": "motion.started", "is_active": True}],
    "within_s": 30,
    "per": "area",
}


async def test_a_rule_is_given_back_as_it_was_put(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    body = {
        "name": "break-in", "area_id": world.west, "condition": BREAK_IN, "hours": NIGHT,
        "classes": ["gate"], "tags": ["学校"], "most_in_area": 5, "most": 7,
    }  # fmt: skip
    added = (await client.post(RULES, json=body)).raise_for_status().json()
    for name in ("hours", "classes", "tags", "most_in_area", "most"):
        assert added[name] == body[name]
    assert added["condition"]["clear_s"] == 300
    assert added["condition"]["events"][0] == {"kind": "door.opened", "is_active": None}
    # What the API shows, it takes.
    number = added.pop("id")
    again = (await client.put(f"{RULES}/{number}", json=added)).raise_for_status().json()
    assert again == {"id": number, **added}
    plain = {"name": "plain", "area_id": world.west, "condition": {"type": "device_offline"}}
    shown = (await client.post(RULES, json=plain)).raise_for_status().json()
    assert (shown["hours"], shown["classes"], shown["tags"]) == (None, [], [])
    assert (shown["most_in_area"], shown["most"]) == (20, 100)


@pytest.mark.threat("T9")
async def test_what_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    wrong: list[tuple[Mapping[str, object], str]] = [
        ({"hours": {**NIGHT, "rrule": "FREQ=DAILY;UNTIL=20200101"}}, "rrule"),
        ({"hours": {**NIGHT, "rrule": "FREQ=SECONDLY"}}, "rrule"),
        ({"hours": {**NIGHT, "duration_s": 90_000}}, "duration_s"),
        ({"hours": {**NIGHT, "time_zone": "../../etc/passwd"}}, "time_zone"),
        ({"hours": {**NIGHT, "until": 9}}, "until"),
        ({"condition": {**BREAK_IN, "events": [{"kind": "{{7*7}}"}]}}, "events"),
        ({"condition": {"type": "__import__('os')"}}, "type"),
        ({"tags": [" padded"]}, "tags"),
    ]
    plain = {"name": "r", "area_id": world.west, "condition": {"type": "device_offline"}}
    for change, field in wrong:
        answer = await client.post(RULES, json={**plain, **change})
        assert answer.status_code == 422, change
        assert [error["loc"] for error in answer.json()["errors"]] == [["body", field]]


async def test_limits_and_labels_have_bounds(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    body = {"name": "r", "area_id": world.west, "condition": {"type": "device_offline"}}
    wrong = (
        {"most": 0}, {"most_in_area": 10_001}, {"tags": ["a"] * 21}, {"classes": ["x" * 65]},
        {"tags": ["a\nb"]}, {"hours": "always"},
    )  # fmt: skip
    for change in wrong:
        assert (await client.post(RULES, json={**body, **change})).status_code == 422, change
    tags = f"/api/v1/devices/{world.west_camera}/tags"
    for bad in ({"tags": ["a"] * 21}, {"tags": [""]}, {"tags": ["\x07"]}, {"tags": None}, {}):
        assert (await client.put(tags, json=bad)).status_code == 422, bad
    put = await client.put(tags, json={"tags": ["river", "school", "river"]})
    assert put.json() == {"tags": ["river", "school"]}
    assert (await client.get(tags)).json() == put.json()


async def test_holidays_are_edited_a_year_or_a_day_at_a_time(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    day = {"day": "2026-10-01", "name": "国庆节", "is_working": False}
    worked = {"day": "2026-10-10", "name": "国庆节调休上班", "is_working": True}
    year = {"year": 2026, "days": [day, worked]}
    assert (await client.put(HOLIDAYS, json=year)).json()["items"] == [day, worked]
    declared = await client.put(f"{HOLIDAYS}/2027-01-01", json={"name": "元旦"})
    assert declared.json() == {"day": "2027-01-01", "name": "元旦", "is_working": False}
    everything = (await client.get(HOLIDAYS)).json()["items"]
    assert [one["day"] for one in everything] == ["2026-10-01", "2026-10-10", "2027-01-01"]
    assert (await client.get(HOLIDAYS, params={"year": 2026})).json()["items"] == [day, worked]
    assert (await client.delete(f"{HOLIDAYS}/2026-10-10")).status_code == 204
    assert (await client.delete(f"{HOLIDAYS}/2026-10-10")).status_code == 404
    for wrong in (
        {"year": 1999, "days": []}, {"year": 2027, "days": [day]}, {"year": 2026, "days": [{}]},
        {"year": 2026, "days": [day, day]},
    ):  # fmt: skip
        assert (await client.put(HOLIDAYS, json=wrong)).status_code == 422, wrong
    assert (await client.put(f"{HOLIDAYS}/tomorrow", json={"name": "x"})).status_code == 422
    assert (await client.get(HOLIDAYS, params={"year": 2026})).json()["items"] == [day]
    await sign_in(client, "east-viewer")
    assert (await client.get(HOLIDAYS, params={"year": 2026})).json()["items"] == [day]
    assert (await client.put(HOLIDAYS, json=year)).status_code == 403
