"""People, grants, sessions and tokens in the database."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.access import Permission, Role, Scope, system_scope
from hub.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from hub.domain.secrets import Secret
from hub.store import areas, sessions, users
from hub.store.database import Database, Transaction

SYSTEM = system_scope("test")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PASSWORD = Secret("Correct-Horse-9")
EAST = Scope(paths=("town.east",), actor="east-admin", user_id=None)


async def build(tx: Transaction) -> tuple[int, int, int]:
    """A town with a village, and an administrator of the whole; returns their numbers."""
    town = await areas.create_area(tx, SYSTEM, code="town", name="Town", parent_id=None)
    east = await areas.create_area(tx, SYSTEM, code="east", name="East", parent_id=town.id)
    admin = await users.create_user(tx, SYSTEM, name="boss", password=PASSWORD)
    await users.add_grant(tx, SYSTEM, admin, role=Role.ADMIN, area_id=town.id)
    return town.id, east.id, admin


async def test_the_first_administrator_holds_every_root(database: Database) -> None:
    async with database.transaction() as tx:
        for code in ("a", "b"):
            await areas.create_area(tx, SYSTEM, code=code, name=code, parent_id=None)
        password = await users.ensure_first_admin(tx, SYSTEM)
        assert password
        assert len(password) >= 20
        admin = await users.find_user(tx, SYSTEM, "admin")
        assert {grant.area_path for grant in admin.grants} == {"a", "b"}
        assert await users.ensure_first_admin(tx, SYSTEM) is None


async def test_a_first_area_is_made_when_there_is_none(database: Database) -> None:
    async with database.transaction() as tx:
        assert await users.ensure_first_admin(tx, SYSTEM)
        assert [area.path for area in await areas.list_areas(tx, SYSTEM)] == ["site"]


async def test_an_area_administrator_sees_and_changes_only_his_own_people(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        _town, east, boss = await build(tx)
        local = await users.create_user(tx, EAST, name="local", password=PASSWORD)
        with pytest.raises(NotFound):
            await users.get_user(tx, EAST, local)  # nobody's yet: only root administrators see him
        await users.add_grant(tx, EAST, local, role=Role.VIEWER, area_id=east)
        assert [user.name for user in await users.list_users(tx, EAST)] == ["local"]
        with pytest.raises(NotFound):
            await users.change_password(tx, EAST, boss, PASSWORD)
        await users.add_grant(tx, SYSTEM, boss, role=Role.VIEWER, area_id=east)
        seen = await users.get_user(tx, EAST, boss)
        assert [grant.role for grant in seen.grants] == [Role.VIEWER]
        with pytest.raises(NotPermitted):
            await users.change_password(tx, EAST, boss, PASSWORD)
        with pytest.raises(NotPermitted):
            await users.remove_user(tx, EAST, boss)


async def take_away(tx: Transaction, way: str, user_id: int, area_id: int) -> None:
    """Take the administrator's power in one of the ways there are, undone when refused."""
    async with tx.savepoint():
        if way == "disable":
            await users.change_user(tx, SYSTEM, user_id, display_name="", is_disabled=True)
        elif way == "remove":
            await users.remove_user(tx, SYSTEM, user_id)
        else:
            await users.remove_grant(tx, SYSTEM, user_id, role=Role.ADMIN, area_id=area_id)


@pytest.mark.parametrize("way", ["disable", "remove", "grant"])
async def test_the_last_administrator_of_the_whole_stays(database: Database, way: str) -> None:
    async with database.transaction() as tx:
        town, _east, boss = await build(tx)
        with pytest.raises(Conflict):
            await take_away(tx, way, boss, town)
        assert await sessions.load_principal(tx, SYSTEM, boss) is not None


async def test_a_name_is_unique_and_visible(database: Database) -> None:
    async with database.transaction() as tx:
        await users.create_user(tx, SYSTEM, name="li", password=PASSWORD)
        with pytest.raises(Conflict):
            await users.create_user(tx, SYSTEM, name="li", password=PASSWORD)
        for name in ("", " li", "li\n", "l\u202ei", "x" * 65):
            with pytest.raises(Invalid):
                await users.create_user(tx, SYSTEM, name=name, password=PASSWORD)


@pytest.mark.threat("T16")
async def test_only_digests_are_stored(database: Database) -> None:
    async with database.transaction() as tx:
        _town, _east, boss = await build(tx)
        new = await sessions.open_session(tx, SYSTEM, boss, NOW)
        own = Scope(paths=(), actor="boss", user_id=boss)
        _number, token = await sessions.create_token(tx, own, name="ci", expires_at=None, now=NOW)
        rows = await tx.tuples("SELECT digest FROM sessions UNION ALL SELECT digest FROM tokens")
        assert all(isinstance(row[0], bytes) and len(row[0]) == 32 for row in rows)
        assert await sessions.find_session(tx, SYSTEM, new.cookie, NOW) is not None
        assert await sessions.find_session(tx, SYSTEM, token, NOW) is None
        found = await sessions.find_token(tx, SYSTEM, token, NOW)
        assert found is not None
        assert Permission.ADMINISTER in found.principal.permissions()


@pytest.mark.threat("T17")
async def test_a_changed_password_leaves_no_session_and_no_token(database: Database) -> None:
    async with database.transaction() as tx:
        _town, _east, boss = await build(tx)
        new = await sessions.open_session(tx, SYSTEM, boss, NOW)
        own = Scope(paths=(), actor="boss", user_id=boss)
        _number, token = await sessions.create_token(tx, own, name="ci", expires_at=None, now=NOW)
        await users.change_password(tx, own, boss, Secret("Another-Horse-8"))
        assert await sessions.find_session(tx, SYSTEM, new.cookie, NOW) is None
        assert await sessions.find_token(tx, SYSTEM, token, NOW) is None


async def test_a_session_ends_hard_after_a_week_of_use(database: Database) -> None:
    async with database.transaction() as tx:
        _town, _east, boss = await build(tx)
        new = await sessions.open_session(tx, SYSTEM, boss, NOW)
        now = NOW
        while now < NOW + sessions.HARD_END - timedelta(hours=8):
            now += timedelta(hours=7)
            assert await sessions.find_session(tx, SYSTEM, new.cookie, now) is not None
        after = NOW + sessions.HARD_END
        assert await sessions.find_session(tx, SYSTEM, new.cookie, after) is None
