"""What stands by itself and what counts in another, without a database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judging.folding import Entry, Key, Known, Ledger
from hub.domain.alerts import Rule, RuleState, Step
from hub.domain.conditions import DeviceOffline, Direction, PointBeyond
from hub.store.alert_openings import Opening
from hub.store.open_alerts import Hanging, OpenAlert, Standing

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
COUNTY, NORTH, SOUTH = 1, 2, 3
AREAS = {COUNTY: "County", NORTH: "North", SOUTH: "South"}
RULE = Rule(id=5, name="off", area_id=COUNTY, condition=DeviceOffline(), most_in_area=2, most=3)
UPLINK = 99


def opening(device: int, area: int = NORTH, rule: Rule = RULE, drill: int | None = None) -> Opening:
    subject = f"device:{device}" if drill is None else f"device:{device}/mark:drill:{drill}"
    state = RuleState(rule_id=rule.id, subject=subject, area_id=area, device_id=device)
    name = "" if drill is None else "Autumn"
    return Opening(rule=rule, state=state, at=NOW, reason="offline", drill_id=drill, drill=name)


def begin(known: Known | None = None, *, children: Sequence[int] = ()) -> Ledger:
    if known is not None:
        return Ledger(known)
    hanging = {n: Hanging(id=n, name=f"cam{n}", parent_id=UPLINK) for n in children}
    devices = {UPLINK: Hanging(id=UPLINK, name="Uplink 7", parent_id=None), **hanging}
    return Ledger(Known(areas=AREAS, devices=devices))


def fire(ledger: Ledger, *devices: int, area: int = NORTH) -> list[Entry]:
    return [entry for n in devices if (entry := ledger.open(opening(n, area))) is not None]


def end(ledger: Ledger, device: int) -> None:
    entry = ledger.find((RULE.id, f"device:{device}"))
    assert entry is not None
    ledger.close(entry, NOW, "online")


def storm_of(ledger: Ledger, area: int) -> Entry | None:
    return ledger.find((RULE.id, f"area:{area}/mark:storm"))


def steps(ledger: Ledger, entry: Entry) -> list[Step]:
    return [note.step for note in ledger.notes if note.entry is entry]


def test_what_is_too_much_for_an_area_counts_in_one_alert() -> None:
    ledger = begin()
    first, second, third, fourth = fire(ledger, 1, 2, 3, 4)
    storm = storm_of(ledger, NORTH)
    assert storm is not None
    assert [first.into, second.into, third.into, fourth.into] == [None, None, storm, storm]
    assert (storm.folded, storm.reason) == (2, "2 more in North")
    assert steps(ledger, third) == [Step.FIRED, Step.FOLDED]
    assert steps(ledger, storm) == [Step.FIRED]
    end(ledger, 3)
    assert storm_of(ledger, NORTH) is storm
    end(ledger, 4)
    assert storm_of(ledger, NORTH) is None
    assert (storm.closed_at, storm.resolution) == (NOW, "all 2 are over")
    assert steps(ledger, storm) == [Step.FIRED, Step.RESOLVED]


def test_what_is_too_much_for_the_rule_counts_at_its_own_area() -> None:
    ledger = begin()
    fire(ledger, 1, 2)
    fire(ledger, 11, 12, 13, area=SOUTH)
    county, south = storm_of(ledger, COUNTY), storm_of(ledger, SOUTH)
    assert storm_of(ledger, NORTH) is south is None
    assert county is not None
    assert (county.reason, county.area_id) == ("2 more in County", COUNTY)


def test_room_that_was_made_is_used_again_and_a_storm_goes_on() -> None:
    ledger = begin()
    fire(ledger, 1, 2, 3)
    end(ledger, 1)
    (fourth, fifth) = fire(ledger, 4, 5)
    storm = storm_of(ledger, NORTH)
    assert storm is not None
    assert (fourth.into, fifth.into, storm.folded) == (None, storm, 2)


def test_an_exercise_is_counted_apart() -> None:
    ledger = begin()
    fire(ledger, 1, 2, 3)
    drilled = [ledger.open(opening(n, drill=7)) for n in (1, 2, 3)]
    assert [entry.into is None for entry in drilled if entry] == [True, True, False]
    storm = ledger.find((RULE.id, f"area:{NORTH}/mark:drill:7:storm"))
    assert storm is not None
    assert (storm.drill_id, storm.reason) == (7, "Autumn: 1 more in North")
    real = storm_of(ledger, NORTH)
    assert real is not None
    assert real.folded == 1


def test_a_dead_uplink_takes_the_alerts_of_its_children() -> None:
    ledger = begin(children=[1, 2, 3])
    children = fire(ledger, 1, 2, 3)
    (other,) = fire(ledger, 50, area=SOUTH)
    storm = storm_of(ledger, NORTH)
    assert storm is not None
    (uplink,) = fire(ledger, UPLINK, area=SOUTH)
    assert [child.into for child in children] == [uplink] * 3
    assert (uplink.folded, uplink.into, other.into) == (3, None, None)
    assert storm.closed_at is not None
    assert steps(ledger, children[0]) == [Step.FIRED, Step.FOLDED]
    twin = ledger.open(opening(UPLINK, SOUTH, rule=replace(RULE, id=6)))
    assert twin is not None
    assert (twin.folded, {child.into for child in children}) == (0, {uplink})
    end(ledger, 1)
    assert not ledger.has_freed
    end(ledger, UPLINK)
    assert ledger.has_freed


def test_other_troubles_of_an_uplink_explain_nothing() -> None:
    hot = PointBeyond(point="t", direction=Direction.ABOVE, threshold=1, clear=1)
    ledger = begin(children=[1])
    (child,) = fire(ledger, 1)
    ledger.open(opening(UPLINK, rule=Rule(id=6, name="hot", area_id=COUNTY, condition=hot)))
    ledger.open(opening(UPLINK, drill=7))
    assert child.into is None


def stored(number: int, *, folded_into: int | None = None) -> OpenAlert:
    """A row as the database returns it."""
    return OpenAlert(
        id=number,
        rule_id=RULE.id,
        subject=f"device:{number}",
        area_id=NORTH,
        device_id=number,
        parent_id=None,
        drill_id=None,
        is_firing=True,
        folded_into=folded_into,
        is_storm=False,
        folded=0,
        inside=0,
        is_about_status=True,
    )


def test_alerts_that_nothing_explains_any_more_stand_again_as_far_as_there_is_room() -> None:
    rows = [stored(n, folded_into=500) for n in (1, 2, 3)]
    rows[1] = replace(rows[1], is_firing=False)
    standing = [Standing(rule_id=RULE.id, drill_id=None, area_id=NORTH, number=1)]
    ledger = Ledger(Known(alerts=rows, standing=standing, areas=AREAS))
    entries = [ledger.find((RULE.id, f"device:{n}")) for n in (1, 2, 3)]
    for entry in entries:
        assert entry is not None
        ledger.stand_again(entry, RULE, NOW)
    storm = storm_of(ledger, NORTH)
    assert [entry.into for entry in entries if entry] == [None, storm, storm]
    assert [note.step for note in ledger.notes] == [
        Step.REPEATED, Step.FIRED, Step.FOLDED, Step.FOLDED,
    ]  # fmt: skip


def test_what_ends_and_fires_again_is_told_in_turns() -> None:
    ledger = begin()
    fire(ledger, 1)
    end(ledger, 1)
    fire(ledger, 1)
    end(ledger, 1)
    fire(ledger, 2)
    assert [(note.step, note.turn) for note in ledger.notes] == [
        (Step.FIRED, 0), (Step.RESOLVED, 0), (Step.FIRED, 1), (Step.RESOLVED, 1), (Step.FIRED, 0),
    ]  # fmt: skip


def test_an_area_that_is_gone_has_no_alerts_and_one_that_is_open_is_found() -> None:
    ledger = begin()
    assert ledger.open(opening(1, area=77)) is None
    (first,) = fire(ledger, 1)
    assert fire(ledger, 1) == [first]
    assert len(ledger.new) == 1


# A stream of devices that fail and come back: (device, fails).
STREAMS = st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=40)


@settings(max_examples=50, deadline=None)
@given(stream=STREAMS, cut=st.integers(0, 40))
def test_two_transactions_come_to_the_same_as_one(stream: list[tuple[int, bool]], cut: int) -> None:
    whole = begin()
    play(whole, stream)
    first = begin()
    play(first, stream[:cut])
    second = carry_over(first)
    play(second, stream[cut:])
    assert picture(second) == picture(whole)


def play(ledger: Ledger, stream: Sequence[tuple[int, bool]]) -> None:
    for device, fails in stream:
        area = NORTH if device % 2 else SOUTH
        if fails:
            ledger.open(opening(device, area))
        elif (entry := ledger.find((RULE.id, f"device:{device}"))) is not None:
            ledger.close(entry, NOW + timedelta(seconds=1), "online")


def carry_over(ledger: Ledger) -> Ledger:
    """What another transaction reads after this one committed."""
    entries = [entry for entry in ledger.new if entry.closed_at is None]
    for number, entry in enumerate(entries, start=1):
        entry.id = number
    rows = [
        replace(
            stored(e.id, folded_into=None if e.into is None else e.into.id),
            subject=e.subject,
            area_id=e.area_id,
            device_id=e.device_id,
            is_storm=e.is_storm,
            folded=e.folded,
            inside=e.inside,
        )
        for e in entries
    ]
    heaps = {
        area: sum(e.area_id == area and e.into is None and not e.is_storm for e in entries)
        for area in AREAS
    }
    standing = [
        Standing(rule_id=RULE.id, drill_id=None, area_id=area, number=number)
        for area, number in heaps.items()
    ]
    return Ledger(Known(alerts=rows, standing=standing, areas=AREAS))


def picture(ledger: Ledger) -> dict[Key, tuple[str, int]]:
    """What is open, and what counts in what."""
    return {
        key: ("" if entry.into is None else entry.into.subject, entry.folded)
        for device in (
            *(f"device:{n}" for n in range(1, 9)),
            *(f"area:{n}/mark:storm" for n in AREAS),
        )
        if (entry := ledger.find(key := (RULE.id, device))) is not None
    }
