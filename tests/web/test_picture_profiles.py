"""Profiles of thresholds over the API: who makes, assigns and tries them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.domain.quality import Finding, Index, Mode, PictureCheck
from hub.store import picture_states
from hub.store.database import Database
from hub.store.picture_states import get_state
from tests.web.history import NOW, blur_picture
from tests.web.stage import SYSTEM, World, sign_in


@pytest.fixture
async def profile(database: Database, world: World, tmp_path: Path) -> int:
    """East-1 is out of focus; the profile of eastern gates has this number."""
    async with database.transaction() as tx:
        number, _ = await blur_picture(tx, world.east, world.east_camera, "east", tmp_path)
    return number


async def test_a_profile_is_made_assigned_and_not_removed_while_it_is_used(
    client: httpx.AsyncClient, world: World, profile: int
) -> None:
    path = "/api/v1/picture-profiles"
    await sign_in(client, "root-admin")
    new: dict[str, object] = {
        "area_id": world.town,
        "name": "茶室 indoor",
        "thresholds": {"blur": 70, "jitter": None},
    }
    above = (await client.post(path, json=new)).json()
    assert above == {"id": above["id"], **new}
    assert (await client.post(path, json=new)).status_code == 409

    await sign_in(client, "east-admin")
    listed = (await client.get(path, params={"area": world.east})).json()["items"]
    assert [one["name"] for one in listed] == ["east gates", "茶室 indoor"]
    # It applies to the east, but it is the town's.
    change = {"name": "mine", "thresholds": {}}
    assert (await client.put(f"{path}/{above['id']}", json=change)).status_code == 404
    assert (await client.delete(f"{path}/{above['id']}")).status_code == 404
    changed = (await client.put(f"{path}/{profile}", json=change)).json()
    assert (changed["name"], changed["thresholds"]) == ("mine", {})

    rows = "/api/v1/picture-assignments"
    body = {"area_id": world.east, "day_id": above["id"], "night_id": profile}
    row = (await client.post(rows, json=body)).json()
    assert row == {"id": row["id"], **body, "device_class": "", "device_id": None}
    assert len((await client.get(rows)).json()["items"]) == 2
    used = await client.delete(f"{path}/{profile}")
    assert (used.status_code, "assigned in 2 places" in used.text) == (409, True)
    for one in (await client.get(rows)).json()["items"]:
        assert (await client.delete(f"{rows}/{one['id']}")).status_code == 204
    assert (await client.delete(f"{path}/{profile}")).status_code == 204
    await sign_in(client, "east-operator")
    assert (await client.get(path)).status_code == 200
    assert (await client.post(path, json={**new, "area_id": world.east})).status_code == 403


async def test_other_thresholds_are_tried_on_past_checks(
    client: httpx.AsyncClient, world: World, profile: int, database: Database
) -> None:
    await keep_score(database, world.east_camera, NOW - timedelta(hours=2), 40)
    await sign_in(client, "east-admin")

    async def attempt(threshold: float | None, **rest: object) -> Any:
        body = {"area_id": world.east, "thresholds": {"blur": threshold}, **rest}
        answer = await client.post("/api/v1/picture-profiles/dry-run", json=body)
        assert answer.status_code == 200, answer.text
        (blur,) = answer.json()["indices"]
        return blur

    names = ("checks", "faults_before", "faults_after", "became", "ceased", "cameras")
    lower = await attempt(30)
    assert [lower[name] for name in names] == [2, 1, 2, 1, 0, 1]
    assert lower["examples"] == [{"device_id": world.east_camera, "device_name": "east-1"}]
    assert [(await attempt(90))[name] for name in names] == [2, 1, 0, 0, 1, 1]
    assert [(await attempt(None, hours=1))[name] for name in names] == [1, 1, 0, 0, 1, 1]
    assert (await attempt(30, night=True))["checks"] == 0
    assert (await attempt(30, device_class="gate"))["checks"] == 0


async def keep_score(database: Database, device_id: int, at: datetime, score: float) -> None:
    finding = Finding(index=Index.BLUR, score=score, threshold=50, why="")
    async with database.transaction() as tx:
        state = await get_state(tx, SYSTEM, device_id)
        check = PictureCheck(mode=Mode.COLOUR, width=4, height=3, findings=(finding,))
        kept = picture_states.KeptCheck(state=state, at=at, check=check)
        await picture_states.keep_checks(tx, SYSTEM, [kept])
