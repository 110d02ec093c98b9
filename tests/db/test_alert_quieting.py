"""Silences and snoozes over time, by a clock that is moved: who is told when, and only once."""

from datetime import timedelta

import pytest

from alerts.handling.life import Action, Order, act_on_one
from alerts.handling.quieting import (
    QuietEnds,
    count_matching,
    end_silence,
    make_silence,
    move_silence,
)
from hub.domain.access import Scope
from hub.domain.alerts import Alert
from hub.domain.conditions import DeviceOffline
from hub.domain.devices import Device
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.health import Status
from hub.domain.matchers import Matcher
from hub.domain.silences import Silence, SilenceState
from hub.store.alert_history import HoldFilter, LineKind, alert_history, list_holds
from hub.store.audit import list_entries
from hub.store.database import Database
from hub.store.silences import SilenceFilter, get_silence, list_silences, silences_in_force
from tests.db.alerts_site import HUB, Clock, Site

NORTH = Scope(paths=("county.north",), actor="wang")
SOUTH = Scope(paths=("county.south",), actor="li")
HOUR = 3600.0


class Night:
    """A site with cameras, silences, and the loop that deals with their ends."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def fail(self, device: Device) -> Alert:
        await self.site.turn(device, Status.OFFLINE)
        await self.site.engine().step()
        return [one for one in await self.site.alerts() if one.device_id == device.id][-1]

    async def heal(self, device: Device) -> None:
        await self.site.turn(device, Status.ONLINE)
        await self.site.engine().step()

    def wanted(self, hours: float, *, area: str = "north", after_h: float = 0) -> Silence:
        starts_at = self.site.clock() + timedelta(hours=after_h)
        return Silence(
            area_id=self.site.areas[area].id,
            reason="new cables",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=hours),
        )

    async def silence(self, hours: float, *, area: str = "north", after_h: float = 0) -> Silence:
        wanted = self.wanted(hours, area=area, after_h=after_h)
        async with self.site.database.transaction() as tx:
            scope = HUB if area == "county" else NORTH
            return await make_silence(tx, scope, wanted, self.site.clock())

    async def move(self, silence: Silence, hours: float) -> Silence:
        ends_at = self.site.clock() + timedelta(hours=hours)
        async with self.site.database.transaction() as tx:
            return await move_silence(tx, NORTH, silence.id, ends_at, self.site.clock())

    async def end(self, silence: Silence) -> Silence:
        async with self.site.database.transaction() as tx:
            return await end_silence(tx, NORTH, silence.id, self.site.clock())

    async def do(self, alert: Alert, order: Order) -> None:
        async with self.site.database.transaction() as tx:
            await act_on_one(tx, NORTH, self.site.jobs, alert.id, order, self.site.clock())

    async def snooze(self, alert: Alert, hours: float) -> None:
        until = self.site.clock() + timedelta(hours=hours)
        await self.do(alert, Order(action=Action.SNOOZE, until=until, note="later"))

    async def look(self, hours: float = 0) -> float | None:
        """Let time pass and deal with what is due, by a process that remembers nothing.

        Returns in how many hours the next is due.
        """
        self.site.clock.pass_s(hours * HOUR)
        ends = QuietEnds(self.site.database, self.site.jobs, self.site.clock)
        due_at = await ends.step()
        assert await ends.step() == due_at, "nothing is left"
        return None if due_at is None else (due_at - self.site.clock()).total_seconds() / HOUR

    async def told(self) -> list[str]:
        async with self.site.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT s.step || coalesce(' ' || x.device_name, '') FROM notifications n"
                " JOIN alert_steps s ON s.id = n.step_id JOIN alerts x ON x.id = n.alert_id"
                " ORDER BY n.id"
            )
        return [str(step) for (step,) in rows]

    async def steps(self, alert: Alert) -> list[str]:
        async with self.site.database.transaction() as tx:
            lines = await alert_history(tx, NORTH, alert.id, self.site.clock())
        return [line.what for line in lines if line.kind is LineKind.STEP]

    async def quiet_h(self, alert: Alert) -> float | None:
        """For how many hours nobody is told anew of an alert."""
        (now,) = [one for one in await self.site.alerts() if one.id == alert.id]
        if now.quiet_until is None:
            return None
        return (now.quiet_until - self.site.clock()).total_seconds() / HOUR


@pytest.fixture
async def night(database: Database) -> Night:
    site = await Site(database, Clock()).build()
    await site.add_rule(DeviceOffline())
    return Night(site)


async def test_a_silence_from_its_beginning_to_its_end(night: Night) -> None:
    before, during = [await night.site.add_device(name) for name in ("before", "during")]
    other = await night.site.add_device("other", area="south")
    first = await night.fail(before)
    silence = await night.silence(8)
    second = await night.fail(during)
    third = await night.fail(other)
    assert await night.told() == ["fired before", "fired other"]
    assert (await night.quiet_h(first), await night.quiet_h(second)) == (8, 8)
    assert await night.quiet_h(third) is None
    assert await night.steps(first) == ["fired", "silenced"]
    assert await night.look(7.5) == 0.5
    assert await night.told() == ["fired before", "fired other"]
    async with night.site.database.transaction() as tx:
        (shown,) = (await list_silences(tx, NORTH, SilenceFilter(), now=night.site.clock())).items
        assert (await count_matching(tx, NORTH, [shown])) == {silence.id: 2}
        assert (await count_matching(tx, SOUTH, [shown])) == {silence.id: 0}
    assert shown.is_expiring(night.site.clock())
    # Whoever was told before is told of the end in spite of it.
    await night.heal(before)
    assert (await night.told())[2:] == ["resolved before"]
    # Still failing at its end, it is told for the first time.
    assert await night.look(0.5) is None
    assert (await night.told())[3:] == ["repeated during"]
    assert (await night.quiet_h(second), await night.steps(second)) == (
        None,
        ["fired", "silenced", "repeated"],
    )
    await night.look(9)
    await night.heal(during)
    assert (await night.told())[4:] == ["resolved during"]


@pytest.mark.threat("K1")
async def test_an_end_that_passed_while_the_hub_was_down_is_told_at_once_and_once(
    night: Night,
) -> None:
    devices = [await night.site.add_device(f"cam{n}") for n in range(4)]
    await night.silence(1)
    alerts = [await night.fail(device) for device in devices]
    await night.do(alerts[1], Order(action=Action.ACKNOWLEDGE))
    await night.do(alerts[2], Order(action=Action.RESOLVE, note="false"))
    await night.heal(devices[3])
    assert await night.told() == []
    await night.look(48)
    assert await night.told() == ["repeated cam0"], "nobody took it, and it still fires"
    await night.look(48)
    assert await night.told() == ["repeated cam0"]


async def test_of_silences_that_overlap_the_latest_end_counts(night: Night) -> None:
    alert = await night.fail(await night.site.add_device())
    short = await night.silence(2)
    long = await night.silence(6, area="county")
    assert await night.quiet_h(alert) == 6
    await night.end(short)
    assert await night.quiet_h(alert) == 6
    async with night.site.database.transaction() as tx:
        with pytest.raises(NotFound):  # the county's is beyond the village's reach
            await end_silence(tx, NORTH, long.id, night.site.clock())
        assert [one.id for one in await silences_in_force(tx, NORTH, night.site.clock())] == [
            long.id
        ], "but it holds there"
        await end_silence(tx, HUB, long.id, night.site.clock())
    assert await night.quiet_h(alert) == 0
    await night.look()
    assert await night.told() == ["fired cam", "repeated cam"]
    with pytest.raises(Conflict, match="ended by wang"):
        await night.end(short)


async def test_a_silence_made_longer_or_shorter_takes_its_alerts_along(night: Night) -> None:
    alert = await night.fail(await night.site.add_device())
    silence = await night.silence(2)
    await night.move(silence, 5)
    assert await night.quiet_h(alert) == 5
    await night.look(3)
    await night.move(silence, 0.5)
    assert await night.quiet_h(alert) == 0.5
    assert await night.look() == 0.5
    for hours in (0, -1, 91 * 24):
        with pytest.raises(Invalid):
            await night.move(silence, hours)
    await night.look(0.5)
    assert await night.told() == ["fired cam", "repeated cam"]
    with pytest.raises(Conflict):
        await night.move(silence, 1)


async def test_a_planned_silence_begins_by_itself_and_can_be_taken_back(night: Night) -> None:
    alert = await night.fail(await night.site.add_device())
    planned, other = await night.silence(2, after_h=1), await night.silence(9, after_h=4)
    assert planned.state(night.site.clock()) is SilenceState.PENDING
    assert await night.quiet_h(alert) is None
    assert await night.look(0.5) == 0.5
    assert await night.look(0.5) == 2
    assert await night.quiet_h(alert) == 2
    taken_back = await night.end(other)
    assert taken_back.state(night.site.clock()) is SilenceState.EXPIRED
    assert taken_back.ends_at == taken_back.starts_at
    assert await night.look(2) is None
    await night.look(9)
    assert await night.told() == ["fired cam", "repeated cam"]


async def test_a_snooze_ends_unless_somebody_took_the_alert(night: Night) -> None:
    cameras = [await night.site.add_device(f"cam{n}") for n in range(3)]
    first, second, third = [await night.fail(camera) for camera in cameras]
    for alert in (first, second, third):
        await night.snooze(alert, 2)
    await night.do(second, Order(action=Action.ACKNOWLEDGE))
    await night.snooze(third, 1)  # in place of the first one
    assert [await night.quiet_h(alert) for alert in (first, third)] == [2, 1]
    silence = await night.silence(4)
    await night.look(3)
    assert len(await night.told()) == 3, "the silence goes on"
    await night.end(silence)
    await night.look()
    assert (await night.told())[3:] == ["repeated cam0", "repeated cam2"]
    assert await night.steps(third) == [
        *("fired", "snoozed", "snoozed", "silenced", "repeated"),
    ]
    async with night.site.database.transaction() as tx:
        actions = [entry.action for entry in (await list_entries(tx, NORTH)).items]
    assert actions.count("alert.snoozed") == 4


async def test_what_is_opened_again_under_a_silence_is_told_when_it_ends(night: Night) -> None:
    alert = await night.fail(await night.site.add_device())
    await night.silence(2, area="county")
    await night.do(alert, Order(action=Action.RESOLVE, note="done"))
    await night.do(alert, Order(action=Action.REOPEN))
    assert await night.told() == ["fired cam", "resolved cam"]
    await night.look(2)
    assert await night.told() == ["fired cam", "resolved cam", "repeated cam"]


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_silences_stay_inside_an_area_and_name_what_is_there(night: Night) -> None:
    site, now = night.site, night.site.clock()
    camera, far = await site.add_device(), await site.add_device("far", area="south")
    rule = await site.add_rule(DeviceOffline(), area="south")
    county_rule = (await night.fail(camera)).rule_id
    wanted = night.wanted(2)

    def about(matcher: Matcher, *, area: str = "north", hours: float = 2) -> Silence:
        made = night.wanted(hours, area=area)
        return Silence(
            area_id=made.area_id,
            matcher=matcher,
            reason=made.reason,
            starts_at=made.starts_at,
            ends_at=made.ends_at,
        )

    async with site.database.transaction() as tx:
        for refused in (
            about(Matcher(), area="south"),
            about(Matcher(), area="county"),
            about(Matcher(device_ids=(camera.id, far.id))),
            about(Matcher(device_ids=(999_999,))),
            about(Matcher(rule_ids=(rule.id,))),
            about(Matcher(rule_ids=(999_999,))),
        ):
            with pytest.raises(NotFound):
                await make_silence(tx, NORTH, refused, now)
        for hours in (0, -1, 90 * 24 + 1):
            with pytest.raises(Invalid):
                await make_silence(tx, NORTH, about(Matcher(), hours=hours), now)
        matcher = Matcher(rule_ids=(county_rule,), device_ids=(camera.id,), tags=("a'b",))
        made = await make_silence(tx, NORTH, about(matcher), now)
        assert (await get_silence(tx, NORTH, made.id)).matcher == matcher
        assert (made.author, made.reason) == ("wang", wanted.reason)
        for scope in (SOUTH, Scope(paths=(), actor="nobody")):
            with pytest.raises(NotFound):
                await get_silence(tx, scope, made.id)
            with pytest.raises(NotFound):
                await end_silence(tx, scope, made.id, now)
            with pytest.raises(NotFound):
                await move_silence(tx, scope, made.id, wanted.ends_at, now)
            assert (await list_silences(tx, scope, SilenceFilter(), now=now)).items == []
            assert await silences_in_force(tx, scope, now) == []
        entries = (await list_entries(tx, NORTH)).items
    assert [entry.action for entry in entries] == ["silence.added"]


async def test_what_was_held_back_is_listed_in_scope(night: Night) -> None:
    camera = await night.site.add_device()
    (rule_id,) = {(await night.fail(camera)).rule_id}
    now = night.site.clock()
    async with night.site.database.transaction() as tx:
        for number, reason in enumerate(("behind uplink X", "in maintenance: new pole")):
            await tx.execute(
                "INSERT INTO alert_holds (rule_id, subject, reason, area_id, device_id, first_at,"
                " last_at, times) VALUES (%(rule)s, 'device:1', %(reason)s, %(area)s, %(device)s,"
                " %(first)s, %(last)s, 12)",
                {
                    "rule": rule_id,
                    "reason": reason,
                    "area": camera.area_id,
                    "device": camera.id,
                    "first": now - timedelta(hours=2 + number),
                    "last": now - timedelta(hours=1 + number),
                },
            )

        async def reasons(wanted: HoldFilter, scope: Scope = NORTH) -> list[str]:
            found, cursor = [], None
            while True:
                page = await list_holds(tx, scope, wanted, limit=1, cursor=cursor)
                found += [f"{one.reason} {one.times}" for one in page.items]
                cursor = page.next
                if cursor is None:
                    return found

        both = ["behind uplink X 12", "in maintenance: new pole 12"]
        assert await reasons(HoldFilter()) == both
        assert await reasons(HoldFilter(device_id=camera.id, rule_id=rule_id)) == both
        assert await reasons(HoldFilter(device_id=camera.id + 1)) == []
        assert await reasons(HoldFilter(since=now - timedelta(hours=1.5))) == both[:1]
        assert await reasons(HoldFilter(until=now - timedelta(hours=2))) == both[1:]
        assert await reasons(HoldFilter(), SOUTH) == []
