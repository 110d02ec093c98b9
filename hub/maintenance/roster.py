"""Who is probed, in memory: a shard of devices after the other, kept like the database has them.

It reads what was told to be different, and now and then everything; it never writes.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.maintenance.intervals import Intervals, IntervalTable
from hub.maintenance.watched import Watched, subnet_of
from hub.store.database import Database
from hub.store.notices import Notice
from hub.store.outages import doubtful_devices
from hub.store.probe_intervals import all_intervals
from hub.store.probing import ProbedDevice, list_probed

SCOPE = system_scope("hub.maintenance")
# What was missed is read again at the latest after this; what is told of, at the next turn.
RELOAD_S = 600.0
# Devices that are taken over before others get a turn.
DEVICES_AT_ONCE = 250
# Devices of which this many changed one by one are read as a whole.
MOST_SINGLE_RELOADS = 500


@dataclass(slots=True, kw_only=True)
class ShardMembers:
    """The devices of one shard by number, and what of them is to be read again."""

    members: dict[int, Watched] = field(default_factory=dict)
    read_at: datetime | None = None
    stale: set[int] = field(default_factory=set)
    is_stale: bool = False


class Roster:
    """The devices of every shard that this process was given."""

    def __init__(self, database: Database, *, shards: int, defaults: Intervals) -> None:
        self._database = database
        self._defaults = defaults
        self._intervals = IntervalTable(defaults=defaults)
        self._shards = [ShardMembers() for _ in range(shards)]

    def shard(self, number: int) -> ShardMembers:
        """One shard, as far as it was read."""
        return self._shards[number]

    def find(self, device_id: int) -> Watched | None:
        """A device of the shards that were read."""
        return self._shard_of(device_id).members.get(device_id)

    async def family(self, parent_id: int) -> tuple[Watched | None, Sequence[Watched]]:
        """A parent as it is watched, and those of its children that this process watches."""
        parent = self.find(parent_id)
        children = [one for one in self._everyone() if one.parent_id == parent_id and one.address]
        if parent is None:  # of a shard that another process has
            async with self._database.transaction() as tx:
                found = await list_probed(tx, SCOPE, device_ids=[parent_id])
            parent = next(map(self._watch, found), None)
        return parent, children

    async def read(self, number: int, now: datetime) -> list[int]:
        """Bring a shard up to date; return the numbers of the devices that left it.

        Raises:
            StoreUnavailable: it will be read the next time.
        """
        shard = self._shards[number]
        is_old = shard.read_at is None or now - shard.read_at > timedelta(seconds=RELOAD_S)
        if shard.is_stale or is_old or len(shard.stale) > MOST_SINGLE_RELOADS:
            return await self._read_all(number, shard, now)
        return await self._read_some(number, shard) if shard.stale else []

    def hear(self, notice: Notice) -> None:
        """Take note of what was changed."""
        if notice.topic == "devices":
            for device_id in notice.ids:
                self._shard_of(device_id).stale.add(device_id)
        elif notice.topic in {"connections", "areas", "probe-intervals", "resync"}:
            for shard in self._shards:
                shard.is_stale = True

    async def _read_all(self, number: int, shard: ShardMembers, now: datetime) -> list[int]:
        shard.is_stale, shard.stale = False, set()
        try:
            async with self._database.transaction() as tx:
                found = await list_probed(tx, SCOPE, shard=(number, len(self._shards)))
                doubtful = await doubtful_devices(tx, SCOPE)
                rows = await all_intervals(tx, SCOPE)
        except StoreUnavailable:
            shard.is_stale = True
            raise
        self._intervals = IntervalTable(rows, self._defaults)
        gone = set(shard.members) - {one.target.device_id for one in found}
        for count, one in enumerate(found):
            self._keep(shard, one, is_doubtful=one.target.device_id in doubtful)
            if count % DEVICES_AT_ONCE == 0:
                await asyncio.sleep(0)  # probes under way are not to wait for all of them
        shard.read_at = now
        return self._drop(shard, gone)

    async def _read_some(self, number: int, shard: ShardMembers) -> list[int]:
        ids, shard.stale = shard.stale, set()
        try:
            async with self._database.transaction() as tx:
                part = (number, len(self._shards))
                found = await list_probed(tx, SCOPE, device_ids=sorted(ids), shard=part)
        except StoreUnavailable:
            shard.stale |= ids
            raise
        for one in found:
            self._keep(shard, one, is_doubtful=False)
        return self._drop(shard, ids - {one.target.device_id for one in found})

    def _keep(self, shard: ShardMembers, one: ProbedDevice, *, is_doubtful: bool) -> None:
        fresh = self._watch(one)
        known = shard.members.setdefault(fresh.device_id, fresh)
        known.target, known.intervals = fresh.target, fresh.intervals
        known.parent_id, known.subnet = fresh.parent_id, fresh.subnet
        known.must_confirm = known.must_confirm or is_doubtful

    def _drop(self, shard: ShardMembers, device_ids: set[int]) -> list[int]:
        return [one for one in device_ids if shard.members.pop(one, None) is not None]

    def _watch(self, one: ProbedDevice) -> Watched:
        target = one.target
        intervals = self._intervals.of(target.device_id, one.area_path, one.device_class)
        watched = Watched(target=target, intervals=intervals, parent_id=one.parent_id)
        known = self.find(target.device_id)
        is_same = known is not None and known.address == watched.address
        watched.subnet = known.subnet if known and is_same else subnet_of(watched.address)
        return watched

    def _everyone(self) -> Iterator[Watched]:
        for shard in self._shards:
            yield from shard.members.values()

    def _shard_of(self, device_id: int) -> ShardMembers:
        return self._shards[device_id % len(self._shards)]
