"""Sees whether a camera obeys: sends it to a preset and back, and compares what it shows.

It moves only cameras whose connection names two presets for it (``ptz_check``), only at set hours,
and only while nobody else uses them. The camera returns to the first of the two whatever happens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from hub.domain.access import system_scope
from hub.domain.errors import DeviceError
from hub.domain.ports import (
    CallPreset,
    CameraTarget,
    Clock,
    FetchFrames,
    FindBearing,
    JudgePicture,
)
from hub.domain.quality import CheckOrder, EncodedFrame, Finding, Index, PictureState
from hub.store.database import Database
from hub.store.picture_due import DuePicture
from hub.store.ptz_use import is_in_use, was_moved_since

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.maintenance")
OPTION = "ptz_check"  # of an ONVIF connection: the preset of rest, and another one

Pause = Callable[[float], Awaitable[None]]
IsFree = Callable[[int, datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObeyingOptions:
    """When cameras are moved, and how patiently.

    ``hours`` are of ``zone``'s day. ``settle_s`` is what a dome needs from one end to the other;
    one that seems not to have moved gets twice that once more. A camera is moved again after
    ``every``, sooner only to confirm or to end a fault; a suspicion is followed up for
    ``confirm_for``, also when the hours are over. A return may take ``return_s``.
    """

    hours: frozenset[int] = frozenset({2, 3, 4})
    zone: tzinfo = UTC
    every: timedelta = timedelta(hours=20)
    confirm_for: timedelta = timedelta(hours=1)
    settle_s: float = 8.0
    timeout_s: float = 10.0
    return_s: float = 15.0
    return_tries: int = 3
    concurrency: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ObeyingSenses:
    """How cameras are seen and moved; ``is_free`` tells whether one was left alone since then."""

    fetch: FetchFrames
    judge: JudgePicture
    call_preset: CallPreset
    find_bearing: FindBearing
    is_free: IsFree
    clock: Clock
    pause: Pause = asyncio.sleep


async def is_free(database: Database, device_id: int, since: datetime) -> bool:
    """Tell whether no patrol round uses a camera, and no check moved it since a moment."""
    async with database.transaction() as tx:
        if await is_in_use(tx, SCOPE, device_id):
            return False
        return not await was_moved_since(tx, SCOPE, device_id, since)


class Obeying:
    """Asks cameras to move, a few at a time."""

    def __init__(self, senses: ObeyingSenses, options: ObeyingOptions | None = None) -> None:
        self._senses = senses
        self._options = options or ObeyingOptions()
        self._slots = asyncio.Semaphore(self._options.concurrency)

    async def check(self, due: DuePicture, order: CheckOrder) -> Finding | None:
        """Return what is found of a camera's obedience, by the thresholds of an order.

        None when it is not to be moved now, or when it could not be seen whether it obeys. Takes
        half a minute, all of it waiting.
        """
        presets = presets_of(due.target)
        now = self._senses.clock()
        if presets is None or not self._is_time(due.state, now):
            return None
        is_doubtful = Index.PTZ in due.state.suspects or Index.PTZ in due.state.faults
        since = now if is_doubtful else now - self._options.every
        async with self._slots:
            if not await self._senses.is_free(due.target.device_id, since):
                return None
            try:
                return await self._send_out(due.target, presets, order)
            except DeviceError as error:
                number = due.target.device_id
                log.info("whether camera %s obeys cannot be seen: %s", number, error)
                return None

    def _is_time(self, state: PictureState, now: datetime) -> bool:
        """Tell whether it is one of the hours, or a suspicion of just now is to be confirmed."""
        if now.astimezone(self._options.zone).hour in self._options.hours:
            return True
        suspect = state.suspects.get(Index.PTZ)
        if suspect is None:
            return False
        return timedelta(0) <= now - (suspect.seen_at or suspect.since) < self._options.confirm_for

    async def _send_out(
        self, target: CameraTarget, presets: tuple[str, str], order: CheckOrder
    ) -> Finding | None:
        """Send the camera from home to the other preset, and look."""
        home, away = presets
        senses, options = self._senses, self._options
        bearing = await senses.find_bearing(target, timeout_s=options.timeout_s)
        if bearing.is_moving or bearing.preset not in {None, home, away}:
            return None  # somebody has it in hand, or it is on a tour of its own
        if bearing.preset != home:
            await senses.call_preset(target, home, timeout_s=options.timeout_s)
            await senses.pause(options.settle_s)
        before = await self._look(target)
        try:
            await senses.call_preset(target, away, timeout_s=options.timeout_s)
            await senses.pause(options.settle_s)
            finding = await self._compare(before, target, order)
            if finding is not None and finding.is_fault:
                await senses.pause(2 * options.settle_s)
                finding = await self._compare(before, target, order)
            return finding
        finally:
            await self._return(target, home)

    async def _look(self, target: CameraTarget) -> EncodedFrame:
        frames = await self._senses.fetch(target, timeout_s=self._options.timeout_s)
        return frames[-1]

    async def _compare(
        self, before: EncodedFrame, target: CameraTarget, order: CheckOrder
    ) -> Finding | None:
        after = await self._look(target)
        check = await self._senses.judge(
            CheckOrder(
                frames=(before, after),
                thresholds=order.thresholds,
                infrared=order.infrared,
                moved=True,
            )
        )
        return next((found for found in check.findings if found.index is Index.PTZ), None)

    async def _return(self, target: CameraTarget, home: str) -> None:
        """Send the camera home, also when the check is being cancelled."""
        way = asyncio.create_task(self._go_home(target, home))
        try:
            await asyncio.shield(way)
        except asyncio.CancelledError:
            await asyncio.wait({way}, timeout=self._options.return_s)
            raise

    async def _go_home(self, target: CameraTarget, home: str) -> None:
        why: Exception | None = None
        try:
            async with asyncio.timeout(self._options.return_s):
                for attempt in range(self._options.return_tries):
                    if attempt:
                        await self._senses.pause(1.0)
                    try:
                        await self._senses.call_preset(
                            target, home, timeout_s=self._options.timeout_s
                        )
                    except DeviceError as error:
                        why = error
                    else:
                        return
        except TimeoutError as error:
            why = why or error
        number = target.device_id
        log.warning("camera %s may not have returned to preset %s: %s", number, home, why)


def presets_of(target: CameraTarget) -> tuple[str, str] | None:
    """Return the preset of rest and the other one that a connection names, if it does."""
    given = target.options.get(OPTION)
    if not isinstance(given, list | tuple) or len(given) != 2:
        return None
    home, away = given
    if isinstance(home, str) and isinstance(away, str) and home and away and home != away:
        return home, away
    return None
