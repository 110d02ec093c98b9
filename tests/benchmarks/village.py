"""What a simulated village costs: time to start, CPU and memory, idle and while watched.

The village runs in a process of its own, on uvloop as the shipped program does, with a real
Mosquitto. Run it as ``python -m tests.benchmarks.village [--cameras 50] [--sensors 200]``.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import av
import uvloop

from hub.domain.secrets import Credentials, Secret
from hub.simulators.village import Village, VillageOptions
from tests.protocol.mosquitto import run_mosquitto

LOGIN = Credentials(username="admin", password=Secret("benchmark-login"))
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the village's process tells when everything runs."""

    start_s: float  # until every address answers
    connected_s: float  # until every station is connected too
    streams: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The process during one interval."""

    cpu_share: float  # of one core
    rss_mib: float
    packets: int = 0  # received by the viewers


def _run_village(pipe: Pipe, options: VillageOptions) -> None:
    """Run until the pipe closes; the child process's main."""

    async def main() -> None:
        started = time.perf_counter()
        village = Village(options, clock=lambda: datetime.now(UTC), rng=random.Random(1))
        async with village:
            start_s = time.perf_counter() - started
            while not all(one.is_connected for one in village.stations.values()):
                await asyncio.sleep(0.01)
            streams = [camera.state.stream_address() for camera in village.cameras.values()]
            connected_s = time.perf_counter() - started
            pipe.send(Ready(start_s=start_s, connected_s=connected_s, streams=streams))
            await asyncio.to_thread(pipe.poll, None)

    uvloop.run(main())


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class _Viewers:
    """FFmpeg, several times, each in a thread: receives and does not decode."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.packets = 0
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(one,)) for one in addresses]

    def __enter__(self) -> "_Viewers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, address: str) -> None:
        login = f"//{LOGIN.username}:{LOGIN.password.reveal()}@"
        options = {"rtsp_transport": "tcp", "fpsprobesize": "0"}
        with av.open(address.replace("//", login), options=options, timeout=(10, 5)) as opened:
            for _ in opened.demux(video=0):
                self.packets += 1
                if self._is_over.is_set():
                    return


def measure(pid: int, *, seconds: float, viewers: _Viewers | None = None) -> Load:
    """Watch a process for some seconds."""
    cpu, at = _cpu_s(pid), time.perf_counter()
    received = viewers.packets if viewers else 0
    time.sleep(seconds)
    share = (_cpu_s(pid) - cpu) / (time.perf_counter() - at)
    packets = viewers.packets - received if viewers else 0
    return Load(cpu_share=share, rss_mib=_rss_mib(pid), packets=packets)


@contextmanager
def running(options: VillageOptions) -> Iterator[tuple[int, Ready]]:
    """Run a village in a process of its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run_village, args=(theirs, options), daemon=True
    )
    process.start()
    theirs.close()
    try:
        ready: Ready = ours.recv()
        assert process.pid is not None
        yield process.pid, ready
    finally:
        ours.close()
        process.join(10)
        process.terminate()


async def run(*, cameras: int, sensors: int, viewers: int, seconds: float) -> str:
    """Measure everything; returns the figures as text."""
    with tempfile.TemporaryDirectory() as folder:
        async with run_mosquitto(Path(folder)) as broker:
            options = VillageOptions(
                cameras=cameras,
                sensors=sensors,
                first_host=f"127.{random.randrange(130, 250)}.1.1",
                discovery_port=0,
                credentials=LOGIN,
                broker_address=broker.address,
            )
            return await asyncio.to_thread(_measure_all, options, viewers, seconds)


def _measure_all(options: VillageOptions, count: int, seconds: float) -> str:
    with running(options) as (pid, ready):
        time.sleep(SETTLE_S)
        idle = measure(pid, seconds=seconds)
        with _Viewers(ready.streams[:count]) as viewers:
            time.sleep(SETTLE_S + 1)  # the clips are encoded at the first look
            watched = measure(pid, seconds=seconds, viewers=viewers)
    return (
        f"a village of {options.cameras} cameras and {options.sensors} stations in one process\n"
        f"  until all addresses answer    {ready.start_s:8.2f} s\n"
        f"  until all stations connected  {ready.connected_s:8.2f} s\n"
        f"  idle:        CPU {idle.cpu_share:6.1%} of a core, {idle.rss_mib:6.0f} MiB\n"
        f"  {count:3d} viewers: CPU {watched.cpu_share:6.1%} of a core, "
        f"{watched.rss_mib:6.0f} MiB, {watched.packets / seconds:.1f} pictures/s received\n"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--sensors", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    figures = run(
        cameras=given.cameras,
        sensors=given.sensors,
        viewers=given.viewers,
        seconds=given.seconds,
    )
    sys.stdout.write(asyncio.run(figures))


if __name__ == "__main__":
    main()
