"""What the database says of a storm, and in which ways it does not add up.

Every device that was found silent is behind an alert of its own, counts in another alert, or was
held back with a reason. Every notification is in one message, every message reached its receiver
at least once, and whoever was told of an alert was told of its end.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hub.store.database import Database, Transaction
from tests.system.hook_station import Arrival, HookStation

FIRED = "fired"
RESOLVED = "resolved"
# What tells somebody that an alert is there.
BEGINNINGS = ("fired", "repeated", "escalated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notification: who, of what, in which message."""

    receiver: str
    alert_id: int
    step: str
    status: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An alert that stands by itself."""

    alert_id: int
    device_id: int
    is_open: bool
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What was stored of a storm that is over. Devices by number."""

    failed: frozenset[int]
    standing: Sequence[Standing]
    folded: frozenset[int]
    held: frozenset[int]
    storms: int
    open_alerts: int
    miscounted: int
    told: Sequence[Told]
    message_counts: int
    messages: Mapping[str, str]  # message id -> receiver

    def told_steps(self, *steps: str) -> set[tuple[str, int]]:
        """Who was told of one of these steps, of which alert."""
        return {(one.receiver, one.alert_id) for one in self.told if one.step in steps}


async def read_books(database: Database) -> Books:
    """Read everything that happened in a county built for one storm."""
    async with database.transaction() as tx:
        standing = await tx.fetch(
            Standing,
            "SELECT id AS alert_id, device_id, status <> 'resolved' AS is_open, started_at"
            " FROM alerts WHERE condition = 'device_offline' AND device_id IS NOT NULL"
            " AND folded_into IS NULL AND NOT is_storm ORDER BY id",
        )
        told = await tx.fetch(
            Told,
            "SELECT r.name AS receiver, n.alert_id, s.step, n.status,"
            " coalesce(m.message_id::text, '') AS message_id FROM notifications n"
            " JOIN receivers r ON r.id = n.receiver_id JOIN alert_steps s ON s.id = n.step_id"
            " LEFT JOIN messages m ON m.id = n.message ORDER BY n.id",
        )
        messages = await tx.tuples(
            "SELECT m.message_id::text, r.name FROM messages m"
            " JOIN receivers r ON r.id = m.receiver_id"
        )
        return Books(
            failed=await _devices(
                tx, "SELECT DISTINCT device_id FROM events WHERE kind = 'device.offline'"
            ),
            standing=standing,
            folded=await _devices(
                tx,
                "SELECT DISTINCT device_id FROM alerts WHERE condition = 'device_offline'"
                " AND folded_into IS NOT NULL",
            ),
            held=await _devices(tx, "SELECT DISTINCT device_id FROM alert_holds"),
            storms=await _number(tx, "SELECT count(*) FROM alerts WHERE is_storm"),
            open_alerts=await _number(tx, "SELECT count(*) FROM alerts WHERE status <> 'resolved'"),
            miscounted=await _number(
                tx,
                "SELECT count(*) FROM alerts x WHERE x.folded <>"
                " (SELECT count(*) FROM alerts f WHERE f.folded_into = x.id) AND NOT x.is_storm",
            ),
            told=told,
            message_counts=await _number(tx, "SELECT coalesce(sum(count), 0) FROM messages"),
            messages={str(number): str(receiver) for number, receiver in messages},
        )


def disagreements(books: Books, uplinks: Sequence[int], station: HookStation) -> list[str]:
    """Every way in which alerts, notifications and messages do not add up."""
    return [*_of_alerts(books, uplinks), *_of_tellings(books), *message_faults(books, station)]


def _of_alerts(books: Books, uplinks: Sequence[int]) -> list[str]:
    wrong = []
    devices = [alert.device_id for alert in books.standing]
    if sorted(devices) != sorted(uplinks):
        extra = sorted(set(devices) - set(uplinks))
        lacking = sorted(set(uplinks) - set(devices))
        wrong.append(
            f"{len(devices)} alerts stand by themselves, not {len(uplinks)}: {len(extra)} more"
            f" devices {extra[:5]}, {len(lacking)} lacking {lacking[:5]}"
        )
    lost = books.failed - set(devices) - books.folded - books.held
    if lost:
        wrong.append(f"{len(lost)} failures are nowhere: {sorted(lost)[:5]}")
    invented = (set(devices) | books.folded | books.held) - books.failed
    if invented:
        wrong.append(f"{len(invented)} devices never failed: {sorted(invented)[:5]}")
    if books.miscounted:
        wrong.append(f"{books.miscounted} alerts count others than those that are folded into them")
    if books.open_alerts:
        wrong.append(f"{books.open_alerts} alerts are still open")
    return wrong


def _of_tellings(books: Books) -> list[str]:
    wrong = []
    begun = books.told_steps(*BEGINNINGS)
    receivers = set(books.messages.values())
    for receiver in sorted(receivers):
        deaf = [one.alert_id for one in books.standing if (receiver, one.alert_id) not in begun]
        if deaf:
            wrong.append(f"{receiver} was not told of {len(deaf)} alerts: {deaf[:5]}")
    return [*wrong, *end_faults(books)]


def end_faults(books: Books) -> list[str]:
    """Whoever was told of a beginning is told of the end, and nobody else."""
    wrong = []
    begun, ended = books.told_steps(*BEGINNINGS), books.told_steps(RESOLVED)
    if begun - ended:
        wrong.append(f"{len(begun - ended)} were told of the beginning and not of the end")
    if ended - begun:
        wrong.append(f"{len(ended - begun)} were told of the end only")
    return wrong


def message_faults(books: Books, station: HookStation) -> list[str]:
    """In which ways messages and notifications do not add up."""
    wrong = []
    waiting = [one for one in books.told if one.status != "delivered" or not one.message_id]
    if waiting:
        wrong.append(f"{len(waiting)} notifications are not delivered")
    if books.message_counts != len(books.told):
        wrong.append(f"{len(books.told)} notifications, but messages hold {books.message_counts}")
    came = {(one.message_id, one.path.removeprefix("/")) for one in station.arrivals}
    known = set(books.messages.items())
    if known - came:
        wrong.append(f"{len(known - came)} messages never came")
    if came - known:
        wrong.append(f"{len(came - known)} messages came that nobody sent")
    return [*wrong, *_changed_repeats(station)]


def _changed_repeats(station: HookStation) -> Iterator[str]:
    """A message that comes again says the same; a step is in one message only."""
    said: dict[tuple[str, str], frozenset[tuple[int, str]]] = {}
    of: dict[tuple[str, int, str], str] = {}
    for arrival in station.arrivals:
        steps = steps_in(arrival)
        if said.setdefault((arrival.path, arrival.message_id), steps) != steps:
            yield f"message {arrival.message_id} came again and said something else"
        for alert, step in steps:
            # A step may happen twice: fired, resolved and opened again are alerts of their own.
            first = of.setdefault((arrival.path, alert, step), arrival.message_id)
            if first != arrival.message_id and step in {FIRED, RESOLVED}:
                yield f"{step} of alert {alert} is in messages {first} and {arrival.message_id}"


def steps_in(arrival: Arrival) -> frozenset[tuple[int, str]]:
    """Which steps of which alerts a message tells; a long digest names the first ones."""
    body = json.loads(arrival.body)
    if body["type"] == "alert.digest":
        return frozenset((one["alert"]["id"], one["step"]) for one in body["notifications"])
    return frozenset({(body["alert"]["id"], body["type"].removeprefix("alert."))})


async def _devices(tx: Transaction, query: LiteralString) -> frozenset[int]:
    rows = await tx.tuples(query)
    return frozenset(int(str(number)) for (number,) in rows if number is not None)


async def _number(tx: Transaction, query: LiteralString) -> int:
    ((number,),) = await tx.tuples(query)
    return int(str(number))
