"""Which devices seem to share a parent, from ledgers made up for the purpose."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.maintenance.parents import infer_groups
from hub.store.parent_suggestions import Group
from hub.store.shared_failures import Absence, Failure

START = datetime(2026, 11, 1, tzinfo=UTC)
SUBNET = "10.3.7.0/24"
SUBNETS = 40


def outage(device: int, begins_s: float, lasts_s: float = 600, subnet: str = SUBNET) -> Failure:
    begins = START + timedelta(seconds=begins_s)
    return Failure(
        device_id=device,
        subnet=subnet,
        started_at=begins,
        ended_at=begins + timedelta(seconds=lasts_s),
        outages=0,
    )


def cut(devices: Iterable[int], begins_s: float, subnet: str = SUBNET) -> list[Failure]:
    """Something they share fails: the hub notices one after the other, going and coming."""
    return [outage(device, begins_s + device % 30, 600 + device % 50, subnet) for device in devices]


def infer(
    failures: Sequence[Failure],
    absences: Sequence[Absence] = (),
    *,
    apart: Iterable[int] = (),
    subnets: int = SUBNETS,
) -> list[Group]:
    """Count the outages of each device, with those of ``apart``, and look for groups."""
    outages = Counter([one.device_id for one in failures])
    outages.update(apart)
    counted = [replace(one, outages=outages[one.device_id]) for one in failures]
    return infer_groups(counted, absences, subnets=subnets)


def ids(groups: Sequence[Group]) -> list[tuple[int, ...]]:
    return [group.device_ids for group in groups]


SWITCH = range(100, 124)
DAY = 86_400.0


def test_devices_that_fail_and_return_together_twice_are_a_group() -> None:
    (group,) = infer([*cut(SWITCH, 0), *cut(SWITCH, DAY)])
    assert group.subnet == SUBNET
    assert group.device_ids == tuple(SWITCH)
    assert group.times_seen == 2
    assert group.last_at - group.first_at == timedelta(days=1)
    assert group.confidence == pytest.approx(0.75)


def test_the_order_of_the_ledger_does_not_matter() -> None:
    failures = [*cut(SWITCH, 0), *cut(SWITCH, DAY), *cut(SWITCH, 2 * DAY)]
    expected = infer(failures)
    random.Random(7).shuffle(failures)
    assert infer(failures) == expected


def test_once_proves_nothing() -> None:
    assert infer(cut(SWITCH, 0)) == []


def test_four_devices_are_too_few() -> None:
    four, five = range(4), range(5)
    assert infer([*cut(four, 0), *cut(four, DAY)]) == []
    assert ids(infer([*cut(five, 0), *cut(five, DAY)])) == [tuple(five)]


def test_the_more_often_it_is_seen_the_surer_it_is() -> None:
    twice = infer([*cut(SWITCH, 0), *cut(SWITCH, DAY)])[0]
    often = infer([row for day in range(6) for row in cut(SWITCH, day * DAY)])[0]
    assert often.times_seen == 6
    assert twice.confidence < often.confidence <= 1


def test_those_that_return_at_different_times_do_not_share_a_parent() -> None:
    one_by_one = [
        outage(device, day * DAY, 600 + 150 * (device - SWITCH[0]))
        for day in (0, 1)
        for device in SWITCH
    ]
    assert infer(one_by_one) == []


def test_those_that_fail_one_after_the_other_do_not_share_a_parent() -> None:
    slowly = [
        outage(device, day * DAY + 20 * (device - SWITCH[0]), 5000 - 20 * (device - SWITCH[0]))
        for day in (0, 1)
        for device in SWITCH
    ]
    # Any four of them begin within a minute, all of them end together.
    assert infer(slowly) == []


def test_a_bystander_that_failed_a_little_earlier_does_not_hide_the_group() -> None:
    rows = [outage(7, -50, 40), *cut(SWITCH, 0), outage(8, 20, 9000), *cut(SWITCH, DAY)]
    assert ids(infer(rows)) == [tuple(SWITCH)]


def test_different_devices_each_time_are_a_coincidence() -> None:
    rng = random.Random(1)
    rows = []
    for day in range(10):
        rows += cut(rng.sample(range(250), 8), day * DAY)
    assert infer(rows) == []


def test_failing_often_and_by_chance_makes_no_group() -> None:
    rng = random.Random(2)
    month = 30 * DAY
    rows = [
        outage(device, rng.uniform(0, month), rng.expovariate(1 / 900))
        for device in range(250)
        for _ in range(40)
    ]
    assert infer(rows) == []


def test_one_flapping_device_makes_no_group_and_joins_none() -> None:
    flaps = [outage(9, at * 40.0, 20) for at in range(4000)]
    assert infer(flaps) == []
    rows = [*flaps, *cut(SWITCH, 1000), *cut(SWITCH, DAY)]
    assert ids(infer(rows)) == [tuple(SWITCH)]


def test_a_device_that_stayed_up_when_the_others_failed_is_left_out() -> None:
    some = [device for device in SWITCH if device != SWITCH[3]]
    rows = [*cut(SWITCH, 0), *cut(some, DAY), *cut(some, 2 * DAY)]
    assert ids(infer(rows)) == [tuple(some)]


def test_a_device_that_was_added_later_is_in_since_it_could_be() -> None:
    late = SWITCH[3]
    before = [device for device in SWITCH if device != late]
    rows = [row for day in range(4) for row in cut(before, day * DAY)]
    rows += [row for day in (5, 6) for row in cut(SWITCH, day * DAY)]
    assert ids(infer(rows)) == [tuple(before)]
    added = START + timedelta(days=4.5)
    dated = [replace(one, registered_at=added if one.device_id == late else START) for one in rows]
    assert ids(infer(dated)) == [tuple(SWITCH)]


def test_a_device_that_mostly_fails_alone_is_left_out() -> None:
    rows = [*cut(SWITCH, 0), *cut(SWITCH, DAY)]
    assert ids(infer(rows, apart=[SWITCH[0]] * 3)) == [tuple(SWITCH)[1:]]


def test_devices_that_fail_alone_as_often_as_together_are_no_group() -> None:
    rows = [*cut(SWITCH, 0), *cut(SWITCH, DAY)]
    assert infer(rows, apart=[*SWITCH, *SWITCH]) == []


def test_two_switches_of_one_subnet_are_not_taken_for_one() -> None:
    first, second = range(100, 124), range(200, 210)
    rows = [*cut(first, 0), *cut(second, DAY), *cut(first, 2 * DAY), *cut(second, 3 * DAY)]
    assert ids(infer(rows)) == [tuple(first)]


def test_every_subnet_is_looked_at_by_itself() -> None:
    others = range(300, 310)
    rows = [
        *cut(SWITCH, 0),
        *cut(SWITCH, DAY),
        *cut(others, 5000, "10.3.8.0/24"),
        *cut(others, 2 * DAY, "10.3.8.0/24"),
    ]
    assert [(group.subnet, len(group.device_ids)) for group in infer(rows)] == [
        (SUBNET, 24),
        ("10.3.8.0/24", 10),
    ]


def everywhere(begins_s: float, subnets: int) -> list[Failure]:
    return [
        row
        for subnet in range(subnets)
        for row in cut(range(1000 * subnet, 1000 * subnet + 10), begins_s, f"10.0.{subnet}.0/24")
    ]


def test_what_takes_nearly_every_subnet_at_once_was_the_hub_s_own_link() -> None:
    assert infer([*everywhere(0, 9), *everywhere(DAY, 9)], subnets=10) == []


def test_an_uplink_of_some_subnets_is_seen_in_each_of_them() -> None:
    assert len(infer([*everywhere(0, 9), *everywhere(DAY, 9)], subnets=100)) == 9


def away(begins_s: float, ends_s: float, shard: int = 0, shards: int = 1) -> Absence:
    return Absence(
        shard=shard,
        shards=shards,
        started_at=START + timedelta(seconds=begins_s),
        ended_at=START + timedelta(seconds=ends_s),
    )


def test_what_the_hub_found_when_it_came_back_proves_nothing() -> None:
    rows = [*cut(SWITCH, 0), *cut(SWITCH, DAY)]
    assert infer(rows, [away(-5000, -20)]) == []
    assert ids(infer(rows, [away(-5000, -300)])) == [tuple(SWITCH)]


def test_what_ended_because_the_hub_went_away_proves_nothing() -> None:
    left_open = [outage(device, day * DAY, 5000) for day in (0, 1) for device in SWITCH]
    assert ids(infer(left_open)) == [tuple(SWITCH)]
    assert infer(left_open, [away(5000, 9000)]) == []


def test_an_absence_concerns_its_own_shard_only() -> None:
    rows = [*cut(SWITCH, 0), *cut(SWITCH, DAY)]
    even = [device for device in SWITCH if device % 2 == 0]
    assert ids(infer(rows, [away(-5000, -20, shard=1, shards=2)])) == [tuple(even)]


def test_what_happened_in_maintenance_proves_nothing() -> None:
    rows = [*cut(SWITCH, 0), *cut(SWITCH, DAY)]
    first_day = START + timedelta(hours=12)
    planned = [replace(one, in_maintenance=one.started_at < first_day) for one in rows]
    assert infer(planned) == []
    assert ids(infer([*planned, *cut(SWITCH, 2 * DAY)])) == [tuple(SWITCH)]
