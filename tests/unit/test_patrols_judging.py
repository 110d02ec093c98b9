"""What a judgement must hold: the picture that was seen, or a reason."""

import random
from dataclasses import replace

import pytest

from hub.domain.errors import Conflict, Invalid
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result, SecondLook, Verdict
from hub.patrols.dispatch.opening import LONGEST_TITLE
from hub.patrols.walking.judging import Judgement, check_judgement, check_open, clean_note
from hub.patrols.walking.second_look import draw
from hub.patrols.walking.tasks import name_task
from tests.unit.test_patrols_timing import STOP, WALK

SHA = "ab" * 32
SEEN = replace(STOP, verdict=Verdict.SEEN, has_picture=True, picture_sha256=SHA)
BLIND = replace(STOP, verdict=Verdict.NOT_SEEN, reason="camera cannot be reached")
LISTED = replace(WALK, details=PlanDetails(checklist=("gate closed", "light on")))
NORMAL = Judgement(result=Result.NORMAL, picture_sha256=SHA)
WATER = Judgement(result=Result.ABNORMAL, kind="water", picture_sha256=SHA)


def test_what_was_seen_can_be_judged() -> None:
    check_judgement(WALK, SEEN, NORMAL)
    check_judgement(WALK, SEEN, WATER)
    check_judgement(LISTED, SEEN, replace(NORMAL, checked=(True, True)))
    check_judgement(LISTED, SEEN, replace(WATER, checked=(True, False)))
    check_judgement(LISTED, SEEN, Judgement(result=Result.NOT_JUDGED, note="fog"))
    down = Judgement(result=Result.ABNORMAL, kind="camera_down", note="the mast is gone")
    check_judgement(WALK, BLIND, down)


@pytest.mark.parametrize("said", [NORMAL, WATER])
@pytest.mark.parametrize("sha", ["", "cd" * 32])
def test_a_picture_that_was_not_seen_is_not_judged(said: Judgement, sha: str) -> None:
    with pytest.raises(Conflict, match="another one than you saw"):
        check_judgement(WALK, SEEN, replace(said, picture_sha256=sha))
    with pytest.raises(Conflict):
        check_judgement(WALK, BLIND, said)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(WATER, kind=""), "kind"),
        (replace(WATER, kind="Water!"), "kind"),
        (replace(NORMAL, kind="water"), "kind"),
        (replace(NORMAL, note="x" * 2001), "note"),
        (replace(NORMAL, note="\x00"), "note"),
        (replace(NORMAL, checked=(True,)), "checked"),
        (replace(NORMAL, result=Result.OPEN), "result"),
        (Judgement(result=Result.NOT_JUDGED, note="  "), "note"),
    ],
)
def test_what_is_missing_is_named(said: Judgement, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_judgement(WALK, SEEN, said)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Judgement(result=Result.NORMAL), "result"),
        (Judgement(result=Result.ABNORMAL, kind="camera_down"), "note"),
    ],
)
def test_without_a_picture_only_a_reason_closes_a_stop(said: Judgement, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_judgement(WALK, BLIND, said)
    assert caught.value.field == field


@pytest.mark.parametrize("checked", [(), (True,), (True, True, True)])
@pytest.mark.parametrize("said", [NORMAL, WATER])
def test_every_item_of_the_checklist_is_answered(
    said: Judgement, checked: tuple[bool, ...]
) -> None:
    with pytest.raises(Invalid, match="all 2 items"):
        check_judgement(LISTED, SEEN, replace(said, checked=checked))


def test_nothing_is_normal_where_an_item_does_not_hold() -> None:
    with pytest.raises(Invalid, match="judge it abnormal"):
        check_judgement(LISTED, SEEN, replace(NORMAL, checked=(True, False)))


def test_the_first_judgement_stands() -> None:
    done = replace(SEEN, result=Result.NORMAL, judged_by="wang")
    with pytest.raises(Conflict, match="wang judged this stop already: normal"):
        check_open(WALK, done, WATER)


def test_people_wait_for_the_machine_but_may_pass_a_stop_by() -> None:
    skipped = Judgement(result=Result.NOT_JUDGED, note="the camera was taken down")
    check_open(WALK, SEEN, NORMAL)
    check_open(WALK, STOP, skipped)
    with pytest.raises(Conflict, match="not looked"):
        check_open(WALK, STOP, NORMAL)
    mixed = replace(WALK, mode=PatrolMode.MIXED)
    check_open(mixed, replace(SEEN, is_for_person=True), NORMAL)
    for stop in (STOP, SEEN):  # the machine may settle it alone
        with pytest.raises(Conflict):
            check_open(mixed, stop, skipped)


def test_a_note_loses_the_blanks_around_it() -> None:
    assert clean_note("  门开着 \n") == "门开着"


def test_the_share_of_second_looks_is_kept_and_drawn_from_what_was_judged() -> None:
    rng = random.Random(7)
    details = PlanDetails(second_share=0.1)
    drawn = [draw(details, Result.NORMAL, rng) for _ in range(5000)]
    assert 430 <= drawn.count(SecondLook.WANTED) <= 570
    every, none = PlanDetails(second_share=1.0), PlanDetails(second_share=0.0)
    assert draw(every, Result.ABNORMAL, rng) is SecondLook.WANTED
    assert draw(every, Result.NOT_JUDGED, rng) is SecondLook.NONE
    assert draw(none, Result.NORMAL, rng) is SecondLook.NONE


@pytest.mark.threat("T7")
def test_a_task_is_called_by_place_and_kind_whatever_the_camera_calls_itself() -> None:
    assert name_task(replace(SEEN, kind="water")) == "安平村 村口 · 积水险情 Water"
    assert name_task(replace(SEEN, kind="own_word")) == "安平村 村口 · own_word"
    odd = name_task(replace(SEEN, device_name="gate\n\u202e\x00<b>3", kind="water"))
    assert odd == "安平村 gate <b>3 · 积水险情 Water"
    long = name_task(replace(SEEN, device_name="x" * 500))
    assert len(long) == LONGEST_TITLE
    assert long.isprintable()
