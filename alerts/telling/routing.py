"""Whom an alert concerns: the receivers of its rule and of the routes that match. Pure."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.domain.alerts import Step
from hub.domain.calendars import Holidays
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts, is_match
from hub.domain.notifications import Route
from hub.runtime.calendars import is_active
from hub.store.notifications import AreaReceiver, RuleReceiver

log = logging.getLogger(__name__)

# A storm becomes a digest because what is not urgent waits a moment for its like. The first
# notification must leave within 5 s: the queue looks once a second, an attempt takes its time.
GATHER: Final = timedelta(seconds=2)
AT_ONCE: Final = timedelta(0)
NO_OTHER_CHANNEL: Final = "no other receiver could be reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Who is named: by rules (rule → why and receiver) and by routes (path of its area → route)."""

    by_rule: Mapping[int, Sequence[tuple[str, int]]] = field(default_factory=dict)
    by_path: Mapping[str, Sequence[Route]] = field(default_factory=dict)


def build_book(
    rules: Iterable[RuleReceiver], routes: Iterable[Route], now: datetime, holidays: Holidays
) -> Book:
    """Open the book: routes outside their hours are not in it."""
    by_rule: dict[int, list[tuple[str, int]]] = {}
    for one in rules:
        by_rule.setdefault(one.rule_id, []).append((f"rule {one.rule_name}", one.receiver_id))
    by_path: dict[str, list[Route]] = {}
    for route in routes:
        if _is_open(route, now, holidays):
            by_path.setdefault(route.area_path, []).append(route)
    return Book(by_rule=by_rule, by_path=by_path)


def find_receivers(book: Book, facts: AlertFacts) -> dict[int, list[str]]:
    """Receiver → why, for an alert; in the order the book names them, the nearest routes first."""
    found: dict[int, list[str]] = {}
    for why, receiver in book.by_rule.get(facts.rule_id, ()):
        found.setdefault(receiver, []).append(why)
    for path in area_line(facts.area_path):
        for route in book.by_path.get(path, ()):
            if is_match(route.matcher, route.area_path, facts):
                for receiver in route.receivers:
                    found.setdefault(receiver, []).append(f"route {route.name}")
    return found


def find_substitutes(
    named: Mapping[int, Sequence[str]], dead: int, area_path: str, known: Sequence[AreaReceiver]
) -> dict[int, list[str]]:
    """Who hears of a dead channel: the others named and, if none of them works, all near ones.

    Near are the receivers of the alert's area and of those above. When none of them works either
    all of them get it: whichever comes back first tells.
    """
    found = {receiver: list(whys) for receiver, whys in named.items() if receiver != dead}
    failing = {one.id for one in known if one.is_failing}
    if not found.keys() <= failing:
        return found
    line = set(area_line(area_path))
    near = {one.id for one in known if one.area_path in line} - {dead}
    for receiver in sorted((near - failing or near) - found.keys()):
        found[receiver] = [NO_OTHER_CHANNEL]
    return found


def gathering_time(facts: AlertFacts, step: Step) -> timedelta:
    """How long a notification waits for others; what is critical and new does not.

    But what is about a device behind an uplink does: should the uplink be what failed, its alert
    tells of all of them (see :func:`hub.store.notifications.drop_waiting`).
    """
    is_urgent = facts.severity is Severity.CRITICAL and step is not Step.RESOLVED
    return AT_ONCE if is_urgent and facts.parent_id is None else GATHER


def area_line(path: str) -> Iterator[str]:
    """The path of an area and of each one above it, from the nearest up."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _is_open(route: Route, now: datetime, holidays: Holidays) -> bool:
    """Hours that cannot be used any more keep nobody from being told."""
    try:
        return is_active(route.hours, now, holidays)
    except Invalid as error:
        log.warning("the hours of route %s cannot be used: %s", route.id, error)
        return True
