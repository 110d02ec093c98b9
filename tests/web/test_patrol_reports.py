"""Reports of patrols over the API: made, read in every form, signed."""

import io
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from python_calamine import CalamineWorkbook

from hub.domain.access import Role
from hub.patrols.reporting.pdf import PdfLimits, Printer
from hub.runtime.live import LiveFeed
from hub.store import audit
from hub.store.database import Database
from hub.web.app import create_app
from hub.web.services import WebServices
from tests.web.patrol_scene import walk_round
from tests.web.stage import SYSTEM, Field, World, add_person, open_client, sign_in

REPORTS = "/api/v1/patrol-reports"
NASTY = '=cmd|"<img src=x onerror=alert(1)>'
# Starlette once took minutes for such a header.
MANY_RANGES = {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 20_000, 2))}


async def people(database: Database, world: World) -> None:
    async with database.transaction() as tx:
        await add_person(tx, "town-supervisor", Role.SUPERVISOR, world.town)
        await add_person(tx, "town-operator", Role.OPERATOR, world.town)


@pytest.mark.threat("T7")
@pytest.mark.threat("T26")
@pytest.mark.threat("T34")
async def test_a_report_is_made_read_in_every_form_and_signed(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    _, walk = await walk_round(database, world.east, NASTY, tmp_path)
    await people(database, world)
    await sign_in(client, "town-supervisor")
    made = await client.post(REPORTS, json={"round_id": walk})
    assert made.status_code == 201
    number = made.json()["id"]
    at = f"{REPORTS}/{number}"
    whole = (await client.get(at)).json()
    assert (whole["period"], whole["formula"], whole["signed_at"]) == ("round", 1, None)
    assert whole["figures"]["stops"]["planned"] == 1
    assert whole["figures"]["stops"]["completion"]["coverage"] == 1.0

    page = await client.get(f"{at}/page", headers=MANY_RANGES)
    assert page.status_code == 200
    assert "sandbox" in page.headers["content-security-policy"]
    assert "<img src=x" not in page.text
    assert "onerror=alert" in page.text  # as text
    book = await client.get(f"{at}/workbook", headers=MANY_RANGES)
    assert book.status_code == 200
    rounds = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_name(
        "轮次 Rounds"
    )
    assert rounds.to_python()[1][1] == "'" + NASTY
    paper = await client.get(f"{at}/pdf", headers=MANY_RANGES)
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    assert paper.headers["content-disposition"] == (
        f'attachment; filename="gengfu-patrol-round-{number}.pdf"'
    )
    assert (await client.get(f"{at}/pdf")).content == paper.content  # the one that was kept

    line = {"made_at": whole["made_at"], "note": "阅, 请整改"}
    await sign_in(client, "town-operator")
    assert (await client.post(f"{at}/sign", json=line)).status_code == 403
    await sign_in(client, "town-supervisor")
    early = {**line, "made_at": "2020-01-01T00:00:00Z"}
    assert (await client.post(f"{at}/sign", json=early)).status_code == 409
    signed = (await client.post(f"{at}/sign", json=line)).json()
    assert (signed["signed_by"], signed["sign_note"]) == ("town-supervisor", "阅, 请整改")
    assert (await client.post(f"{at}/sign", json=line)).status_code == 409
    assert (await client.post(REPORTS, json={"round_id": walk})).status_code == 409
    assert "阅, 请整改" in (await client.get(f"{at}/page")).text
    listed = (await client.get(REPORTS, params={"signed": True, "period": "round"})).json()
    assert [one["id"] for one in listed["items"]] == [number]
    async with database.transaction() as tx:
        log = [entry.action for entry in (await audit.list_entries(tx, SYSTEM)).items]
    assert {"patrol_report.made", "patrol_report.read", "patrol_report.signed"} <= set(log)


async def test_what_names_no_report_is_refused(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await people(database, world)
    await sign_in(client, "town-supervisor")
    night = {"period": "night", "area_id": world.east, "night": "2026-11-21"}
    refused = [
        {},
        {"round_id": 1, **night},
        {**night, "period": "round"},
        {"period": "night", "area_id": world.east},
        {**night, "night": "0001-01-01"},
        {**night, "night": "2026-13-01"},
        {**night, "night": "2030-01-01"},
        {**night, "secret": 1},
    ]
    for body in refused:
        assert (await client.post(REPORTS, json=body)).status_code == 422, body
    assert (await client.post(REPORTS, json={"round_id": 99})).status_code == 404
    assert (await client.get(REPORTS, params={"period": "decade"})).status_code == 422
    empty = await client.post(REPORTS, json=night)
    assert empty.status_code == 201
    figures = (await client.get(f"{REPORTS}/{empty.json()['id']}")).json()["figures"]
    assert figures["stops"]["completion"]["value"] is None


async def test_a_pdf_that_cannot_be_made_is_said_with_what_to_do(
    database: Database, world: World, outside: Field, tmp_path: Path
) -> None:
    del world
    services: WebServices = outside.services(database, tmp_path, LiveFeed(database))
    hasty = Printer(limits=PdfLimits(wall_s=0.01))
    async with database.transaction() as tx:
        area = await tx.scalar(int, "SELECT min(id) FROM areas")
    async with open_client(create_app(replace(services, printer=hasty))) as client:
        await sign_in(client, "root-admin")
        body = {"period": "night", "area_id": area, "night": "2026-11-20"}
        number = (await client.post(REPORTS, json=body)).json()["id"]
        answer = await client.get(f"{REPORTS}/{number}/pdf")
    assert answer.status_code == 409
    assert "within 0.01 s" in answer.json()["detail"]


@pytest.mark.threat("T6")
async def test_papers_are_named_by_numbers_only(client: httpx.AsyncClient, world: World) -> None:
    del world
    await sign_in(client, "root-admin")
    for number in ("..", "%2e%2e%2f1", "1%2f..%2f2", "1%00", "-1", "9" * 30):
        for paper in ("page", "pdf", "workbook"):
            request = client.build_request("GET", f"{REPORTS}/1/{paper}")
            path = f"{REPORTS}/{number}/{paper}".encode()
            request.url = request.url.copy_with(raw_path=path)
            assert (await client.send(request)).status_code in {404, 422}
