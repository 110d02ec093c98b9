"""How the hub does, what needs attention, the audit log's filters and file, who may see an area."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.access import Role
from hub.domain.access import Scope as AccessScope
from hub.store import audit, processes, users
from hub.store.database import Database
from tests.web.stage import PASSWORD, SYSTEM, World, add_person, open_client, sign_in

BOOT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
FACTS = {
    "parts": {"database": True, "broker": "the broker: refused"},
    "figures": {"waiting": 3, "events_per_s": 12.5, "memory_bytes": 1 << 28},
    "disk": {"folder": "/var/lib/gengfu", "free_bytes": 1 << 30, "total_bytes": 1 << 40},
    "broker": {"is_embedded": True, "flavour": "amqtt 0.11", "address": "mqtt://127.0.0.1:1883"},
    "retention": {"readings_days": 400, "events_days": 400, "health_days": 400, "scores_days": 30},
}


async def leave_mark(database: Database) -> None:
    """A process says that it lives."""
    async with database.transaction() as tx:
        mark = processes.ProcessMark(
            key="one",
            host="hub-1",
            pid=7,
            roles=["web", "ingest"],
            version="1.2",
            started_at=BOOT,
            facts=FACTS,
        )
        await processes.mark_process(tx, SYSTEM, mark)
        await processes.mark_process(tx, SYSTEM, mark)  # again: still one


@pytest.mark.threat("T1")
async def test_the_whole_hub_is_shown_to_those_who_hold_a_root_area(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await leave_mark(database)
    await sign_in(client, "root-admin")
    whole = (await client.get("/api/v1/system")).json()["whole"]
    (process,) = whole["processes"]
    assert (process["host"], process["roles"]) == ("hub-1", ["web", "ingest"])
    assert process["parts"] == {"database": True, "broker": "the broker: refused"}
    assert process["figures"]["events_per_s"] == 12.5
    assert process["disk"]["free_bytes"] == 1 << 30
    sizes = [table["bytes"] for table in whole["database"]["tables"]]
    assert sizes == sorted(sizes, reverse=True)
    assert all(sizes)
    assert whole["database"]["connections"] >= 1
    is_plain = whole["database"]["edition"] == "plain"
    hypertables = {table["name"] for table in whole["database"]["compression"]}
    assert hypertables >= ({"events", "readings"} if not is_plain else set())
    await sign_in(client, "east-admin")
    answer = (await client.get("/api/v1/system")).json()
    assert answer["whole"] is None
    await sign_in(client, "east-operator")
    assert (await client.get("/api/v1/system")).status_code == 403


async def test_findings_are_those_that_the_caller_can_mend(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await leave_mark(database)
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET registration = 'pending'")
        await tx.execute(
            "INSERT INTO rules (name, area_id, condition, severity) VALUES"
            """ ('Door <b>', %(west)s, '{"type": "device_offline", "for_s": 30}', 'warning')""",
            {"west": world.west},
        )
        await add_person(tx, "west-keeper", Role.MAINTAINER, world.west)
    await sign_in(client, "root-admin")
    found = {one["code"]: one for one in (await client.get("/api/v1/attention")).json()["items"]}
    assert found["devices.pending"]["count"] == 2
    assert found["rules.unheard"]["names"] == ["Door <b>"]
    assert found["broker.for_trying"]["link"] == "/admin/system"
    assert found["disk.low"]["severity"] == "critical"
    assert {"processes.role_missing", "processes.part_failing", "people.single_admin"} <= set(found)
    async with open_client(app) as keeper:
        await sign_in(keeper, "west-keeper")
        answer = (await keeper.get("/api/v1/attention")).json()["items"]
    assert {one["code"]: one["count"] for one in answer}["devices.pending"] == 1
    assert all(one["code"].startswith(("devices.", "parents.")) for one in answer)
    async with open_client(app) as viewer:
        await sign_in(viewer, "east-viewer")
        assert (await viewer.get("/api/v1/attention")).json()["items"] == []


@pytest.mark.threat("T34")
async def test_the_audit_log_is_narrowed_and_handed_out_as_a_file(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    li = AccessScope(paths=(), actor="=li|cmd", user_id=1, source="192.0.2.9")
    async with database.transaction() as tx:
        for number, area in enumerate((world.east, world.west, None)):
            deed = audit.Deed(
                action="rule.changed", object_type="rule", object_id=str(number), area_id=area
            )
            await audit.record(tx, li, deed, {"name": f"门岗 {number}"})
    await sign_in(client, "root-admin")

    async def objects(query: str) -> list[str]:
        answer = await client.get(f"/api/v1/audit?{query}")
        assert answer.status_code == 200, answer.text
        return [line["object_id"] for line in answer.json()["items"] if line["actor"] == "=li|cmd"]

    assert await objects("action=rule") == ["2", "1", "0"]
    assert await objects("action=rul") == []
    assert await objects(f"area={world.west}") == ["1"]
    assert await objects("object_type=rule&object_id=2") == ["2"]
    assert await objects("q=门岗") == ["2", "1", "0"]
    assert await objects("q=门岗 1") == ["1"]
    assert await objects("q=%") == []
    assert await objects("actor=nobody") == []
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await objects(f"since={soon}") == []
    assert await objects(f"until={soon}&limit=1&action=rule.changed") == ["2"]
    names = (await client.get("/api/v1/audit/names")).json()
    assert "=li|cmd" in names["actors"]
    assert "rule.changed" in names["actions"]
    file = await client.get("/api/v1/audit/file?action=rule")
    lines = file.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert ",'=li|cmd,192.0.2.9,rule.changed,rule,2,," in lines[1]
    assert await objects("action=audit") == []
    await sign_in(client, "east-admin")
    assert await objects("q=门岗") == ["0"]
    assert "=li|cmd" in (await client.get("/api/v1/audit/names")).json()["actors"]


@pytest.mark.threat("T17")
async def test_an_administrator_ends_every_session_of_somebody_and_sees_who_sees_an_area(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        operator = (await users.find_user(tx, SYSTEM, "east-operator")).id
    await sign_in(client, "root-admin")
    before = (await client.get(f"/api/v1/users/{operator}")).json()
    assert (before["last_login_at"], before["sessions"]) == (None, 0)
    async with open_client(app) as theirs:
        await sign_in(theirs, "east-operator", PASSWORD)
        during = (await client.get(f"/api/v1/users/{operator}")).json()
        assert during["sessions"] == 1
        assert during["last_login_at"] is not None
        answer = await client.post(f"/api/v1/users/{operator}/sign-out")
        assert answer.status_code == 204
        assert (await theirs.get("/api/v1/session/me")).status_code == 401
    seen = (await client.get(f"/api/v1/areas/{world.east}/people")).json()
    assert {one["name"] for one in seen["items"]} == {
        *("root-admin", "east-admin", "east-viewer", "east-operator")
    }
    assert seen["above"] == 0
    await sign_in(client, "east-admin")
    seen = (await client.get(f"/api/v1/areas/{world.east}/people")).json()
    assert "root-admin" not in {one["name"] for one in seen["items"]}
    assert seen["above"] == 1
