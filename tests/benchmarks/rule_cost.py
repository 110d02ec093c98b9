"""What one event and one reading cost among 10, 100 and 1,000 rules, in memory.

The pure path from a stored event to the next state: which rules are asked, what the event means
to each and whom it is about, and the decision. Most rules watch other villages and other kinds;
a few of every condition watch the village the events come from. Beside it, the same when every
rule is asked. Readings go through the inbox that sorts out those worth a second look. Prints
figures and ratios, judges nothing:

    python -m tests.benchmarks.rule_cost [events]
"""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.judging.readings import ReadingInbox
from alerts.rules.deciding import advance
from alerts.rules.index import RuleIndex
from alerts.rules.observations import is_watching, observe, subject_of
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import Calendar
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
    PointBeyond,
)
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.store.events import ReadingRow
from hub.store.present import PointPlace

SIZES = (10, 100, 1000)
VILLAGES, DEVICES, POINTS = 500, 2000, 5000
T0 = datetime(2026, 11, 22, tzinfo=UTC)
NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=28_800, time_zone="Asia/Shanghai")
KINDS = ("motion.started", "door.opened", "heartbeat", "device.offline", "device.online")

# What the villages' own rules watch for, in turn; the first ten are the whole county's.
CONDITIONS: Sequence[Condition] = (
    DeviceOffline(for_s=30, clear_for_s=30),
    DeviceDegraded(for_s=300),
    EventOfKind(kind="signal.lost", clear_kind="signal.restored"),
    EventOfKind(kind="door.opened", auto_clear_s=60),
    EventCount(kind="motion.started", count=20, within_s=60),
    EventCount(kind="motion.started", count=50, within_s=60, per=Per.AREA),
    NothingSeen(kind="heartbeat", for_s=300),
    Combination(
        events=(EventPattern(kind="door.opened"), EventPattern(kind="motion.started")),
        within_s=30,
        per=Per.AREA,
    ),
    PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25),
    PointBeyond(point="battery", direction=Direction.BELOW, threshold=20, clear=25),
)

Finder = Callable[[StoredEvent], Sequence[Rule]]


def village(number: int) -> str:
    """The path of one village's area."""
    return f"county.town{number % 25}.village{number}"


def make_rules(size: int) -> list[Rule]:
    """Ten rules of the county, the rest spread over villages, every third with hours."""
    return [
        Rule(
            id=n + 1,
            name="r",
            area_id=1,
            area_path="county" if n < len(CONDITIONS) else village(n),
            condition=CONDITIONS[n % len(CONDITIONS)],
            hours=NIGHT if n % 3 == 2 else None,
        )
        for n in range(size)
    ]


def make_events(count: int) -> list[StoredEvent]:
    """A stream from all villages, ten events a second."""
    rng = random.Random(7)
    blank = StoredEvent(id=0, kind="", area_id=0, area_path="", at=T0, received_at=T0)
    found = []
    for n in range(1, count + 1):
        device = rng.randrange(DEVICES)
        at = T0 + timedelta(seconds=n / 10)
        place = device % VILLAGES
        found.append(
            replace(
                blank,
                id=n,
                kind=rng.choice(KINDS),
                area_id=place,
                area_path=village(place),
                at=at,
                received_at=at,
                device_id=device,
            )
        )
    return found


def run(find: Finder, events: Sequence[StoredEvent]) -> tuple[float, int]:
    """Show every event to whoever watches; microseconds an event, and how many decisions."""
    states: dict[tuple[int, str], RuleState] = {}
    decisions = 0
    began = time.process_time()
    for event in events:
        for rule in find(event):
            seen = observe(rule, event)
            if seen is None or not is_watching(rule, event.area_path, DeviceKind.CAMERA):
                continue
            blank = subject_of(rule, event)
            key = rule.id, blank.subject
            state = states.get(key, blank)
            for decision, _ in advance(rule, state, seen, event.received_at):
                state = decision.state
                decisions += 1
            if state.phase is Phase.CLEAR:
                states.pop(key, None)
            else:
                states[key] = state
    return (time.process_time() - began) / len(events) * 1e6, decisions


def find_only(index: RuleIndex, events: Sequence[StoredEvent]) -> float:
    """Microseconds an event to find who watches."""
    began = time.process_time()
    for event in events:
        index.watching_event(event)
    return (time.process_time() - began) / len(events) * 1e6


def read(rules: Sequence[Rule], count: int) -> tuple[float, float]:
    """Microseconds to place a point, and for each of its readings after that."""
    rng = random.Random(7)
    inbox = ReadingInbox()
    inbox.reset(rules, [])
    places = [
        PointPlace(
            point_id=n,
            point=("temp", "battery")[n % 2],
            device_id=n,
            device_kind=DeviceKind.SENSOR,
            area_id=n % VILLAGES,
            area_path=village(n % VILLAGES),
        )
        for n in range(POINTS)
    ]

    def rows(number: int) -> Iterator[ReadingRow]:
        at = T0 + timedelta(seconds=number)
        for n in range(POINTS):
            yield ReadingRow(device_id=n, point_id=n, at=at, value=rng.uniform(26, 29))

    inbox.offer(list(rows(0)), T0)
    began = time.process_time()
    inbox.place(places)
    placed = (time.process_time() - began) / POINTS * 1e6
    batches = [list(rows(n)) for n in range(1, max(2, count // POINTS))]
    began = time.process_time()
    for batch in batches:
        inbox.offer(batch, T0)
    return placed, (time.process_time() - began) / (len(batches) * POINTS) * 1e6


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    events = make_events(count)
    say(f"{count} events of {DEVICES} devices in {VILLAGES} villages; CPU microseconds each")
    say(
        f"{'rules':>6} {'found':>7} {'judged':>7} {'all asked':>10} {'decisions':>10}"
        f" {'place a point':>14} {'reading':>8}"
    )
    base = 0.0
    for size in SIZES:
        rules = make_rules(size)
        index = RuleIndex(rules)
        found_us = find_only(index, events)
        judged_us, decisions = run(index.watching_event, events)
        asked_us, _ = run(_Everybody(rules).watching_event, events)
        placed_us, reading_us = read(rules, count)
        base = base or judged_us
        say(
            f"{size:>6} {found_us:>7.2f} {judged_us:>7.1f} {asked_us:>10.1f} {decisions:>10}"
            f" {placed_us:>14.2f} {reading_us:>8.2f}   x{judged_us / base:.2f} of 10 rules,"
            f" x{asked_us / judged_us:.1f} when all are asked"
        )


class _Everybody:
    """Every rule, whatever it watches for."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules

    def watching_event(self, event: StoredEvent) -> Sequence[Rule]:
        """All of them."""
        del event
        return self._rules


if __name__ == "__main__":
    main()
