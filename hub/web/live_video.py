"""Everybody who watches live video in this process: who, what, for how long.

Hears what changed and has those concerned looked at again; leaves a mark at each viewing, so that
whoever watches is known in every process, and nobody for longer than he does.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.domain.access import Scope, system_scope
from hub.domain.errors import NotFound, StoreUnavailable
from hub.domain.live_video import LiveLimits
from hub.domain.ports import Clock
from hub.runtime.live import RESYNC, LiveFeed
from hub.store.database import Database
from hub.store.notices import Notice, notify
from hub.store.picture_masks import TOPIC as MASKS
from hub.store.sessions import TOPIC as SESSIONS
from hub.store.viewings import (
    MARK_S,
    NewViewing,
    begin_viewing,
    end_viewing,
    list_live_viewers,
    mark_viewings,
)
from hub.web.live_guard import Standpoint
from hub.web.live_media import MediaSession
from hub.web.live_messages import Ending

log = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
TOPIC: Final = "viewings"  # the numbers are of devices
_SCOPE = system_scope("hub.web.live_video")
# What a viewing may depend on beside its own device: whoever watches is looked at again.
_CONCERN_ALL: Final = frozenset({RESYNC.topic, "areas", "connections"})
_CONCERN_DEVICES: Final = frozenset({"devices", MASKS})


class Watched(Protocol):
    """One viewing, at a WebSocket or through a media server."""

    sent: int
    viewers: tuple[str, ...]

    @property
    def standpoint(self) -> Standpoint:
        """Who watches what."""

    @property
    def user_id(self) -> int:
        """Who watches."""

    @property
    def device_id(self) -> int:
        """What is watched."""

    def recheck(self) -> None:
        """Have it looked at once whether this viewer may still watch."""

    def end(self) -> None:
        """Have it end, for the hub stops."""

    async def run(self, number: int) -> Ending:
        """Last until it is over."""


@dataclass(slots=True, kw_only=True)
class LiveVideo:
    """The viewings of one process; :meth:`run` keeps them honest."""

    database: Database
    feed: LiveFeed
    clock: Clock
    limits: LiveLimits = field(default_factory=LiveLimits)
    process: str = field(default_factory=lambda: secrets.token_hex(8))
    _sessions: dict[int, Watched] = field(default_factory=dict, init=False)
    _opening: list[int] = field(
        default_factory=list, init=False
    )  # users whose viewing is being recorded
    _running: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _is_stopping: bool = field(default=False, init=False)

    def has_too_many(self, user_id: int) -> bool:
        """Whether this user, or this process, has as many viewings as it may."""
        users = [*self._opening, *(session.user_id for session in self._sessions.values())]
        return len(users) >= self.limits.in_all or users.count(user_id) >= self.limits.per_user

    async def serve(self, session: Watched, scope: Scope) -> None:
        """Serve a viewer whose connection is accepted, and record that he watched."""
        await self._run(session, scope, await self._begin(session, scope))

    async def start(self, session: Watched, scope: Scope) -> int:
        """Have a viewing guarded in the background, and recorded; returns its number."""
        number = await self._begin(session, scope)
        task = asyncio.create_task(self._run(session, scope, number), name="live-viewing")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return number

    def find_media(self, number: int, user_id: int, device_id: int) -> MediaSession:
        """Return a viewing through a media server; raises NotFound for anybody else's."""
        session = self._sessions.get(number)
        is_own = isinstance(session, MediaSession) and session.user_id == user_id
        if not isinstance(session, MediaSession) or not is_own or session.device_id != device_id:
            msg = "this viewing is over: begin a new one"
            raise NotFound(msg)
        return session

    def end_all(self) -> None:
        """End every viewing, so that the server can stop; browsers come back by themselves."""
        self._is_stopping = True
        for session in self._sessions.values():
            session.end()

    async def close(self) -> None:
        """End what lasts in the background, and wait until that is recorded."""
        self.end_all()
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_S)

    async def run(self) -> None:
        """Hear what changed and leave marks, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(), name="live-video-notices")
            group.create_task(self._mark(), name="live-video-marks")

    async def _begin(self, session: Watched, scope: Scope) -> int:
        target = session.standpoint.target
        self._opening.append(session.user_id)
        try:
            async with self.database.transaction() as tx:
                number = await begin_viewing(
                    tx,
                    scope,
                    NewViewing(
                        device_id=target.device.id,
                        channel=target.camera.channel,
                        stream=target.role,
                        process=self.process,
                        began_at=self.clock(),
                    ),
                )
                await notify(tx, scope, TOPIC, [target.device.id])
        finally:
            self._opening.remove(session.user_id)
        self._sessions[number] = session
        return number

    async def _run(self, session: Watched, scope: Scope, number: int) -> None:
        if self._is_stopping:
            session.end()
        # What changed since he was let in was told to nobody.
        session.recheck()
        ending = Ending.LEFT
        try:
            await self._tell_viewers([session.device_id])
            ending = await session.run(number)
        finally:
            self._sessions.pop(number, None)
            await self._record_end(session, scope, number, ending)

    async def _record_end(
        self, session: Watched, scope: Scope, number: int, ending: Ending
    ) -> None:
        try:
            async with self.database.transaction() as tx:
                await end_viewing(
                    tx, scope, number, at=self.clock(), sent=session.sent, why=ending.value
                )
                await notify(tx, scope, TOPIC, [session.device_id])
        except (StoreUnavailable, NotFound) as error:
            # Nobody marks it any more: it will be found to be over.
            log.warning("the end of viewing %d was not recorded: %s", number, error)

    async def _hear(self) -> None:
        with self.feed.subscribe() as subscription:
            async for notice in subscription:
                for session in self._concerned(notice):
                    session.recheck()
                if notice.topic == TOPIC:
                    await self._tell_viewers(notice.ids)

    def _concerned(self, notice: Notice) -> Iterable[Watched]:
        ids = frozenset(notice.ids)
        sessions = list(self._sessions.values())
        if notice.topic in _CONCERN_ALL:
            return sessions
        if notice.topic == SESSIONS:
            return [session for session in sessions if session.user_id in ids]
        if notice.topic in _CONCERN_DEVICES:
            return [session for session in sessions if session.device_id in ids]
        return []

    async def _tell_viewers(self, device_ids: Iterable[int]) -> None:
        """Let those who may know it know who watches these cameras."""
        wanted = set(device_ids)
        curious = [
            session
            for session in self._sessions.values()
            if session.device_id in wanted and session.standpoint.sees_viewers
        ]
        if not curious:
            return
        ids = [session.device_id for session in curious]
        try:
            async with self.database.transaction() as tx:
                found = await list_live_viewers(tx, _SCOPE, device_ids=ids, now=self.clock())
        except StoreUnavailable as error:
            log.debug("who watches is not known: %s", error)
            return
        for session in curious:
            names = {one.user_name for one in found if one.device_id == session.device_id}
            session.viewers = tuple(sorted(names))

    async def _mark(self) -> None:
        while True:
            sent = {number: session.sent for number, session in self._sessions.items()}
            try:
                async with self.database.transaction() as tx:
                    await mark_viewings(tx, _SCOPE, sent, now=self.clock())
            except StoreUnavailable as error:
                log.debug("viewings were not marked: %s", error)
            await asyncio.sleep(MARK_S)
