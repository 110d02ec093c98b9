"""The API of the phone pages: what a link is good for, and for nothing else."""

import logging
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.dispatches import DispatchState
from hub.domain.duty_rooms import AnsweredBy, CallState
from hub.domain.secrets import Secret
from hub.patrols.dispatch.desk import Order, cancel, send_to, take_back
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.phone.links import LASTS, LATE_ANSWER, issue
from hub.runtime.jobs import Jobs
from hub.store.database import Database, Transaction
from hub.store.dispatch_messages import list_messages
from hub.store.dispatch_positions import list_positions
from hub.store.dispatch_steps import list_steps
from hub.store.dispatches import get_dispatch
from hub.store.field_units import get_unit
from hub.store.photos import PhotoOf, list_photos
from hub.store.room_calls import end_calls, get_call
from hub.web.app import PAGES
from hub.web.openapi import list_routes
from hub.web.phone_access import LINK_HEADER, MOST_A_MINUTE
from tests.web.phone_photos import make_photo
from tests.web.phone_scene import (
    CODE,
    GIVEN,
    HERE,
    MESSAGES,
    PHONE,
    PHOTOS,
    PLACE,
    POSITIONS,
    STEPS,
    TITLE,
    Scene,
    holding,
    send_task,
)
from tests.web.stage import SYSTEM, Field, World, open_client, sign_in


def step(what: str, number: int, **more: object) -> dict[str, object]:
    return {"given_id": f"{GIVEN}{number}", "step": what, **more}


async def _give(tx: Transaction, task: int, unit: int) -> None:
    await tx.execute(
        "UPDATE dispatches SET unit_id = %(unit)s WHERE id = %(task)s", {"unit": unit, "task": task}
    )


async def answers_of(client: httpx.AsyncClient, token: Secret) -> list[int]:
    """What every route for the task of a link answers to its token."""
    mine = holding(token)
    picture = make_photo(seed=9)
    calls = (
        client.get(f"{PHONE}/task", headers=mine),
        client.get(f"{PHONE}/task/picture", headers=mine),
        client.post(STEPS, json=step("on_site", 9), headers=mine),
        client.post(MESSAGES, json={"given_id": GIVEN, "text": "?"}, headers=mine),
        client.post(POSITIONS, json=HERE, headers=mine),
        client.post(PHOTOS, content=picture, headers={**mine, "X-Given-Id": GIVEN}),
    )
    return [(await call).status_code for call in calls]


@pytest.mark.threat("K1")
@pytest.mark.threat("T24")
async def test_a_task_goes_its_way_by_its_link_and_what_is_sent_twice_is_kept_once(
    client: httpx.AsyncClient, database: Database, scene: Scene, tmp_path: Path
) -> None:
    client.headers.update(holding(scene.token))
    task = (await client.get(f"{PHONE}/task")).json()
    assert (task["title"], task["state"], task["colour"]) == (TITLE, "sent", "green")
    assert (task["checked"], task["photos"], task["has_picture"]) == ([False, False], 0, False)
    for what, number in (("accept", 1), ("on_the_way", 2), ("accept", 1), ("on_site", 3)):
        answer = await client.post(STEPS, json=step(what, number))
        assert answer.status_code == 200, answer.text
    picture = make_photo(3000, 400)
    for _ in range(2):
        said = await client.post(MESSAGES, json={"given_id": GIVEN, "text": "到了 "})
        assert said.status_code == 204
        kept = await client.post(PHOTOS, content=picture, headers={"X-Given-Id": GIVEN})
        assert (kept.status_code, kept.json()) == (201, {"photos": 1})
        told = await client.post(POSITIONS, json=HERE | {"age_s": 20})
        assert told.status_code == 204
    shown = (await client.get(f"{PHONE}/task")).json()
    assert [(one["text"], one["is_field"]) for one in shown["messages"]] == [("到了", True)]
    # Not all is done, and no word of why: refused, and the task stands where it stood.
    early = await client.post(STEPS, json=step("done", 4, checked=[True, False]))
    assert (early.status_code, early.json()["errors"][0]["loc"]) == (422, ["body", "note"])
    last = step("done", 4, checked=[True, False], note="没有带卷尺")
    for _ in range(3):  # its answers were lost
        answer = await client.post(STEPS, json=last)
        assert (answer.status_code, answer.json()["state"]) == (200, "done")
    # The link is good for nothing more, not even for another "done".
    assert await answers_of(client, scene.token) == [404] * 6
    assert (await client.post(STEPS, json=step("done", 5, note="x"))).status_code == 404
    assert (await client.post(STEPS, json=step("refuse", 6, note="x"))).status_code == 404
    async with database.transaction() as tx:
        done = await get_dispatch(tx, SYSTEM, scene.task)
        history = await list_steps(tx, SYSTEM, scene.task)
        photos = await list_photos(tx, SYSTEM, PhotoOf(dispatch_id=scene.task))
        assert len(await list_messages(tx, SYSTEM, scene.task)) == 1
        assert (await list_positions(tx, SYSTEM, scene.task))[0].longitude == PLACE.longitude
        placed = (await get_unit(tx, SYSTEM, scene.unit)).position
    assert (done.state, done.checked) == (DispatchState.DONE, (True, False))
    field = [(one.what, one.actor) for one in history if one.is_field]
    assert [what for what, _ in field] == ["accepted", "on_the_way", "on_site", "photo", "done"]
    assert {actor for _, actor in field} == {"东村网格员 王强"}
    assert [photo.author for photo in photos] == ["东村网格员 王强"]
    assert PhotoFolder(tmp_path).path(photos[0].id).is_file()
    assert placed is not None
    assert placed.longitude == PLACE.longitude


@pytest.mark.threat("T1")
async def test_a_link_opens_nothing_else(
    app: FastAPI, client: httpx.AsyncClient, scene: Scene
) -> None:
    # The token of a roll call opens no task, that of a task no roll call, and neither the API.
    assert await answers_of(client, scene.call_token) == [404] * 6
    mine = holding(scene.token)
    assert (await client.get(f"{PHONE}/call", headers=mine)).status_code == 404
    said = {"given_id": GIVEN, "code": CODE, "by": "x"}
    answer = await client.post(f"{PHONE}/call/answer", json=said, headers=mine)
    assert answer.status_code == 404
    everywhere = holding(scene.token, Authorization=f"Bearer {scene.token.reveal()}")
    for line in list_routes(app):
        if line.method == "WEBSOCKET":
            continue  # the walk asks those
        if line.path.startswith("/api/v1/") and line.requirement and "/phone/" not in line.path:
            path = re.sub(r"\{[^}]*\}", "1", line.path)
            answer = await client.request(line.method, path, headers=everywhere)
            assert answer.status_code == 401, (line, answer.text)


@pytest.mark.threat("T1")
@pytest.mark.threat("T24")
async def test_a_link_is_for_one_task_of_one_unit_and_ends_with_it(
    client: httpx.AsyncClient, database: Database, world: World, outside: Field, scene: Scene
) -> None:
    now, jobs = outside.now, Jobs(database, outside.clock)
    async with database.transaction() as tx:
        other = await send_task(tx, jobs, world, scene.other_unit, now, title="西口积水")
        fresh = await issue(tx, SYSTEM, now=now, dispatch_id=other.id, unit_id=scene.other_unit)
        stale = await issue(tx, SYSTEM, now=now, dispatch_id=other.id, unit_id=scene.other_unit)
    seen = await client.get(f"{PHONE}/task", headers=holding(fresh))
    assert seen.json()["title"] == "西口积水"
    # The unit that a link was for is not the unit that has the task: whatever made it so.
    async with database.transaction() as tx:
        await _give(tx, scene.task, scene.other_unit)
    assert await answers_of(client, scene.token) == [404] * 6
    async with database.transaction() as tx:
        await _give(tx, scene.task, scene.unit)
    assert (await client.get(f"{PHONE}/task", headers=holding(scene.token))).status_code == 200
    # Given to the other unit: the first one's link ends, whatever it tries.
    async with database.transaction() as tx:
        order = Order(dispatch_id=scene.task, now=now)
        await send_to(tx, SYSTEM, jobs, order, scene.other_unit)
    assert await answers_of(client, scene.token) == [404] * 6
    async with database.transaction() as tx:
        await take_back(tx, SYSTEM, Order(dispatch_id=other.id, note="等等", now=now))
    assert await answers_of(client, fresh) == [404] * 6
    # Sent to the same unit again it needs a new link: the old ones stay over.
    async with database.transaction() as tx:
        await send_to(tx, SYSTEM, jobs, Order(dispatch_id=other.id, now=now), scene.other_unit)
        again = await issue(tx, SYSTEM, now=now, dispatch_id=other.id, unit_id=scene.other_unit)
    assert await answers_of(client, stale) == [404] * 6
    assert (await client.get(f"{PHONE}/task", headers=holding(again))).status_code == 200
    outside.now = now + LASTS
    assert await answers_of(client, again) == [404] * 6
    outside.now = now
    async with database.transaction() as tx:
        await cancel(tx, SYSTEM, Order(dispatch_id=other.id, note="误报", now=now))
    assert await answers_of(client, again) == [404] * 6


async def test_a_refusal_needs_its_reason_and_ends_the_link(
    client: httpx.AsyncClient, database: Database, scene: Scene
) -> None:
    client.headers.update(holding(scene.token))
    silent = await client.post(STEPS, json=step("refuse", 1))
    assert (silent.status_code, silent.json()["errors"][0]["loc"]) == (422, ["body", "note"])
    skipped = await client.post(STEPS, json=step("done", 2, note="x"))
    assert skipped.status_code == 409
    for _ in range(2):
        answer = await client.post(STEPS, json=step("refuse", 3, note="太远"))
        assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    assert await answers_of(client, scene.token) == [404] * 6
    async with database.transaction() as tx:
        assert (await get_dispatch(tx, SYSTEM, scene.task)).state is DispatchState.REFUSED


@pytest.mark.threat("T28")
async def test_guessing_is_slowed_and_a_known_phone_beside_it_is_heard(
    app: FastAPI, client: httpx.AsyncClient, outside: Field, scene: Scene
) -> None:
    good = holding(scene.token)
    assert (await client.get(f"{PHONE}/task")).status_code == 401
    assert (await client.get(f"{PHONE}/task", headers=good)).status_code == 200
    tried = [
        (await client.get(f"{PHONE}/task", headers={LINK_HEADER: f"guess-{number}" * 4}))
        for number in range(12)
    ]
    assert {answer.status_code for answer in tried} == {404, 429}
    assert tried[-1].status_code == 429
    assert int(tried[-1].headers["Retry-After"]) >= 1
    long = await client.get(f"{PHONE}/task", headers={LINK_HEADER: "x" * 5000})
    assert long.status_code == 404
    assert (await client.get(f"{PHONE}/task", headers=good)).status_code == 200
    async with open_client(app, "192.0.2.200") as elsewhere:
        call = await elsewhere.get(f"{PHONE}/call", headers=holding(scene.call_token))
        assert call.status_code == 200
    # Nobody hammers with a good one either.
    spoken = [
        (await client.get(f"{PHONE}/call", headers=good)).status_code for _ in range(MOST_A_MINUTE)
    ]
    assert spoken[-1] == 429
    outside.now += timedelta(minutes=2)
    assert (await client.get(f"{PHONE}/task", headers=good)).status_code == 200


@pytest.mark.threat("K1")
async def test_a_duty_room_answers_by_its_phone(
    client: httpx.AsyncClient, database: Database, outside: Field, scene: Scene
) -> None:
    client.headers.update(holding(scene.call_token))
    asked = (await client.get(f"{PHONE}/call")).json()
    assert (asked["room_name"], asked["code"], asked["state"]) == ("东村值班室", CODE, "asked")
    said = {"given_id": GIVEN, "code": "9999", "by": "赵敏"}
    wrong = await client.post(f"{PHONE}/call/answer", json=said)
    assert (wrong.status_code, wrong.json()["errors"][0]["loc"]) == (422, ["body", "code"])
    # It runs out of time, and comes after all: heard, and known to be late.
    async with database.transaction() as tx:
        assert (await get_call(tx, SYSTEM, scene.call)).wrong_codes == 1
        await end_calls(tx, SYSTEM, [scene.call], CallState.UNANSWERED)
    outside.now += timedelta(seconds=300) + LATE_ANSWER - timedelta(seconds=1)
    for _ in range(2):
        answer = await client.post(f"{PHONE}/call/answer", json=said | {"code": CODE})
        assert answer.status_code == 200, answer.text
    async with database.transaction() as tx:
        call = await get_call(tx, SYSTEM, scene.call)
    assert (call.answered_by, call.answered_how) == ("赵敏", AnsweredBy.PHONE)
    assert call.answered_at == outside.now
    other = await client.post(f"{PHONE}/call/answer", json=said | {"code": CODE, "by": "别人"})
    assert other.status_code == 404
    assert (await client.get(f"{PHONE}/call")).status_code == 404


@pytest.mark.threat("T24")
@pytest.mark.threat("T31")
async def test_the_desk_shows_a_link_once_as_a_code_and_no_log_has_it(
    app: FastAPI,
    client: httpx.AsyncClient,
    database: Database,
    outside: Field,
    scene: Scene,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await sign_in(client, "root-admin")
    made = await client.post(f"/api/v1/dispatches/{scene.task}/link")
    assert made.status_code == 201
    link = made.json()["link"]
    page, _, token = link.partition("#")
    assert page == "http://hub.test/phone/task"
    assert made.json()["svg"].startswith("<svg ")
    assert made.headers["Cache-Control"] == "no-store"
    async with open_client(app) as phone:
        assert (await phone.get(f"{PHONE}/task", headers={LINK_HEADER: token})).status_code == 200
        phone.headers[LINK_HEADER] = token
        assert (await phone.post(MESSAGES, json={"given_id": GIVEN, "text": "x"})).is_success
    async with database.transaction() as tx:
        kept = await tx.tuples(
            "SELECT row_to_json(l)::text FROM phone_links l"
            " UNION ALL SELECT row_to_json(a)::text FROM audit a"
            " UNION ALL SELECT row_to_json(j)::text FROM procrastinate_jobs j"
            " UNION ALL SELECT row_to_json(s)::text FROM dispatch_steps s"
        )
        await take_back(tx, SYSTEM, Order(dispatch_id=scene.task, note="x", now=outside.now))
    assert len(kept) > 5
    assert [row for row in kept if token in str(row)] == []
    # What the client of this test logs is not ours.
    ours = [record for record in caplog.records if not record.name.startswith("http")]
    assert token not in "".join(record.getMessage() for record in ours)
    assert (await client.post(f"/api/v1/dispatches/{scene.task}/link")).status_code == 409


@pytest.mark.threat("T6")
@pytest.mark.threat("T20")
async def test_the_pages_hold_no_script_and_nobodys_data(client: httpx.AsyncClient) -> None:
    for name in ("task", "call"):
        page = await client.get(f"/phone/{name}")
        assert page.status_code == 200
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "geolocation=(self)" in page.headers["Permissions-Policy"]
        assert "set-cookie" not in page.headers
        assert re.search(r"<style|\bstyle=|\son\w+=|javascript:", page.text) is None
        assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
        for file in re.findall(r'(?:src|href)="(/phone/static/[^"]+)"', page.text):
            assert re.fullmatch(r"/phone/static/[0-9a-f]{12}/\w+\.(?:js|css|svg)", file)
            served = await client.get(file)
            assert (served.status_code, "immutable" in served.headers["Cache-Control"]) == (
                200,
                True,
            )
    start = await client.get("/")
    assert "geolocation=()" in start.headers["Permissions-Policy"]
    for outside in (
        "..%2fstart.html",
        "%2e%2e/start.html",
        "..%5cstart.html",
        "task.html%00",
        "0123456789ab/../../start.html",
    ):
        answer = await client.get(f"/phone/static/{outside}")
        assert answer.status_code in {404, 405}, outside


def test_the_first_load_is_small() -> None:
    """What a phone fetches before it shows a task; 150 kB is what was promised."""
    files = list((PAGES / "phone").iterdir())
    assert 20_000 < sum(path.stat().st_size for path in files) < 100_000
