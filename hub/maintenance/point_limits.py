"""What is plausible of a point, what was learnt of it, and what can be wrong with it. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Words of keys and quantities that stand for a contact: it may speak only when it changes.
_CONTACT_WORDS: Final = (
    r"door|window|gate|contact|motion|presence|occupancy|pir|alarm|leak|flood|smoke|tamper|relay"
    r"|switch|valve|button|lock"
)
_CONTACT_SIGNS: Final = "门|窗|移动|人体|报警|告警|水浸|漏|烟|开关|继电器|阀"
# And for what nobody expects to change by itself.
_RESTING_WORDS: Final = (
    r"gas|pump|state|status|mode|set ?point|target|limit|counter|count|total|energy|rain|rainfall"
    r"|precipitation|pulses?|uptime|runtime|version|latitude|longitude|position|battery|batt|rssi"
    r"|lqi|signal"
)
_RESTING_SIGNS: Final = "状态|雨|电量|电池|信号|计数|累计|总"
_CONTACT = re.compile(rf"(?<![a-z])({_CONTACT_WORDS})(?![a-z])|{_CONTACT_SIGNS}")
_RESTING = re.compile(rf"(?<![a-z])({_RESTING_WORDS})(?![a-z])|{_RESTING_SIGNS}")


class PointFault(StrEnum):
    """What can be wrong with a point, the one to name first at the front."""

    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"
    SILENT = "silent"


Faults = frozenset[PointFault]
NO_FAULTS: Final[Faults] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is plausible of a point, in its unit; None is not judged.

    ``stuck_after_s``: unchanged for longer is stuck; 0 never is; None is learnt. A change that
    is not larger than ``spread`` is none. ``may_rest``: nothing is learnt about its rest.
    """

    low: float | None = None
    high: float | None = None
    spread: float = 0.0
    stuck_after_s: float | None = None
    expected_interval_s: float | None = None
    may_rest: bool = False

    @property
    def has_range(self) -> bool:
        """Whether there is a range; limits that contradict each other are none."""
        if self.low is not None and self.high is not None:
            return self.low < self.high
        return self.low is not None or self.high is not None

    @property
    def width(self) -> float:
        """How wide the range is; with one limit, how large that is."""
        if self.low is not None and self.high is not None:
            return self.high - self.low
        return abs(self.low if self.low is not None else self.high or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is kept of a point over a restart; see the table ``point_learnt``."""

    observed_s: float = 0.0
    changes: int = 0
    longest_s: float = 0.0
    today_s: float = 0.0
    still_s: float = 0.0
    anchor: float | None = None
    is_binary: bool = True


def is_contact(key: str, quantity: str) -> bool:
    """Tell whether a point is a contact, a detector or a switch."""
    return _CONTACT.search(_words(key, quantity)) is not None


def may_rest(key: str, quantity: str) -> bool:
    """Tell whether a point may stay as it is for as long as it likes: a door, a counter."""
    return is_contact(key, quantity) or _RESTING.search(_words(key, quantity)) is not None


def _words(key: str, quantity: str) -> str:
    return re.sub(r"[_.\-]", " ", f"{key} {quantity}".lower())
