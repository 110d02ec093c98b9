"""A glance at a camera for a patrol: a few frames, judged as pictures are, and what moved in them.

Nothing is learnt or stored, and what is known of the camera is only read: how often its picture
is checked, and what becomes of that, is the business of the rounds.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import system_scope
from hub.domain.looks import Glimpse, Movement, NotJudged
from hub.domain.ports import Clock
from hub.domain.quality import PictureCheck
from hub.maintenance.pictures.learning import COMPARED
from hub.maintenance.pictures.profiles import ProfileTable
from hub.maintenance.pictures.sight import GlanceOrder, Seen, Sight
from hub.maintenance.pictures.timing import Frames
from hub.store.database import Database
from hub.store.picture_assignments import all_assignments
from hub.store.picture_due import DuePicture, load_pictures
from hub.store.picture_profiles import all_profiles

log = logging.getLogger(__name__)

SCOPE: Final = system_scope("hub.maintenance")
PROFILES_LIFE: Final = timedelta(minutes=1)
# Movement takes three frames, and an odd number of them tells best what stood still.
FRAMES: Final = 3
JUDGING_S: Final = 2.0  # of a glance's time, for judging what was fetched
LEAST_S: Final = 1.0


@dataclass(slots=True)
class _Table:
    profiles: ProfileTable
    loaded_at: datetime


class Glancer:
    """Glances at cameras (:class:`hub.domain.looks.Glance`)."""

    def __init__(self, database: Database, sight: Sight, clock: Clock) -> None:
        self._database = database
        self._sight = sight
        self._clock = clock
        self._table: _Table | None = None

    async def __call__(
        self, device_id: int, *, seconds: float, width: int, timeout_s: float
    ) -> Glimpse:
        """Return what is seen of a camera within some seconds; ``timeout_s`` is for all of it.

        Raises:
            DeviceError: the camera gives no picture; it says why.
            NotJudged: the reason is not the camera's.
        """
        camera, table = await self._load(device_id)
        chosen = table.of(device_id, camera.area_path, camera.device_class)
        wanted = GlanceOrder(
            frames=Frames(count=FRAMES, spacing_s=seconds / (FRAMES - 1)),
            width=width,
            timeout_s=max(LEAST_S, timeout_s - JUDGING_S),
        )
        return _glimpse(await self._sight.glance(camera, chosen, self._clock(), wanted))

    async def _load(self, device_id: int) -> tuple[DuePicture, ProfileTable]:
        now = self._clock()
        table = self._table
        if table is not None and not timedelta(0) <= now - table.loaded_at < PROFILES_LIFE:
            table = None
        async with self._database.transaction() as tx:
            found = await load_pictures(tx, SCOPE, [device_id])
            if table is None:
                assignments, profiles = (
                    await all_assignments(tx, SCOPE),
                    await all_profiles(tx, SCOPE),
                )
                table = _Table(ProfileTable(assignments, profiles), now)
        self._table = table
        if not found:
            msg = "nothing is known of this camera's picture"
            raise NotJudged(msg)
        return found[0], table.profiles


def _glimpse(seen: Seen) -> Glimpse:
    check = seen.check
    if not check.evidence:
        msg = "no picture was made"
        raise NotJudged(msg)
    return Glimpse(
        picture=check.evidence,
        width=check.width,
        height=check.height,
        findings=check.findings,
        movement=_movement(check),
        change=max((one.score for one in check.findings if one.index in COMPARED), default=None),
    )


def _movement(check: PictureCheck) -> Movement | None:
    return None if check.moved is None else Movement(share=check.moved, regions=check.moving)
