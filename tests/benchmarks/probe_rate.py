"""How many cameras one process probes: ``python -m tests.benchmarks.probe_rate``.

Prints probes per second and per CPU-second of ``probe_camera``, on asyncio's loop and uvloop's:
the cheap depth (RTSP OPTIONS) at cameras that answer and at cameras that hang up, and the deep
one (DESCRIBE) without and with Digest. The cameras are a farm in a process of its own, each at an
address of its own. CPU is all this process takes, the kernel's share included, which on loopback
is also that of carrying the packets to the other side.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import uvloop

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Depth
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from streams.probe import probe_camera
from tests.benchmarks.camera_farm import Farm, raise_file_limit

POLICY = AddressPolicy(allowed=parse_networks(["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16"]))
LOGIN = Credentials(username="admin", password=Secret("nachts-um-3"))
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Probes of one run."""

    per_s: float
    per_cpu_s: float
    failed: int


def targets_of(farm: Farm, count: int) -> list[CameraTarget]:
    """The first cameras of a farm."""
    return [
        CameraTarget(device_id=number, stream_address=farm.address(number), credentials=LOGIN)
        for number in range(count)
    ]


async def measure(targets: Sequence[CameraTarget], *, depth: Depth, at_once: int) -> Rate:
    """Probe each of the cameras once."""
    todo = iter(targets)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for target in todo:
            result = await probe_camera(
                target,
                timeout_s=TIMEOUT_S,
                policy=POLICY,
                clock=lambda: datetime.now(UTC),
                depth=depth,
            )
            failed += result.failed_layer is not None

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    took, used = time.perf_counter() - started, time.process_time() - cpu
    return Rate(per_s=len(targets) / took, per_cpu_s=len(targets) / used, failed=failed)


async def measure_all(loop_name: str, *, count: int, at_once: int) -> None:
    """Print one line for each kind of probe."""

    async def show(farm: Farm, what: str, depth: Depth) -> None:
        rate = await measure(targets_of(farm, count), depth=depth, at_once=at_once)
        sys.stdout.write(
            f"{loop_name:8} {what:22} {rate.per_s:8.0f} probes/s"
            f" {rate.per_cpu_s:8.0f} probes/CPU-second {rate.failed:6} failed\n"
        )

    async with Farm() as farm:
        await show(farm, "answer, first round", Depth.ANSWER)
        await show(farm, "answer", Depth.ANSWER)
        await show(farm, "stream", Depth.STREAM)
        await farm.refuse(range(count))
        await show(farm, "answer, hanging up", Depth.ANSWER)
    async with Farm(is_digest=True) as farm:
        await show(farm, "stream with Digest", Depth.STREAM)


def main() -> None:
    """Measure on both loops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=200)
    options = parser.parse_args()
    raise_file_limit()
    runners: dict[str, Callable[[Coroutine[None, None, None]], None]]
    runners = {"asyncio": asyncio.run, "uvloop": uvloop.run}
    for name, run in runners.items():
        run(measure_all(name, count=options.count, at_once=options.at_once))


if __name__ == "__main__":
    main()
