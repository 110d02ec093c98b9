"""`gengfu report`: uptime, key figures and published months, for people and for files."""

import asyncio
import csv
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.ledger_truth import Device, Ledger, Outage, store
from tests.system.command_line import CommandLine

ZONE = {"TIME_ZONE": "Asia/Shanghai"}


@pytest.fixture
async def site(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """Two cameras known in October, one of a vendor with a name like a formula."""
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    down = Outage(start=0, end=144)  # the first day in UTC
    cameras = [
        Device(kind="camera", path="c.t.v", vendor="=cmd()", created=0, outages=[down]),
        Device(kind="camera", path="c.u", vendor="", created=0),
    ]
    await store(database, Ledger(devices=cameras))
    yield database
    await database.close()


@pytest.fixture
def gengfu(site: Database, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )


async def test_people_read_a_table(gengfu: CommandLine) -> None:
    uptime, kpis, devices = await asyncio.gather(
        gengfu("report", "uptime", "--by", "vendor", "--month", "2026-10", **ZONE),
        gengfu("report", "kpis", "--by", "team", "--month", "2026-10", "--kind", "all", **ZONE),
        gengfu("report", "uptime", "--devices", "--since", "2026-10-01", "--until", "2026-10-03"),
    )
    lines = [line.split() for line in uptime.out.splitlines()]
    assert lines[0][:3] == ["vendor", "devices", "online"]
    # Of the 31 days in Shanghai the 30 and two thirds since registration count.
    assert lines[1][:4] == ["(not", "recorded)", "1", "100.00%"]
    assert lines[2][:3] == ["=cmd()", "1", "96.74%"]
    assert lines[3][:3] == ["all", "2", "98.37%"]
    assert "2026-10-01 00:00 to 2026-11-01 00:00, Asia/Shanghai" in uptime.err
    assert "online-rate-time-weighted/2" in uptime.err
    assert "intact: withheld for 1 of 1 and all together: collecting: 0 % known" in kpis.err
    assert "50.00%" in devices.out


@pytest.mark.threat("T34")
async def test_files_hold_the_same(gengfu: CommandLine, tmp_path: Path) -> None:
    sheet, book = tmp_path / "uptime.csv", tmp_path / "kpis.xlsx"
    month = ("--by", "vendor", "--month", "2026-10")
    written, workbook, document = await asyncio.gather(
        gengfu("report", "uptime", *month, "--format", "csv", "--output", str(sheet)),
        gengfu("report", "kpis", *month, "--format", "xlsx", "--output", str(book)),
        gengfu("report", "kpis", *month, "--format", "json"),
    )
    assert (written.status, workbook.status) == (0, 0)
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["vendor"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"", "'=cmd()"}
    assert float(rows["'=cmd()"]["down_s"]) == 86_400
    assert zipfile.is_zipfile(book)
    groups = {group["name"]: group for group in document.json()["groups"]}
    assert groups["=cmd()"]["mttr_s"]["value"] == 86_400
    assert groups[""]["mttr_s"]["withheld"]["code"] == "no_outages"


async def test_a_month_is_published_for_every_topmost_area(gengfu: CommandLine) -> None:
    first = await gengfu("report", "publish", "--month", "2026-10", "--json", **ZONE)
    again = await gengfu("report", "publish", "--month", "2026-10", "--area", "c", "--json", **ZONE)
    (published,) = first.json()
    assert (published["area_name"], published["edition"]) == ("c", 1)
    assert published["since"] == "2026-09-30T16:00:00+00:00"
    assert again.json()[0]["edition"] == 2


async def test_what_cannot_be_is_said_in_a_line(gengfu: CommandLine) -> None:
    refused = await asyncio.gather(
        gengfu("report", "uptime", "--month", "October"),
        gengfu("report", "kpis", "--days", "3", "--month", "2026-10"),
        gengfu("report", "kpis", "--kind", "toaster"),
        gengfu("report", "publish", "--month", "2099-01"),
        gengfu("report", "uptime", "--since", "2026-10-02", "--until", "2026-10-01"),
    )
    wanted = ("written like 2026-10", "say one of", "no kind toaster", "is not over", "is empty")
    for done, words in zip(refused, wanted, strict=True):
        assert words in done.complaint()
    wrong = await gengfu("report", "kpis", "--by", "colour")
    assert wrong.status == 2
