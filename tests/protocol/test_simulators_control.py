"""The control of a village over HTTP: orders, their errors, orders at the same time."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from hub.simulators.faults import Fault
from hub.simulators.village import Village
from tests.protocol.mosquitto import run_mosquitto
from tests.protocol.simulated import build_village


@asynccontextmanager
async def ordering(village: Village) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=village.control_url) as session:
        yield session


async def order(session: aiohttp.ClientSession, method: str, path: str) -> tuple[int, object]:
    async with session.request(method, path) as answer:
        return answer.status, await answer.json()


async def test_control_lists_breaks_and_mends(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        village = build_village(cameras=1, sensors=1, broker=broker.address)
        async with village, ordering(village) as session:
            status, listed = await order(session, "GET", "/")
            assert status == 200
            assert isinstance(listed, dict)
            labels = {one["name"]: one["label"] for one in listed["devices"]}
            assert labels == {
                "camera-1": "东门1 east gate 1",
                "station-1": "东门传感站1 east gate station 1",
            }
            assert listed["faults"] == [str(fault) for fault in Fault]
            for name in ("camera-1", "station-1"):
                path = f"/{name}/fault"
                answer = await order(session, "POST", f"{path}/cable-cut")
                assert answer == (200, {"fault": "cable-cut"})
                _, listed = await order(session, "GET", "/")
                assert isinstance(listed, dict)
                faults = {one["name"]: one["fault"] for one in listed["devices"]}
                assert faults == {"camera-1": None, "station-1": None} | {name: "cable-cut"}
                assert await order(session, "DELETE", path) == (200, {"fault": None})
        assert village.cameras["camera-1"].fault is None


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("POST", "/camera-9/fault/power-cut", 404, "no such device"),
        ("DELETE", "/camera-9/fault", 404, "no such device"),
        ("POST", "/camera-1/fault/flood", 422, "power-cut, cable-cut"),
        ("POST", "/station-1/fault/wrong-password", 422, "cannot have wrong-password"),
        ("POST", "/camera-1/fault/stuck-value", 422, "cannot have stuck-value"),
        ("GET", "/camera-1/fault/power-cut", 405, "Method Not Allowed"),
        ("GET", "/nothing", 404, "Not Found"),
    ],
)
async def test_control_says_what_is_wrong_with_an_order(
    method: str, path: str, status: int, says: str
) -> None:
    village = build_village(cameras=1, sensors=1)
    async with village, ordering(village) as session:
        got, body = await order(session, method, path)
        assert got == status
        assert isinstance(body, dict)
        assert says in body["error"]
        assert [one.fault for one in village.cameras.values()] == [None]


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
async def test_control_takes_no_orders_from_a_web_page(header: dict[str, str]) -> None:
    village = build_village(cameras=1)
    async with village, ordering(village) as session:
        async with session.post("/camera-1/fault/power-cut", headers=header) as answer:
            assert answer.status == 403
        assert village.cameras["camera-1"].fault is None


async def test_many_orders_at_once_leave_a_whole_device() -> None:
    village = build_village(cameras=1)
    async with village, ordering(village) as session:
        path = "/camera-1/fault"
        orders = [("POST", f"{path}/power-cut"), ("DELETE", path)] * 10
        answers = await asyncio.gather(*(order(session, *one) for one in orders))
        assert {status for status, _ in answers} == {200}
        await order(session, "DELETE", path)
        camera = village.cameras["camera-1"]
        assert camera.is_discoverable
        for port in (camera.state.http_port, camera.state.rtsp_port):
            _, writer = await asyncio.open_connection(camera.state.options.host, port)
            writer.close()


async def test_a_camera_whose_port_was_taken_while_off_stays_off_until_it_is_free() -> None:
    village = build_village(cameras=1)
    async with village, ordering(village) as session:
        camera = village.cameras["camera-1"]
        await order(session, "POST", "/camera-1/fault/power-cut")
        address = (camera.state.options.host, camera.state.rtsp_port)
        with socket.create_server(address):
            status, body = await order(session, "DELETE", "/camera-1/fault")
            assert (status, camera.fault) == (409, Fault.POWER_CUT)
            assert f"{address[0]}:{address[1]}" in str(body)
        assert await order(session, "DELETE", "/camera-1/fault") == (200, {"fault": None})
        assert camera.is_discoverable
