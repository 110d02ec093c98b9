"""Alerts and silences over HTTP: shapes, refusals, bulk, the account of an alert."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.store.database import Database
from tests.web.history import History, fill_west, raise_alert
from tests.web.stage import World, sign_in

API = "/api/v1"
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}\u202e"


@pytest.fixture
async def history(database: Database, world: World, tmp_path: Path) -> History:
    """An alert in the west, another in the east."""
    found = await fill_west(database, world, tmp_path)
    async with database.transaction() as tx:
        await raise_alert(tx, world.east, world.east_camera, "east")
    return found


async def post(client: httpx.AsyncClient, path: str, body: object, status: int = 200) -> Any:
    answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(f"{API}/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_life_of_an_alert_over_http(client: httpx.AsyncClient, history: History) -> None:
    await sign_in(client, "root-admin")
    path = f"alerts/{history.alert}"
    shown = await get(client, path)
    assert (shown["colour"], shown["deadline"], shown["status"]) == ("green", None, "firing")
    people = (await get(client, f"{path}/assignees"))["items"]
    assert [one["name"] for one in people] == ["root-admin", "west-person"]
    mine = await post(client, f"{path}/assign", {"note": "I go"})
    assert (mine["status"], mine["assigned_name"]) == ("assigned", "root-admin")
    given = await post(client, f"{path}/assign", {"user_id": history.person})
    assert given["assigned_to"] == history.person
    late = await post(client, f"{path}/assign", {"if_free": True}, 409)
    assert "assigned to west-person already" in late["detail"]
    assert (await get(client, f"{path}/storm"))["count"] == 0
    assert len((await get(client, f"alerts?assigned_to={history.person}"))["items"]) == 1
    assert (await get(client, "alerts?assigned_to=me"))["items"] == []
    quiet = await post(client, f"{path}/snooze", {"seconds": 21_600, "note": "lunch"})
    assert quiet["quiet_reason"] == "snoozed by root-admin"
    assert len((await get(client, "alerts?quiet=true"))["items"]) == 1
    over = await post(client, f"{path}/resolve", {"reason": "done"})
    assert (over["status"], over["resolution"]) == ("resolved", "done")
    again = await post(client, f"{path}/reopen", {"note": "not done"})
    assert (again["status"], again["assigned_to"]) == ("firing", None)
    account = (await get(client, f"{path}/history"))["items"]
    told = [(line["kind"], line["what"]) for line in account]
    assert told[:2] == [("step", "fired"), ("untold", "fired")]
    assert ("step", "reopened") in told
    assert [line["who"] for line in account if line["what"] == "snoozed"] == ["root-admin"]


NONSENSE: tuple[tuple[str, object], ...] = (
    ("snooze", {}),
    ("snooze", {"seconds": 600, "until": "2026-11-22T02:00:00Z"}),
    ("snooze", {"seconds": 604_801}),
    ("snooze", {"until": "2026-12-22T02:00:00Z"}),
    ("snooze", {"until": "2026-11-22T02:00:00"}),
    ("assign", {"user_id": 999_999}),
    ("assign", {"user_id": 0}),
    ("resolve", {"reason": ""}),
    ("comment", {"note": " "}),
    ("reopen", {"note": "x", "force": True}),
)


async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, history: History) -> None:
    await sign_in(client, "root-admin")
    for path, body in NONSENSE:
        await post(client, f"alerts/{history.alert}/{path}", body, 422)
    steps = (await get(client, f"alerts/{history.alert}"))["steps"]
    assert [step["step"] for step in steps] == ["fired"]


async def test_lists_know_their_parameters(
    client: httpx.AsyncClient, history: History, world: World
) -> None:
    await sign_in(client, "root-admin")
    for query in ("colour=green", f"rule={history.rule}", "sort=deadline", "sort=severity"):
        assert (await get(client, f"alerts?{query}"))["items"], query
    for query in ("drill=true", "folded=true", "open=true"):
        assert len((await get(client, f"alerts?{query}"))["items"]) == 2, query
    for query in ("colour=red", f"parent={world.east_camera}", "folded_into=1", "quiet=true"):
        assert (await get(client, f"alerts?{query}"))["items"] == [], query
    for query in ("colour=blue", "assigned_to=you", "assigned_to=0", "sort=name", "colours=red"):
        await get(client, f"alerts?{query}", 422)
    for cursor in ("Wzdd", "WyJ4Iiw3XQ", "x"):
        for order in ("deadline", "severity"):
            await get(client, f"alerts?sort={order}&cursor={cursor}", 422)
    counts = await get(client, "alerts/counts")
    assert counts == {"severities": {"critical": 2}, "colours": {"green": 2}}
    assert (await get(client, f"alerts/counts?area={world.east}"))["colours"] == {"green": 1}
    groups = (await get(client, "alerts/groups?by=area"))["items"]
    assert {(one["name"], one["count"], one["firing"]) for one in groups} == {
        ("East", 1, 1),
        ("West", 1, 1),
    }
    assert (await get(client, "alerts/holds?from=2026-11-01T00:00:00Z"))["items"] == []
    await get(client, "alerts/holds?from=yesterday", 422)


@pytest.mark.threat("T1")
async def test_many_at_once_within_what_the_caller_may_touch(
    client: httpx.AsyncClient, history: History
) -> None:
    await sign_in(client, "root-admin")
    ids = [one["id"] for one in (await get(client, "alerts"))["items"]]
    await sign_in(client, "east-operator")
    (mine,) = [one["id"] for one in (await get(client, "alerts"))["items"]]
    done = await post(client, "alerts/bulk", {"ids": [*ids, 77], "action": "acknowledge"})
    assert done["done"] == 1
    assert {line["id"]: line["error"] for line in done["items"]} == {
        mine: "",
        history.alert: "no such alert",
        77: "no such alert",
    }
    await post(client, "alerts/bulk", {"ids": [history.alert], "action": "acknowledge"}, 404)
    for body in (
        {"ids": [], "action": "acknowledge"},
        {"ids": list(range(1, 502)), "action": "acknowledge"},
        {"ids": [mine], "action": "resolve"},
        {"ids": [mine], "action": "delete"},
        {"ids": [mine], "action": "snooze"},
        {"ids": ["1; DROP TABLE alerts"], "action": "comment", "note": "x"},
    ):
        await post(client, "alerts/bulk", body, 422)
    snoozed = {"ids": [mine], "action": "snooze", "seconds": 60, "note": "later"}
    assert (await post(client, "alerts/bulk", snoozed))["done"] == 1
    assert (await get(client, f"alerts/{mine}"))["quiet_until"] == "2026-11-22T01:01:00Z"


async def test_a_silence_over_http(
    client: httpx.AsyncClient, history: History, world: World
) -> None:
    await sign_in(client, "east-operator")
    wanted = {"area_id": world.east, "reason": "cables", "ends_at": "2026-11-22T01:30:00Z"}
    await post(client, "silences", wanted, 403)
    await sign_in(client, "root-admin")
    tried = await post(client, "silences/preview", {"area_id": world.east})
    assert tried["quiets"] == 1
    assert "everything in East" in tried["warning"]
    narrow = {"severities": ["info"], "tags": ["pole"]}
    tried = await post(client, "silences/preview", {"area_id": world.east, "matcher": narrow})
    assert tried == {"quiets": 0, "warning": ""}
    made = await post(client, "silences", wanted, 201)
    assert (made["state"], made["is_expiring"], made["quiets"]) == ("active", True, 1)
    assert (made["author"], made["warning"] != "") == ("root-admin", True)
    (alert,) = (await get(client, f"alerts?quiet=true&area={world.east}"))["items"]
    assert alert["quiet_until"] == "2026-11-22T01:30:00Z"
    assert alert["quiet_reason"].endswith("cables")
    path = f"{API}/silences/{made['id']}"
    longer = await client.put(path, json={"ends_at": "2026-11-23T01:00:00Z"})
    assert (longer.json()["is_expiring"], longer.json()["ends_at"]) == (
        False,
        "2026-11-23T01:00:00Z",
    )
    for state, count in (("active", 2), ("pending", 0), ("expired", 0)):
        assert len((await get(client, f"silences?state={state}"))["items"]) == count
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 409
    ended = await get(client, f"silences/{made['id']}")
    assert (ended["state"], ended["ended_by"]) == ("expired", "root-admin")
    bad: list[dict[str, object]] = [
        {"reason": ""},
        {"reason": "a\nb"},
        {"ends_at": "2026-11-22T00:59:00Z"},
        {"ends_at": "2027-11-22T00:59:00Z"},
        {"starts_at": "2026-11-23T00:00:00Z"},
        {"matcher": {"severities": ["fatal"]}},
        {"matcher": {"tags": [""]}},
        {"matcher": {"device_ids": [-1]}},
        {"matcher": {"areas": [1]}},
    ]
    for change in bad:
        await post(client, "silences", {**wanted, **change}, 422)


@pytest.mark.threat("T7")
async def test_names_and_notes_come_back_as_they_are_and_inert(
    client: httpx.AsyncClient, history: History, world: World
) -> None:
    await sign_in(client, "root-admin")
    path = f"alerts/{history.alert}"
    await post(client, f"{path}/comment", {"note": HOSTILE})
    wanted = {"area_id": world.west, "reason": HOSTILE, "ends_at": "2026-11-22T03:00:00Z"}
    await post(client, "silences", wanted, 201)
    for where in (path, f"{path}/history", "silences", "alerts?q=%3Cimg"):
        answer = await client.get(f"{API}/{where}")
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
    notes = [line["text"] for line in (await get(client, f"{path}/history"))["items"]]
    assert HOSTILE in notes
    assert "49" not in "".join(notes)
