"""What of the settings needs somebody's attention: how grave it is, and where it is mended. Pure.

A finding is a code with a number and some names; consoles say it in their language. Only what is
truly known is found: that nothing is said of back-ups does not mean that there is one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.devices import Json
from hub.store.attention import LonelyRule, Noticed, TellingPlace
from hub.store.processes import ProcessLine
from hub.store.server import ServerInfo
from hub.store.system_health import DatabaseFigures, ReaderLag, TaskQueue

# Marks come every five seconds; after this time a process is gone or stuck.
SILENT_AFTER_S: Final = 30.0
ROLES: Final = ("web", "ingest", "alerts", "work")
LOW_DISK_SHARE: Final = 0.10
LOW_DISK_BYTES: Final = 2 * 1024**3
MOST_CONNECTED: Final = 0.8
LONG_TRANSACTION_S: Final = 600.0
LATE_JOB_S: Final = 120.0
LAG: Final = timedelta(seconds=60)
# Plain tables lose old history row by row.
MOST_ON_PLAIN: Final = 2_000
MOST_NAMES: Final = 5


class Gravity(StrEnum):
    """How much a finding matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One finding; ``link`` is the console's page where it is mended."""

    code: str
    severity: Gravity
    link: str
    count: int = 1
    names: Sequence[str] = ()
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFacts:
    """The hub as a whole, as those who hold a root area may know it."""

    processes: Sequence[ProcessLine]
    server: ServerInfo
    database: DatabaseFigures
    queues: Sequence[TaskQueue]
    lags: Sequence[ReaderLag]
    devices: int


_PLACES: Final[Mapping[str, tuple[Gravity, str]]] = {
    "areas.no_operator": (Gravity.WARNING, "/admin/people"),
    "connections.down": (Gravity.WARNING, "/admin/connections"),
    "devices.certificate_ends": (Gravity.WARNING, "/devices"),
    "devices.clock_wrong": (Gravity.WARNING, "/devices?layer=clock"),
    "devices.no_class": (Gravity.INFO, "/devices?class="),
    "devices.no_position": (Gravity.INFO, "/devices?placed=false"),
    "devices.pending": (Gravity.WARNING, "/devices/add/waiting"),
    "devices.recording_missing": (Gravity.WARNING, "/devices?layer=recording"),
    "devices.same_address": (Gravity.WARNING, "/devices"),
    "parents.suggested": (Gravity.INFO, "/admin/parents"),
    "people.first_password": (Gravity.WARNING, "/account"),
    "people.idle": (Gravity.INFO, "/admin/people"),
    "people.no_grant": (Gravity.INFO, "/admin/people"),
    "people.single_admin": (Gravity.INFO, "/admin/people"),
    "plans.over": (Gravity.INFO, "/patrol"),
    "plans.too_long": (Gravity.WARNING, "/patrol"),
    "plans.unattended": (Gravity.WARNING, "/patrol"),
    "receivers.failing": (Gravity.CRITICAL, "/admin/receivers"),
    "rooms.unreachable": (Gravity.WARNING, "/admin/duty-rooms"),
    "shifts.empty": (Gravity.WARNING, "/admin/shifts"),
    "silences.long": (Gravity.WARNING, "/admin/silences"),
    "tokens.unused": (Gravity.WARNING, "/admin/people"),
}
_ORDER: Final = {Gravity.CRITICAL: 0, Gravity.WARNING: 1, Gravity.INFO: 2}


def sort_findings(found: Iterable[Attention]) -> list[Attention]:
    """The gravest first."""
    return sorted(found, key=lambda one: (_ORDER[one.severity], one.code))


def place_notices(notices: Iterable[Noticed]) -> Iterator[Attention]:
    """What was counted, with its gravity and its page; what there is none of is left out."""
    for one in notices:
        if one.count:
            severity, link = _PLACES[one.code]
            first = one.names[0] if one.names else ""
            if one.code == "devices.same_address" and first:
                link = f"/devices?q={first}"
            yield Attention(
                code=one.code, severity=severity, link=link, count=one.count, names=one.names
            )


def find_unheard_rules(
    rules: Sequence[LonelyRule], tellings: Sequence[TellingPlace]
) -> Iterator[Attention]:
    """Rules whose alerts no route and no policy can be about: they appear on consoles only."""
    unheard = [one for one in rules if not any(_may_tell(place, one) for place in tellings)]
    if unheard:
        yield Attention(
            code="rules.unheard",
            severity=Gravity.CRITICAL if len(unheard) == len(rules) > 1 else Gravity.WARNING,
            link=f"/admin/rules/{unheard[0].id}" if len(unheard) == 1 else "/admin/rules",
            count=len(unheard),
            names=[one.name for one in unheard[:MOST_NAMES]],
        )


def _may_tell(place: TellingPlace, rule: LonelyRule) -> bool:
    """Alerts of the rule may lie in the place, and may be what it is about."""
    above, below = place.area_path + ".", rule.area_path + "."
    is_near = below.startswith(above) or above.startswith(below)
    matcher = place.matcher
    return (
        is_near
        and (not matcher.severities or rule.severity in matcher.severities)
        and (not matcher.rule_ids or rule.id in matcher.rule_ids)
    )


def judge_hub(facts: HubFacts, now: datetime) -> Iterator[Attention]:
    """What is doubtful about the processes, their disks and servers."""
    yield from _judge_processes(facts.processes)
    yield from _judge_disks(facts.processes)
    yield from _judge_servers(facts)
    yield from _judge_work(facts, now)


def is_alive(process: ProcessLine) -> bool:
    """Tell whether a process was heard of lately."""
    return process.silent_s <= SILENT_AFTER_S


def _judge_processes(processes: Sequence[ProcessLine]) -> Iterator[Attention]:
    alive = [one for one in processes if is_alive(one)]
    gone = [one for one in processes if not is_alive(one)]
    if not processes:
        return
    for role in ROLES:
        if not any(role in one.roles for one in alive):
            yield _hub("processes.role_missing", Gravity.CRITICAL, names=[role])
    if gone:
        names = [f"{one.host} ({one.pid})" for one in gone]
        yield _hub("processes.silent", Gravity.WARNING, count=len(gone), names=names[:MOST_NAMES])
    versions = sorted({one.version for one in alive})
    if len(versions) > 1:
        yield _hub("processes.versions", Gravity.WARNING, count=len(versions), names=versions)
    troubled = {
        part for one in alive for part, state in facts_of(one, "parts").items() if state is not True
    }
    if troubled:
        yield _hub(
            "processes.part_failing",
            Gravity.CRITICAL,
            count=len(troubled),
            names=sorted(troubled),
        )


def _judge_disks(processes: Sequence[ProcessLine]) -> Iterator[Attention]:
    seen: set[tuple[str, object]] = set()
    for one in processes:
        disk = facts_of(one, "disk")
        free, total = disk.get("free_bytes"), disk.get("total_bytes")
        place = (one.host, disk.get("folder"))
        if not isinstance(free, int) or not isinstance(total, int) or place in seen:
            continue
        seen.add(place)
        is_scarce = free < LOW_DISK_BYTES
        if is_scarce or free < LOW_DISK_SHARE * total:
            yield _hub(
                "disk.low",
                Gravity.CRITICAL if is_scarce else Gravity.WARNING,
                names=[one.host],
                data={"free_bytes": free, "total_bytes": total},
            )


def _judge_servers(facts: HubFacts) -> Iterator[Attention]:
    brokers = {str(facts_of(one, "broker").get("flavour", "")) for one in facts.processes}
    if any(flavour.startswith("amqtt") for flavour in brokers):
        yield _hub("broker.for_trying", Gravity.WARNING)
    if facts.server.edition == "plain" and facts.devices > MOST_ON_PLAIN:
        yield _hub("database.plain", Gravity.WARNING, count=facts.devices)
    used, most = facts.database.connections, facts.database.most_connections
    if used > MOST_CONNECTED * most:
        yield _hub(
            "database.connections", Gravity.WARNING, count=used, data={"most_connections": most}
        )
    oldest_s = facts.database.oldest_transaction_s
    if oldest_s > LONG_TRANSACTION_S:
        yield _hub("database.long_transaction", Gravity.WARNING, data={"seconds": round(oldest_s)})


def _judge_work(facts: HubFacts, now: datetime) -> Iterator[Attention]:
    failed = [one for one in facts.queues if one.failed]
    if failed:
        yield _hub(
            "jobs.failed",
            Gravity.WARNING,
            count=sum(one.failed for one in failed),
            names=[one.name for one in failed[:MOST_NAMES]],
        )
    late = [one for one in facts.queues if one.due and one.oldest_s > LATE_JOB_S]
    if late:
        worst = max(late, key=lambda one: one.oldest_s)
        yield _hub(
            "jobs.late",
            Gravity.CRITICAL,
            count=sum(one.due for one in late),
            names=[one.name for one in late[:MOST_NAMES]],
            data={"seconds": round(worst.oldest_s)},
        )
    for lag in facts.lags:
        if lag.oldest_at is not None and now - lag.oldest_at > LAG:
            yield _hub(
                "engine.behind",
                Gravity.CRITICAL,
                count=lag.events,
                names=[lag.name],
                data={"seconds": round((now - lag.oldest_at).total_seconds())},
            )


def _hub(
    code: str,
    severity: Gravity,
    *,
    count: int = 1,
    names: Sequence[str] = (),
    data: Mapping[str, Json] | None = None,
) -> Attention:
    return Attention(
        code=code,
        severity=severity,
        link="/admin/system",
        count=count,
        names=names,
        data=data or {},
    )


def facts_of(process: ProcessLine, name: str) -> Mapping[str, Json]:
    """One object of what a process says of itself."""
    value = process.facts.get(name)
    return value if isinstance(value, Mapping) else {}
