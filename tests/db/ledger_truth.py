"""Random ledgers, and what figures must come out of them, found step by step and slowly.

Time passes in steps of ten minutes, and everything begins and ends at one. For each device and
step it is asked whether it is managed, in maintenance, unknown or down: no interval arithmetic.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hub.domain.access import Scope, system_scope
from hub.store.database import Database, Transaction

HUB = system_scope("tests")
STEP_S = 600
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
STEPS = 1000  # a week
PROBED = ("camera", "nvr", "switch", "onu", "uplink")
PATHS = ("c", "c.t", "c.t.v", "c.t.w", "c.u")


def at(step: int) -> datetime:
    """When a step begins."""
    return BEGIN + timedelta(seconds=step * STEP_S)


@dataclass(slots=True, kw_only=True)
class Span:
    """Steps from ``start`` up to ``end``; ``end`` None lasts."""

    start: int
    end: int | None

    def holds(self, step: int) -> bool:
        return self.start <= step and (self.end is None or step < self.end)


@dataclass(slots=True, kw_only=True)
class Outage(Span):
    """``doubtful``: open, and nobody looked from then on."""

    doubtful: int | None = None

    def lasts(self, step: int) -> bool:
        return self.holds(step) and (self.doubtful is None or step < self.doubtful)


@dataclass(slots=True, kw_only=True)
class Device:
    """One device and everything that happened to it."""

    id: int = 0
    kind: str
    path: str
    vendor: str
    created: int
    outages: list[Outage] = field(default_factory=list)
    unknown: list[Span] = field(default_factory=list)
    windows: list[Span] = field(default_factory=list)
    status: str = "online"
    since: int = 0


@dataclass(slots=True, kw_only=True)
class Absence(Span):
    """Nobody watched what belongs to a shard."""

    watch: str
    shard: int
    shards: int

    def concerns(self, device: Device) -> bool:
        watch = "probes" if device.kind in PROBED else "adapters"
        return self.watch == watch and device.id % self.shards == self.shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What figures must say of some devices, in seconds and numbers."""

    managed_s: int
    maintenance_s: int
    unknown_s: int
    down_s: int
    outages: int
    begun: int
    ended: int
    repair_s: int
    longest_s: int


@dataclass(slots=True, kw_only=True)
class Ledger:
    """A small county with a random past."""

    devices: list[Device] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    area_windows: list[tuple[str, Span]] = field(default_factory=list)
    areas: dict[str, int] = field(default_factory=dict)

    @classmethod
    def roll(cls, rng: Random, devices: int = 14) -> "Ledger":
        """Make one up."""
        ledger = cls(devices=[_device(rng) for _ in range(devices)])
        for _ in range(rng.choice((0, 3, 8))):
            shards = rng.choice((1, 2, 3))
            span = _span(rng, 60)
            ledger.absences.append(
                Absence(
                    watch=rng.choice(("probes", "probes", "adapters")),
                    shard=rng.randrange(shards),
                    shards=shards,
                    start=span.start,
                    end=span.end,
                )
            )
        for _ in range(rng.choice((0, 2, 4))):
            ledger.area_windows.append((rng.choice(PATHS), _span(rng, 80)))
        return ledger

    def maintained(self, device: Device, step: int) -> bool:
        """Tell whether a window is in force for a device."""
        return any(window.holds(step) for window in device.windows) or any(
            window.holds(step)
            for path, window in self.area_windows
            if device.path == path or device.path.startswith(path + ".")
        )

    def unknown(self, device: Device, step: int) -> bool:
        """Tell whether nobody can know of a device, maintenance aside."""
        return (
            any(spell.holds(step) for spell in device.unknown)
            or any(a.holds(step) and a.concerns(device) for a in self.absences)
            or any(o.doubtful is not None and step >= o.doubtful for o in device.outages)
        )

    def blind(self, device: Device, step: int) -> bool:
        """Tell whether a step is no figure's business."""
        return self.maintained(device, step) or self.unknown(device, step)

    def tell(self, devices: list[Device], since: int, until: int) -> Truth:
        """Go through every step of every device."""
        managed = maintenance = unknown = down = 0
        outages = begun = ended = repair = longest = 0
        for device in devices:
            for step in range(max(since, device.created), until):
                managed += 1
                if self.maintained(device, step):
                    maintenance += 1
                elif self.unknown(device, step):
                    unknown += 1
                elif any(outage.lasts(step) for outage in device.outages):
                    down += 1
            for outage in device.outages:
                steps = [step for step in range(until) if outage.lasts(step)]
                seen = [step for step in steps if not self.blind(device, step)]
                if steps and steps[-1] >= since:
                    outages += 1
                    begun += outage.start >= since
                    longest = max(longest, sum(1 for step in seen if step >= since))
                    if outage.end is not None and outage.end <= until:
                        ended += 1
                        repair += len(seen)
        return Truth(
            managed_s=managed * STEP_S,
            maintenance_s=maintenance * STEP_S,
            unknown_s=unknown * STEP_S,
            down_s=down * STEP_S,
            outages=outages,
            begun=begun,
            ended=ended,
            repair_s=repair * STEP_S,
            longest_s=longest * STEP_S,
        )


def village(path: str) -> Scope:
    """What somebody granted one place may see."""
    return Scope(paths=(path,), actor="somebody")


def camera(vendor: str = "甲", path: str = "c.t.v", **more: object) -> Device:
    """A camera that is online since the beginning."""
    made = Device(kind="camera", path=path, vendor=vendor, created=0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def store(database: Database, ledger: Ledger) -> None:
    """Write a ledger as the hub would have; numbers go into the devices."""
    async with database.transaction() as tx:
        for path in PATHS:
            parent = ledger.areas.get(path.rpartition(".")[0])
            number = await tx.scalar(
                int,
                "INSERT INTO areas (parent_id, code, name, path)"
                " VALUES (%(parent)s, %(code)s, %(code)s, %(path)s::text::ltree) RETURNING id",
                {"parent": parent, "code": path[-1], "path": path},
            )
            ledger.areas[path] = number or 0
        await tx.execute(
            "INSERT INTO connections (protocol, name, address, area_id)"
            " VALUES ('onvif', 'x', 'x', %(area)s)",
            {"area": ledger.areas["c"]},
        )
        for device in ledger.devices:
            await _store_device(tx, ledger, device)
        for absence in ledger.absences:
            await tx.execute(
                "INSERT INTO absences (watch, shard, shards, started_at, ended_at)"
                " VALUES (%(watch)s, %(shard)s, %(shards)s, %(start)s, %(end)s)",
                {
                    "watch": absence.watch,
                    "shard": absence.shard,
                    "shards": absence.shards,
                    **_times(absence),
                },
            )
        for path, window in ledger.area_windows:
            await _store_window(tx, ledger.areas[path], None, window)


async def change(database: Database, statement: str, **values: object) -> None:
    """Change a row as nobody would in earnest."""
    async with database.transaction() as tx:
        await tx.connection.execute(statement.encode(), values)


async def _store_device(tx: Transaction, ledger: Ledger, device: Device) -> None:
    number = await tx.scalar(
        int,
        "INSERT INTO devices (connection_id, key, area_id, kind, name, registration, created_at,"
        " manufacturer) SELECT min(id), gen_random_uuid(), %(area)s, %(kind)s, 'd', 'approved',"
        " %(created)s, %(vendor)s FROM connections RETURNING id",
        {
            "area": ledger.areas[device.path],
            "kind": device.kind,
            "created": at(device.created),
            "vendor": device.vendor,
        },
    )
    device.id = number or 0
    await tx.execute(
        "INSERT INTO device_status (device_id, status, since)"
        " VALUES (%(id)s, %(status)s, %(since)s)",
        {"id": device.id, "status": device.status, "since": at(device.since)},
    )
    for outage in device.outages:
        doubtful = None if outage.doubtful is None else at(outage.doubtful)
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, ended_at, doubtful_from)"
            " VALUES (%(id)s, %(start)s, %(end)s, %(doubtful)s)",
            {"id": device.id, "doubtful": doubtful, **_times(outage)},
        )
    for spell in device.unknown:
        if spell.end is not None:
            await tx.execute(
                "INSERT INTO unknown_spells (device_id, started_at, ended_at)"
                " VALUES (%(id)s, %(start)s, %(end)s)",
                {"id": device.id, **_times(spell)},
            )
    for window in device.windows:
        await _store_window(tx, ledger.areas[device.path], device.id, window)


async def _store_window(tx: Transaction, area_id: int, device_id: int | None, window: Span) -> None:
    await tx.execute(
        "INSERT INTO maintenance_windows (area_id, device_id, starts_at, ends_at, reason, author)"
        " VALUES (%(area)s, %(device)s, %(start)s, %(end)s, 'works', 'tests')",
        {"area": area_id, "device": device_id, **_times(window)},
    )


def _times(span: Span) -> dict[str, object]:
    return {"start": at(span.start), "end": None if span.end is None else at(span.end)}


def _span(rng: Random, longest: int) -> Span:
    start = rng.randrange(STEPS)
    return Span(start=start, end=start + rng.randrange(longest))


def _device(rng: Random) -> Device:
    """One state after another, from registration to the end of the steps."""
    device = Device(
        kind=rng.choice(("camera", "camera", "nvr", "sensor")),
        path=rng.choice(PATHS),
        vendor=rng.choice(("甲", "乙", "")),
        created=rng.choice((0, 0, 0, rng.randrange(STEPS))),
    )
    step = device.created
    while step < STEPS:
        status = rng.choice(("online", "online", "offline", "offline", "unknown", "degraded"))
        until = step + rng.choice(
            (rng.randrange(1, 12), rng.randrange(1, 12), rng.randrange(1, 400))
        )
        end = until if until < STEPS else None
        if status == "offline":
            is_doubtful = end is None and rng.random() < 0.5
            doubtful = rng.randrange(step, STEPS) if is_doubtful else None
            device.outages.append(Outage(start=step, end=end, doubtful=doubtful))
        elif status == "unknown":
            device.unknown.append(Span(start=step, end=end))
        if end is None:
            device.status, device.since = status, step
        step = until
        # An outage begins where another ended only after something in between.
        if status == "offline" and end is not None:
            step += 1
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        device.windows.append(_span(rng, 200))
    return device
