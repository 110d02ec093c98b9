"""Whom an alert concerns: the receivers of its rule and of the routes that match. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hub.domain.alerts import Step
from hub.domain.calendars import Calendar
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts, is_match
from hub.domain.notifications import Route

# A storm becomes a digest because what is not urgent waits a moment for its like. The first
# notification must leave within 5 s: the queue looks once a second, an attempt takes its time.
GATHER: Final = timedelta(seconds=2)
AT_ONCE: Final = timedelta(0)

IsActive = Callable[[Calendar], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Who is named: by rules (rule → why and receiver) and by routes (path of its area → route)."""

    by_rule: Mapping[int, Sequence[tuple[str, int]]] = field(default_factory=dict)
    by_path: Mapping[str, Sequence[Route]] = field(default_factory=dict)


def find_receivers(book: Book, facts: AlertFacts, is_active: IsActive) -> dict[int, list[str]]:
    """Receiver → why, for an alert; in the order the book names them."""
    found: dict[int, list[str]] = {}
    for name, receiver in book.by_rule.get(facts.rule_id, ()):
        found.setdefault(receiver, []).append(f"rule {name}")
    for path in area_line(facts.area_path):
        for route in book.by_path.get(path, ()):
            if not is_match(route.matcher, route.area_path, facts):
                continue
            if route.hours is not None and not is_active(route.hours):
                continue
            for receiver in route.receivers:
                found.setdefault(receiver, []).append(f"route {route.name}")
    return found


def gathering_time(severity: Severity, step: Step) -> timedelta:
    """How long a notification waits for others; what is critical and new does not."""
    is_urgent = severity is Severity.CRITICAL and step is not Step.RESOLVED
    return AT_ONCE if is_urgent else GATHER


def area_line(path: str) -> Iterator[str]:
    """The path of an area and of each one above it, from the nearest up."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def index_routes(routes: Iterable[Route]) -> dict[str, list[Route]]:
    """Routes by the path of their area."""
    index: dict[str, list[Route]] = {}
    for route in routes:
        index.setdefault(route.area_path, []).append(route)
    return index
