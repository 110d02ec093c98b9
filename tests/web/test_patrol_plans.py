"""Plans over the API: what they take is said when they are saved; calendars read their feed."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from icalendar import Calendar, Event

from hub.store.database import Database
from tests.web.stage import Field, World, open_client, sign_in

PLANS = "/api/v1/patrol-plans"
FEED = f"{PLANS}/calendar.ics"


def body(world: World, **more: object) -> dict[str, object]:
    return {
        "name": "零点夜查",
        "area_id": world.east,
        "rrule": "FREQ=DAILY",
        "time_zone": "Asia/Shanghai",
        "starts_on": "2026-01-01",
        **more,
    }


DETAILS: Mapping[str, object] = {
    "walker": {"user_id": None, "role": "operator", "is_roster": False},
    "selection": {"area_ids": [], "classes": ["gate"], "tags": ["夜"], "polygon": []},
    "preset": {"preset": "1", "home": ""},
    "presets": {},
    "random_share": 0.1,
    "second_share": 0.02,
    "per_area": 3,
    "within_rounds": 12,
    "tolerance_s": 300,
    "clip_s": 5.0,
    "checklist": ["门关了吗 Is the gate shut?"],
    "roll_call": {"answer_s": 120, "spread_s": 60},
    "report_receivers": [],
}


async def test_a_plan_that_does_not_fit_says_so_when_it_is_saved(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-admin")
    slow = body(world, mode="walk", seconds_per_stop=90, lasts_s=60, window_s=10)
    thought = (await client.post(f"{PLANS}/forecast", json=slow)).json()
    assert (thought["fits"], thought["takes_s"], thought["over_s"]) == (False, 90, 30)
    assert (await client.get(PLANS)).json()["items"] == []  # nothing was saved

    made = await client.post(PLANS, json=slow)
    assert made.status_code == 201
    assert made.json()["forecast"] == thought
    assert "30 s too long" in thought["warnings"][0]
    number = made.json()["id"]
    quick = slow | {"seconds_per_stop": 5, "lasts_s": 3600}
    changed = (await client.put(f"{PLANS}/{number}", json=quick)).json()
    assert changed["forecast"]["fits"]
    assert changed["forecast"]["warnings"] == []
    later = (await client.get(f"{PLANS}/{number}/forecast")).json()
    assert later["next_at"] == "2026-11-22T16:00:00Z"
    assert later["past"] == []
    assert later["takes_s"] == 5


async def test_all_that_a_plan_asks_for_comes_back_as_it_was_sent(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-admin")
    sent = body(
        world, mode="mixed", order="shuffled", ends_on="2027-12-31", lasts_s=7200,
        exceptions=["2027-02-06", "2027-01-01", "2027-01-01"], details=DETAILS,
    )  # fmt: skip
    made = await client.post(PLANS, json=sent)
    assert made.status_code == 201, made.text
    found = (await client.get(f"{PLANS}/{made.json()['id']}")).json()
    assert found["details"] == DETAILS
    assert found["exceptions"] == ["2027-01-01", "2027-02-06"]
    assert (found["mode"], found["order"], found["ends_on"]) == ("mixed", "shuffled", "2027-12-31")
    only = await client.put(f"{PLANS}/{found['id']}", json=body(world))
    assert only.json()["details"]["checklist"] == []  # replaced whole


REFUSED: tuple[tuple[Mapping[str, object], str], ...] = (
    ({"mode": "sampled", "details": {"per_area": 1, "within_rounds": 0}}, "within_rounds"),
    ({"ends_on": "2025-12-31"}, "ends_on"),
    ({"details": {"walker": {"role": "viewer"}}}, "walker"),
    ({"details": {"selection": {"polygon": [[1, 1], [2, 2]]}}}, "polygon"),
    ({"details": {"preset": {"preset": "$(reboot)"}}}, "presets"),
    ({"details": {"checkbox": []}}, "checkbox"),
    ({"details": {"random_share": 1.5}}, "random_share"),
    ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
)


async def test_what_cannot_be_is_refused_by_name(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "east-admin")
    for change, place in REFUSED:
        for path in (PLANS, f"{PLANS}/forecast"):
            answer = await client.post(path, json=body(world, **change))
            assert answer.status_code == 422, (path, change)
            assert any(place in error["loc"] for error in answer.json()["errors"]), change


async def make_token(app: FastAPI, name: str) -> str:
    async with open_client(app) as client:
        await sign_in(client, name)
        answer = await client.post("/api/v1/tokens", json={"name": "calendar"})
        assert answer.status_code == 201, answer.text
        token = answer.json()["value"]
        assert isinstance(token, str)
        return token


def basic(token: str, user: str = "anybody") -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def read(feed: bytes) -> list[Event]:
    return [one for one in Calendar.from_ical(feed).walk() if isinstance(one, Event)]


@pytest.mark.threat("T1")
@pytest.mark.threat("T7")
async def test_a_calendar_reads_the_rounds_of_its_owners_areas(
    app: FastAPI, client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    hostile = "<b onclick=x>;,\\nEND:VEVENT {{7*7}}"
    await sign_in(client, "root-admin")
    for name, area in ((hostile, world.east), ("of west", world.west)):
        assert (
            await client.post(PLANS, json=body(world, name=name, area_id=area, lasts_s=3600))
        ).status_code == 201
    off = await client.post(PLANS, json=body(world, name="off", is_enabled=False))
    assert off.status_code == 201
    tokens = {who: await make_token(app, who) for who in ("east-viewer", "root-admin")}
    async with open_client(app) as stranger:
        answer = await stranger.get(FEED, headers=basic(tokens["east-viewer"]))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/calendar")
        events = read(answer.content)
        assert len(events) == 31
        assert {str(one["summary"]) for one in events} == {hostile}
        assert "west" not in answer.text
        assert events[0].decoded("dtstart") == datetime(2026, 11, 22, 16, tzinfo=UTC)
        assert events[0].decoded("dtstart") - outside.now < timedelta(days=1)
        whole = await stranger.get(
            FEED, params={"days": 2}, headers=basic(tokens["root-admin"], user="root-admin")
        )
        assert sorted(str(one["summary"]) for one in read(whole.content)) == [
            hostile, hostile, "of west", "of west",
        ]  # fmt: skip


@pytest.mark.threat("T19")
@pytest.mark.threat("T2")
async def test_a_password_that_browsers_send_by_themselves_opens_the_feed_alone(
    app: FastAPI, world: World, database: Database
) -> None:
    del world
    token = await make_token(app, "root-admin")
    async with open_client(app) as client:
        for headers in ({}, basic("gengfu_wrong"), {"Authorization": "Basic ???"}):
            answer = await client.get(FEED, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
        plain = await client.get(PLANS, headers=basic(token))
        assert plain.status_code == 401
        assert plain.headers["www-authenticate"] == "Bearer"
        for method, path in (("POST", PLANS), ("POST", FEED), ("GET", "/api/v1/users")):
            answer = await client.request(method, path, headers=basic(token), json={})
            assert answer.status_code in {401, 404, 405, 422}, (method, path)
            assert not answer.is_success
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get(FEED, headers=headers)).status_code == 200
    async with database.transaction() as tx:
        await tx.execute("UPDATE users SET is_disabled = true")
    async with open_client(app) as client:
        assert (await client.get(FEED, headers=basic(token))).status_code == 401
