"""Plans on a real database: who may name what, what is drawn over nights, what is foretold."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import Grant, Principal, Role, Scope
from hub.domain.calendars import Calendar
from hub.domain.duty_rooms import DutyRoom, Shift
from hub.domain.errors import Invalid, NotFound
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.patrol_details import PlanDetails, RollCall, Selection, StopPreset, Walker
from hub.domain.patrols import PatrolMode, PatrolPlan, RoundState, StopOrder
from hub.patrols.files import PictureFolder
from hub.patrols.planning import saving
from hub.patrols.planning.laying import lay_out
from hub.patrols.planning.on_duty import may_take
from hub.patrols.walking.ending import cancel_round
from hub.runtime.jobs import Jobs
from hub.store import duty_rooms, patrols, receivers, rounds, shifts
from hub.store.database import Database, Transaction
from hub.store.patrol_candidates import candidates, past_rounds
from hub.store.users import add_grant
from tests.db.patrol_world import HUB, World, settle

VILLAGE = Scope(paths=("c.a",), actor="village")
SAMPLE = PlanDetails(per_area=1, within_rounds=5, random_share=0)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    return made


async def add_person(tx: Transaction, name: str, role: Role, area_id: int) -> int:
    number = await tx.scalar(
        int,
        "INSERT INTO users (name, password_hash) VALUES (%(name)s, 'x') RETURNING id",
        {"name": name},
    )
    assert number is not None
    await add_grant(tx, HUB, number, role=role, area_id=area_id)
    return number


async def test_over_30_nights_each_camera_is_looked_at_as_promised(world: World) -> None:
    """Two villages of three cameras, one of each a night, each within five nights.

    Some nights are cancelled before a look: they are none, and take nobody's turn.
    """
    plan = await world.create(mode=PatrolMode.SAMPLED, details=SAMPLE, lasts_s=3600)
    walker = world.walker()
    nights: list[frozenset[int | None]] = []
    for night in range(36):
        world.now += timedelta(days=1)
        round_id = await world.run_now(plan)
        if night % 6 == 5:
            await world.begin(round_id, walker)
            async with world.database.transaction() as tx:
                await cancel_round(tx, HUB, round_id, now=world.now)
            continue
        await world.walk_to_end(round_id, walker)
        assert await world.state(round_id) is RoundState.FINISHED
        looked = await world.stops(round_id)
        assert [stop.area_name for stop in looked] == ["安平村", "北沟村"]
        nights.append(frozenset(stop.device_id for stop in looked))
    assert len(nights) == 30
    for first in range(len(nights) - 4):
        assert frozenset().union(*nights[first : first + 5]) == set(world.cameras)
    assert len(set(nights)) > 4  # and not always the same pairs


async def test_a_draw_that_cannot_keep_its_promise_is_refused_unless_it_is_off(
    world: World,
) -> None:
    broken = replace(SAMPLE, within_rounds=2)
    with pytest.raises(Invalid, match="has 3 cameras"):
        await world.create(mode=PatrolMode.SAMPLED, details=broken)
    off = await world.create(mode=PatrolMode.SAMPLED, details=broken, is_enabled=False)
    async with world.database.transaction() as tx:
        thought = await saving.foretell_stored(tx, HUB, off.id, now=world.now)
        assert thought.stops == 2
        tight = replace(off, details=replace(SAMPLE, within_rounds=3), is_enabled=True)
        saved = await saving.change_plan(tx, HUB, tight, now=world.now)
        assert "can be foreseen" in saved.forecast.warnings[0]
        # A camera more, and the stored plan says that it cannot keep its promise any longer.
        await tx.execute(
            "UPDATE devices SET area_id = %(a)s WHERE id = %(id)s",
            {"a": world.areas["a"], "id": world.cameras[0]},
        )
        later = await saving.foretell_stored(tx, HUB, off.id, now=world.now)
    assert "has 4 cameras" in later.warnings[0]


async def test_a_plan_that_does_not_fit_says_so_when_saved_and_its_rounds_by_how_much(
    world: World,
) -> None:
    walk = world.plan(mode=PatrolMode.WALK, seconds_per_stop=15, lasts_s=80, window_s=10)
    async with world.database.transaction() as tx:
        saved = await saving.create_plan(tx, HUB, walk, now=world.now)
    assert (saved.forecast.stops, saved.forecast.takes_s, saved.forecast.over_s) == (6, 90, 10)
    assert "10 s too long" in saved.forecast.warnings[0]

    # A machine that needs 50 s for each of its stops, where 0.5 were thought.
    plan = await world.create(name="by machine", lasts_s=200, window_s=60)
    for _ in range(2):
        world.now += timedelta(days=1)
        round_id = await world.run_now(plan)
        await world.begin(round_id)
        began = world.now
        world.now += timedelta(seconds=300)
        for group in sorted({stop.group_no for stop in await world.stops(round_id)}):
            await world.look(round_id, group)
        async with world.database.transaction() as tx:
            found = await rounds.get_round(tx, HUB, round_id)
        assert found.state is RoundState.FINISHED
        assert found.started_at == began
    async with world.database.transaction() as tx:
        past = await past_rounds(tx, HUB, plan.id)
        thought = await saving.foretell_stored(tx, HUB, plan.id, now=world.now)
    assert [one.stops for one in past] == [6, 6]
    assert past[1].forecast_s == 3  # what was assumed
    assert past[1].missed_by_s == 297
    assert past[0].forecast_s == 300  # what was learnt of the round before
    assert past[0].missed_by_s == 0
    assert [one.over_s for one in past] == [100, 100]
    assert (thought.measured_rounds, thought.takes_s, thought.over_s) == (2, 300, 100)
    assert "1 min too long" not in thought.warnings[0]
    assert "2 min too long" in thought.warnings[0]


async def test_a_plan_without_rooms_or_people_on_duty_says_so(world: World) -> None:
    county = world.areas["county"]
    details = PlanDetails(walker=Walker(is_roster=True), roll_call=RollCall())
    async with world.database.transaction() as tx:
        saved = await saving.create_plan(tx, HUB, world.plan(details=details), now=world.now)
        rooms, people = saved.forecast.warnings
        assert "there is none in its area" in rooms
        assert "nobody is on duty" in people
        await duty_rooms.add_room(tx, HUB, DutyRoom(area_id=world.areas["a"], name="room"))
        li = await add_person(tx, "li", Role.OPERATOR, county)
        hours = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=28_800, time_zone="Asia/Shanghai")
        night = Shift(area_id=county, name="night", hours=hours, user_ids=(li,))
        await shifts.add_shift(tx, HUB, night)
        later = await saving.foretell_stored(tx, HUB, saved.plan.id, now=world.now)
        assert later.warnings == ()
        # On duty is whoever the shift names, for the villages too.
        walk = await rounds.get_round(
            tx, HUB, await rounds.add_round(tx, HUB, saved.plan, world.now) or 0
        )
        grants = (Grant(role=Role.OPERATOR, area_id=county, area_path="c"),)
        for user_id, may in ((li, True), (li + 1, False)):
            who = Principal(user_id=user_id, name="p", grants=grants)
            assert await may_take(tx, HUB, walk, who, world.now) is may
            # At noon the shift is over: better walked by another than by nobody.
            assert await may_take(tx, HUB, walk, who, world.now + timedelta(hours=12))


@pytest.mark.threat("T1")
async def test_a_plan_names_nobody_and_nothing_outside_its_authors_areas(world: World) -> None:
    """The village's supervisor names what is the village's; nothing of the county or next door."""
    a, b = world.areas["a"], world.areas["b"]
    mine, theirs = world.cameras[1], world.cameras[0]
    async with world.database.transaction() as tx:
        ours = await add_person(tx, "ours", Role.OPERATOR, a)
        viewer = await add_person(tx, "viewer", Role.VIEWER, a)
        county = await add_person(tx, "county", Role.OPERATOR, world.areas["county"])
        next_door = await add_person(tx, "next-door", Role.OPERATOR, b)
        mail = [
            (await receivers.add_receiver(tx, HUB, _receiver(name, area))).id
            for name, area in (("ours", a), ("theirs", b))
        ]
        plan = world.plan(area_id=a)

        def make(**details: object) -> Callable[[], Awaitable[object]]:
            changed = replace(PlanDetails(), **details)  # type: ignore[arg-type]  # by name
            return lambda: saving.create_plan(
                tx, VILLAGE, replace(plan, details=changed), now=world.now
            )

        for asked in (
            make(walker=Walker(user_id=next_door)),
            make(walker=Walker(user_id=county)),
            make(walker=Walker(user_id=999)),
            make(selection=Selection(area_ids=(a, b))),
            make(selection=Selection(area_ids=(world.areas["county"],))),
            make(presets={theirs: StopPreset(preset="1")}),
            make(report_receivers=(mail[0], mail[1])),
            lambda: saving.create_plan(
                tx, VILLAGE, replace(plan, device_ids=(mine, theirs)), now=world.now
            ),
            lambda: saving.foretell(tx, VILLAGE, world.plan(), now=world.now),
            lambda: saving.foretell(tx, VILLAGE, replace(plan, area_id=b), now=world.now),
        ):
            with pytest.raises(NotFound):
                await asked()
        with pytest.raises(Invalid, match="may not walk"):
            await make(walker=Walker(user_id=viewer))()
        details = PlanDetails(
            walker=Walker(user_id=ours),
            selection=Selection(area_ids=(a,)),
            presets={mine: StopPreset(preset="1")},
            report_receivers=(mail[0],),
        )
        own = replace(plan, details=details, device_ids=(mine,))
        saved = await saving.create_plan(tx, VILLAGE, own, now=world.now)
        assert await patrols.get_plan(tx, VILLAGE, saved.plan.id) == saved.plan

        # What the county put into a plan of the village may stay when the village changes it.
        of_county = replace(
            saved.plan,
            details=PlanDetails(walker=Walker(user_id=county), report_receivers=(mail[1],)),
        )
        await saving.change_plan(tx, HUB, of_county, now=world.now)
        renamed = replace(of_county, name="weekly")
        assert (await saving.change_plan(tx, VILLAGE, renamed, now=world.now)).plan == renamed
        # Whoever lost his grant walks no more: the plan cannot be saved like this, but be stopped.
        await tx.execute("DELETE FROM grants WHERE user_id = %(id)s", {"id": county})
        with pytest.raises(Invalid, match="may not walk"):
            await saving.change_plan(tx, VILLAGE, replace(renamed, name="x"), now=world.now)
        stopped = replace(renamed, is_enabled=False)
        assert (await saving.change_plan(tx, VILLAGE, stopped, now=world.now)).plan == stopped


async def test_the_selection_chooses_by_area_class_tag_list_and_map(world: World) -> None:
    one, two, three, four, five, six = world.cameras
    async with world.database.transaction() as tx:
        changes = {"a": one, "b": two, "c": three, "f": six}
        await tx.execute(
            "UPDATE devices SET class = 'gate', tags = '{night,water}' WHERE id IN (%(a)s, %(b)s)",
            changes,
        )
        await tx.execute("UPDATE devices SET registration = 'retired' WHERE id = %(f)s", changes)
        await tx.execute(
            "INSERT INTO asset_records (device_id, longitude, latitude, ptz_type) VALUES"
            " (%(a)s, 120.5, 30.5, 'ptz_dome'), (%(b)s, 122, 30.5, 'fixed_dome'),"
            " (%(c)s, 120.6, 30.6, '')",
            changes,
        )

        async def chosen(**changes: object) -> list[int]:
            plan: PatrolPlan = world.plan(**changes)
            laid = await lay_out(tx, HUB, walk, plan, rng=random.Random(1))
            return sorted(stop.device_id for stop in laid)

        def of(**selection: object) -> dict[str, object]:
            picked = Selection(**selection)  # type: ignore[arg-type]  # by name
            return {"details": PlanDetails(selection=picked)}

        plan = await patrols.add_plan(tx, HUB, world.plan(), now=world.now)
        number = await rounds.add_round(tx, HUB, plan, world.now)
        walk = await rounds.get_round(tx, HUB, number or 0)
        assert await chosen() == [one, two, three, four, five]
        assert await chosen(**of(area_ids=(world.areas["a"],))) == [two, four]
        assert await chosen(**of(classes=("gate",))) == [one, two]
        assert await chosen(**of(tags=("water", "x"))) == [one, two]
        assert await chosen(**of(classes=("gate",), area_ids=(world.areas["b"],))) == [one]
        square = ((120, 30), (121, 30), (121, 31), (120, 31))
        assert await chosen(**of(polygon=square)) == [one, three]
        assert await chosen(device_ids=(five, three, six)) == [three, five]
        order = [stop.device_id for stop in await lay_out(
            tx, HUB, walk, world.plan(order=StopOrder.FIXED, device_ids=(five, one, three)),
            rng=random.Random(1),
        )]  # fmt: skip
        assert order == [five, one, three]
        found = await candidates(tx, HUB, "c", plan)
        assert [cam.device_id for cam in found if cam.has_ptz] == [one]
        assert not await candidates(tx, VILLAGE, "c.b", plan)


async def test_stops_are_timed_and_some_are_shown_to_people_anyway(world: World) -> None:
    async with world.database.transaction() as tx:
        plan = await patrols.add_plan(
            tx,
            HUB,
            world.plan(
                mode=PatrolMode.MIXED, details=PlanDetails(random_share=0.34), seconds_per_stop=60
            ),
            now=world.now,
        )
        number = await rounds.add_round(tx, HUB, plan, world.now)
        walk = await rounds.get_round(tx, HUB, number or 0)
        laid = await lay_out(tx, HUB, walk, plan, rng=random.Random(1))
        shown = {
            tuple(stop.is_drawn for stop in await lay_out(tx, HUB, walk, plan, rng=rng))
            for rng in map(random.Random, range(20))
        }
        walked = await lay_out(
            tx, HUB, walk, replace(plan, mode=PatrolMode.WALK), rng=random.Random(1)
        )
    assert {sum(one) for one in shown} == {2}  # a third of six
    assert len(shown) > 5  # never the same
    waits = [stop.wait_s for stop in laid]
    assert waits == sorted(waits)
    assert [stop.wait_s for stop in walked] == [60, 120, 180, 240, 300, 360]
    assert not any(stop.is_drawn for stop in walked)


def _receiver(name: str, area_id: int) -> Receiver:
    return Receiver(
        name=name,
        area_id=area_id,
        kind=ReceiverKind.WEBHOOK,
        options={"address": "http://hook.test/x"},
    )
