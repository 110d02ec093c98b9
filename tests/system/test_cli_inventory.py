"""`gengfu devices` and `discover`: what goes in, what is refused and why, what comes out."""

import asyncio
import csv
import os
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.access import system_scope
from hub.domain.secrets import Credentials, Secret
from hub.runtime.sheets import FORMULA_STARTS
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.store import areas, connections
from hub.store.database import Database
from hub.store.users import ensure_first_admin
from hub.store.vault import Vault
from tests.system.command_line import CommandLine
from tests.system.whole_hub import ROOT

SCOPE = system_scope("test")
PASSWORD = "Camera-Secret-17"
VILLAGE = "330402100201"


@pytest.fixture
async def site(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A hub that was started once, with a village."""
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    async with database.transaction() as tx:
        await ensure_first_admin(tx, SCOPE)
        root = (await areas.list_areas(tx, SCOPE))[0]
        await areas.create_area(tx, SCOPE, code=VILLAGE, name="青龙村", parent_id=root.id)
    yield database
    await database.close()


@pytest.fixture
def gengfu(site: Database, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


GOOD = [
    f"东门,onvif,http://10.1.0.1/onvif/device_service,{VILLAGE},admin,{PASSWORD},",
    f'"gate, east",rtsp,rtsp://admin:{PASSWORD}@10.1.0.2/live,{VILLAGE},,,',
    f'=1+1,onvif,http://10.1.0.3:8080/,{VILLAGE},,,"{{""events"": false}}"',
]
# line in the file, column, part of the reason; tests/unit/test_inventory.py has all kinds
BAD = {
    f"a,onvif,exec:/bin/sh,{VILLAGE},,,": ("address", "not an address"),
    f"e,gopher,http://10.1.0.9/,{VILLAGE},,,": ("protocol", "use onvif, rtsp, mqtt"),
    "f,onvif,http://10.1.0.9/,33040210021,,,": ("area", VILLAGE),
    f",onvif,http://10.1.0.9/,{VILLAGE},,,": ("name", "empty"),
    f'h,onvif,http://10.1.0.9/,{VILLAGE},,,"{{""evnts"": 1}}"': ("options", "evnts"),
    f"i, with comma,onvif,http://10.1.0.9/,{VILLAGE},u,{PASSWORD},{{}}": ("-", "double quotes"),
}
HEADER = "name,protocol,address,area,username,password,options"


@pytest.mark.threat("T3")
@pytest.mark.threat("T12")
@pytest.mark.threat("T31")
async def test_import_takes_the_good_names_the_bad_and_doubles_nothing(
    gengfu: CommandLine, site: Database, tmp_path: Path
) -> None:
    file = tmp_path / "cameras.csv"
    lines = [HEADER, GOOD[0], *BAD, *GOOD[1:]]
    file.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")

    tried = await gengfu("devices", "import", str(file), "--dry-run")
    assert tried.status == 1
    assert f"{len(lines) - 1} rows: {len(GOOD)} would be new" in tried.err
    assert len(tried.out.splitlines()) == 1 + len(BAD)
    async with site.transaction() as tx:
        assert await connections.list_connections(tx, SCOPE) == []

    first = await gengfu("devices", "import", str(file), "--json")
    assert first.status == 1
    answer = first.json()
    assert (answer["new"], answer["unchanged"]) == (len(GOOD), 0)
    refused = {one["line"]: one for one in answer["refused"]}
    assert sorted(refused) == list(range(3, 3 + len(BAD)))
    for number, (column, reason) in enumerate(BAD.values(), start=3):
        assert refused[number]["column"] == column
        assert reason in refused[number]["reason"]

    again = (await gengfu("devices", "import", str(file), "--json")).json()
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, len(GOOD))
    async with site.transaction() as tx:
        links = {link.name: link for link in await connections.list_connections(tx, SCOPE)}
        deeds = await tx.tuples("SELECT actor FROM audit WHERE action = 'device.imported'")
    assert sorted(links) == sorted(["东门", "gate, east", "=1+1"])
    assert links["东门"].credentials == Credentials(username="admin", password=Secret(PASSWORD))
    assert links["gate, east"].address == "rtsp://10.1.0.2/live"
    assert links["gate, east"].credentials.password == Secret(PASSWORD)
    assert links["=1+1"].options == {"events": False}
    assert len(deeds) == len(GOOD)
    assert all(str(deed[0]).startswith("command line: ") for deed in deeds)
    for done in (tried, first):
        assert PASSWORD not in done.out + done.err


@pytest.mark.threat("T31")
@pytest.mark.threat("T34")
async def test_export_holds_no_formula_and_no_password_and_can_be_imported_again(
    gengfu: CommandLine, site: Database, tmp_path: Path
) -> None:
    async with site.transaction() as tx:
        area = await areas.find_area(tx, SCOPE, VILLAGE)
        for number, start in enumerate(FORMULA_STARTS):
            await tx.execute(
                "WITH link AS (INSERT INTO connections (protocol, name, address, area_id, username,"
                " password_sealed) VALUES ('onvif', %(name)s, %(address)s, %(area)s, 'admin',"
                " %(sealed)s) RETURNING id), made AS (INSERT INTO devices (connection_id, key,"
                " area_id, kind, name) SELECT id, 'k', %(area)s, 'camera', %(name)s FROM link"
                " RETURNING id) INSERT INTO device_status (device_id) SELECT id FROM made",
                {
                    "name": f"{start}cmd|' /C calc'!A0",
                    "address": f"http://10.2.0.{number}/",
                    "area": area.id,
                    "sealed": tx.vault.seal(Secret(PASSWORD)),
                },
            )
    file = tmp_path / "out.csv"
    done = await gengfu("devices", "export", str(file))
    assert done.status == 0
    assert done.err == f"{len(FORMULA_STARTS)} devices exported\n"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(FORMULA_STARTS)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(FORMULA_STARTS)]
    assert "password" not in rows[0]
    assert PASSWORD not in file.read_text(encoding="utf-8")
    assert names_in(tmp_path) == ["hub", "out.csv"]

    again = (await gengfu("devices", "import", str(file), "--json")).json()
    # Tabs and line ends in a name, as a device may send them, are refused, and change nothing.
    strange = [r for r in again["refused"] if "control characters" not in r["reason"]]
    assert strange == []
    assert (again["new"], again["changed"]) == (0, 0)
    assert again["unchanged"] == len(FORMULA_STARTS) - len(again["refused"])

    listed = await gengfu("devices", "list", "--json")
    assert listed.status == 0
    assert {line["name"] for line in listed.json()} == {
        f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS
    }
    table = await gengfu("devices", "list", "--q", "=cmd")
    # One line a device, whatever its name holds: the header and the one that was asked for.
    assert len(table.out.splitlines()) == 2
    assert PASSWORD not in listed.out + table.out


async def test_areas_and_devices_travel_as_workbooks(
    gengfu: CommandLine, site: Database, tmp_path: Path
) -> None:
    tree = tmp_path / "areas.csv"
    tree.write_bytes(f"区划代码,区域名称,上级区划\n{VILLAGE}01,一组,{VILLAGE}\n".encode("gb18030"))
    done = await gengfu("areas", "import", str(tree))
    assert done.status == 0, done.err
    assert "GB18030" in done.err
    assert "1 rows: 1 new, 0 changed, 0 unchanged, 0 refused" in done.err
    listed = (await gengfu("areas", "list", "--json")).json()
    assert listed[-1]["path"].endswith(f"{VILLAGE}.{VILLAGE}01")

    book = tmp_path / "areas.xlsx"
    assert (await gengfu("areas", "export", str(book), "--chinese")).status == 0
    again = (await gengfu("areas", "import", str(book), "--json")).json()
    assert (again["rows"], again["unchanged"]) == (len(listed), len(listed))

    cameras = tmp_path / "cameras.csv"
    cameras.write_text(f"{HEADER},经度,纬度\n{GOOD[0]},120.7555,30.7466\n", encoding="utf-8")
    assert (await gengfu("devices", "import", str(cameras))).status == 0
    piped = await gengfu("devices", "export", "-", "--chinese")
    assert "120.7555,30.7466" in piped.out
    assert "经度,纬度" in piped.out
    book = tmp_path / "devices.xlsx"
    assert (await gengfu("devices", "export", str(book))).status == 0
    again = (await gengfu("devices", "import", str(book), "--json")).json()
    assert (again["rows"], again["unchanged"]) == (1, 1)


@pytest.mark.threat("K1")
async def test_an_import_killed_in_the_middle_is_completed_by_a_repeat(
    gengfu: CommandLine, site: Database, tmp_path: Path
) -> None:
    rows = 6_000
    file = tmp_path / "cameras.csv"
    lines = [
        f"cam {n},rtsp,rtsp://10.{n >> 8}.{n & 255}.1/,{VILLAGE},admin,{PASSWORD},"
        for n in range(rows)
    ]
    file.write_text("\n".join([HEADER, *lines]), encoding="utf-8")

    async def count_devices() -> int:
        async with site.transaction() as tx:
            return await tx.scalar(int, "SELECT count(*)::int FROM devices") or 0

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.main.cli", "devices", "import", str(file)),
        cwd=ROOT,
        env={**os.environ, **gengfu.settings, "GENGFU_DATA_DIR": str(gengfu.data_dir)},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while await count_devices() == 0:
            assert process.returncode is None, (await process.stderr.read()).decode()
            await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    halfway = await count_devices()
    assert 0 < halfway < rows
    assert halfway % 1_000 == 0  # whole batches
    again = (await gengfu("devices", "import", str(file), "--json")).json()
    assert (again["new"], again["unchanged"], again["refused"]) == (rows - halfway, halfway, [])
    assert await count_devices() == rows


async def test_what_cannot_be_done_is_one_clear_line(gengfu: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "utf16.csv"
    file.write_bytes((HEADER + "\n东门,,,,,,\n").encode("utf-16"))
    assert "CSV UTF-8" in (await gengfu("devices", "import", str(file))).complaint()
    assert str(file) in (await gengfu("areas", "import", str(file))).complaint()
    missing = str(tmp_path / "nowhere.csv")
    assert missing in (await gengfu("devices", "import", missing)).complaint()
    assert ".xlsx" in (await gengfu("devices", "import", "devices.xls")).complaint()
    assert VILLAGE in (await gengfu("devices", "list", "--area", VILLAGE[:-1])).complaint()
    nowhere = str(tmp_path / "no" / "out.csv")
    assert nowhere in (await gengfu("devices", "export", nowhere)).complaint()
    nonsense = await gengfu("devices", "list", "--status", "fine")
    assert nonsense.status == 2
    assert nonsense.out == ""


async def test_discover_finds_a_camera_in_a_range(tmp_path: Path) -> None:
    # Another network for each run, so that runs side by side do not meet.
    network = f"127.{random.randrange(120, 250)}.{random.randrange(1, 250)}"
    options = CameraOptions(
        name="村口 entrance", serial="SIM1", mac="02:47:46:00:00:01", area=VILLAGE,
        host=f"{network}.9", http_port=8000, rtsp_port=0,
        credentials=Credentials(username="admin", password=Secret(PASSWORD)),
        motion_interval_s=None,
    )  # fmt: skip
    gengfu = CommandLine(data_dir=tmp_path / "hub")
    camera = Camera(options, clock=lambda: datetime.now(UTC), rng=random.Random(1))
    async with camera:
        found = await gengfu(
            "discover", "--range", f"{network}.0/28", "--json", NETWORK__DEVICES=f"{network}.0/24"
        )
        refused = await gengfu("discover", "--range", f"{network}.0/28")
    assert found.status == 0
    assert [one["address"] for one in found.json()] == [camera.state.service_address()]
    # Without leave by the settings nothing on loopback is even asked.
    assert refused.status == 0
    assert "network.devices" in refused.out
    bad = await gengfu("discover", "--range", "192.168.1.0/99")
    assert "192.168.1.0/24" in bad.complaint()
