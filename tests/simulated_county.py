"""Devices that fail as they are told, looked at by the real prober's parts in virtual time.

The network is simulated, nothing else: each question takes as long as a lossy network makes it
take, and what the prober tells is merged like the database would.
"""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.domain.devices import Device, DeviceKind, Registration
from hub.domain.health import (
    Depth,
    DeviceStatusReport,
    Layer,
    ProbeResult,
    Status,
    merge_faults,
    status_of,
)
from hub.domain.ports import CameraTarget
from hub.maintenance.blaming import BlameOptions, Blamer
from hub.maintenance.intervals import Intervals
from hub.maintenance.looking import Looker, LookOptions
from hub.maintenance.schedule import due_in
from hub.maintenance.watched import Watched
from hub.runtime.registry import Known
from tests.virtual_time import clock

PACKETS = {Depth.ANSWER: 3, Depth.STREAM: 5, Depth.FRAMES: 9}  # round trips
FIRST_RETRY_S = 1.0  # SYN, RFC 6298
RETRY_S = 0.2


@dataclass(slots=True, kw_only=True)
class Network:
    """Every packet is lost with ``loss``; ``slow`` of the answers take seconds."""

    loss: float = 0.0
    slow: float = 0.0
    latency_s: float = 0.02

    def takes(self, rng: random.Random, depth: Depth) -> float:
        """Seconds until the last answer, retransmissions included."""
        total = 0.0
        for trip in range(PACKETS[depth]):
            wait = FIRST_RETRY_S if trip == 0 else RETRY_S
            total += self.latency_s * rng.lognormvariate(0, 0.5)
            while rng.random() < 1 - (1 - self.loss) ** 2:
                total += wait
                wait *= 2
        if rng.random() < self.slow:
            total += rng.uniform(0.5, 3.0)
        return total


@dataclass(slots=True)
class County:
    """Devices 1 to ``size``, their truth and what was told of them."""

    size: int
    intervals: Intervals = field(default_factory=Intervals)
    options: LookOptions = field(default_factory=LookOptions)
    network: Network = field(default_factory=Network)
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    faults: dict[int, Layer] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    passive: set[int] = field(default_factory=set)
    ours: str = ""
    known: dict[int, Known] = field(default_factory=dict)
    told: list[DeviceStatusReport] = field(default_factory=list)
    batches: int = 0
    asked: list[tuple[int, Depth]] = field(default_factory=list)
    lost: int = 0
    under_way: int = 0
    most_under_way: int = 0
    on_told: Callable[[DeviceStatusReport], object] | None = None
    watched: dict[int, Watched] = field(init=False)
    looker: Looker = field(init=False)
    blamer: Blamer = field(init=False)

    def __post_init__(self) -> None:
        """Register everybody."""
        numbers = range(1, self.size + 1)
        self.known = {number: Known(device=_device(number)) for number in numbers}
        self.watched = {
            number: Watched(
                target=CameraTarget(
                    device_id=number,
                    stream_address="" if number in self.passive else f"rtsp://10.0.0.1/{number}",
                ),
                intervals=self.intervals,
                parent_id=self.parents.get(number),
                subnet=str(number // 250),
            )
            for number in numbers
        }
        self.looker = Looker(
            probe=self.probe,
            held_by=self.known.get,
            report=self.report,
            options=self.options,
            on_result=lambda _watched, _result: None,
        )
        self.blamer = Blamer(
            looker=self.looker,
            family=self.family,
            known_by=self.known.get,
            clock=clock,
            rng=self.rng,
            options=BlameOptions(),
        )

    def status(self, number: int) -> Status:
        """What the county holds of a device."""
        return self.known[number].status

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        """Ask over the simulated network; see :class:`hub.domain.ports.ProbeCamera`."""
        began, number = clock(), target.device_id
        self.asked.append((number, depth))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        fault = self._fault_of(number)
        takes = math.inf if fault is Layer.NETWORK else self.network.takes(self.rng, depth)
        await asyncio.sleep(min(takes, timeout_s))
        self.under_way -= 1
        if takes > timeout_s:
            fault = Layer.NETWORK
            self.lost += 1
        elif fault is not None and fault not in _SEEN[depth]:
            fault = None
        return ProbeResult(
            probed_at=began,
            latency_s=min(takes, timeout_s),
            failed_layer=fault,
            detail=self.ours or (f"fault at {fault}" if fault else ""),
            is_conclusive=not self.ours,
            depth=depth,
        )

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        """Take reports as the pipeline does."""
        self.batches += 1
        await asyncio.sleep(0.2)  # the queue
        for report in reports:
            known = self.known[report.device_id]
            was = known.status
            known.faults = merge_faults(known.faults, report)
            known.status = Status.UNKNOWN if report.is_unknown else status_of(known.faults)
            known.behind_id = report.behind if known.status is Status.OFFLINE else None
            if was is not known.status:
                known.since = report.probed_at
                if was is Status.OFFLINE:
                    known.came_back_at = report.probed_at
            self.told.append(report)
            if self.on_told is not None:
                self.on_told(report)

    async def family(self, parent_id: int) -> tuple[Watched | None, Sequence[Watched]]:
        """A parent and its children."""
        children = [one for one in self.watched.values() if one.parent_id == parent_id]
        return self.watched.get(parent_id), children

    async def live(self, seconds: float) -> None:
        """Have everybody asked at his moments for so long, and wait for the last answer."""
        end = clock().timestamp() + seconds
        async with asyncio.TaskGroup() as group:
            while (now := clock().timestamp()) < end:
                until = min(end, now + 15)
                asked = ((n, w.intervals) for n, w in self.watched.items() if w.address)
                for due in sorted(due_in(asked, now, until)):
                    await asyncio.sleep(max(0.0, due.at - clock().timestamp()))
                    watched = self.watched[due.device_id]
                    if not watched.is_busy:
                        group.create_task(self.looker.look(watched, due.depth, self.blamer))
                await asyncio.sleep(max(0.0, until - clock().timestamp()))

    def _fault_of(self, number: int) -> Layer | None:
        """A device behind one that is cut off is cut off."""
        above: int | None = number
        for _ in range(8):
            if above is None:
                break
            if self.faults.get(above) is Layer.NETWORK:
                return Layer.NETWORK
            above = self.parents.get(above)
        return self.faults.get(number)


_LOW = {Layer.NETWORK, Layer.PROTOCOL}
_SEEN = {
    Depth.ANSWER: _LOW,
    Depth.STREAM: _LOW | {Layer.CREDENTIALS, Layer.STREAM},
    Depth.FRAMES: _LOW | {Layer.CREDENTIALS, Layer.STREAM, Layer.FRAMES},
}


def _device(number: int) -> Device:
    return Device(
        id=number,
        connection_id=number,
        key="device",
        area_id=1,
        area_path="county",
        kind=DeviceKind.CAMERA,
        name=f"camera {number}",
        registration=Registration.APPROVED,
    )
