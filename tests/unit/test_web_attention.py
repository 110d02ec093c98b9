"""Which facts are worth somebody's attention, how grave they are, and where they are mended."""

from datetime import UTC, datetime, timedelta

from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.store.attention import LonelyRule, Noticed, TellingPlace
from hub.store.processes import ProcessLine
from hub.store.server import ServerInfo
from hub.store.system_health import DatabaseFigures, ReaderLag, TaskQueue
from hub.web.attention import (
    Attention,
    Gravity,
    HubFacts,
    find_unheard_rules,
    judge_hub,
    place_notices,
    sort_findings,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
GIB = 1024**3


def process(*roles: str, silent_s: float = 2, version: str = "1", free: int = 50) -> ProcessLine:
    return ProcessLine(
        host="hub-1",
        pid=len(roles),
        roles=roles,
        version=version,
        started_at=NOW,
        seen_at=NOW - timedelta(seconds=silent_s),
        silent_s=silent_s,
        facts={
            "disk": {"folder": "/var", "free_bytes": free * GIB, "total_bytes": 100 * GIB},
            "broker": {"flavour": "mosquitto 2.0.21"},
            "parts": {"database": True},
        },
    )


ALL = process("web", "ingest", "alerts", "work")


def hub(
    *processes: ProcessLine,
    queues: tuple[TaskQueue, ...] = (),
    lags: tuple[ReaderLag, ...] = (),
    devices: int = 10,
    connections: int = 5,
) -> list[Attention]:
    facts = HubFacts(
        processes=processes,
        server=ServerInfo(edition="plain", postgresql="18.0", timescaledb=""),
        database=DatabaseFigures(
            bytes=1,
            connections=connections,
            most_connections=100,
            oldest_transaction_s=0,
            started_at=NOW,
        ),
        queues=queues,
        lags=lags,
        devices=devices,
    )
    return list(judge_hub(facts, NOW))


def codes(found: list[Attention]) -> list[str]:
    return [one.code for one in found]


def test_a_hub_that_is_well_needs_nobody() -> None:
    assert hub(ALL) == []


def test_a_role_that_nobody_plays_is_grave_and_a_silent_process_is_named() -> None:
    found = hub(process("web", "ingest"), process("alerts", "work", "x", silent_s=31))
    assert codes(found) == ["processes.role_missing", "processes.role_missing", "processes.silent"]
    assert [one.names for one in found] == [["alerts"], ["work"], ["hub-1 (3)"]]
    assert found[0].severity is Gravity.CRITICAL
    assert hub(process("web", "ingest", "alerts", "work", silent_s=30)) == []


def test_nothing_is_said_of_processes_that_were_never_heard_of() -> None:
    assert hub() == []


def test_processes_of_two_versions_are_told() -> None:
    (found,) = hub(ALL, process("web", version="2"))
    assert (found.code, found.names) == ("processes.versions", ["1", "2"])


def test_a_disk_is_told_once_and_by_what_is_left() -> None:
    low = process("web", "ingest", "alerts", "work", free=9)
    assert codes(hub(low, low)) == ["disk.low"]
    assert hub(low)[0].severity is Gravity.WARNING
    assert hub(process("web", "ingest", "alerts", "work", free=1))[0].severity is Gravity.CRITICAL
    assert hub(process("web", "ingest", "alerts", "work", free=10)) == []


def test_plain_tables_are_no_trouble_for_a_village() -> None:
    assert hub(ALL, devices=2000) == []
    assert codes(hub(ALL, devices=2001)) == ["database.plain"]


def test_due_work_and_the_engine_are_told_when_they_are_late() -> None:
    late = TaskQueue(name="deliver", due=4, later=0, running=1, oldest_s=121, failed=2)
    behind = ReaderLag(name="alerts", events=900, oldest_at=NOW - timedelta(seconds=61))
    found = hub(ALL, queues=(late,), lags=(behind,), connections=81)
    assert codes(found) == ["database.connections", "jobs.failed", "jobs.late", "engine.behind"]
    assert found[3].data == {"seconds": 61}
    fine = TaskQueue(name="deliver", due=4, later=0, running=1, oldest_s=120, failed=0)
    read = ReaderLag(name="alerts", events=0, oldest_at=None)
    assert hub(ALL, queues=(fine,), lags=(read,), connections=80) == []


def test_a_rule_is_unheard_when_no_route_can_be_about_its_alerts() -> None:
    gate = LonelyRule(id=7, name="Gate", area_path="c.t", severity=Severity.WARNING)

    def unheard(path: str, matcher: Matcher) -> bool:
        return bool(
            list(find_unheard_rules([gate], [TellingPlace(area_path=path, matcher=matcher)]))
        )

    assert not unheard("c", Matcher())  # above it
    assert not unheard("c.t.v", Matcher())  # below it: some of its alerts
    assert unheard("c.t2", Matcher())  # beside it
    assert unheard("c", Matcher(severities=(Severity.CRITICAL,)))
    assert unheard("c", Matcher(rule_ids=(8,)))
    assert not unheard("c", Matcher(rule_ids=(7,), classes=("road",)))
    (found,) = find_unheard_rules([gate], [])
    assert found.link == "/admin/rules/7"


def test_what_there_is_none_of_is_left_out_and_the_gravest_comes_first() -> None:
    found = place_notices(
        [
            Noticed(code="devices.no_class", count=3),
            Noticed(code="shifts.empty", count=0),
            Noticed(code="devices.same_address", count=2, names=["rtsp://10.0.0.5/"]),
            Noticed(code="receivers.failing", count=1, names=["mail"]),
        ]
    )
    listed = sort_findings(found)
    assert codes(listed) == ["receivers.failing", "devices.same_address", "devices.no_class"]
    assert listed[1].link == "/devices?q=rtsp://10.0.0.5/"
