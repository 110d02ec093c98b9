"""Whose fault it is that a device cannot be reached: its own, or its parent's (field.md §3).

A parent with an address is asked itself; one without is judged by asking some of its children.
One hop is enough: the parent's own fault may again be its parent's. Many children fail at once,
so that a verdict serves all of them for a while.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.health import (
    OFFLINE_LAYERS,
    Depth,
    DeviceStatusReport,
    Layer,
    ProbeResult,
    Status,
)
from hub.domain.ports import Clock
from hub.maintenance.looking import Looker
from hub.maintenance.watched import Watched
from hub.runtime.registry import Known

Family = Callable[[int], Awaitable[tuple[Watched | None, Sequence[Watched]]]]
"""Returns a parent as it is watched (None: it is not) and some of its children."""
KnownBy = Callable[[int], Known | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlameOptions:
    """How parents are judged.

    ``kept_s``: how long a verdict serves. ``grace_s``: how long after a parent's return its
    children are still excused, for they have to start. ``asked`` children are asked about a
    parent without an address, and all of them must be silent, ``least`` at the least. Nobody
    waits longer than ``patience_s`` for a verdict.
    """

    kept_s: float = 10.0
    grace_s: float = 180.0
    asked: int = 8
    least: int = 2
    patience_s: float = 30.0


class Blamer:
    """Judges parents, each once for all of its children."""

    def __init__(
        self,
        *,
        looker: Looker,
        family: Family,
        known_by: KnownBy,
        clock: Clock,
        rng: random.Random,
        options: BlameOptions | None = None,
    ) -> None:
        self._looker = looker
        self._family = family
        self._known_by = known_by
        self._clock = clock
        self._rng = rng
        self._options = options or BlameOptions()
        self._verdicts: dict[int, tuple[datetime, bool]] = {}
        self._judging: dict[int, asyncio.Task[bool]] = {}

    def glance(self, watched: Watched) -> int | None:
        """Return the parent when it is known to be down, at once; else have it looked at."""
        parent_id = _parent_of(watched)
        if parent_id is None:
            return None
        known = self._known_verdict(parent_id)
        if known is None:
            self._start_judging(parent_id)
        return parent_id if known else None

    async def blame(self, watched: Watched) -> int | None:
        """Return the parent when it is down, None when there is none or it is up."""
        parent_id = _parent_of(watched)
        if parent_id is None:
            return None
        known = self._known_verdict(parent_id)
        if known is None:
            task = self._start_judging(parent_id)
            # Neither cancels the task nor waits for ever: parents may be set up in a circle.
            done, _ = await asyncio.wait({task}, timeout=self._options.patience_s)
            known = bool(done) and task.result()
        return parent_id if known else None

    async def note_answer(self, watched: Watched, result: ProbeResult) -> None:
        """A child answers: a parent without an address is up then, whatever was held of it."""
        parent_id = _parent_of(watched)
        parent = None if parent_id is None else self._known_by(parent_id)
        if parent_id is None or parent is None or parent.status is Status.ONLINE:
            return
        if self._fresh_verdict(parent_id) is False:
            return  # said already
        its_own, _ = await self._family(parent_id)
        if its_own is None or its_own.address:
            return
        self._verdicts[parent_id] = (self._clock(), False)
        await self._looker.tell(DeviceStatusReport(device_id=parent_id, probed_at=result.probed_at))

    def _known_verdict(self, parent_id: int) -> bool | None:
        """True: down, or just back; False: up, as was found a moment ago; None: not known."""
        parent = self._known_by(parent_id)
        if parent is None:
            return False
        if parent.status is Status.OFFLINE:
            return True
        if parent.came_back_at is not None:
            grace = timedelta(seconds=self._options.grace_s)
            if self._clock() - parent.came_back_at < grace:
                return True
        return self._fresh_verdict(parent_id)

    def _fresh_verdict(self, parent_id: int) -> bool | None:
        verdict = self._verdicts.get(parent_id)
        kept = timedelta(seconds=self._options.kept_s)
        if verdict is None or not timedelta(0) <= self._clock() - verdict[0] < kept:
            return None
        return verdict[1]

    def _start_judging(self, parent_id: int) -> asyncio.Task[bool]:
        task = self._judging.get(parent_id)
        if task is None:
            task = asyncio.create_task(self._judge(parent_id), name=f"judge-{parent_id}")
            self._judging[parent_id] = task
            task.add_done_callback(lambda _: self._judging.pop(parent_id, None))
        return task

    async def _judge(self, parent_id: int) -> bool:
        parent, children = await self._family(parent_id)
        if parent is not None and parent.address:
            is_down = await self._ask_parent(parent)
        else:
            is_down = await self._ask_children(parent_id, parent, children)
        self._verdicts[parent_id] = (self._clock(), is_down)
        return is_down

    async def _ask_parent(self, parent: Watched) -> bool:
        found = await self._looker.look(parent, Depth.ANSWER, self)
        return found.is_conclusive and found.failed_layer in OFFLINE_LAYERS

    async def _ask_children(
        self, parent_id: int, parent: Watched | None, children: Sequence[Watched]
    ) -> bool:
        asked = self._rng.sample(children, min(self._options.asked, len(children)))
        found = await asyncio.gather(*(self._looker.ask(c, Depth.ANSWER) for c in asked))
        told = [one for one in found if one.is_conclusive]
        silent = [one for one in told if one.failed_layer in OFFLINE_LAYERS]
        if len(told) < self._options.least or len(silent) < len(told):
            return False
        await self._looker.tell(
            DeviceStatusReport(
                device_id=parent_id,
                probed_at=min(one.probed_at for one in silent),
                layer=Layer.NETWORK,
                detail=f"none of {len(silent)} devices asked behind it answers",
                behind=None if parent is None else await self.blame(parent),
            )
        )
        return True


def _parent_of(watched: Watched) -> int | None:
    return None if watched.parent_id == watched.device_id else watched.parent_id
