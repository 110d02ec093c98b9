"""A village: discovery, its control over HTTP, addresses that are taken, nothing left behind."""

import asyncio
import errno
import ipaddress
import random
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from adapters.mqtt.topics import device_name_fault
from adapters.onvif.discovery import discover_multicast
from hub.domain.errors import ConfigError
from hub.domain.secrets import Credentials
from hub.runtime.broker_files import check_username
from hub.simulators.discovery import GROUP, SPREAD_S, DiscoveryResponder
from hub.simulators.faults import Fault
from hub.simulators.station import Station, StationOptions
from hub.simulators.village import Village, VillageOptions
from tests.protocol.mosquitto import run_mosquitto
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now

NOBODY = "mqtt://127.0.0.1:1"  # nothing listens there
OPTIONS = VillageOptions(cameras=2, sensors=1, broker_address=NOBODY, credentials=LOGIN)


def build_village(
    *, cameras: int = 3, sensors: int = 0, broker: str = NOBODY, control_port: int = 0
) -> Village:
    """A village on free ports of a loopback network of its own."""
    # Runs side by side must not meet: another network for each.
    first = ipaddress.IPv4Address(f"127.{random.randrange(130, 250)}.{random.randrange(250)}.1")
    options = VillageOptions(
        cameras=cameras,
        sensors=sensors,
        first_host=str(first),
        control_port=control_port,
        discovery_port=0,
        sensor_interval_s=0.2,
        motion_interval_s=None,
        credentials=LOGIN,
        broker_address=broker,
    )
    return Village(options, clock=utc_now, rng=random.Random(1))


@asynccontextmanager
async def ordering(village: Village) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=village.control_url) as session:
        yield session


async def order(session: aiohttp.ClientSession, method: str, path: str) -> tuple[int, object]:
    async with session.request(method, path) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("way", ["multicast", "unicast"])
async def test_all_cameras_are_discovered_but_not_those_cut_off(way: str) -> None:
    async with build_village(cameras=12) as village:
        await village.cameras["camera-2"].set_fault(Fault.CABLE_CUT)
        await village.cameras["camera-3"].set_fault(Fault.POWER_CUT)
        target = GROUP if way == "multicast" else "127.0.0.1"
        found = await discover_multicast(
            timeout_s=2 * SPREAD_S + 0.5,
            interfaces=["lo"],
            destination=(target, village.discovery_port),
        )
        expected = {
            (camera.state.service_address(), camera.name)
            for key, camera in village.cameras.items()
            if key not in {"camera-2", "camera-3"}
        }
        assert {(one.address, one.name) for one in found} == expected


async def test_two_responders_share_the_port_of_discovery() -> None:
    async with simulated_camera(serial="A") as one, simulated_camera(serial="B") as two:
        rng = random.Random(1)
        async with (
            DiscoveryResponder([one], rng=rng, port=0) as first,
            DiscoveryResponder([two], rng=rng, port=first.port),
        ):
            found = await discover_multicast(
                timeout_s=1.5, interfaces=["lo"], destination=(GROUP, first.port)
            )
    addresses = {camera.state.service_address() for camera in (one, two)}
    assert {match.address for match in found} == addresses


async def test_a_stranger_and_nonsense_get_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    own = _own_address()
    async with build_village(cameras=1) as village:
        for sender, payload in [
            ("127.0.0.1", b""),
            ("127.0.0.1", b"\xff" * 60_000),
            ("127.0.0.1", b"<a/>"),
            (own, PROBE),
        ]:
            answered = await asyncio.to_thread(_ask, sender, village.discovery_port, payload)
            assert not answered, (sender, payload[:10])
        assert await asyncio.to_thread(_ask, "127.0.0.1", village.discovery_port, PROBE)
    assert not [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}]


PROBE = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
    b'<d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"/></e:Body></e:Envelope>'
)


def _own_address() -> str:
    """An address of this machine that is not loopback; without a network there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


def _ask(own: str, port: int, payload: bytes) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((own, 0))
        one.settimeout(SPREAD_S + 0.2)
        one.sendto(payload, (own, port))
        with suppress(TimeoutError):
            return bool(one.recv(65_536))
        return False


async def test_control_lists_breaks_and_mends(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        village = build_village(cameras=1, sensors=1, broker=broker.address)
        async with village, ordering(village) as session:
            status, listed = await order(session, "GET", "/")
            assert status == 200
            assert isinstance(listed, dict)
            assert [one["name"] for one in listed["devices"]] == ["camera-1", "station-1"]
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


@pytest.mark.parametrize("part", ["http", "rtsp", "control"])
async def test_a_taken_port_is_named_and_everything_is_off_again(part: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        village = build_village(cameras=2, control_port=int(other.getsockname()[1]))
        second = village.cameras["camera-2"].state
        host, port = {
            "http": (second.options.host, second.http_port),
            "rtsp": (second.options.host, second.rtsp_port),
            "control": other.getsockname(),
        }[part]
        with socket.socket() as holder:
            if part != "control":
                holder.bind((host, port))
                holder.listen()
            else:
                other.listen()
            before = asyncio.all_tasks()
            with pytest.raises(ConfigError, match=f"{host}:{port}.*another program"):
                await village.__aenter__()
        assert asyncio.all_tasks() == before
        for camera in village.cameras.values():
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(camera.state.options.host, camera.state.http_port)


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


async def test_leaves_no_task_and_no_open_port_behind(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        before = asyncio.all_tasks()
        village = build_village(cameras=2, sensors=20, broker=broker.address)
        async with village:
            async with asyncio.timeout(8):
                while not all(one.is_connected for one in village.stations.values()):
                    await asyncio.sleep(0.02)
            port = village.discovery_port
        assert asyncio.all_tasks() == before
        await broker.wait_for_log("disconnected", times=20)
        # Every one had signed off: none of them just vanished.
        assert not re.search(r"sim-station-\d+.* closed its connection", broker.log_text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("", port))  # OSError when the responder still held it
        with pytest.raises(OSError) as refused:  # noqa: PT011 - which one is checked
            await asyncio.open_connection(village.cameras["camera-1"].state.options.host, 8000)
        assert refused.value.errno == errno.ECONNREFUSED


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (replace(OPTIONS, broker_address=""), "mqtt://127.0.0.1:1883"),
        (replace(OPTIONS, broker_address="mqtts://secret:word@127.0.0.1"), "no TLS"),
        (replace(OPTIONS, broker_address="mqtt://127.0.0.1:99999"), "mqtt://127.0.0.1:1883"),
        (replace(OPTIONS, first_host="camera.example"), "no IPv4 address"),
        (replace(OPTIONS, first_host="255.255.255.255"), "1 more behind it"),
        (replace(OPTIONS, credentials=Credentials()), "user name and a password"),
    ],
)
def test_options_that_cannot_be_are_refused(changed: VillageOptions, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        Village(changed, clock=utc_now, rng=random.Random(1))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a b", "-a", "ä", "a\n", "x" * 65, "$SYS"])
def test_a_station_has_a_name_that_fits_into_a_topic(name: str) -> None:
    options = StationOptions(name=name, broker_address=NOBODY)
    with pytest.raises(ConfigError, match="cannot name a station"):
        Station(options, clock=utc_now, rng=random.Random(1))


def test_the_stations_of_a_village_have_names_the_broker_and_the_hub_take() -> None:
    options = replace(OPTIONS, cameras=0, sensors=1000)
    stations = Village(options, clock=utc_now, rng=random.Random(1)).stations
    for name in stations:
        check_username(name)
        assert device_name_fault(name) is None
    assert len(stations) == 1000
