"""When a finding of a round is clear: the camera is good, a photo, a normal look since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.dispatches import NewDispatch
from hub.domain.errors import Invalid
from hub.patrols.dispatch.opening import check_new
from hub.patrols.dispatch.verifying import judge_stop
from hub.store.dispatch_standing import StopFacts

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
DOWN = StopFacts(
    round_id=1, position=1, device_name="东村 1", kind="camera_down", status="offline", faults=0,
    checked_at=None, since=NOW, is_normal_since=False, has_photo=False, is_seen=True,
)  # fmt: skip
BAD = replace(DOWN, kind="picture_bad", status="degraded", faults=2, checked_at=NOW)
WATER = replace(DOWN, kind="water", status="online")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (DOWN, "camera 东村 1 is offline"),
        (replace(DOWN, status="unknown"), "camera 东村 1 is unknown"),
        (replace(DOWN, has_photo=True), "camera 东村 1 is offline"),
        (replace(DOWN, status="online"), ""),
        (replace(DOWN, status="degraded"), ""),
        (replace(DOWN, status=""), ""),  # the camera was removed
        (replace(DOWN, is_normal_since=True), ""),
        (BAD, "the picture of camera 东村 1 is still bad"),
        (replace(BAD, kind="view_blocked"), "the picture of camera 东村 1 is still bad"),
        (replace(BAD, status="offline"), "camera 东村 1 is offline"),
        (
            replace(BAD, faults=0, checked_at=NOW - timedelta(seconds=1)),
            "the picture of camera 东村 1 was not checked since",
        ),
        (
            replace(BAD, faults=0, checked_at=None),
            "the picture of camera 东村 1 was not checked since",
        ),
        (replace(BAD, faults=0), ""),
        (
            WATER,
            "there is no photo from the field, and no round found the place of 东村 1 normal since",
        ),
        (replace(WATER, has_photo=True), ""),
        (replace(WATER, is_normal_since=True), ""),
    ],
)
def test_what_speaks_against_it(facts: StopFacts, words: str) -> None:
    assert judge_stop(facts) == words


GOOD = NewDispatch(area_id=1, title="积水\u3000water 👷‍♀️", kind="water", checklist=("pump",))


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (replace(GOOD, title=" "), "title"),
        (replace(GOOD, title="x" * 201), "title"),
        (replace(GOOD, title="a\x1b[31m"), "title"),
        (replace(GOOD, title="a\u202eb"), "title"),
        (replace(GOOD, title="a\u2028b"), "title"),
        (replace(GOOD, kind="../etc"), "kind"),
        (replace(GOOD, kind=""), "kind"),
        (replace(GOOD, text="x" * 4001), "text"),
        (replace(GOOD, place="a\x00"), "place"),
        (replace(GOOD, checklist=("",)), "checklist"),
        (replace(GOOD, checklist=("a\nb",)), "checklist"),
        (replace(GOOD, checklist=("a",) * 21), "checklist"),
    ],
)
def test_new_tasks_that_are_refused(new: NewDispatch, field: str) -> None:
    check_new(GOOD)
    with pytest.raises(Invalid) as caught:
        check_new(new)
    assert caught.value.field == field
