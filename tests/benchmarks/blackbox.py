"""The cheap probe beside Prometheus's blackbox_exporter: ``python -m tests.benchmarks.blackbox``.

Both send an RTSP OPTIONS to the same cameras (a farm in a process of its own, an address for each)
and wait for the answer, the same number at once, in the same run, taking turns. Printed are probes
per CPU-second, the median of the rounds, and the ratio.

What is counted: blackbox_exporter as it is used, that is its whole process (``/proc/<pid>/stat``),
which is asked over HTTP for each probe and answers with its metrics as text; whoever asks it is
not counted. Ours: the whole of this process while it probes (``time.process_time``), which ends
with a ``ProbeResult``; address policy, time limit and log lines are in it, storing is not. On
loopback the kernel's work for both ends of a connection falls to whoever sends, equally for both.
"""

import argparse
import asyncio
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import uvloop

from hub.domain.addresses import parse_address
from hub.domain.health import Depth
from hub.domain.ports import CameraTarget
from tests.benchmarks.camera_farm import Farm, cpu_s, raise_file_limit
from tests.benchmarks.probe_rate import Rate, measure, targets_of

PROGRAM = "prometheus-blackbox-exporter"
# It ends what it sends with a line feed of its own.
SETTINGS = r"""
modules:
  rtsp:
    prober: tcp
    timeout: 10s
    tcp:
      preferred_ip_protocol: ip4
      query_response:
        - send: "OPTIONS rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: blackbox\r\n\r"
        - expect: "^RTSP/1.0"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """A running blackbox_exporter."""

    pid: int
    url: str


@asynccontextmanager
async def run_exporter(client: aiohttp.ClientSession) -> AsyncIterator[Exporter]:
    """Start Debian's exporter with one module; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as settings:
        settings.write(SETTINGS)
        settings.flush()
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            f"--config.file={settings.name}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        )
        try:
            await _until_ready(client, url)
            yield Exporter(pid=process.pid, url=url)
        finally:
            process.terminate()
            await process.wait()


async def _until_ready(client: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with client.get(f"{url}/-/healthy"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def measure_exporter(
    exporter: Exporter,
    client: aiohttp.ClientSession,
    targets: Sequence[CameraTarget],
    *,
    at_once: int,
) -> Rate:
    """Have it probe each of the cameras once."""
    todo = iter(targets)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for target in todo:
            address = parse_address(target.stream_address)
            query = {"module": "rtsp", "target": f"{address.host}:{address.port}"}
            async with client.get(f"{exporter.url}/probe", params=query) as response:
                failed += b"\nprobe_success 1" not in await response.read()

    started, cpu = time.perf_counter(), cpu_s(exporter.pid)
    await asyncio.gather(*(work() for _ in range(at_once)))
    took, used = time.perf_counter() - started, cpu_s(exporter.pid) - cpu
    return Rate(per_s=len(targets) / took, per_cpu_s=len(targets) / used, failed=failed)


async def compare(*, count: int, at_once: int, rounds: int) -> None:
    """Print the figures; a first round of each is not counted."""
    found: dict[str, list[Rate]] = {"blackbox_exporter": [], "answer": [], "stream": []}
    connector = aiohttp.TCPConnector(limit=at_once)
    async with (
        Farm() as farm,
        aiohttp.ClientSession(connector=connector) as client,
        run_exporter(client) as exporter,
    ):
        targets = targets_of(farm, count)
        for _ in range(rounds + 1):
            rate = await measure_exporter(exporter, client, targets, at_once=at_once)
            found["blackbox_exporter"].append(rate)
            for depth in (Depth.ANSWER, Depth.STREAM):
                rate = await measure(targets, depth=depth, at_once=at_once)
                found[depth.value].append(rate)
    _show(found, f"{count} cameras, {at_once} at once, median of {rounds} rounds")


def _show(found: dict[str, list[Rate]], title: str) -> None:
    sys.stdout.write(f"{title}\n")
    medians = {
        name: statistics.median(rate.per_cpu_s for rate in rates[1:])
        for name, rates in found.items()
    }
    for name, rates in found.items():
        each = " ".join(f"{rate.per_cpu_s:.0f}" for rate in rates[1:])
        sys.stdout.write(
            f"{name:18} {medians[name]:8.0f} probes/CPU-second"
            f" {medians[name] / medians['blackbox_exporter']:6.2f} times blackbox_exporter"
            f"   (each: {each}; {sum(rate.failed for rate in rates)} failed)\n"
        )


def main() -> None:
    """Compare, where the exporter is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if shutil.which(PROGRAM) is None:
        sys.stdout.write(f"not measured: install Debian's {PROGRAM}\n")
        return
    raise_file_limit()
    uvloop.run(compare(count=given.count, at_once=given.at_once, rounds=given.rounds))


if __name__ == "__main__":
    main()
