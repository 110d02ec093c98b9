"""One look at one device: ask, ask again before believing it, find out who is to blame, tell.

Knows no database and no schedule: what is held of devices, who else is there, how a probe is
done and where verdicts go are handed in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hub.domain.errors import StoreUnavailable
from hub.domain.health import (
    OFFLINE_LAYERS,
    SEEN_BY,
    Depth,
    DeviceStatusReport,
    Held,
    ProbeResult,
    Status,
    says_news,
)
from hub.domain.ports import ProbeCamera
from hub.maintenance.watched import Watched

log = logging.getLogger(__name__)

# How often a look that waits for another one at the same device asks whether it is over.
IDLE_S = 0.2

Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]
Pause = Callable[[float], Awaitable[None]]
HeldBy = Callable[[int], Held | None]
"""Returns what is held of a device, None of one that is not registered."""


OnResult = Callable[[Watched, ProbeResult], None]


class Parents(Protocol):
    """Who explains why a device cannot be reached (:mod:`hub.maintenance.blaming`)."""

    def glance(self, watched: Watched) -> int | None:
        """Return the parent when it is known to be down, at once; else have it looked at."""

    async def blame(self, watched: Watched) -> int | None:
        """Return the parent when it is down, None when there is none or it is up."""

    async def note_answer(self, watched: Watched, result: ProbeResult) -> None:
        """A child answers, which says something of a parent that cannot be asked itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """How a verdict is reached, and how much is asked at once.

    A failure counts once a second probe ``confirm_after_s`` later agrees, a recovery once one
    does ``recover_after_s`` later. With these values and an interval of 15 s a camera that dies
    is told of within 15 s + 4 s (probe) + 2.5 s (pause) + 4 s (second probe) = 25.5 s, one that
    refuses the connection within 18 s. ``per_subnet`` and ``deep_per_subnet`` (video flows) bound
    what is under way behind one village's link. ``unsampled_s``: a device of which nothing could
    be learnt for so long, for a reason of our own, is unknown.
    """

    timeout_s: float = 4.0
    confirm_after_s: float = 2.5
    recover_after_s: float = 2.5
    concurrency: int = 4096
    per_subnet: int = 128
    deep_per_subnet: int = 2
    unsampled_s: float = 90.0


class Looker:
    """Looks at devices, one look a device at a time."""

    def __init__(
        self,
        *,
        probe: ProbeCamera,
        held_by: HeldBy,
        report: Report,
        options: LookOptions,
        on_result: OnResult,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._probe = probe
        self._held_by = held_by
        self._report = report
        self._options = options
        self._on_result = on_result
        self._pause = pause
        self._slots = asyncio.Semaphore(options.concurrency)
        self._gates: dict[tuple[str, bool], asyncio.Semaphore] = {}
        self._waiting: list[DeviceStatusReport] = []
        self._telling = asyncio.Lock()

    async def look(self, watched: Watched, depth: Depth, parents: Parents) -> ProbeResult:
        """Probe one device, tell what is new, and return the result that decided.

        While another look at it is under way that one is waited for, and its result returned.
        """
        if watched.is_busy:
            while watched.is_busy:
                await self._pause(IDLE_S)
            return watched.history.newest_first()[0]
        watched.is_busy = True
        try:
            return await self._look(watched, depth, parents)
        finally:
            watched.is_busy = False

    async def tell(self, report: DeviceStatusReport) -> None:
        """Hand over a report, together with all that came while the one before was handed over."""
        self._waiting.append(report)
        async with self._telling:
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            try:
                await self._report(batch)
            except StoreUnavailable as error:
                # Nothing is lost: the next look finds the same difference again.
                log.warning("the status of %s devices cannot be stored yet: %s", len(batch), error)

    async def ask(self, watched: Watched, depth: Depth) -> ProbeResult:
        """Probe once, within the limits of this process and of the device's subnet.

        Where enough video flows already, a device is asked for less now and for its frames later.
        """
        gate = self._gate(watched.subnet, depth)
        watched.owes_frames = depth is Depth.FRAMES and gate.locked()
        if watched.owes_frames:
            depth = Depth.STREAM
            gate = self._gate(watched.subnet, depth)
        async with gate, self._slots:
            found = await self._probe(
                watched.target, timeout_s=self._options.timeout_s, depth=depth
            )
        watched.history.add(found)
        self._on_result(watched, found)
        return found

    async def _look(self, watched: Watched, depth: Depth, parents: Parents) -> ProbeResult:
        found = await self.ask(watched, depth)
        held = self._held_by(watched.device_id)
        if held is None:
            return found
        if _is_as_ever(watched, found, held):
            watched.sampled_at = asyncio.get_running_loop().time()
            return found
        began = found.probed_at
        behind = None
        if found.failed_layer in OFFLINE_LAYERS and found.is_conclusive:
            behind = parents.glance(watched)
        if behind is None and self._needs_second(watched, found, held):
            await self._pause(self._wait_s(found))
            again = await self.ask(watched, depth)
            if again.status is not found.status:
                # One fault, then another: the next look will tell. Or none: it was nothing.
                began = again.probed_at
                if again.failed_layer is not None:
                    return again
            found = again
        if not found.is_conclusive:
            await self._note_unsampled(watched, found, held)
            return found
        watched.sampled_at = asyncio.get_running_loop().time()
        if found.failed_layer in OFFLINE_LAYERS:
            behind = behind or await parents.blame(watched)
        elif found.failed_layer is None:
            await parents.note_answer(watched, found)
        await self._conclude(watched, replace(_verdict(watched, found), probed_at=began), behind)
        return found

    async def _conclude(
        self, watched: Watched, report: DeviceStatusReport, behind: int | None
    ) -> None:
        held = self._held_by(watched.device_id)
        report = replace(report, behind=behind)
        if held is not None and (report.confirms or says_news(report, held)):
            watched.must_confirm = False
            await self.tell(report)

    def _needs_second(self, watched: Watched, found: ProbeResult, held: Held) -> bool:
        """A change is believed the second time; of the unknown anything good is."""
        if not found.is_conclusive or (held.status is Status.UNKNOWN and not found.failed_layer):
            return False
        # Without regard to blame: who hangs behind a parent that is up again is asked twice.
        return says_news(_verdict(watched, found), held)

    def _wait_s(self, found: ProbeResult) -> float:
        options = self._options
        return options.recover_after_s if found.failed_layer is None else options.confirm_after_s

    async def _note_unsampled(self, watched: Watched, found: ProbeResult, held: Held) -> None:
        now = asyncio.get_running_loop().time()
        if watched.sampled_at is None:
            watched.sampled_at = now
        if now - watched.sampled_at < self._options.unsampled_s or held.status is Status.UNKNOWN:
            return
        await self.tell(
            DeviceStatusReport(
                device_id=watched.device_id,
                probed_at=found.probed_at,
                detail=f"not sampled: {found.detail}",
                is_unknown=True,
            )
        )

    def _gate(self, subnet: str, depth: Depth) -> asyncio.Semaphore:
        is_deep = depth is Depth.FRAMES
        gate = self._gates.get((subnet, is_deep))
        if gate is None:
            most = self._options.deep_per_subnet if is_deep else self._options.per_subnet
            gate = self._gates[subnet, is_deep] = asyncio.Semaphore(most)
        return gate


def _is_as_ever(watched: Watched, found: ProbeResult, held: Held) -> bool:
    """Nearly every look ends here: all is well, as it was, and nobody else learns from it."""
    return (
        found.failed_layer is None
        and found.is_conclusive
        and held.status is Status.ONLINE
        and watched.parent_id is None
        and not watched.must_confirm
    )


def _verdict(watched: Watched, found: ProbeResult) -> DeviceStatusReport:
    return DeviceStatusReport(
        device_id=watched.device_id,
        probed_at=found.probed_at,
        layer=found.failed_layer,
        detail=found.detail,
        seen=SEEN_BY[found.depth],
        confirms=watched.must_confirm,
    )
