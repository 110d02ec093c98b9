"""What a slow look means: limits, sentences, and what is news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.domain.health import Inspection, Layer, Recording
from hub.maintenance.inspection_verdicts import (
    EXPIRING,
    FIRMWARE_CHANGED,
    RENEWED,
    Limits,
    clock_fault,
    events_of,
    is_first_day,
    judge,
    recording_fault,
    span_text,
    suspects_own_clock,
)
from hub.store.camera_days import Learnt

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
LIMITS = Limits()
DAY_S = 86_400.0
SAME = Learnt(
    device_id=7,
    name="gate",
    area_id=1,
    area_path="c.a",
    firmware_was="1",
    firmware="1",
    certificate_was=None,
    certificate=None,
)


@pytest.mark.parametrize(
    ("offset_s", "text"),
    [
        (60.0, ""),
        (-60.0, ""),
        (60.4, "the camera's clock is 1 min ahead"),
        (-28_800.0, "the camera's clock is 8 h behind"),
        (-1.7e9, "the camera's clock is 19675 d 22 h behind"),
    ],
)
def test_a_clock_may_be_a_minute_off(offset_s: float, text: str) -> None:
    assert clock_fault(offset_s, LIMITS) == text


@pytest.mark.parametrize(
    ("recorded_s", "planned_s", "text"),
    [
        (DAY_S * 0.95, DAY_S, ""),
        (DAY_S * 0.9499, DAY_S, "only 94.9 % of Sunday was recorded"),
        (0.0, DAY_S, "nothing was recorded on Sunday"),
        (0.0, 0.0, ""),
    ],
)
def test_nearly_all_of_a_day_must_be_recorded(
    recorded_s: float, planned_s: float, text: str
) -> None:
    recording = Recording(recorded_s=recorded_s, planned_s=planned_s)
    assert recording_fault(recording, "Sunday", LIMITS) == text


def test_a_recorder_by_motion_may_be_asked_for_anything_at_all_only() -> None:
    loose = replace(LIMITS, completeness=0.0)
    assert recording_fault(Recording(recorded_s=1, planned_s=DAY_S), "Sunday", loose) == ""
    assert recording_fault(Recording(recorded_s=0, planned_s=DAY_S), "Sunday", loose) != ""


def test_each_layer_that_was_told_has_a_verdict_of_its_own() -> None:
    found = Inspection(
        inspected_at=NOW,
        clock_offset_s=0.0,
        recording=Recording(recorded_s=0, planned_s=DAY_S),
        recording_day=datetime(2026, 11, 20, 16, tzinfo=UTC),
    )
    clock, recording = judge(7, found, LIMITS, ZoneInfo("Asia/Shanghai"))
    assert clock.layer is None
    assert clock.seen == {Layer.CLOCK}
    assert recording.layer is Layer.RECORDING
    assert recording.seen == {Layer.RECORDING}
    assert recording.detail == "nothing was recorded on 2026-11-21"
    assert judge(7, Inspection(inspected_at=NOW), LIMITS) == []


def test_a_recorder_that_promises_nothing_is_good() -> None:
    found = Inspection(
        inspected_at=NOW, recording=Recording(recorded_s=0, planned_s=0), recording_day=NOW
    )
    (verdict,) = judge(7, found, LIMITS)
    assert verdict.layer is None
    assert verdict.seen == {Layer.RECORDING}


def test_the_day_on_which_a_camera_was_hung_up_is_not_judged() -> None:
    day = NOW - timedelta(days=1)
    noon, week = day + timedelta(hours=12), day - timedelta(days=7)
    whole = Recording(recorded_s=DAY_S / 2, planned_s=DAY_S)
    new = Inspection(inspected_at=NOW, recording=whole, recording_day=day, oldest_recording_at=noon)
    assert is_first_day(new, noon)
    assert is_first_day(replace(new, oldest_recording_at=None), noon)
    assert not is_first_day(new, week), "the hub knew it: half a day is missing"
    assert not is_first_day(replace(new, oldest_recording_at=week), noon), "it hung there before"
    assert not is_first_day(Inspection(inspected_at=NOW), noon)


@pytest.mark.threat("K10")
@pytest.mark.parametrize(
    ("offsets_s", "is_ours"),
    [
        ([3600.0 + n for n in range(10)], True),
        ([-7200.0] * 95 + [0.0] * 5, True),
        ([3600.0] * 9, False),
        ([3600.0] * 8 + [0.0] * 2, False),
        ([61.0 * n for n in range(20)], False),
        ([30.0] * 20, False),
        ([], False),
    ],
)
def test_many_clocks_that_are_wrong_alike_are_right(
    offsets_s: list[float], *, is_ours: bool
) -> None:
    assert suspects_own_clock(offsets_s, LIMITS) is is_ours


def test_spans_are_said_in_two_units() -> None:
    assert [span_text(s) for s in (0.2, 59.6, 3661, 90_061)] == [
        "0 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]


def test_what_stays_is_no_news() -> None:
    far = NOW + timedelta(days=31)
    same = replace(SAME, certificate_was=far, certificate=far)
    assert events_of([SAME, same, replace(SAME, firmware_was="")], set(), NOW, LIMITS) == []


def test_firmware_and_certificates_are_news_once() -> None:
    soon, far = NOW + timedelta(days=30), NOW + timedelta(days=900)
    ending = replace(SAME, certificate=soon, firmware="2")
    first = events_of([ending], set(), NOW, LIMITS)
    assert [event.kind for event in first] == [FIRMWARE_CHANGED, EXPIRING]
    assert first[1].data == {"expires_at": soon.isoformat()}
    again = replace(ending, firmware_was="2", certificate_was=soon)
    assert events_of([again], {(7, soon.isoformat())}, NOW, LIMITS) == []
    (renewed,) = events_of([replace(again, certificate=far)], set(), NOW, LIMITS)
    assert (renewed.kind, renewed.is_active) == (RENEWED, False)
    expired = replace(again, certificate=NOW - timedelta(days=1))
    assert [one.kind for one in events_of([expired], set(), NOW, LIMITS)] == [EXPIRING]
