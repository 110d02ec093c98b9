"""Which details of a plan are refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.domain.access import Role
from hub.domain.errors import Invalid
from hub.domain.patrol_details import (
    PlanDetails,
    RollCall,
    Selection,
    StopPreset,
    Walker,
    build_details,
    parse_details,
)
from hub.domain.patrols import PatrolPlan
from hub.patrols.planning.plans import check_plan

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PLAN = PatrolPlan(
    name="夜查",
    area_id=1,
    rrule="FREQ=DAILY",
    time_zone="Asia/Shanghai",
    starts_on=date(2026, 11, 1),
)
ALL = PlanDetails(
    walker=Walker(role=Role.OPERATOR),
    selection=Selection(
        area_ids=(2, 3), classes=("gate",), tags=("夜", "key site"),
        polygon=((120, 30), (121, 30), (121, 31)),
    ),
    preset=StopPreset(preset="大门 1", home="home"),
    presets={5: StopPreset(preset="Preset_2")},
    random_share=1,
    second_share=0.1,
    per_area=3,
    within_rounds=30,
    clip_s=10,
    checklist=("门关了吗",),
    roll_call=RollCall(answer_s=120, spread_s=600),
    report_receivers=(4,),
)  # fmt: skip


def test_all_that_a_plan_may_ask_for_is_taken_and_comes_back_from_its_json() -> None:
    check_plan(replace(PLAN, details=ALL, lasts_s=7200), now=NOW)
    assert parse_details(build_details(ALL)) == ALL


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"walker": Walker(user_id=1, is_roster=True)}, "walker"),
        ({"walker": Walker(role=Role.VIEWER)}, "walker"),
        ({"walker": Walker(role=Role.MAINTAINER)}, "walker"),
        ({"selection": Selection(polygon=((1, 1), (2, 2)))}, "polygon"),
        ({"selection": Selection(polygon=((1, 1), (2, 2), (1, 1)))}, "polygon"),
        ({"selection": Selection(polygon=((1, 1), (2, 2), (3, 91)))}, "polygon"),
        ({"selection": Selection(polygon=((1, 1), (2, 2), (float("nan"), 1)))}, "polygon"),
        ({"selection": Selection(tags=("",))}, "selection"),
        ({"selection": Selection(tags=("a\nb",))}, "selection"),
        ({"selection": Selection(area_ids=tuple(range(1, 1002)))}, "selection"),
        ({"presets": {1: StopPreset(preset="")}}, "presets"),
        ({"random_share": 1.01}, "random_share"),
        ({"random_share": float("nan")}, "random_share"),
        ({"second_share": -0.1}, "second_share"),
        ({"per_area": 0}, "per_area"),
        ({"within_rounds": 0}, "within_rounds"),
        ({"within_rounds": 367}, "within_rounds"),
        ({"tolerance_s": -1}, "tolerance_s"),
        ({"clip_s": 3600.0}, "clip_s"),
        ({"checklist": ("",)}, "checklist"),
        ({"checklist": ("a",) * 21}, "checklist"),
        ({"checklist": ("a\u2028b",)}, "checklist"),
        ({"report_receivers": tuple(range(1, 52))}, "report_receivers"),
        ({"roll_call": RollCall(answer_s=9)}, "answer_s"),
        ({"roll_call": RollCall(spread_s=-1)}, "spread_s"),
        ({"roll_call": RollCall(spread_s=7200)}, "spread_s"),
    ],
)
def test_what_makes_no_sense_is_refused(change: Mapping[str, object], field: str) -> None:
    details = replace(PlanDetails(), **change)  # type: ignore[arg-type]  # by name
    with pytest.raises(Invalid) as caught:
        check_plan(replace(PLAN, details=details, lasts_s=7200), now=NOW)
    assert caught.value.field == field


@pytest.mark.threat("T33")
@pytest.mark.parametrize(
    "name", ["$(reboot)", "1; reboot", "`id`", "a|b", "a&b", "../1", "<x>", "1\n2", "a'b", "x" * 65]
)
def test_nothing_that_a_shell_would_act_on_is_sent_to_a_camera(name: str) -> None:
    for preset in (StopPreset(preset=name), StopPreset(preset="1", home=name)):
        with pytest.raises(Invalid):
            check_plan(replace(PLAN, details=PlanDetails(preset=preset)), now=NOW)
        with pytest.raises(Invalid):
            check_plan(replace(PLAN, details=PlanDetails(presets={3: preset})), now=NOW)
