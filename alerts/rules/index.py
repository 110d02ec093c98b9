"""Finds the rules an event can concern: by its kind, and by each area above it.

What it costs depends on how deep the area tree is and on how many rules watch for this kind of
event there, not on how many rules there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from alerts.rules.observations import STATUS_KINDS
from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceDegraded, DeviceOffline, NothingSeen, PointBeyond, kinds_of
from hub.domain.events import StoredEvent

_NONE: Sequence[Rule] = ()


class RuleIndex:
    """Rules by what they watch for and where; the rules themselves do not change."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_kind: dict[str, dict[str, list[Rule]]] = {}
        self._by_point: dict[str, dict[str, list[Rule]]] = {}
        for rule in rules:
            for kind in _event_kinds(rule):
                _add(self._by_kind, kind, rule)
            if isinstance(rule.condition, PointBeyond | NothingSeen) and rule.condition.point:
                _add(self._by_point, rule.condition.point, rule)

    def watching_event(self, event: StoredEvent) -> Sequence[Rule]:
        """The rules of the event's area, or one above it, that ask for its kind, by number.

        Whether its device is of the right sort is not asked.
        """
        return _find(self._by_kind.get(event.kind), event.area_path)

    def watching_point(self, names: Iterable[str], area_path: str) -> Sequence[Rule]:
        """The rules of an area, or one above it, about a point of one of these names."""
        found = [rule for name in set(names) for rule in _find(self._by_point.get(name), area_path)]
        found.sort(key=_number)
        return found

    @property
    def has_points(self) -> bool:
        """Tell whether any rule is about a point."""
        return bool(self._by_point)


def _event_kinds(rule: Rule) -> Iterable[str]:
    if isinstance(rule.condition, DeviceOffline | DeviceDegraded):
        return STATUS_KINDS
    return kinds_of(rule.condition)


def _add(index: dict[str, dict[str, list[Rule]]], name: str, rule: Rule) -> None:
    index.setdefault(name, defaultdict(list))[rule.area_path].append(rule)


def _find(by_area: dict[str, list[Rule]] | None, area_path: str) -> Sequence[Rule]:
    if by_area is None:
        return _NONE
    found = [rule for path in _upward(area_path) for rule in by_area.get(path, _NONE)]
    found.sort(key=_number)
    return found


def _upward(area_path: str) -> Iterator[str]:
    """An area's own path and that of each above it."""
    while area_path:
        yield area_path
        area_path = area_path.rpartition(".")[0]


def _number(rule: Rule) -> int:
    return rule.id
