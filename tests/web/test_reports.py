"""Reports over HTTP: what they answer, as what, to whom."""

import csv
import io
import zipfile
from datetime import datetime, timedelta

import httpx
import pytest

from hub.domain.access import Role
from hub.domain.health import Status
from hub.maintenance.kpis import FIGURES
from hub.store.database import Database
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM, Field, World, add_person, sign_in

FORMULA_NAME = "=cmd()"
GROUPINGS = ("area", "vendor", "model", "team", "class")


@pytest.fixture
async def watched(database: Database, world: World, outside: Field) -> World:
    """Both cameras known for a month, the eastern one down for the last twelve hours."""
    long_ago = outside.now - timedelta(days=60)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET created_at = %(at)s, manufacturer = %(vendor)s",
            {"at": long_ago, "vendor": FORMULA_NAME},
        )
        for camera in (world.east_camera, world.west_camera):
            row = Told(device_id=camera, status=Status.ONLINE, since=long_ago)
            await change_status(tx, SYSTEM, row)
        at = outside.now - timedelta(hours=12)
        await change_status(
            tx, SYSTEM, Told(device_id=world.east_camera, status=Status.OFFLINE, since=at)
        )
        await add_person(tx, "town-supervisor", Role.SUPERVISOR, world.town)
        await add_person(tx, "east-supervisor", Role.SUPERVISOR, world.east)
    return world


async def test_the_online_rate_says_what_it_leaves_out(
    client: httpx.AsyncClient, watched: World, outside: Field
) -> None:
    await sign_in(client, "root-admin")
    since = (outside.now - timedelta(days=1)).isoformat()
    answer = await client.get("/api/v1/reports/uptime", params={"since": since})
    total = answer.json()["total"]
    assert total == {
        "online": 0.75,
        "coverage": 1.0,
        "is_withheld": False,
        "withheld": None,
        "outages": 1,
        "down_s": 43200.0,
        "unknown_s": 0.0,
        "maintenance_s": 0.0,
    }
    assert answer.json()["formula"] == "online-rate-time-weighted/2"


@pytest.mark.parametrize("by", GROUPINGS)
async def test_figures_come_by_every_grouping(
    client: httpx.AsyncClient, watched: World, by: str
) -> None:
    await sign_in(client, "root-admin")
    answer = await client.get("/api/v1/reports/kpis", params={"by": by})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["by"], found["total"]["devices"]) == (by, 2)
    for name in FIGURES:
        figure = found["total"][name]
        assert figure["formula"]
        assert (figure["value"] is None) == (figure["withheld"] is not None)
    assert found["total"]["online_rate_snapshot"]["value"] == 0.5
    assert found["total"]["clock_rate"]["withheld"]["code"] == "collecting"


@pytest.mark.threat("T11")
@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "name; DROP TABLE devices"},
        {"format": "pdf"},
        {"kind": "x'"},
        {"area": "0"},
        {"since": "2026-11-21T00:00:00Z", "until": "2026-11-20T00:00:00Z"},
        {"since": "2099-01-01T00:00:00Z", "until": "2099-02-01T00:00:00Z"},
    ],
)
async def test_wrong_questions_are_refused(
    client: httpx.AsyncClient, watched: World, wrong: dict[str, str]
) -> None:
    await sign_in(client, "root-admin")
    answer = await client.get("/api/v1/reports/kpis", params=wrong)
    assert answer.status_code == 422


@pytest.mark.threat("T34")
@pytest.mark.parametrize("path", ["kpis?by=vendor", "kpis?by=model", "uptime?devices=true"])
async def test_no_cell_of_a_csv_file_is_a_formula(
    client: httpx.AsyncClient, database: Database, watched: World, path: str
) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET name = %(name)s", {"name": FORMULA_NAME})
    await sign_in(client, "root-admin")
    answer = await client.get(f"/api/v1/reports/{path}&format=csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) >= 2
    assert any(cell == f"'{FORMULA_NAME}" for row in rows for cell in row)
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "@"}]


@pytest.mark.threat("T34")
async def test_no_cell_of_a_workbook_is_a_formula(
    client: httpx.AsyncClient, watched: World
) -> None:
    await sign_in(client, "root-admin")
    answer = await client.get("/api/v1/reports/kpis", params={"by": "vendor", "format": "xlsx"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheets = [book.read(n) for n in book.namelist() if n.startswith("xl/worksheets/")]
        everything = b"".join(book.read(name) for name in book.namelist())
    assert sheets
    assert all(b"<f>" not in sheet and b"<f " not in sheet for sheet in sheets)
    assert f"'{FORMULA_NAME}".encode() in everything


async def test_files_have_fixed_names(client: httpx.AsyncClient, watched: World) -> None:
    await sign_in(client, "root-admin")
    names = []
    for path in ("uptime?format=csv", "kpis?by=team&format=xlsx"):
        answer = await client.get(f"/api/v1/reports/{path}")
        names.append(answer.headers["content-disposition"])
    assert names == [
        'attachment; filename="gengfu-uptime.csv"',
        'attachment; filename="gengfu-kpis-team.xlsx"',
    ]


@pytest.mark.threat("T1")
async def test_figures_of_another_village_are_not_there(
    client: httpx.AsyncClient, watched: World
) -> None:
    await sign_in(client, "east-viewer")
    for by in GROUPINGS:
        found = (await client.get("/api/v1/reports/kpis", params={"by": by})).json()
        assert found["total"]["devices"] == 1
        assert found["total"]["online_rate_snapshot"]["value"] == 0
        west: dict[str, str | int] = {"by": by, "area": watched.west}
        assert (await client.get("/api/v1/reports/kpis", params=west)).json()["groups"] == []


async def test_a_supervisor_publishes_a_month_that_stays(
    client: httpx.AsyncClient, watched: World, outside: Field
) -> None:
    await sign_in(client, "town-supervisor")
    body = {"month": "2026-10", "area_id": watched.town}
    first = await client.post("/api/v1/reports/months", json=body)
    again = await client.post("/api/v1/reports/months", json={**body, "kind": None})
    third = await client.post("/api/v1/reports/months", json=body)
    assert [answer.status_code for answer in (first, again, third)] == [201, 201, 201]
    listed = (await client.get("/api/v1/reports/months", params={"month": "2026-10"})).json()
    assert [(m["id"], m["edition"], m["kind"]) for m in listed["items"]] == [
        (third.json()["id"], 2, "camera"),
        (again.json()["id"], 1, ""),
        (first.json()["id"], 1, "camera"),
    ]
    kept = (await client.get(f"/api/v1/reports/months/{first.json()['id']}")).json()
    assert (kept["author"], kept["time_zone"]) == ("town-supervisor", "UTC")
    assert datetime.fromisoformat(kept["published_at"]) == outside.now
    assert kept["figures"]["vendor"]["groups"][0]["name"] == FORMULA_NAME
    assert set(GROUPINGS) < set(kept["figures"])


@pytest.mark.threat("T2")
async def test_only_who_may_plan_publishes(client: httpx.AsyncClient, watched: World) -> None:
    body = {"month": "2026-10", "area_id": watched.east}
    for name, status in (("east-operator", 403), ("east-viewer", 403), ("east-supervisor", 201)):
        await sign_in(client, name)
        answer = await client.post("/api/v1/reports/months", json=body)
        assert answer.status_code == status, name
    town = await client.post("/api/v1/reports/months", json={**body, "area_id": watched.town})
    assert town.status_code == 404


@pytest.mark.parametrize("month", ["2026-11", "2026-13", "0000-01", "now", ""])
async def test_a_month_that_is_none_or_not_over_is_refused(
    client: httpx.AsyncClient, watched: World, month: str
) -> None:
    await sign_in(client, "town-supervisor")
    body = {"month": month, "area_id": watched.town}
    assert (await client.post("/api/v1/reports/months", json=body)).status_code == 422
