"""Whether somebody may still watch: asked again when something changed, and now and then."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hub.domain.access import Permission, Principal
from hub.domain.errors import Conflict, NotFound, StoreUnavailable
from hub.store.live_targets import LiveTarget
from hub.web.live_messages import Ending

RECHECK_S: Final = 15.0
STORE_GRACE_S: Final = 60.0  # while the database is away nobody's access can end in it
RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """Who watches what, as it is now."""

    principal: Principal
    target: LiveTarget

    @property
    def sees_viewers(self) -> bool:
        """Whether he may know who else watches."""
        return self.principal.scope(Permission.PLAN).covers(self.target.device.area_path)


Recheck = Callable[[], Awaitable[Standpoint | None]]
"""Returns who watches what now, None when the session or token is over.

Raises NotFound or Conflict when there is nothing to watch any more, StoreUnavailable.
"""


# Questions whose askers have left.
_UNINTERRUPTED: Final[set[asyncio.Future[Standpoint | None]]] = set()


class Guard:
    """Of one viewing; ``standpoint`` is as it was found last."""

    def __init__(self, standpoint: Standpoint, recheck: Recheck) -> None:
        self.standpoint = standpoint
        self._recheck = recheck
        self._must_check = asyncio.Event()

    def check_now(self) -> None:
        """Have it looked at once."""
        self._must_check.set()

    async def watch(self, on_news: Callable[[LiveTarget], None]) -> Ending:
        """Return when the viewer may no longer watch, and why; ``on_news`` gets what was before."""
        loop = asyncio.get_running_loop()
        known_at, pause_s = loop.time(), RECHECK_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._must_check.wait()
            self._must_check.clear()
            try:
                now = await self._ask()
            except StoreUnavailable:
                if loop.time() - known_at > STORE_GRACE_S:
                    return Ending.STORE
                pause_s = RETRY_S
                continue
            except (NotFound, Conflict):
                return Ending.GONE
            if now is None:
                return Ending.SESSION
            known_at, pause_s = loop.time(), RECHECK_S
            before, self.standpoint = self.standpoint.target, now
            on_news(before)

    async def _ask(self) -> Standpoint | None:
        """Ask anew. Whoever leaves meanwhile interrupts no query: that would cost a connection."""
        asking = asyncio.ensure_future(self._recheck())
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            _UNINTERRUPTED.add(asking)
            asking.add_done_callback(_forget)
            raise


class Guarded:
    """A viewing, whatever it is sent by, of somebody who is asked again whether he may watch."""

    def __init__(self, standpoint: Standpoint, recheck: Recheck) -> None:
        self.sent = 0  # bytes
        self.viewers: tuple[str, ...] = ()  # who watches, for those who may know
        self._guard = Guard(standpoint, recheck)

    @property
    def standpoint(self) -> Standpoint:
        """Who watches what, as it is now."""
        return self._guard.standpoint

    @property
    def user_id(self) -> int:
        """Who watches."""
        return self.standpoint.principal.user_id

    @property
    def device_id(self) -> int:
        """What is watched."""
        return self.standpoint.target.device.id

    def recheck(self) -> None:
        """Have it looked at once whether this viewer may still watch, and how."""
        self._guard.check_now()


def _forget(asked: "asyncio.Future[Standpoint | None]") -> None:
    """What became of it interests nobody any more."""
    _UNINTERRUPTED.discard(asked)
    if not asked.cancelled():
        asked.exception()
