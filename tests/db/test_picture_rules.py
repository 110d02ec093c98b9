"""Profiles, where they are assigned, and what they would have changed, on both databases."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.quality import Index, Mode, Profile, Thresholds
from hub.domain.quality_profiles import PROFILES
from hub.store import audit, devices, notices
from hub.store.database import Database
from hub.store.picture_assignments import (
    Assignment,
    all_assignments,
    get_assignment,
    list_assignments,
    put_assignment,
    remove_assignment,
)
from hub.store.picture_changes import LONGEST, MOST_EXAMPLES, DryRun, IndexChange, count_changes
from hub.store.picture_profiles import (
    add_profile,
    all_profiles,
    change_profile,
    ensure_default_profiles,
    get_profile,
    list_profiles,
    remove_profile,
)
from hub.store.picture_states import KeptCheck, set_corrections
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import DAY, HOUR, NOW, add_cameras, keep, kept

NEW: Thresholds = {Index.BLUR: 33.3, Index.DARK: None, Index.PTZ: 50.0, Index.CAST: 9.0}
STRICT: Thresholds = {Index.BLUR: 30.0, Index.DARK: None, Index.SIGNAL: 100.0}


async def test_profiles_are_kept_by_name_and_not_removed_while_they_apply(
    database: Database, county: County
) -> None:
    new = Profile(name=" strict ", area_id=county.east.id, thresholds=STRICT)
    async with database.transaction() as tx:
        strict = await add_profile(tx, county.east_scope, new)
        assert strict == replace(new, id=strict.id, name="strict")
        mild = await add_profile(tx, SYSTEM, replace(new, name="mild", thresholds={}))
        with pytest.raises(Conflict, match="has a profile “strict” already"):
            await add_profile(tx, SYSTEM, new)
        with pytest.raises(Conflict, match="has a profile “mild” already"):
            await change_profile(tx, SYSTEM, replace(strict, name="mild"))
        elsewhere = await add_profile(tx, SYSTEM, replace(new, area_id=county.west.id))
        for refused, field in (
            (replace(new, name=" "), "name"),
            (replace(new, name="x" * 65), "name"),
            (replace(new, name="a\nb"), "name"),
            (replace(new, thresholds={Index.BLUR: 0.0}), "thresholds"),
            (replace(new, thresholds={Index.BLUR: 100.5}), "thresholds"),
            (replace(new, thresholds={Index.BLUR: float("nan")}), "thresholds"),
        ):
            with pytest.raises(Invalid) as error:
                await add_profile(tx, SYSTEM, refused)
            assert error.value.field == field
        renamed = await change_profile(
            tx, SYSTEM, replace(strict, name="stricter", area_id=county.west.id)
        )
        assert renamed == replace(strict, name="stricter"), "a profile stays in its area"

        row = await put_assignment(
            tx, SYSTEM, Assignment(area_id=county.east.id, day_id=strict.id, night_id=mild.id)
        )
        for profile in (strict, mild):
            with pytest.raises(Conflict, match="is assigned in one place: assign another"):
                await remove_profile(tx, SYSTEM, profile.id)
        for missing in (
            remove_profile(tx, county.east_scope, elsewhere.id),
            get_profile(tx, county.east_scope, elsewhere.id),
        ):
            with pytest.raises(NotFound):
                await missing
        await remove_assignment(tx, SYSTEM, row.id)
        await remove_profile(tx, SYSTEM, mild.id)
        assert [one.id for one in await all_profiles(tx, county.east_scope)] == [strict.id]
        actions = [line.action for line in (await audit.list_entries(tx, SYSTEM)).items]
    assert [action.removeprefix("picture_profile.") for action in reversed(actions)] == [
        *("added", "added", "added", "changed", "assigned", "withdrawn", "removed")
    ]


async def test_a_profile_applies_in_its_area_and_below(database: Database, county: County) -> None:
    east, west = county.east_scope, Scope(paths=(county.west.path,), actor="wang")
    async with database.transaction() as tx:
        top = await add_profile(tx, SYSTEM, Profile(name="top", area_id=county.county.id))
    camera = county.east_camera
    async with database.transaction() as tx:
        own = await add_profile(tx, east, Profile(name="own", area_id=county.east.id))
        foreign = await add_profile(tx, west, Profile(name="own", area_id=county.west.id))

        # What applies to him from above he may use, and not change.
        assert [one.id for one in await all_profiles(tx, east)] == [top.id, own.id]
        usable = await list_profiles(tx, SYSTEM, usable_in=county.county.id)
        assert [one.id for one in usable.items] == [top.id]
        first = await list_profiles(tx, SYSTEM, limit=2)
        rest = await list_profiles(tx, SYSTEM, limit=2, cursor=first.next)
        assert [one.id for one in (*first.items, *rest.items)] == [top.id, own.id, foreign.id]
        assert (await list_profiles(tx, Scope(paths=(), actor="nobody"))).items == []
        for refused in (change_profile(tx, east, top), remove_profile(tx, east, top.id)):
            with pytest.raises(NotFound):
                await refused
        wanted = Assignment(device_id=camera.id, day_id=top.id, night_id=own.id)
        row = await put_assignment(tx, east, wanted)
        assert (row.area_id, row.area_path) == (county.east.id, county.east.path)
        again = await put_assignment(tx, east, replace(wanted, night_id=top.id))
        assert (again.id, again.night_id) == (row.id, top.id)
        gate = await put_assignment(
            tx,
            SYSTEM,
            Assignment(area_id=county.west.id, device_class="gate", day_id=top.id, night_id=top.id),
        )

        # One of another part of the tree is not there for him, and of no use to anybody.
        with pytest.raises(NotFound):
            await put_assignment(tx, east, replace(wanted, day_id=foreign.id))
        for refused_row, field in (
            (replace(wanted, day_id=foreign.id), "day_id"),
            (Assignment(area_id=county.county.id, day_id=top.id, night_id=own.id), "night_id"),
            (replace(wanted, device_class="gate"), "device_class"),
            (replace(gate, device_class="x" * 65), "device_class"),
        ):
            with pytest.raises(Invalid) as error:
                await put_assignment(tx, SYSTEM, refused_row)
            assert error.value.field == field
        for missing in (
            put_assignment(tx, east, replace(gate, area_id=county.west.id)),
            put_assignment(tx, west, wanted),
            get_assignment(tx, east, gate.id),
            remove_assignment(tx, east, gate.id),
        ):
            with pytest.raises(NotFound):
                await missing
        assert await all_assignments(tx, east) == [again]
        assert await all_assignments(tx, SYSTEM) == [again, gate]
        listed = await list_assignments(tx, SYSTEM, area_id=county.west.id)
        assert listed.items == [gate]

        # A device takes its row along; set anew there, it is one row still.
        await devices.edit_device(tx, SYSTEM, camera.id, name="moved", area_id=county.west.id)
        assert await all_assignments(tx, east) == []
        moved = await put_assignment(tx, SYSTEM, replace(wanted, day_id=top.id, night_id=top.id))
        assert await all_assignments(tx, west) == [gate, moved]


async def test_every_installation_starts_with_profiles_once(
    database: Database, county: County
) -> None:
    root = county.county.id
    heard = database.listen(notices.CHANNEL)
    await anext(heard)
    async with database.transaction() as tx:
        with pytest.raises(NotFound):
            await ensure_default_profiles(tx, county.east_scope, root)
        assert await ensure_default_profiles(tx, SYSTEM, root) is True
        found = {one.name: one for one in await all_profiles(tx, SYSTEM)}
        assert {name: dict(one.thresholds) for name, one in found.items()} == {
            name: dict(thresholds) for name, thresholds in PROFILES.items()
        }
        (row,) = await all_assignments(tx, SYSTEM)
        assert (row.area_id, row.day_id, row.night_id) == (
            root,
            found["day"].id,
            found["night"].id,
        )
    notice = notices.Notice(
        topic="picture-profiles", ids=tuple(sorted(one.id for one in found.values()))
    )
    assert notices.parse_notice(await anext(heard)) == notice
    await heard.aclose()  # type: ignore[attr-defined]  # a generator
    async with database.transaction() as tx:
        await remove_profile(tx, SYSTEM, found["gate"].id)
        assert await ensure_default_profiles(tx, SYSTEM, root) is False
        assert "gate" not in {one.name for one in await all_profiles(tx, SYSTEM)}


def scatter(cameras: list[int]) -> list[KeptCheck]:
    """Six hourly checks each, with scores at a threshold and beside it; some are not judged."""
    rng = random.Random(3)
    choice = (0.1, 29.9, 30.0, 33.3, 49.9, 50.0, 71.7)
    return [
        kept(
            device,
            NOW + hour * HOUR,
            {
                index: rng.choice(choice)
                for index in (Index.BLUR, Index.DARK, Index.SIGNAL, Index.PTZ)
                if rng.random() < 0.8
            },
            is_night=hour >= 3,
            mode=Mode.INFRARED if hour in (2, 4) else Mode.COLOUR,
        )
        for device in cameras
        for hour in range(6)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The same, counted one by one."""

    checks: list[KeptCheck]
    corrections: Mapping[int, Mapping[Index, float]]

    def count(self, first: int, last: int, places: list[int]) -> dict[Index, Counter[str]]:
        found: dict[Index, Counter[str]] = defaultdict(Counter)
        for one in self.checks:
            device, hour = one.state.device_id, round((one.at - NOW) / HOUR)
            if not (first <= hour < last and device in places):
                continue
            for finding in one.state.findings:
                base, before = NEW.get(finding.index), finding.is_fault
                points = self.corrections.get(device, {}).get(finding.index, 0.0)
                after = base is not None and finding.score >= base + points
                found[finding.index].update(
                    {
                        "checks": 1,
                        "before": before,
                        "after": after,
                        "became": after and not before,
                        "ceased": before and not after,
                        f"camera {device}": after is not before,
                    }
                )
        return found

    def compare(self, found: list[IndexChange], first: int, last: int, places: list[int]) -> None:
        assert [one.index for one in found] == [Index.DARK, Index.BLUR, Index.CAST, Index.PTZ]
        counts = self.count(first, last, places)
        for one in found:
            truth = counts[one.index]
            changed = [n for n in places if truth[f"camera {n}"]]
            numbers = (one.checks, one.faults_before, one.faults_after, one.became, one.ceased)
            names = ("checks", "before", "after", "became", "ceased")
            assert numbers == tuple(truth[name] for name in names)
            assert one.cameras == len(changed)
            most = sorted(changed, key=lambda n: (-truth[f"camera {n}"], n))
            assert list(one.examples) == most[:MOST_EXAMPLES]


async def test_a_dry_run_counts_exactly_what_would_have_changed(
    database: Database, county: County
) -> None:
    cameras = await add_cameras(database, county.east_link.id, county.east.id, 40)
    cameras.append(county.west_camera.id)
    truth = Truth(
        checks=scatter(cameras),
        corrections={
            cameras[1]: {Index.BLUR: 20.0},
            cameras[2]: {Index.BLUR: -3.4, Index.DARK: 5.0},
            county.west_camera.id: {Index.BLUR: 40.0},
        },
    )
    for hour in range(6):
        await keep(database, *truth.checks[hour::6])
    whole = DryRun(thresholds=NEW, since=NOW, until=NOW + DAY)
    async with database.transaction() as tx:
        for device, points in truth.corrections.items():
            await set_corrections(tx, SYSTEM, device, points)
        truth.compare(await count_changes(tx, SYSTEM, whole), 0, 6, cameras)
        truth.compare(await count_changes(tx, county.east_scope, whole), 0, 6, cameras[:-1])
        west = replace(whole, area_id=county.west.id)
        truth.compare(await count_changes(tx, SYSTEM, west), 0, 6, cameras[-1:])
        assert all(one.checks == 0 for one in await count_changes(tx, county.east_scope, west))
        truth.compare(await count_changes(tx, SYSTEM, replace(whole, is_night=True)), 2, 6, cameras)
        short = replace(whole, is_night=False, since=NOW + HOUR, device_id=cameras[2])
        truth.compare(await count_changes(tx, SYSTEM, short), 1, 2, [cameras[2]])
        gates = replace(whole, device_class="gate")
        assert all(one.checks == 0 for one in await count_changes(tx, SYSTEM, gates))
        same = replace(whole, thresholds={Index.BLUR: 50.0}, correct=lambda given, _: given)
        (blur,) = await count_changes(tx, SYSTEM, same)
        assert blur.faults_before == blur.faults_after > 0
        assert (blur.became, blur.ceased, blur.examples) == (0, 0, ())
        with pytest.raises(Invalid, match="no more than 7 days"):
            await count_changes(tx, SYSTEM, replace(whole, since=whole.until - LONGEST - HOUR))
