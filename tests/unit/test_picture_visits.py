"""One visit: what is kept of it, when the next one is, what a defect makes of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from hub.domain.errors import DeviceUnreachable, ProtocolViolation
from hub.domain.quality import CheckOrder, Faults, Index, Mode, PictureCheck
from hub.maintenance.pictures.evidence import Kind
from hub.maintenance.pictures.figures import PictureFigures
from hub.maintenance.pictures.learning import Lesson, pack
from hub.maintenance.pictures.profiles import BUILT_IN
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.maintenance.pictures.visits import Outcome, Rules, Visitor
from hub.store.picture_due import DuePicture
from tests.unit.picture_eyes import NOON, SHANGHAI, Eyes, due, fault, found

RULES = Rules(chosen=BUILT_IN, interval_s=3_300.0)
LONG_AGO = NOON - timedelta(days=2)
JUST_NOW = NOON - timedelta(minutes=55)


def camera(
    *,
    faults: Faults | None = None,
    suspects: Faults | None = None,
    mending: Mapping[Index, int] | None = None,
    kept_at: datetime | None = JUST_NOW,
) -> DuePicture:
    state = replace(
        due().state,
        checked_at=JUST_NOW,
        faults=faults or {},
        suspects=suspects or {},
        mending=mending or {},
        good_at=kept_at,
        bad_at=kept_at,
    )
    return due(state=state)


async def visit(one: DuePicture, score: float, eyes: Eyes | None = None) -> Outcome:
    eyes = eyes or Eyes()
    eyes.answers = [(found(Index.BLUR, score),)] * 9
    return await Visitor(sight=eyes.sight(), clock=lambda: NOON).visit(one, RULES)


def kind_of(outcome: Outcome) -> Kind | None:
    if outcome.picture is None:
        return None
    kind, jpeg = outcome.picture
    assert jpeg == b"masked"
    return kind


OLD = replace(fault(), since=JUST_NOW, seen_at=JUST_NOW, looks=1)
BLURRED = {Index.BLUR: OLD}


@pytest.mark.parametrize(
    ("one", "score", "kept"),
    [
        (camera(), 10.0, None),
        (camera(kept_at=None), 10.0, Kind.GOOD),
        (camera(kept_at=LONG_AGO), 10.0, Kind.GOOD),
        (camera(kept_at=NOON + timedelta(days=400)), 10.0, Kind.GOOD),
        # Bad, and not believed yet: neither.
        (camera(kept_at=LONG_AGO), 80.0, None),
        (camera(suspects=BLURRED), 80.0, Kind.BAD),
        (camera(faults=BLURRED), 80.0, None),
        (camera(faults=BLURRED, kept_at=LONG_AGO), 80.0, Kind.BAD),
        # Good, and not believed yet: neither.
        (camera(faults=BLURRED, kept_at=LONG_AGO), 10.0, None),
        (camera(faults=BLURRED, mending={Index.BLUR: 1}), 10.0, Kind.GOOD),
        (camera(suspects={Index.FREEZE: replace(OLD, seen_at=NOON)}, kept_at=None), 10.0, None),
    ],
)
async def test_pictures_worth_keeping(one: DuePicture, score: float, kept: Kind | None) -> None:
    eyes = Eyes()
    outcome = await visit(one, score, eyes)
    assert kind_of(outcome) is kept
    assert len(eyes.orders) == 1, "no picture is judged twice that could be asked for at once"
    assert outcome.kept.check is not None
    assert outcome.kept.check.evidence == b""
    assert outcome.kept.was_due_at == one.state.next_at


async def test_a_picture_that_cannot_be_drawn_costs_nothing_but_itself() -> None:
    eyes = Eyes()

    async def judge(order: CheckOrder) -> PictureCheck:
        if order.evidence_width:
            msg = "the picture broke the decoder"
            raise ProtocolViolation(msg)
        return await eyes.judge(order)

    eyes.answers = [(found(Index.NOISE, 90.0),)]
    sight = Sight(SightSenses(fetch=eyes.fetch, judge=judge), SightOptions(zone=SHANGHAI))
    said = {Index.NOISE: JUST_NOW}
    outcome = await Visitor(sight=sight, clock=lambda: NOON).visit(
        replace(camera(), opinions=said), RULES
    )
    assert outcome.step is not None
    assert [finding.index for finding in outcome.step.began] == [Index.NOISE]
    assert outcome.picture is None


async def test_a_fault_by_a_baseline_is_over_when_the_baseline_is_forgotten() -> None:
    moved = camera(faults={Index.SCENE: OLD, Index.BLUR: OLD})
    lesson = Lesson(baseline=b"view", pictures=9, since=LONG_AGO, last_at=JUST_NOW)
    known = replace(moved, baselines={(0, Mode.INFRARED): pack(lesson)})
    for one, ended in ((known, ()), (moved, (Index.SCENE,))):
        outcome = await visit(one, 80.0)
        assert outcome.step is not None
        assert outcome.step.ended == ended


async def test_the_next_visit_is_within_the_interval_and_soon_when_in_doubt() -> None:
    sure, doubtful = await visit(camera(), 10.0), await visit(camera(), 80.0)
    assert sure.kept.state.next_at is not None
    assert 3_100 <= (sure.kept.state.next_at - NOON).total_seconds() <= 3_300
    assert doubtful.kept.state.next_at == NOON + timedelta(seconds=60)


async def test_what_comes_of_visits_is_counted() -> None:
    eyes = Eyes()
    registry = CollectorRegistry()
    figures = PictureFigures(registry)
    visitor = Visitor(sight=eyes.sight(), clock=lambda: NOON, figures=figures)
    eyes.errors = [DeviceUnreachable("gone")]
    eyes.answers = [(found(Index.BLUR, score),) for score in (10.0, 80.0, 80.0)]
    for one in (camera(), camera(), camera(), camera(suspects=BLURRED)):
        await visitor.visit(one, RULES)
    given_up = visitor.give_up(camera(faults=BLURRED), RULES)
    assert given_up.kept.state.next_at == NOON + timedelta(seconds=3_300)
    assert (given_up.step, given_up.kept.check) == (None, None)
    assert given_up.kept.state.faults == BLURRED
    for result in ("good", "suspected", "faulty", "unseen", "defect"):
        count = registry.get_sample_value("gengfu_picture_checks_total", {"result": result})
        assert count == 1, result
