"""What it takes to believe a fault, a recovery, and who is to blame: hours in virtual time."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from hub.domain.health import Depth, Layer, Status
from hub.maintenance.intervals import Intervals
from hub.maintenance.looking import LookOptions
from hub.maintenance.watched import Watched, subnet_of
from tests.simulated_county import County, Network
from tests.virtual_time import START, run


def test_a_dead_camera_is_told_of_within_thirty_seconds() -> None:
    async def work() -> None:
        county = County(200)
        await county.live(30)
        assert {known.status for known in county.known.values()} == {Status.ONLINE}
        county.told.clear()
        died = asyncio.get_running_loop().time()
        county.faults = dict.fromkeys(range(1, 201, 2), Layer.NETWORK)
        found: dict[int, float] = {}
        county.on_told = lambda report: found.setdefault(
            report.device_id, asyncio.get_running_loop().time() - died
        )
        await county.live(45)
        assert sorted(found) == list(range(1, 201, 2))
        assert max(found.values()) <= 26
        # The outage begins with the first question that was not answered.
        begun = [(report.probed_at - START).total_seconds() - died for report in county.told]
        assert 0 <= min(begun) <= max(begun) <= 15

    run(work())


def test_one_lost_answer_is_nothing() -> None:
    async def work() -> None:
        county = County(50, options=LookOptions(confirm_after_s=2.5))
        await county.live(30)
        county.told.clear()
        county.faults = dict.fromkeys(range(1, 51), Layer.PROTOCOL)

        async def blink() -> None:
            await asyncio.sleep(2.0)
            county.faults.clear()

        async with asyncio.TaskGroup() as group:
            group.create_task(blink())
            group.create_task(county.live(40))
        assert county.told == []

    run(work())


def test_a_recovery_is_believed_the_second_time() -> None:
    async def work() -> None:
        county = County(1, options=LookOptions(recover_after_s=5.0))
        county.faults[1] = Layer.NETWORK
        await county.live(60)
        assert county.status(1) is Status.OFFLINE
        del county.faults[1]
        county.asked.clear()
        await county.live(16)
        assert county.status(1) is Status.ONLINE
        assert len(county.asked) == 2

    run(work())


def test_higher_layers_degrade_and_shallow_questions_do_not_clear_them() -> None:
    async def work() -> None:
        county = County(20)
        await county.live(120)
        county.faults = {1: Layer.CREDENTIALS, 2: Layer.FRAMES}
        await county.live(620)
        assert county.status(1) is Status.DEGRADED
        assert county.status(2) is Status.DEGRADED
        assert list(county.known[1].faults) == [Layer.CREDENTIALS]
        changes = Counter(report.device_id for report in county.told)
        assert changes[1] == changes[2] == 2  # online, then degraded, and not to and fro
        county.faults.clear()
        await county.live(620)
        assert {county.status(1), county.status(2)} == {Status.ONLINE}

    run(work())


def test_a_degraded_camera_that_dies_and_returns_is_degraded_again() -> None:
    async def work() -> None:
        county = County(1)
        county.faults[1] = Layer.CREDENTIALS
        await county.live(150)
        assert county.status(1) is Status.DEGRADED
        county.faults[1] = Layer.NETWORK
        await county.live(40)
        assert county.status(1) is Status.OFFLINE
        county.faults[1] = Layer.CREDENTIALS
        await county.live(30)
        assert county.status(1) is Status.DEGRADED

    run(work())


def test_our_own_shortage_tells_nothing_for_a_while_and_then_that_nothing_is_known() -> None:
    async def work() -> None:
        county = County(3)
        await county.live(30)
        county.told.clear()
        county.ours = "this machine has no file handles left"
        await county.live(60)
        assert county.told == []
        await county.live(60)
        assert {known.status for known in county.known.values()} == {Status.UNKNOWN}
        assert all("no file handles" in report.detail for report in county.told)
        county.ours = ""
        await county.live(30)
        assert {known.status for known in county.known.values()} == {Status.ONLINE}

    run(work())


def test_what_is_under_way_is_limited_in_all_and_by_subnet() -> None:
    async def work() -> None:
        county = County(400, options=LookOptions(concurrency=40, per_subnet=30))
        county.faults = dict.fromkeys(range(1, 401), Layer.NETWORK)
        await county.live(30)
        assert county.most_under_way == 40
        quiet = County(240, options=LookOptions(per_subnet=12))
        quiet.faults = dict.fromkeys(range(1, 241), Layer.NETWORK)
        await quiet.live(30)
        assert quiet.most_under_way <= 12 + quiet.options.deep_per_subnet

    run(work())


def test_many_that_fail_at_once_are_told_together() -> None:
    async def work() -> None:
        county = County(300)
        county.faults = dict.fromkeys(range(1, 301), Layer.NETWORK)
        async with asyncio.TaskGroup() as group:
            for watched in county.watched.values():
                group.create_task(county.looker.look(watched, Depth.ANSWER, county.blamer))
        assert len(county.told) == 300
        assert county.batches <= 12

    run(work())


@pytest.mark.parametrize("is_passive", [False, True])
def test_a_cut_uplink_is_one_fault_and_its_children_hang_behind_it(*, is_passive: bool) -> None:
    async def work() -> None:
        county = _village(children=300, is_passive=is_passive)
        await county.live(40)
        assert {known.status for known in county.known.values()} == {Status.ONLINE}
        county.told.clear()
        died = asyncio.get_running_loop().time()
        found: dict[int, float] = {}
        county.on_told = lambda report: found.setdefault(
            report.device_id, asyncio.get_running_loop().time() - died
        )
        county.faults[1] = Layer.NETWORK
        await county.live(45)
        # The uplink is told of first, each child once, all of them in time.
        assert county.told[0].device_id == 1
        assert county.told[0].behind is None
        assert Counter(report.device_id for report in county.told) == dict.fromkeys(
            range(1, 302), 1
        )
        assert {report.behind for report in county.told[1:]} == {1}
        assert max(found.values()) <= 26

        county.told.clear()
        county.faults.clear()
        await county.live(45)
        assert {known.status for known in county.known.values()} == {Status.ONLINE}
        assert Counter(report.device_id for report in county.told) == dict.fromkeys(
            range(1, 302), 1
        )

    run(work())


def test_a_child_with_a_fault_of_its_own_is_not_excused_by_a_parent_that_is_up() -> None:
    async def work() -> None:
        county = _village(children=20, is_passive=True)
        await county.live(40)
        county.told.clear()
        county.faults = {5: Layer.NETWORK, 6: Layer.NETWORK}
        await county.live(40)
        assert [(r.device_id, r.behind) for r in sorted(county.told, key=_number)] == [
            (5, None),
            (6, None),
        ]
        assert county.status(1) is Status.ONLINE

    run(work())


def test_a_child_that_stays_away_after_its_parent_is_back_is_excused_only_for_a_while() -> None:
    async def work() -> None:
        county = _village(children=30, is_passive=False)
        await county.live(40)
        county.faults = {1: Layer.NETWORK, 9: Layer.NETWORK}
        await county.live(60)
        assert county.known[9].behind_id == 1
        county.faults = {9: Layer.NETWORK}
        await county.live(120)
        assert county.status(1) is Status.ONLINE
        assert county.known[9].behind_id == 1  # it may still be starting
        await county.live(120)
        assert county.status(9) is Status.OFFLINE
        assert county.known[9].behind_id is None

    run(work())


def test_a_parent_of_a_parent_is_blamed_one_hop_at_a_time() -> None:
    async def work() -> None:
        county = County(12, parents={2: 1, **dict.fromkeys(range(3, 13), 2)})
        await county.live(40)
        county.told.clear()
        county.faults[1] = Layer.NETWORK
        await county.live(60)
        assert county.known[1].behind_id is None
        assert county.known[2].behind_id == 1
        assert {county.known[n].behind_id for n in range(3, 13)} == {2}

    run(work())


def test_parents_in_a_circle_end_in_a_verdict() -> None:
    async def work() -> None:
        county = County(3, parents={1: 2, 2: 3, 3: 1})
        await county.live(30)
        county.faults = dict.fromkeys((1, 2, 3), Layer.PROTOCOL)
        await county.live(120)
        assert {known.status for known in county.known.values()} == {Status.OFFLINE}

    run(work())


@pytest.mark.threat("K10")
def test_a_lossy_network_makes_no_camera_dead() -> None:
    async def work() -> None:
        county = County(
            300,
            network=Network(loss=0.01, slow=0.01),
            intervals=Intervals(stream_s=60, frames_s=300),
        )
        await county.live(3600)
        assert len(county.asked) > 70_000
        assert [report for report in county.told if report.layer is not None] == []

    run(work())


def test_subnets() -> None:
    assert subnet_of("rtsp://10.3.7.21:554/a") == subnet_of("tcp://10.3.7.1:80/") == "10.3.7.0"
    assert subnet_of("http://[2001:db8:1::5]/x") == "2001:db8:1::"
    assert subnet_of("rtsp://gate.example/1") == "gate.example"
    assert subnet_of("") == ""


def _village(*, children: int, is_passive: bool) -> County:
    county = County(
        children + 1,
        parents=dict.fromkeys(range(2, children + 2), 1),
        passive={1} if is_passive else set(),
    )
    watched = county.watched[1]
    assert isinstance(watched, Watched)
    if is_passive:
        watched.target = replace(watched.target, stream_address="")
    return county


def _number(report: object) -> int:
    return int(getattr(report, "device_id", 0))
