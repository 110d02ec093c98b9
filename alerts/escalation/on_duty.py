"""Who is on duty where. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.calendars import NO_HOLIDAYS, Calendar, Holidays
from hub.domain.errors import Invalid
from hub.domain.escalations import Duty
from hub.runtime.calendars import is_active


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who answers for which area (by path), by which calendars, and what the areas are called.

    ``reachable`` are the receivers that are switched on; nobody else is told.
    """

    duties: Mapping[str, Sequence[Duty]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    reachable: frozenset[int] = frozenset()
    holidays: Holidays = field(default_factory=lambda: NO_HOLIDAYS)

    def holds(self, hours: Calendar | None, at: datetime) -> bool:
        """Tell whether hours hold; those that cannot be used do: better told than not."""
        try:
            return is_active(hours, at, self.holidays)
        except Invalid:
            return True

    def on_duty(self, path: str, at: datetime) -> tuple[int, ...]:
        """The receivers on duty in an area itself."""
        return tuple(
            dict.fromkeys(
                duty.receiver_id
                for duty in self.duties.get(path, ())
                if duty.receiver_id in self.reachable and self.holds(duty.hours, at)
            )
        )

    def name(self, path: str) -> str:
        """What an area is called."""
        return self.names.get(path, path)


def path_above(path: str, levels: int) -> str:
    """The area so many levels above another, the root at most."""
    labels = path.split(".")
    return ".".join(labels[: max(1, len(labels) - levels)])


def find_on_duty(roster: Roster, path: str, at: datetime) -> tuple[str, tuple[int, ...]] | None:
    """The area or the nearest one above it with anybody on duty, and who; None up to the root."""
    while path:
        receivers = roster.on_duty(path, at)
        if receivers:
            return path, receivers
        path = path.rpartition(".")[0]
    return None
