"""What live video costs and how late it is: ``python -m tests.benchmarks.live_relay [STREAMS]``.

Cameras of 2 Mbit/s (a process of their own) are watched at the real application (another one, by
its WebSockets, with sessions and records in TimescaleDB) by viewers in this one. Printed are the
CPU of the hub per stream, how many would fill a core, delays from a camera's packet to a viewer's
socket, what one viewer who takes nothing does to others, and how soon a dead stream is told of.
The peer for the pull alone is PyAV in threads (tests/benchmarks/live_peer.py). Judges nothing.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

import uvloop

from tests.benchmarks.camera_farm import cpu_s, raise_file_limit
from tests.benchmarks.live_farm import LiveFarm, sent_at
from tests.benchmarks.live_hub import LiveHub, Viewer, hub_of
from tests.benchmarks.other_process import OtherProcess

ROUNDS = 5
ROUND_S = 4.0
CROWD = 100
LINGERED_S = 6.0


class Delays:
    """From a camera's packet to a viewer's socket, in ms."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def __call__(self, film: bytes) -> None:
        """A message of film came."""
        self.found.append((time.monotonic() - sent_at(film)) * 1000)

    def summary(self) -> str:
        """p50, p95 and p99."""
        found = sorted(self.found)
        if not found:
            return "nothing came"
        shares = [
            found[min(len(found) - 1, int(len(found) * share))] for share in (0.5, 0.95, 0.99)
        ]
        return "p50 {:.1f}, p95 {:.1f}, p99 {:.1f} ms".format(*shares)


async def measure_cpu(pid: int, rounds: int = ROUNDS) -> list[float]:
    """The share of a core that a process takes, in so many rounds."""
    shares = []
    for _ in range(rounds):
        used, began = cpu_s(pid), time.perf_counter()
        await asyncio.sleep(ROUND_S)
        shares.append((cpu_s(pid) - used) / (time.perf_counter() - began))
    return shares


async def tell_peer(farm: LiveFarm, streams: int) -> None:
    """Receive and remux, ours and PyAV, in turn."""
    medians = {}
    for kind in ("ours", "pyav"):
        peer = OtherProcess("tests.benchmarks.live_peer", kind, str(farm.port), str(streams))
        async with peer:
            shares = await measure_cpu(peer.pid, 3)
        medians[kind] = statistics.median(shares) / streams
        _print(f"  {kind}: {medians[kind]:.3%} of a core a stream, {1 / medians[kind]:,.0f} a core")
    _print(f"  PyAV in threads takes {medians['pyav'] / medians['ours']:.2f} times as much")


async def tell_many(farm: LiveFarm, hub: LiveHub, streams: int) -> None:
    """Each stream watched by one."""
    delays = Delays()
    viewers = [await hub.watch(number, delays) for number in range(streams)]
    await asyncio.gather(*(viewer.begun() for viewer in viewers))
    await asyncio.sleep(2)
    delays.found.clear()
    films = sum(viewer.films for viewer in viewers)
    began = time.perf_counter()
    shares = await measure_cpu(hub.pid)
    rate = (sum(viewer.films for viewer in viewers) - films) / (time.perf_counter() - began)
    share = statistics.median(shares) / streams
    _print(
        f"  {statistics.median(shares):.1%} of a core ({min(shares):.1%} to {max(shares):.1%}):"
        f" {share:.3%} a stream, {1 / share:,.0f} streams a core"
    )
    _print(f"  {rate / streams:.1f} pictures a second each; delay {delays.summary()}")
    pulls = [await farm.connections(number) for number in (0, streams - 1)]
    _print(f"  sessions at the first and the last camera: {pulls}")
    _leave(viewers)


async def tell_crowd(farm: LiveFarm, hub: LiveHub) -> None:
    """One stream watched by many, and by one who takes nothing."""
    delays = Delays()
    viewers = [await hub.watch(0, delays) for _ in range(CROWD)]
    await asyncio.gather(*(viewer.begun() for viewer in viewers))
    await asyncio.sleep(2)
    delays.found.clear()
    shares = await measure_cpu(hub.pid, 3)
    _print(
        f"  {statistics.median(shares):.1%} of a core, {statistics.median(shares) / CROWD:.3%} a"
        f" viewer; sessions at the camera: {await farm.connections(0)}; delay {delays.summary()}"
    )
    slow = await hub.watch(0)
    await slow.begun()
    assert slow.transport is not None
    slow.transport.pause_reading()
    delays.found.clear()
    await asyncio.sleep(4 * ROUND_S)
    _print(f"  beside one who takes nothing for {4 * ROUND_S:.0f} s: delay {delays.summary()}")
    slow.transport.resume_reading()
    await asyncio.sleep(4)
    behind = [said["skipped"] for said in slow.said if said["type"] == "behind"]
    _print(f"  he was told that he is behind by {behind} pictures")
    _leave([*viewers, slow])


async def tell_click(hub: LiveHub, rounds: int = 10) -> None:
    """From opening the socket to the first picture."""
    await asyncio.sleep(LINGERED_S)
    cold = []
    for number in range(rounds):
        viewer = await hub.watch(number % 5)
        cold.append(await viewer.begun() * 1000)
        viewer.leave()
        await asyncio.sleep(LINGERED_S if number % 5 == 4 else 0)
    keeper = await hub.watch(0)
    await keeper.begun()
    warm = []
    for _ in range(rounds):
        viewer = await hub.watch(0)
        warm.append(await viewer.begun() * 1000)
        viewer.leave()
    _leave([keeper])
    _print(f"  nobody watches yet: median {statistics.median(cold):.0f}, most {max(cold):.0f} ms")
    _print(f"  somebody does:      median {statistics.median(warm):.0f}, most {max(warm):.0f} ms")


async def tell_death(farm: LiveFarm, hub: LiveHub, rounds: int = 5) -> None:
    """From a camera's last packet to the message."""
    frozen, offline = [], []
    viewer = await hub.watch(1)
    await viewer.until("live")
    for _ in range(rounds):
        began = time.monotonic()
        await farm.order("freeze 1")
        frozen.append(await viewer.until("frozen", after=began) - began)
        await farm.order("resume 1")
        await viewer.until("live", after=began)
        await asyncio.sleep(1)
        began = time.monotonic()
        await farm.order("cut 1")
        offline.append(await viewer.until("offline", after=began) - began)
        await viewer.until("live", after=began)
    _leave([viewer])
    _print(
        f"  it freezes:    told after {statistics.median(frozen):.2f} s, most {max(frozen):.2f} s"
    )
    _print(f"  it hangs up:   told after {statistics.median(offline):.3f} s")


async def run(streams: int) -> None:
    """Everything, one after the other."""
    async with LiveFarm() as farm:
        _print(f"receive and remux {streams} streams of 2 Mbit/s, nobody at a socket")
        await tell_peer(farm, streams)
        async with hub_of([farm.address(number) for number in range(max(streams, 5))]) as hub:
            _print(f"{streams} streams, a viewer each, at the whole application")
            await tell_many(farm, hub, streams)
            _print("one stream and one viewer")
            await asyncio.sleep(LINGERED_S)
            await tell_many(farm, hub, 1)
            _print(f"{CROWD} viewers of one stream")
            await tell_crowd(farm, hub)
            _print("from opening the socket to the first picture")
            await tell_click(hub)
            _print("a stream that dies")
            await tell_death(farm, hub)


def _leave(viewers: Sequence[Viewer]) -> None:
    for viewer in viewers:
        viewer.leave()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
