"""What a look at a stop makes of it: doubt, remarks the worst first, and a kind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.events import Severity
from hub.domain.health import Layer
from hub.domain.looks import Glimpse, Movement
from hub.domain.patrols import KNOWN_KINDS
from hub.domain.quality import Finding, Index
from hub.patrols.walking.doubt import (
    EMPTY,
    EMPTY_PLACE,
    LEAST_MOVED,
    LONGEST_REMARK,
    MOST_REMARKS,
    Noticed,
    weigh,
)
from hub.patrols.walking.orders import DOUBTFUL
from hub.store.patrol_places import Place, PlaceAlert, PlaceEvent

MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def fault(index: Index, score: float = 80.0) -> Finding:
    return Finding(index=index, score=score, threshold=50.0, why="as measured")


def seen(
    *findings: Finding,
    moved: float | None = 0.0,
    usual: float | None = 0.0,
    change: float | None = None,
) -> Noticed:
    movement = None if moved is None else Movement(share=moved)
    glimpse = Glimpse(
        picture=b"jpeg", width=1, height=1, findings=findings, movement=movement, change=change
    )
    return Noticed(glimpse=glimpse, place=Place(device_id=1, usual_movement=usual))


def alert(**told: object) -> PlaceAlert:
    usual = PlaceAlert(
        device_id=1,
        area_id=1,
        device_name="东门",
        is_around=False,
        severity=Severity.WARNING,
        reason="covered",
        started_at=MIDNIGHT - timedelta(minutes=50),
    )
    return replace(usual, **told)  # type: ignore[arg-type]  # by name


def placed(*alerts: PlaceAlert, events: tuple[PlaceEvent, ...] = ()) -> Noticed:
    place = Place(
        device_id=1,
        alerts=alerts,
        events=events,
        usual_movement=0.0,
        asked_at=MIDNIGHT,
        zone=SHANGHAI,
    )
    return replace(seen(), place=place)


def test_a_good_picture_of_an_empty_place_leaves_no_doubt() -> None:
    assert weigh(seen(fault(Index.BLUR, 20.0))).doubt == 0.0
    assert weigh(seen(fault(Index.BLUR, 20.0))).remarks == ()
    assert weigh(Noticed()).doubt == 0.0


def test_what_moves_where_nothing_moves_comes_before_everything_else() -> None:
    moving = weigh(seen(moved=LEAST_MOVED))
    assert moving.kind == "something_moving"
    assert "Something moves where nothing does at this hour (0." in moving.remarks[0]
    broken = replace(
        seen(*(fault(index) for index in Index if index is not Index.SIGNAL), moved=None),
        layer=Layer.STREAM,
        not_turned="it is stuck",
        place=placed(alert(severity=Severity.CRITICAL)).place,
    )
    assert weigh(broken).doubt < moving.doubt
    both = weigh(seen(fault(Index.OCCLUSION), moved=0.2))
    assert both.kind == "something_moving"
    assert both.doubt > moving.doubt


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_movement_nobody_knows_the_usual_of_is_told_and_not_taken_for_nothing(
    share: float,
) -> None:
    unknown = weigh(seen(moved=share, usual=None))
    assert 0.0 < unknown.doubt < DOUBTFUL
    assert "not known yet" in unknown.remarks[0]
    assert unknown.kind == ""
    blind = weigh(seen(moved=None))
    assert 0.0 < blind.doubt < unknown.doubt
    assert "Cannot tell" in blind.remarks[0]


def test_a_busy_street_is_busy_and_a_crowd_is_not_usual() -> None:
    assert weigh(seen(moved=0.06, usual=0.04)).doubt == 0.0
    crowd = weigh(seen(moved=0.3, usual=0.04))
    assert DOUBTFUL <= crowd.doubt < EMPTY_PLACE
    assert "Far more moves than usual (30.0 %, 8 times)" in crowd.remarks[0]
    # An insect is no movement; what barely moves does not make a place busy.
    assert weigh(seen(moved=LEAST_MOVED / 2)).doubt == 0.0
    assert weigh(seen(moved=0.01, usual=EMPTY)).doubt >= EMPTY_PLACE


def test_movement_in_a_picture_that_cannot_show_it_says_nothing() -> None:
    for index in (Index.SIGNAL, Index.FREEZE):
        lost = weigh(seen(fault(index), moved=0.4))
        assert lost.kind == "picture_bad"
        assert not any("move" in remark for remark in lost.remarks)
    shaken = weigh(seen(fault(Index.JITTER), moved=0.4))
    assert any("Cannot tell" in remark for remark in shaken.remarks)
    # The usual is that of another view.
    turned = weigh(seen(fault(Index.SCENE), moved=0.4))
    assert turned.doubt < EMPTY_PLACE


def test_faults_of_the_picture_are_named_the_worst_first() -> None:
    found = weigh(seen(fault(Index.DARK), fault(Index.OCCLUSION)))
    assert found.remarks == ("镜头被遮挡 View covered", "画面过暗 Too dark")
    assert found.kind == "view_blocked"
    assert found.doubt > weigh(seen(fault(Index.OCCLUSION))).doubt


def test_a_view_that_was_called_is_not_held_against_the_one_at_rest() -> None:
    noticed = seen(fault(Index.SCENE), fault(Index.OCCLUSION), change=90.0)
    assert weigh(noticed).doubt > DOUBTFUL
    assert weigh(replace(noticed, is_turned=True)).doubt == 0.0
    assert weigh(seen(change=40.0)).remarks == ("与平时画面有差别 Differs from its usual picture",)


@pytest.mark.parametrize("index", list(Index))
def test_every_fault_is_worth_a_look_and_has_a_kind(index: Index) -> None:
    found = weigh(seen(fault(index)))
    assert found.doubt >= DOUBTFUL
    assert found.kind in KNOWN_KINDS


@pytest.mark.parametrize("layer", list(Layer))
def test_every_layer_has_words(layer: Layer) -> None:
    found = weigh(replace(seen(), layer=layer))
    assert found.remarks
    # A clock that is wrong, a card that records nothing: maintenance, not a matter of this night.
    assert (found.doubt >= DOUBTFUL) == (
        layer not in {Layer.RECORDING, Layer.CLOCK, Layer.READINGS}
    )


def test_a_look_of_which_a_part_failed_is_left_to_a_person() -> None:
    unjudged = weigh(Noticed(unjudged="nobody\nwas there"))
    assert unjudged.doubt >= DOUBTFUL
    assert unjudged.remarks == ("画面未经机器判断 Picture not judged: nobody was there",)
    assert weigh(replace(seen(), not_turned="it is stuck")).doubt >= DOUBTFUL


def test_alerts_of_the_camera_weigh_by_severity_and_age_and_others_are_only_told() -> None:
    fresh = weigh(placed(alert()))
    assert fresh.doubt >= DOUBTFUL
    assert fresh.remarks == ("未解除警报 Open alert, 23:10: covered",)
    old = weigh(placed(alert(started_at=MIDNIGHT - timedelta(days=9))))
    assert 0.0 < old.doubt < DOUBTFUL
    assert "11-14 00:00" in old.remarks[0]
    event = PlaceEvent(
        device_id=1,
        area_id=1,
        device_name="东门",
        is_around=False,
        kind="motion.started",
        at=MIDNIGHT - timedelta(minutes=5),
    )
    smoke = replace(event, device_id=3, device_name="井\n台", is_around=True, kind="smoke.started")
    around = (alert(device_id=2, device_name="桥头"), alert(device_id=None, device_name=""))
    told = weigh(placed(*around, events=(event, smoke)))
    assert told.doubt < 15.0
    assert told.remarks == (
        "附近未解除警报 Open alert nearby, 23:10: 桥头: covered",
        "附近未解除警报 Open alert nearby, 23:10: covered",
        "摄像机报告有移动 Camera reported movement, 23:55",
        "附近事件 Event nearby, 23:55: 井 台: smoke.started",
    )


FINDINGS = st.lists(
    st.builds(fault, st.sampled_from(Index), st.floats(0, 100)),
    max_size=13,
    unique_by=lambda f: f.index,
)
SHARES = st.none() | st.floats(0, 1)


@settings(max_examples=50)
@given(
    findings=FINDINGS,
    moved=SHARES,
    usual=SHARES,
    change=st.none() | st.floats(0, 100),
    words=st.text(max_size=400),
)
def test_whatever_is_noticed_there_is_a_doubt_and_every_remark_is_one_line(
    findings: list[Finding],
    moved: float | None,
    usual: float | None,
    change: float | None,
    words: str,
) -> None:
    noticed = replace(
        seen(*findings, moved=moved, usual=usual, change=change), unjudged=words, not_turned=words
    )
    found = weigh(noticed)
    assert 0.0 <= found.doubt <= 100.0
    assert len(found.remarks) <= MOST_REMARKS
    assert all(one and one.isprintable() and len(one) <= LONGEST_REMARK for one in found.remarks)
    assert (found.doubt > 0.0) == bool(found.remarks)
    assert found.kind in {"", *KNOWN_KINDS}
