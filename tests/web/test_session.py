"""Signing in and out, and what a stranger, a forger and a guesser get."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.access import Role, Scope
from hub.domain.errors import Invalid
from hub.domain.secrets import Secret
from hub.store import users
from hub.store.database import Database
from tests.web.stage import PASSWORD, SYSTEM, Field, World, open_client, sign_in


async def test_a_session_sees_its_areas_and_ends(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "east-viewer")
    me = (await client.get("/api/v1/session/me")).json()
    assert me["name"] == "east-viewer"
    assert me["permissions"] == ["see"]
    listed = (await client.get("/api/v1/devices")).json()
    assert [item["name"] for item in listed["items"]] == ["east-1"]
    assert (await client.post("/api/v1/session/logout")).status_code == 204
    assert (await client.get("/api/v1/devices")).status_code == 401


async def test_the_cookie_is_closed_to_scripts_and_other_sites(
    client: httpx.AsyncClient, world: World
) -> None:
    body = {"name": "east-viewer", "password": PASSWORD}
    answer = await client.post("/api/v1/session/login", json=body)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.threat("T19")
async def test_a_change_needs_the_csrf_token(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "east-admin")
    path = f"/api/v1/devices/{world.east_camera}"
    good = client.headers.pop("X-CSRF-Token")
    assert (await client.patch(path, json={"name": "x"})).status_code == 403
    wrong = {"X-CSRF-Token": "x" * len(good)}
    assert (await client.patch(path, json={"name": "x"}, headers=wrong)).status_code == 403
    foreign = {"X-CSRF-Token": good, "Origin": "http://evil.test"}
    assert (await client.patch(path, json={"name": "x"}, headers=foreign)).status_code == 403
    right = {"X-CSRF-Token": good, "Origin": "http://hub.test"}
    answer = await client.patch(path, json={"name": "gate"}, headers=right)
    assert answer.status_code == 200
    assert answer.json()["name"] == "gate"


@pytest.mark.threat("T19")
async def test_a_foreign_page_cannot_sign_anybody_in(
    client: httpx.AsyncClient, world: World
) -> None:
    body = {"name": "east-viewer", "password": PASSWORD}
    foreign = {"Origin": "http://evil.test"}
    answer = await client.post("/api/v1/session/login", json=body, headers=foreign)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.threat("T16")
async def test_the_stored_hash_is_no_password(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        await users.create_user(tx, SYSTEM, name="stored", password=Secret(PASSWORD))
        found = await users.find_login(tx, SYSTEM, "stored")
    assert found is not None
    assert found.password_hash.startswith("$argon2id$")
    body = {"name": "stored", "password": found.password_hash}
    assert (await client.post("/api/v1/session/login", json=body)).status_code == 401


@pytest.mark.threat("T32")
async def test_unknown_disabled_and_wrong_get_one_answer(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        password = Secret(PASSWORD)
        number = await users.create_user(tx, SYSTEM, name="disabled", password=password)
        await users.create_user(tx, SYSTEM, name="enabled", password=password)
        await users.change_user(tx, SYSTEM, number, display_name="", is_disabled=True)
    answers = [
        await client.post("/api/v1/session/login", json={"name": name, "password": given})
        for name, given in [
            ("enabled", "wrong-password"),
            ("nobody-here", "wrong-password"),
            ("disabled", PASSWORD),
        ]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    seconds = [answer.elapsed.total_seconds() for answer in answers]
    assert max(seconds) < 5 * min(seconds)  # the unknown one is hashed too


@pytest.mark.threat("T28")
async def test_guessing_slows_its_source_and_nobody_else(
    app: FastAPI, world: World, outside: Field
) -> None:
    wrong = {"name": "east-viewer", "password": "wrong-password"}
    async with open_client(app, "192.0.2.66") as guesser, open_client(app, "192.0.2.8") as good:
        codes = [
            (await guesser.post("/api/v1/session/login", json=wrong)).status_code for _ in range(7)
        ]
        assert codes[:5] == [401] * 5
        assert codes[5:] == [429] * 2
        answer = await guesser.post("/api/v1/session/login", json=wrong)
        assert int(answer.headers["retry-after"]) >= 1
        await sign_in(good, "east-viewer")
        outside.now += timedelta(minutes=6)
        await sign_in(guesser, "east-viewer")


@pytest.mark.threat("T28")
async def test_guessing_all_at_once_is_no_way_round(
    app: FastAPI, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        await users.create_user(tx, SYSTEM, name="slow", password=Secret(PASSWORD))
    async with open_client(app, "192.0.2.66") as guesser:
        answers = await asyncio.gather(
            *(
                guesser.post("/api/v1/session/login", json={"name": "slow", "password": f"no-{n}"})
                for n in range(30)
            )
        )
    codes = [answer.status_code for answer in answers]
    assert codes.count(401) <= 10
    assert codes.count(401) + codes.count(429) == 30


@pytest.mark.threat("T29")
async def test_a_stranger_cannot_speak_for_others(app: FastAPI, world: World) -> None:
    wrong = {"name": "east-viewer", "password": "wrong-password"}
    async with open_client(app, "192.0.2.66") as guesser:
        codes = []
        for number in range(7):
            forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Forwarded-User": "root-admin"}
            answer = await guesser.post("/api/v1/session/login", json=wrong, headers=forged)
            codes.append(answer.status_code)
        assert 429 in codes
        me = await guesser.get("/api/v1/session/me", headers={"X-Forwarded-User": "root-admin"})
        assert me.status_code == 401


@pytest.mark.threat("T17")
async def test_a_changed_password_ends_sessions_and_tokens(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    async with open_client(app) as other, open_client(app) as program:
        await sign_in(other, "east-viewer")
        await sign_in(client, "east-viewer")
        made = (await client.post("/api/v1/tokens", json={"name": "ci"})).json()
        program.headers["Authorization"] = f"Bearer {made['value']}"
        assert (await program.get("/api/v1/devices")).status_code == 200
        body = {"current": PASSWORD, "new": "Another-Horse-8"}
        answer = await client.post("/api/v1/session/password", json=body)
        assert answer.status_code == 200
        assert (await other.get("/api/v1/devices")).status_code == 401
        assert (await program.get("/api/v1/devices")).status_code == 401
        assert (await client.get("/api/v1/devices")).status_code == 200


@pytest.mark.threat("T17")
@pytest.mark.parametrize("deed", ["disable", "remove", "password"])
async def test_an_administrator_ends_everything_at_once(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database, deed: str
) -> None:
    async with database.transaction() as tx:
        number = (await users.find_user(tx, SYSTEM, "east-viewer")).id
    await sign_in(client, "root-admin")
    async with open_client(app) as victim:
        await sign_in(victim, "east-viewer")
        path = f"/api/v1/users/{number}"
        if deed == "disable":
            answer = await client.patch(path, json={"is_disabled": True})
        elif deed == "remove":
            answer = await client.delete(path)
        else:
            answer = await client.post(path + "/password", json={"new": "Another-Horse-8"})
        assert answer.is_success, answer.text
        assert (await victim.get("/api/v1/devices")).status_code == 401


async def test_a_session_in_use_lasts_a_shift_and_ends_after_a_week(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    await sign_in(client, "east-viewer")
    for _ in range(20):
        outside.now += timedelta(hours=8)
        assert (await client.get("/api/v1/session/me")).status_code == 200
    outside.now += timedelta(hours=13)
    assert (await client.get("/api/v1/session/me")).status_code == 401


async def test_a_token_cannot_make_tokens_and_expires(
    app: FastAPI, client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    await sign_in(client, "east-viewer")
    expires = (outside.now + timedelta(hours=1)).isoformat()
    made = await client.post("/api/v1/tokens", json={"name": "ci", "expires_at": expires})
    async with open_client(app) as program:
        program.headers["Authorization"] = f"Bearer {made.json()['value']}"
        assert (await program.post("/api/v1/tokens", json={"name": "more"})).status_code == 403
        outside.now += timedelta(hours=2)
        assert (await program.get("/api/v1/devices")).status_code == 401
    listed = (await client.get("/api/v1/tokens")).json()["items"]
    assert [token["name"] for token in listed] == ["ci"]
    assert "value" not in listed[0]


@pytest.mark.threat("T15")
async def test_the_first_administrator_has_a_password_of_his_own(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.transaction() as tx:
        password = await users.ensure_first_admin(tx, SYSTEM)
    assert password is not None
    async with database.transaction() as tx:
        assert await users.ensure_first_admin(tx, SYSTEM) is None
    await sign_in(client, "admin", password)
    created = await client.post("/api/v1/areas", json={"code": "second", "name": "Second"})
    assert created.status_code == 201
    child = {"code": "below", "name": "Below", "parent_id": created.json()["id"]}
    assert (await client.post("/api/v1/areas", json=child)).status_code == 201


@pytest.mark.threat("T15")
@pytest.mark.parametrize("sample", ["admin12345", "Password123!", "1234567890", "aaaaaaaaaaaa"])
async def test_known_samples_are_refused(database: Database, world: World, sample: str) -> None:
    async with database.transaction() as tx:
        with pytest.raises(Invalid) as refused:
            await users.create_user(tx, SYSTEM, name="somebody", password=Secret(sample))
    assert sample not in str(refused.value)


async def test_an_area_admin_cannot_take_over_a_wider_account(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        root = await users.find_user(tx, SYSTEM, "root-admin")
        await users.add_grant(tx, SYSTEM, root.id, role=Role.VIEWER, area_id=world.east)
    await sign_in(client, "east-admin")
    path = f"/api/v1/users/{root.id}"
    assert (await client.get(path)).status_code == 200
    answer = await client.post(path + "/password", json={"new": "Another-Horse-8"})
    assert answer.status_code == 403
    assert (await client.patch(path, json={"is_disabled": True})).status_code == 403
    grant = {"role": "admin", "area_id": world.west}
    own = Scope(paths=("town.east",), actor="east-admin")
    async with database.transaction() as tx:
        viewer = await users.find_user(tx, own, "east-viewer")
    answer = await client.post(f"/api/v1/users/{viewer.id}/grants", json=grant)
    assert answer.status_code == 404
