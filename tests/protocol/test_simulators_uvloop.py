"""A village on uvloop, the event loop of the shipped program."""

import asyncio
import random
from pathlib import Path

import aiohttp
import uvloop

from adapters.onvif.discovery import discover_multicast
from hub.simulators.discovery import GROUP
from hub.simulators.faults import Fault
from hub.simulators.village import Village, VillageOptions
from tests.protocol.mosquitto import run_mosquitto
from tests.protocol.simulated import LOGIN, utc_now


def test_a_village_lives_breaks_and_ends_on_uvloop(tmp_path: Path) -> None:
    uvloop.run(_live(tmp_path), debug=False)


async def _live(folder: Path) -> None:
    async with run_mosquitto(folder) as broker:
        before = asyncio.all_tasks()
        options = VillageOptions(
            cameras=3,
            sensors=5,
            first_host=f"127.{random.randrange(130, 250)}.{random.randrange(250)}.1",
            discovery_port=0,
            sensor_interval_s=0.1,
            credentials=LOGIN,
            broker_address=broker.address,
        )
        async with Village(options, clock=utc_now, rng=random.Random(1)) as village:
            stations = list(village.stations.values())
            await _connected(village, len(stations))
            found = await discover_multicast(
                timeout_s=1.2, interfaces=["lo"], destination=(GROUP, village.discovery_port)
            )
            assert len(found) == len(village.cameras)
            await stations[0].set_fault(Fault.POWER_CUT)
            await stations[1].set_fault(Fault.CABLE_CUT)
            await _connected(village, len(stations) - 2)
            await stations[0].clear_fault()
            await stations[1].clear_fault()
            await _connected(village, len(stations))
            await _watch_until_power_cut(village)
        assert asyncio.all_tasks() == before


async def _connected(village: Village, count: int) -> None:
    async with asyncio.timeout(8):
        while sum(one.is_connected for one in village.stations.values()) != count:
            await asyncio.sleep(0.02)


async def _watch_until_power_cut(village: Village) -> None:
    """A stream of events and an RTSP connection end when the camera's power does."""
    camera = village.cameras["camera-1"]
    state = camera.state
    reader, writer = await asyncio.open_connection(state.options.host, state.rtsp_port)
    writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    async with aiohttp.ClientSession() as session:
        async with session.get(state.snapshot_address()) as answer:
            assert answer.status == 401
        await camera.set_fault(Fault.POWER_CUT)
        assert camera.viewers == 0
        async with asyncio.timeout(2):
            assert await reader.read() == b""
    writer.close()
    await camera.clear_fault()
