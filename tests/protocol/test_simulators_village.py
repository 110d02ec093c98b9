"""A village: discovery, addresses that are taken, odd options, nothing left behind."""

import asyncio
import errno
import random
import re
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

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
from tests.protocol.simulated import LOGIN, NOBODY, build_village, simulated_camera, utc_now

OPTIONS = VillageOptions(cameras=2, sensors=1, broker_address=NOBODY, credentials=LOGIN)


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
