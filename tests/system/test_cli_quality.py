"""`gengfu quality` with cameras: what they show now, which are bad, what people said of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth, web

from hub.domain.devices import Channel, DeviceDescription
from hub.domain.quality import Index
from hub.main.labelled_pictures import read_labelled
from hub.main.picture_sources import read_frame
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.maintenance.pictures.remarks import Remark, take_remark
from hub.store import devices
from hub.store.database import Database
from hub.store.vault import Vault
from tests.encoded_frames import build_jpeg, paint_scene
from tests.protocol.web_camera import serve_web
from tests.system.command_line import CommandLine
from tests.web.history import NOW, blur_picture
from tests.web.stage import SYSTEM, World, build_world

PASSWORD = "camera-secret"  # of every camera of the stage
PICTURE = build_jpeg(paint_scene(640, 360))
LOOPBACK = "127.0.0.0/8"


async def show(request: web.Request) -> web.StreamResponse:
    """Show the picture to whoever knows the password."""
    if request.headers.get("Authorization") != encode_basic_auth("operator", PASSWORD):
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
    return web.Response(body=PICTURE, content_type="image/jpeg")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serve_web(show) as opened:
        yield opened


@pytest.fixture
async def database(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    opened = await Database.open(timescaledb_database_url, vault=vault)
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: Database, tmp_path: Path, port: int) -> World:
    """East-1 is out of focus, and gives a picture; two more are called west-1."""
    built = await build_world(database)
    address = f"http://127.0.0.1:{port}/snapshot.jpg"
    said = DeviceDescription(channels=(Channel(key="ch1", snapshot_address=address),))
    async with database.transaction() as tx:
        await blur_picture(tx, built.east, built.east_camera, "east", tmp_path / "hub")
        await devices.describe_device(tx, SYSTEM, built.east_camera, said)
        new = devices.NewDevice(
            connection_id=built.west_connection,
            key="west-1b",
            area_id=built.west,
            description=DeviceDescription(name="west-1"),
        )
        await devices.add_device(tx, SYSTEM, new)
    return built


@pytest.fixture
def gengfu(world: World, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    del world  # it must be there first
    settings = {"GENGFU_DATABASE__URL": timescaledb_database_url}
    return CommandLine(data_dir=tmp_path / "hub", settings=settings)


@pytest.mark.threat("T13")
@pytest.mark.threat("T31")
async def test_cameras_are_judged_by_address_and_by_name(
    gengfu: CommandLine, world: World, port: int, database: Database, tmp_path: Path
) -> None:
    address = f"http://operator:{PASSWORD}@127.0.0.1:{port}/snapshot.jpg"
    number = str(world.east_camera)
    wrong = address.replace(PASSWORD, "not-the-one")
    allowed, refused = await asyncio.gather(
        gengfu(
            "quality", "check", address, "east-1", number, "west-1", "north-1", wrong, "--json",
            "--explain", str(tmp_path / "drawn"), NETWORK__DEVICES=LOOPBACK,
        ),
        gengfu("quality", "check", address, "--brief"),
    )  # fmt: skip
    assert allowed.status == refused.status == 2
    by_address, by_name, by_number, several, nobody, locked = allowed.json()
    assert by_address["picture"] == f"http://127.0.0.1:{port}/snapshot.jpg"
    assert (by_address["error"], by_address["width"]) == (None, 640)
    # Several frames were taken: whether the picture stands still is judged too.
    assert "freeze" in {finding["index"] for finding in by_address["findings"]}
    assert (by_name["device_id"], by_name["error"]) == (world.east_camera, None)
    assert by_name["profile"] == "profiles day and night"
    assert by_number["device_id"] == world.east_camera
    drawn = [path.name for path in (tmp_path / "drawn").iterdir()]
    assert sorted(drawn) == ["0001-127-0-0-1.jpg", "0002-1-east-1.jpg", "0003-1-east-1.jpg"]
    assert "2 devices are called so" in several["error"]
    assert "no device has this number" in nobody["error"]
    assert "not in a network that the settings allow" in refused.out
    assert "password" in locked["error"]
    for done in (allowed, refused):
        assert PASSWORD not in done.out + done.err
        assert "not-the-one" not in done.out + done.err
    async with database.transaction() as tx:
        looked = await tx.tuples(
            "SELECT object_id FROM audit WHERE action = 'device.looked_at'"
            " AND actor LIKE 'command line: %%'"
        )
    assert looked == [(number,), (number,)]


async def test_faults_are_listed_and_what_people_said_is_exported(
    gengfu: CommandLine, world: World, database: Database, tmp_path: Path
) -> None:
    for is_fault in (True, False):
        remark = Remark(device_id=world.east_camera, index=Index.BLUR, is_fault=is_fault)
        files = EvidenceFolder(tmp_path / "hub")
        kept, _ = await take_remark(database, SYSTEM, files, remark, NOW)
        await files.keep_labelled(kept.id, PICTURE)  # that of the stage is grey all over
    labelled = tmp_path / "labelled"
    faults, summary, exported = await asyncio.gather(
        gengfu("quality", "faults", "--area", "east", "--index", "blur", "--json"),
        gengfu("quality", "summary"),
        gengfu("quality", "export", str(labelled)),
    )
    (line,) = faults.json()
    assert (line["device"], line["fault"], line["score"]) == ("east-1", "blur", 80.0)
    assert line["why"] == "east-1 is out of focus"
    assert "1 camera at fault" in faults.err
    assert summary.out.splitlines()[1].split() == ["blur", "1"]
    assert "of 2 cameras looked at within 24 h" in summary.out
    # Both remarks are about the same picture; what was said last counts.
    assert "1 pictures exported" in exported.err
    (picture,) = read_labelled(labelled)
    assert (picture.said, picture.scores) == ({Index.BLUR: False}, {Index.BLUR: 80})
    assert read_frame(picture.path).data == PICTURE
