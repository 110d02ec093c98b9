"""A night of stops for the benchmark of reports: in memory, with pictures on disk."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from hub.domain.duty_rooms import AnsweredBy, CallState
from hub.domain.patrol_reports import NewReport, Period
from hub.domain.patrols import (
    PatrolMode,
    PatrolRound,
    PatrolStop,
    Result,
    RoundState,
    SecondLook,
    Timing,
    Verdict,
)
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.figures import FORMULA, Figures
from hub.patrols.reporting.gathering import Facts, span_of, work_out
from hub.patrols.reporting.ranking import RankingOptions
from hub.store.patrol_figures import AreaFact, CallFact, RoundFact, StopCount
from hub.store.stop_looks import MACHINE

BEGIN = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
COUNTY = AreaFact(id=1, name="南湖区", path="a1", has_cameras=False)
PER_VILLAGE = 6
ROUND = 7
FOUND = ("waste", "road", "something_moving", "fire_smoke", "obstruction")


def make_walk(count: int) -> PatrolRound:
    """A round of so many stops that is over."""
    return PatrolRound(
        id=ROUND,
        plan_id=1,
        plan_name="零点夜查",
        area_id=1,
        area_path="a1",
        area_name="南湖区",
        time_zone="Asia/Shanghai",
        window_s=900,
        seconds_per_stop=5,
        planned_at=BEGIN,
        state=RoundState.FINISHED,
        mode=PatrolMode.MIXED,
        started_at=BEGIN + timedelta(seconds=2),
        finished_at=BEGIN + timedelta(hours=2, minutes=7),
        ends_by=BEGIN + timedelta(hours=3),
        forecast_s=6900.0,
        paused_s=300.0,
        walker_name="王芳",
        stops_planned=count,
    )


def make_stops(count: int) -> list[PatrolStop]:
    """Stops village by village; about one in twelve is abnormal."""
    rng = random.Random(count)
    return [_stop(number, rng) for number in range(1, count + 1)]


async def keep_pictures(stops: Sequence[PatrolStop], folder: PictureFolder) -> int:
    """Write a 1280 x 720 picture for every stop that has one; returns their bytes."""
    written = 0
    for stop in stops:
        if stop.has_picture:
            jpeg = _picture(stop.position)
            await folder.keep_picture(stop.round_id, stop.position, jpeg)
            written += len(jpeg)
    return written


def count_figures(walk: PatrolRound, stops: Sequence[PatrolStop]) -> Figures:
    """The figures of the round, with a duty room in every village."""
    rng = random.Random(len(stops))
    villages = sorted({(stop.area_id, stop.area_name) for stop in stops})
    areas = [
        AreaFact(id=number, name=name, path=_path(number), has_cameras=True)
        for number, name in villages
    ]
    facts = Facts(
        rounds=[_round(walk)],
        stops=_count(stops),
        calls=[_call(area, rng) for area in areas],
        areas=[COUNTY, *areas],
    )
    end = walk.finished_at or walk.planned_at
    new = NewReport(
        period=Period.ROUND,
        area_id=1,
        round_id=walk.id,
        starts_at=walk.planned_at,
        ends_at=end,
        time_zone=walk.time_zone,
        formula=FORMULA,
    )
    return work_out(new, COUNTY, facts, span_of(new, COUNTY.path, end), RankingOptions())


def _path(village: int) -> str:
    return f"a1.t{village // 20}.v{village}"


def _stop(number: int, rng: random.Random) -> PatrolStop:
    village = 10 + (number - 1) // PER_VILLAGE
    chance = rng.random()
    due = BEGIN + timedelta(seconds=4 * number)
    stop = PatrolStop(
        round_id=ROUND,
        position=number,
        device_id=number,
        device_name=f"村口 {number} 号",
        area_name=f"第{village - 9}村",
        area_id=village,
        verdict=Verdict.SEEN,
        has_picture=True,
        result=Result.NORMAL,
        at=due,
        due_at=due,
        judged_by=MACHINE,
        judged_at=due,
        timing=Timing.LATE if rng.random() < 0.02 else Timing.ON_TIME,
    )
    return _spoil(stop, chance, rng)


def _spoil(stop: PatrolStop, chance: float, rng: random.Random) -> PatrolStop:
    if chance < 0.02:
        return replace(
            stop,
            verdict=Verdict.NOT_SEEN,
            has_picture=False,
            result=Result.ABNORMAL,
            kind="camera_down",
            reason="camera cannot be reached",
            layer="network",
            detail="no route to host",
        )
    if chance < 0.08:
        return replace(
            stop,
            result=Result.ABNORMAL,
            kind=rng.choice(FOUND),
            note="村口垃圾堆放",
            remarks=("平时此时无物移动 something moves where nothing does at night",),
            doubt=60,
            judged_by="王芳",
            second_look=SecondLook.DISAGREED if rng.random() < 0.05 else SecondLook.NONE,
            second_by="李队",
            dispatch_id=stop.position,
        )
    if chance < 0.085:
        return replace(stop, result=Result.NOT_JUDGED, reason="the round's time was over")
    return stop


def _count(stops: Sequence[PatrolStop]) -> list[StopCount]:
    alike = Counter(
        (
            *(stop.round_id, stop.area_id, stop.area_name, stop.verdict, stop.has_picture),
            *(stop.result, stop.kind, stop.timing, stop.second_look),
            *(stop.judged_by not in {"", MACHINE}, stop.dispatch_id is not None),
        )
        for stop in stops
    )
    return [
        StopCount(
            round_id=key[0],
            area_id=key[1],
            area_name=key[2],
            area_path=_path(key[1]),
            verdict=key[3],
            has_picture=key[4],
            result=key[5],
            kind=key[6],
            timing=key[7],
            second_look=key[8],
            is_by_person=key[9],
            is_dispatched=key[10],
            number=number,
        )
        for key, number in alike.items()
    ]


def _round(walk: PatrolRound) -> RoundFact:
    return RoundFact(
        id=walk.id,
        plan_name=walk.plan_name,
        area_name=walk.area_name,
        area_path=walk.area_path,
        mode=walk.mode,
        state=walk.state,
        planned_at=walk.planned_at,
        started_at=walk.started_at,
        finished_at=walk.finished_at,
        ends_by=walk.ends_by,
        walker_name=walk.walker_name,
        reason=walk.reason,
        paused_s=walk.paused_s,
        forecast_s=walk.forecast_s,
    )


def _call(area: AreaFact, rng: random.Random) -> CallFact:
    is_answered = rng.random() > 0.03
    return CallFact(
        area_id=area.id,
        area_name=area.name,
        area_path=area.path,
        room_id=area.id,
        room_name=f"{area.name}值班室",
        state=CallState.ANSWERED if is_answered else CallState.UNANSWERED,
        asked_at=BEGIN,
        answer_by=BEGIN + timedelta(seconds=300),
        answered_at=BEGIN + timedelta(seconds=rng.uniform(10, 310)) if is_answered else None,
        answered_how=AnsweredBy.CONSOLE if is_answered else None,
    )


def _picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed)
    scene = noise.integers(20, 90, (45, 80, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(scene, (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)
    picture += noise.integers(0, 12, picture.shape, dtype=np.uint8)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
