"""`gengfu users`, `patrols`, `report`: what people and programs get, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.domain.access import system_scope
from hub.domain.patrols import PatrolPlan
from hub.domain.secrets import Secret
from hub.patrols.planning.saving import create_plan
from hub.store import areas, users
from hub.store.database import Database
from hub.store.passwords import verify_password
from hub.store.users import ensure_first_admin
from hub.store.vault import Vault
from tests.system.command_line import CommandLine

SCOPE = system_scope("test")
PASSWORD = "night-duty-Nanhu-7"


@pytest.fixture
async def site(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    async with database.transaction() as tx:
        await ensure_first_admin(tx, SCOPE)
    yield database
    await database.close()


@pytest.fixture
def gengfu(site: Database, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )


async def logs_in(database: Database, name: str, password: str) -> bool:
    async with database.transaction() as tx:
        login = await users.find_login(tx, SCOPE, name)
    assert login is not None
    return await verify_password(login.password_hash, Secret(password))


async def test_people_are_added_listed_and_granted(gengfu: CommandLine, site: Database) -> None:
    async with site.transaction() as tx:
        root = (await areas.list_areas(tx, SCOPE))[0]
        await areas.create_area(tx, SCOPE, code="v1", name="青龙村", parent_id=root.id)
    given, made, shown = await asyncio.gather(
        gengfu("users", "add", "王敏", "--role", "operator", "--area", "v1",
               stdin=PASSWORD + "\r\n"),
        gengfu("users", "add", "li", "--role", "viewer", "--area", root.code, "--json"),
        gengfu("users", "add", "zhao", "--role", "viewer", "--area", "v1"),
    )  # fmt: skip
    assert (given.status, made.status, shown.status) == (0, 0, 0)
    # What was given is not said again; what was made is said once, as the result.
    assert PASSWORD not in given.out + given.err
    assert given.out == ""
    assert await logs_in(site, "王敏", PASSWORD)
    assert await logs_in(site, "li", made.json()["password"])
    assert await logs_in(site, "zhao", shown.out.removeprefix("password, shown once: ").strip())
    assert not await logs_in(site, "zhao", made.json()["password"])

    granted = await gengfu("users", "grant", "li", "--role", "admin", "--area", "v1", "--json")
    assert granted.json() == {"name": "li", "role": "admin", "area": "v1"}
    listed = await gengfu("users", "list", "--json")
    grants = {user["name"]: user["grants"] for user in listed.json()}
    assert grants["li"] == f"viewer in {root.path}, admin in {root.path}.v1"
    assert "argon2" not in listed.out
    async with site.transaction() as tx:
        deeds = await tx.tuples("SELECT action FROM audit WHERE actor LIKE 'command line: %%'")
    # Everybody made and every grant given is in the audit log, under the one who typed it.
    assert [str(deed[0]) for deed in deeds].count("grant.added") == 4
    assert len(deeds) == 7


async def test_what_cannot_be_is_refused_in_a_line(gengfu: CommandLine, site: Database) -> None:
    weak, place, nobody, role = await asyncio.gather(
        gengfu("users", "add", "li", "--role", "viewer", "--area", "nowhere", stdin=PASSWORD),
        gengfu("users", "add", "li", "--role", "viewer", "--area", "site", stdin="li-pass\n"),
        gengfu("users", "grant", "nobody", "--role", "viewer", "--area", "site"),
        gengfu("users", "add", "li", "--role", "king", "--area", "site", stdin=PASSWORD),
    )
    async with site.transaction() as tx:
        root = (await areas.list_areas(tx, SCOPE))[0]
        assert [user.name for user in await users.list_users(tx, SCOPE)] == ["admin"]
    assert f"no area has the code nowhere: there is {root.code}" in weak.complaint()
    assert "li-pass" not in place.complaint()
    assert nobody.complaint()
    assert (role.status, role.out) == (2, "")
    assert PASSWORD not in weak.err + role.err


async def test_patrols_and_uptime(gengfu: CommandLine, site: Database) -> None:
    async with site.transaction() as tx:
        root = (await areas.list_areas(tx, SCOPE))[0]
        wanted = PatrolPlan(
            name="零点夜查", area_id=root.id, rrule="FREQ=DAILY;BYHOUR=0", time_zone="UTC",
            starts_on=date(2026, 11, 22),
        )  # fmt: skip
        now = datetime(2026, 11, 22, 1, tzinfo=UTC)
        created = (await create_plan(tx, SCOPE, wanted, now=now)).plan
    listed, started, none, report = await asyncio.gather(
        gengfu("patrols", "list", "--json"),
        gengfu("patrols", "run", str(created.id), "--json"),
        gengfu("patrols", "run", str(created.id + 1)),
        gengfu("report", "uptime", "--days", "7", "--json"),
    )
    assert [plan["name"] for plan in listed.json()] == ["零点夜查"]
    async with site.transaction() as tx:
        jobs = await tx.tuples("SELECT args FROM procrastinate_jobs WHERE status = 'todo'")
    # The round waits for a hub that walks it.
    assert started.json()["round"] in [dict(args).get("round") for (args,) in jobs]  # type: ignore[call-overload]  # a row of any shape
    assert "no such patrol plan" in none.complaint()
    # Nothing is registered: nothing is claimed.
    assert report.json()["total"]["online"] is None
    table = await gengfu("report", "uptime", "--area", root.code)
    assert table.status == 0
    assert "collecting" in table.out
