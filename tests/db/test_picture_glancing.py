"""A glance at a camera for a patrol: judged by what is known of it, leaving no trace."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.errors import DeviceUnreachable, ProtocolViolation
from hub.domain.looks import Glimpse, NotJudged
from hub.domain.ports import CameraTarget
from hub.domain.quality import (
    CheckOrder,
    EncodedFrame,
    Finding,
    Index,
    Mode,
    PictureCheck,
    Profile,
    Region,
)
from hub.maintenance.pictures.glancing import PROFILES_LIFE, Glancer
from hub.maintenance.pictures.learning import Lesson, pack
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.store.database import Database
from hub.store.picture_assignments import Assignment, put_assignment
from hub.store.picture_baselines import NewBaseline, keep_baselines, load_baselines
from hub.store.picture_due import ensure_states
from hub.store.picture_masks import set_masks
from hub.store.picture_profiles import add_profile
from hub.store.picture_states import get_state, set_corrections
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import DAY, NOW, add_cameras, change
from tests.unit.picture_eyes import MASK, SHANGHAI, Eyes

PARTS = (Region(0.1, 0.2, 0.3, 0.4),)


class Camera(Eyes):
    """Shows something that moves; remembers from where it was asked for it."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[CameraTarget] = []
        self.limits: list[float] = []
        self.trouble: ProtocolViolation | None = None

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        self.targets.append(target)
        self.limits.append(timeout_s)
        return await super().fetch(target, count=count, spacing_s=spacing_s, timeout_s=timeout_s)

    async def judge(self, order: CheckOrder) -> PictureCheck:
        check = await super().judge(order)
        if self.trouble is not None:
            raise self.trouble
        findings = tuple(
            Finding(index=index, score=score, threshold=order.thresholds.get(index) or 99.0, why="")
            for index, score in ((Index.SCENE, 30.0), (Index.OCCLUSION, 10.0), (Index.BLUR, 60.0))
        )
        return replace(check, findings=findings, moved=0.25, moving=PARTS)

    def glancer(self, database: Database) -> Glancer:
        senses = SightSenses(fetch=self.fetch, judge=self.judge)
        return Glancer(database, Sight(senses, SightOptions(zone=SHANGHAI)), lambda: self.now)

    now = NOW


async def glance(look: Glancer, device_id: int) -> Glimpse:
    return await look(device_id, seconds=3.0, width=1280, timeout_s=12.0)


async def test_a_glance_is_judged_by_what_is_known_and_leaves_no_trace(
    database: Database, county: County
) -> None:
    (device,) = await add_cameras(database, county.east_link.id, county.east.id, 1)
    streams = (
        '[{"role": "main", "address": "rtsp://192.0.2.1/main"},'
        ' {"role": "sub", "address": "rtsp://192.0.2.1/sub"}]'
    )
    await change(
        database, "UPDATE channels SET streams = %(s)s WHERE device_id = %(d)s", s=streams, d=device
    )
    async with database.transaction() as tx:
        await ensure_states(tx, SYSTEM, NOW)
    camera = Camera()
    look = camera.glancer(database)
    first = await glance(look, device)
    # Nothing is learnt yet: what would compare with that says nothing.
    assert [one.index for one in first.findings] == [Index.BLUR]
    assert first.change is None
    assert first.movement is not None
    assert (first.movement.share, first.movement.regions) == (0.25, PARTS)
    assert (first.picture, first.width) == (b"masked", 1920)
    assert camera.fetched == [(3, 1.5)]
    assert camera.targets[0].stream_address == "rtsp://192.0.2.1/main"
    assert camera.targets[0].sub_stream_address == ""  # a picture for people is the best there is
    assert camera.limits == [10.0]

    lesson = Lesson(baseline=b"known", pictures=9, since=NOW - 5 * DAY, last_at=NOW)
    async with database.transaction() as tx:
        await set_masks(tx, SYSTEM, device, [MASK])
        await keep_baselines(
            tx,
            SYSTEM,
            [
                NewBaseline(
                    device_id=device,
                    key=(2, Mode.COLOUR),
                    state=pack(lesson),
                    learnt_at=NOW,
                )
            ],
        )
        await set_corrections(tx, SYSTEM, device, {Index.BLUR: 15.0})
        profile = await add_profile(
            tx,
            SYSTEM,
            Profile(name="near the river", area_id=county.county.id, thresholds={Index.BLUR: 40.0}),
        )
        wanted = Assignment(area_id=county.east.id, day_id=profile.id, night_id=profile.id)
        await put_assignment(tx, SYSTEM, wanted)
        before = await get_state(tx, SYSTEM, device), await load_baselines(tx, SYSTEM, [device])
    assert (await glance(look, device)).findings[-1].threshold == 65.0  # profiles are kept a while
    camera.now += PROFILES_LIFE
    second = await glance(look, device)
    assert second.findings[-1].threshold == 55.0
    assert second.change == 30.0
    order = camera.orders[-1]
    assert order.baselines == {(2, Mode.COLOUR): b"known"}
    assert order.masks == (MASK,)
    assert (order.wants_movement, order.wants_learnt, order.evidence_width) == (True, False, 1280)
    async with database.transaction() as tx:
        after = await get_state(tx, SYSTEM, device), await load_baselines(tx, SYSTEM, [device])
    assert after == before


async def test_it_is_said_whose_fault_it_is_that_there_is_no_glimpse(
    database: Database, county: County
) -> None:
    (device,) = await add_cameras(database, county.east_link.id, county.east.id, 1)
    camera = Camera()
    look = camera.glancer(database)
    camera.errors = [DeviceUnreachable("gone")]
    with pytest.raises(DeviceUnreachable, match="gone"):
        await glance(look, device)
    camera.trouble = ProtocolViolation("the picture broke the decoder")
    with pytest.raises(NotJudged, match="broke the decoder"):
        await glance(look, device)
    with pytest.raises(NotJudged, match="nothing is known"):
        await glance(look, device + 1_000)
    camera.now -= timedelta(days=1)  # a clock set back: the profiles are read again
    camera.trouble = None
    assert (await glance(look, device)).movement is not None
