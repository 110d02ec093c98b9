"""One look at one camera: what is fetched, what is asked of whoever judges, what counts."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.domain.errors import DeviceUnreachable
from hub.domain.health import Layer, Status
from hub.domain.quality import (
    CheckOrder,
    Finding,
    Index,
    Mode,
)
from hub.domain.quality_profiles import DAY
from hub.maintenance.pictures.learning import Lesson, pack
from hub.maintenance.pictures.news import NOT_JUDGED, events_of, report_of
from hub.maintenance.pictures.profiles import BUILT_IN, Chosen
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.maintenance.pictures.transitions import Step
from hub.store.picture_due import DuePicture
from hub.store.status import StatusRow
from tests.unit.picture_eyes import MASK, MIDNIGHT, NOON, SHANGHAI, Eyes, due, fault, found


async def test_an_order_holds_all_that_is_known_of_the_camera() -> None:
    eyes = Eyes()
    lesson = Lesson(baseline=b"known", pictures=1, since=NOON, last_at=NOON)
    stored = {(3, Mode.COLOUR): pack(lesson), (0, Mode.INFRARED): b"no lesson"}
    state = replace(due().state, corrections={Index.BLUR: 10.0})
    seen = await eyes.sight().see(due(baselines=stored, state=state), BUILT_IN, NOON)
    (order,) = eyes.orders
    assert (eyes.fetched, len(order.frames)) == ([(1, 1.0)], 1)
    assert order.baselines == {(3, Mode.COLOUR): b"known"}
    assert (order.previous, order.masks, order.band) == (b"last time", (MASK,), 3)
    assert (order.evidence_width, order.moved, seen.is_night) == (0, False, False)
    assert order.thresholds == {**DAY, Index.BLUR: 60.0}
    assert order.infrared == {**BUILT_IN.night, Index.BLUR: 60.0}
    night = await eyes.sight().see(due(), BUILT_IN, MIDNIGHT)
    assert (night.is_night, night.order.thresholds) == (True, BUILT_IN.night)
    # By the sun where the position is known: in December on the equator's other side it is day.
    far = due(longitude=-60.0, latitude=-10.0)
    assert not (await eyes.sight().see(far, BUILT_IN, MIDNIGHT)).is_night


async def test_a_picture_like_the_last_is_followed_up_in_the_same_visit() -> None:
    eyes = Eyes([found(Index.FREEZE, 45)], [found(Index.FREEZE, 90)])
    seen = await eyes.sight().see(due(), BUILT_IN, NOON)
    assert eyes.fetched == [(1, 1.0), (2, 1.5)]
    assert len(seen.order.frames) == 3
    assert seen.check.findings == (found(Index.FREEZE, 90),)
    assert eyes.orders[1].previous == b"last time"
    # What cannot be followed up stays as it was found.
    alone = Eyes([found(Index.FREEZE, 45)])
    alone.errors = [None, DeviceUnreachable("gone")]
    seen = await alone.sight().see(due(), BUILT_IN, NOON)
    assert seen.check.findings == (found(Index.FREEZE, 45),)
    moving = Eyes([found(Index.FREEZE, 20)])
    await moving.sight().see(due(), BUILT_IN, NOON)
    assert len(moving.fetched) == 1


async def test_a_fetch_that_never_ends_is_ended() -> None:
    eyes = Eyes()
    eyes.hangs = True
    with pytest.raises(DeviceUnreachable, match="no picture within 0 s"):
        await eyes.sight(timeout_s=0.01, grace_s=0.0).see(due(), BUILT_IN, NOON)
    assert eyes.figures.get_sample_value("gengfu_picture_seconds_count", {"step": "fetch"}) == 0


async def test_a_picture_to_keep_is_asked_for_at_once_or_later_or_never() -> None:
    eyes = Eyes()
    sight = eyes.sight()
    seen = await sight.see(due(), BUILT_IN, NOON, wants_evidence=True)
    assert (await sight.picture_of(seen), len(eyes.orders)) == (b"masked", 1)
    seen = await sight.see(due(), BUILT_IN, NOON)
    assert await sight.picture_of(seen) == b"masked"
    assert eyes.orders[-1] == replace(eyes.orders[-2], evidence_width=640)
    never = eyes.sight(evidence_width=0)
    seen = await never.see(due(), BUILT_IN, NOON, wants_evidence=True)
    assert await never.picture_of(seen) == b""


async def test_nobody_is_asked_to_move_where_that_tells_nothing() -> None:
    asked: list[CheckOrder] = []

    class Asking:
        async def check(self, due: DuePicture, order: CheckOrder) -> Finding | None:
            del due
            asked.append(order)
            return found(Index.PTZ, 90)

    eyes = Eyes()
    senses = SightSenses(fetch=eyes.fetch, judge=eyes.judge, obeying=Asking())
    sight = Sight(senses, SightOptions(zone=SHANGHAI))
    seen = await sight.see(due(), BUILT_IN, NOON)
    assert seen.check.findings == (found(Index.PTZ, 90),)
    still = {**DAY, Index.PTZ: None}
    await sight.see(due(), Chosen(day=still, night=still), NOON)
    eyes.answers = [(found(Index.SIGNAL, 100),)]
    black = await sight.see(due(), BUILT_IN, NOON)
    assert black.check.findings == (found(Index.SIGNAL, 100),)
    assert len(asked) == 1


def test_events_name_what_began_and_what_ended() -> None:
    camera = due(state=replace(due().state, faults={Index.BLUR: fault(), Index.PTZ: fault()}))
    state = replace(camera.state, findings=(found(Index.BLUR, 12.34),), mode=Mode.INFRARED)
    step = Step(state=state, began=(found(Index.NOISE, 77.77),), ended=(Index.BLUR, Index.PTZ))
    began, mended, forgotten = events_of(camera, step, NOON)
    assert (began.kind, began.area_path, began.device_name) == ("picture.fault", "c.v", "西门1")
    assert (began.data["score"], began.data["mode"]) == (77.8, "infrared")
    assert (mended.kind, mended.data["score"]) == ("picture.mended", 12.3)
    assert (forgotten.data["index"], forgotten.data["score"]) == ("ptz", None)
    assert forgotten.data["why"] == NOT_JUDGED
    assert len({str(event.data) for event in (began, mended, forgotten)}) == 3


SILENT = [
    ((), (), ()),
    ((Index.BLUR,), (Index.BLUR,), (Layer.PICTURE,)),
    ((), (), (Layer.CLOCK,)),
]
TOLD = [
    ((), (Index.BLUR,), ()),
    ((Index.BLUR,), (Index.BLUR,), ()),
    ((Index.BLUR,), (Index.BLUR, Index.NOISE), (Layer.PICTURE,)),
    ((Index.BLUR,), (), (Layer.PICTURE,)),
    ((), (), (Layer.PICTURE, Layer.CLOCK)),
]


@pytest.mark.parametrize(("before", "after", "held"), [*SILENT, *TOLD])
def test_a_report_is_made_when_faults_or_the_layer_differ(
    before: Sequence[Index], after: Sequence[Index], held: Sequence[Layer]
) -> None:
    camera = due(state=replace(due().state, faults=dict.fromkeys(before, fault())))
    step = Step(state=replace(camera.state, faults=dict.fromkeys(after, fault("it is so"))))
    row = StatusRow(
        device_id=1, status=Status.DEGRADED, since=NOON, faults=dict.fromkeys(held, "x")
    )
    report = report_of(camera, step, NOON, row)
    assert (report is not None) is ((before, after, held) in TOLD)
    if report is not None:
        assert report.seen == frozenset({Layer.PICTURE})
        assert report.layer is (Layer.PICTURE if after else None)
        assert report.confirms is bool(after and Layer.PICTURE in held)
    assert report_of(camera, step, NOON, None) is None
    assert report_of(camera, step, NOON, replace(row, status=Status.UNKNOWN)) is None
