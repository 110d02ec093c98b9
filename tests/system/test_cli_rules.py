"""`gengfu rules`: the list, the doubts, and what a rule would have done."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import system_scope
from hub.domain.alerts import Rule
from hub.domain.conditions import EventOfKind
from hub.domain.events import StoredEvent
from hub.store import areas
from hub.store.database import Database
from hub.store.events import add_events
from hub.store.rules import add_rule
from hub.store.users import ensure_first_admin
from hub.store.vault import Vault
from tests.system.command_line import CommandLine

SCOPE = system_scope("test")


@pytest.fixture
async def rules(timescaledb_database_url: str, tmp_path: Path) -> list[Rule]:
    """A village whose round was missed three times, and two rules."""
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await ensure_first_admin(tx, SCOPE)
        root = (await areas.list_areas(tx, SCOPE))[0]
        village = await areas.create_area(
            tx, SCOPE, code="330402100201", name="青龙村", parent_id=root.id
        )
        for hours in (50, 26, 2):
            at = now - timedelta(hours=hours)
            event = StoredEvent(
                id=0, kind="patrol.round_missed", area_id=village.id, area_path=village.path,
                at=at, received_at=at, data={"detail": "nobody walked it"},
            )  # fmt: skip
            await add_events(tx, SCOPE, [event])
        conditions = (
            EventOfKind(kind="patrol.round_missed", auto_clear_s=3600),
            EventOfKind(kind="motion.started", clear_kind="motion.started"),
        )
        made = [
            await add_rule(tx, SCOPE, Rule(name=name, area_id=village.id, condition=condition))
            for name, condition in zip(("Missed 漏巡", "Motion"), conditions, strict=True)
        ]
    await database.close()
    return made


async def test_rules_are_listed_checked_and_tried(
    rules: list[Rule], timescaledb_database_url: str, tmp_path: Path
) -> None:
    gengfu = CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )
    listed = await gengfu("rules", "list")
    assert listed.status == 0, listed
    assert "Missed 漏巡" in listed.out
    assert "kind=patrol.round_missed" in listed.out

    # What cannot do what it says makes the command fail: a script can ask for it.
    checked = await gengfu("rules", "check", "--json")
    assert checked.status == 1
    found = [(one["rule"], one["severity"], one["code"]) for one in checked.json()]
    missed, motion = (one.id for one in rules)
    assert found == [
        (missed, "warning", "tells_nobody"),
        (motion, "error", "contradicts"),
        (motion, "warning", "tells_nobody"),
    ]

    tried = await gengfu("rules", "dry-run", str(missed), "--days", "2")
    assert tried.status == 0, tried
    assert tried.out.count("nobody walked it") == 2
    assert "青龙村" in tried.out
    assert "would have fired 2 times" in tried.err
    run = (await gengfu("rules", "dry-run", str(missed), "--json")).json()
    assert (run["count"], run["still_open"], run["rule"]["id"]) == (3, 0, missed)
    assert run["looked"]["events"] == 3
    assert [one["code"] for one in run["findings"]] == ["tells_nobody"]
