"""Memory and CPU per connected ONVIF camera.

The cameras run in a process of their own, so that the figures are the hub's side alone. Run it
as ``python -m tests.benchmarks.onvif_cameras [--cameras 100] [--seconds 30]``.
"""

import argparse
import asyncio
import gc
import multiprocessing
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from adapters.onvif.adapter import OnvifAdapter
from adapters.onvif.client import load_descriptions
from adapters.onvif.options import OnvifOptions
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Connection
from hub.domain.events import DeviceDescribed, Event, Occurrence
from hub.domain.secrets import Credentials, Secret
from tests.protocol.onvif_camera import Camera, notification, serve

EVENT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured, of the hub's side."""

    cameras: int
    descriptions_mib: float
    register_s: float
    register_cpu_ms: float
    camera_kib: float
    running_cpu_ms_per_s: float
    events_per_s: float
    stop_s: float


class _Counter:
    """A link that counts."""

    def __init__(self) -> None:
        self.described = 0
        self.occurred = 0

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self.described += sum(isinstance(event, DeviceDescribed) for event in events)
        self.occurred += sum(isinstance(event, Occurrence) for event in events)
        if acknowledge is not None:
            acknowledge()


def _run_cameras(pipe: Pipe, count: int) -> None:
    """Serve cameras until the pipe closes; the child process's main."""

    async def one(ready: asyncio.Queue[str]) -> None:
        async with serve(Camera(life_s=120)) as camera:
            ready.put_nowait(camera.base)
            while True:
                await asyncio.sleep(EVENT_EVERY_S)
                camera.calls.clear()
                camera.bodies.clear()
                camera.pending.put_nowait(
                    notification("tns1:VideoSource/MotionAlarm", State="true")
                )

    async def main() -> None:
        ready: asyncio.Queue[str] = asyncio.Queue()
        tasks = [asyncio.create_task(one(ready)) for _ in range(count)]
        pipe.send([await ready.get() for _ in range(count)])
        await asyncio.to_thread(pipe.poll, None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


def _rss_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _adapter(number: int, address: str) -> OnvifAdapter:
    return OnvifAdapter(
        connection=Connection(
            id=number,
            protocol="onvif",
            name=f"camera {number}",
            address=address,
            area_id=1,
            credentials=Credentials(username="admin", password=Secret(Camera().password)),
        ),
        options=OnvifOptions(call_deadline_s=60.0),
        policy=AddressPolicy(allowed=parse_networks(["127.0.0.0/8"])),
        clock=lambda: datetime.now(UTC),
    )


async def measure(addresses: Sequence[str], *, seconds: float) -> Figures:
    """Connect to all cameras, let them run, and stop them."""
    loop = asyncio.get_running_loop()
    before = _rss_mib()
    load_descriptions()
    loaded = _rss_mib()
    counter, started, cpu = _Counter(), loop.time(), _cpu_s()
    adapters = [_adapter(number, address) for number, address in enumerate(addresses)]
    tasks = [asyncio.create_task(adapter.run(counter)) for adapter in adapters]
    while counter.described < len(tasks):
        await asyncio.sleep(0.01)
    registered, registered_cpu = loop.time(), _cpu_s()
    await asyncio.sleep(seconds / 2)
    counted, occurred, running_cpu = loop.time(), counter.occurred, _cpu_s()
    await asyncio.sleep(seconds / 2)
    ran_s, running_cpu = loop.time() - counted, _cpu_s() - running_cpu
    connected = _rss_mib()
    stopping = loop.time()
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [one for one in results if not isinstance(one, asyncio.CancelledError)]
    if failed:
        msg = f"{len(failed)} cameras failed, the first with {failed[0]!r}"
        raise RuntimeError(msg)
    count = len(tasks)
    return Figures(
        cameras=count,
        descriptions_mib=loaded - before,
        register_s=registered - started,
        register_cpu_ms=1000 * (registered_cpu - cpu) / count,
        camera_kib=1024 * (connected - loaded) / count,
        running_cpu_ms_per_s=1000 * running_cpu / ran_s / count,
        events_per_s=(counter.occurred - occurred) / ran_s,
        stop_s=loop.time() - stopping,
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run_cameras, args=(theirs, given.cameras), daemon=True)
    process.start()
    theirs.close()
    try:
        addresses: list[str] = ours.recv()
        figures = asyncio.run(measure(addresses, seconds=given.seconds))
    finally:
        ours.close()
        process.join(10)
        process.terminate()
    sys.stdout.write(
        f"{figures.cameras} ONVIF cameras, one event each every {EVENT_EVERY_S:.0f} s\n"
        f"  WSDL, once per process       {figures.descriptions_mib:8.1f} MiB\n"
        f"  memory per connected camera  {figures.camera_kib:8.0f} KiB\n"
        f"  registering all              {figures.register_s:8.2f} s\n"
        f"  CPU to register one          {figures.register_cpu_ms:8.1f} ms\n"
        f"  CPU of one while connected   {figures.running_cpu_ms_per_s:8.2f} ms/s\n"
        f"  events received              {figures.events_per_s:8.1f} /s\n"
        f"  stopping all, unsubscribed   {figures.stop_s:8.2f} s\n"
    )


if __name__ == "__main__":
    main()
