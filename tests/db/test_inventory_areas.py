"""Area files: a tree in any order, names that change, nothing that moves."""

import io

import pytest

from hub.domain.access import Scope
from hub.maintenance.inventory_areas import import_areas
from hub.maintenance.inventory_exports import export_areas
from hub.maintenance.inventory_table import Source
from hub.runtime.sheets import SheetKind
from hub.store import areas, users
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County
from tests.db.inventory_site import (
    EAST,
    WEST,
    area_file,
    counts,
    refusals,
)

AREAS = [("hut1", "一号", "east1"), ("east1", "东一组", EAST), ("hut2", "二号", "east1")]


@pytest.mark.parametrize("kind", list(SheetKind))
async def test_areas_go_in_in_any_order_and_repeating_changes_names_only(
    database: Database, county: County, kind: SheetKind
) -> None:
    source = area_file(*AREAS, kind=kind)
    tried = await import_areas(database, SYSTEM, source, is_dry_run=True)
    assert counts(tried) == (3, 0, 0, 0)
    assert counts(await import_areas(database, SYSTEM, source)) == (3, 0, 0, 0)
    async with database.transaction() as tx:
        hut = await areas.find_area(tx, SYSTEM, "hut1")
        deeds = await tx.tuples("SELECT action, area_id FROM audit ORDER BY id")
    assert hut.path == f"330402.{EAST}.east1.hut1"
    assert [deed[0] for deed in deeds] == ["area.created"] * 3
    assert counts(await import_areas(database, SYSTEM, source)) == (0, 0, 3, 0)
    renamed = area_file(("hut1", "一号屋", ""), *AREAS[1:], kind=kind)
    assert counts(await import_areas(database, SYSTEM, renamed)) == (0, 1, 2, 0)
    out = io.BytesIO()
    assert await export_areas(database, SYSTEM, out, kind, is_chinese=True) == 6
    again = await import_areas(database, SYSTEM, Source(stream=out, kind=kind))
    assert counts(again) == (0, 0, 6, 0)


@pytest.mark.threat("T12")
async def test_bad_areas_are_named_and_nothing_is_moved(database: Database, county: County) -> None:
    rows = [
        ("a1", "one", EAST),
        (WEST, "moved", EAST),
        ("b 1", "blank", EAST),
        ("c1", "", EAST),
        ("a1", "again", EAST),
        ("d1", "circle", "d2"),
        ("d2", "circle", "d1"),
        ("e1", "orphan", "nowhere"),
        ("f1", "f" * 129, EAST),
    ]
    outcome = await import_areas(database, SYSTEM, area_file(*rows))
    assert counts(outcome) == (1, 0, 0, 8)
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (3, "parent"), (4, "code"), (5, "name"), (6, "code"), (7, "parent"), (8, "parent"),
        (9, "parent"), (10, "name"),
    ]  # fmt: skip
    assert "not moved" in outcome.refused[0].reason
    assert "itself" in outcome.refused[4].reason

    mine = [
        ("x1", "below west", WEST),
        ("x2", "a root", ""),
        (WEST, "renamed", ""),
        ("x3", "mine", EAST),
    ]
    outcome = await import_areas(database, county.east_scope, area_file(*mine))
    assert counts(outcome) == (1, 0, 0, 3)
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (2, "parent"), (3, "parent"), (4, "code"),
    ]  # fmt: skip


async def test_who_adds_a_root_goes_on_below_it(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        await users.ensure_first_admin(tx, SYSTEM)
        (admin,) = await users.list_users(tx, SYSTEM)
    scope = Scope(paths=(county.county.path,), actor=admin.name, user_id=admin.id)
    rows = [("r2", "另一县", ""), ("r2v", "村", "r2")]
    assert counts(await import_areas(database, scope, area_file(*rows))) == (2, 0, 0, 0)
    async with database.transaction() as tx:
        granted = await tx.tuples("SELECT a.code FROM grants g JOIN areas a ON a.id = g.area_id")
    assert ("r2",) in granted
