"""What figures are asked of, and the sums they are worked out from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal


class GroupBy(StrEnum):
    """What devices are put together by. VENDOR is the manufacturer."""

    AREA = "area"
    VENDOR = "vendor"
    MODEL = "model"
    TEAM = "team"
    CLASS = "class"


# EVERY: by all of them at once. A group's name is then the JSON array of its names, in this order.
EVERY: Final = "every"
Grouping = GroupBy | Literal["every"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Which time and which devices; ``until`` is not later than now. ``kind`` "" means all."""

    since: datetime
    until: datetime
    area_id: int | None = None
    kind: str = "camera"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSums:
    """The seconds of one device in a period."""

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    managed_s: float
    maintenance_s: float
    unknown_s: float
    down_s: float
    outages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """The devices of one group; of an area: its own, not those of the areas below it.

    ``area_id`` is 0 unless the groups are areas; ``name`` "" holds those of which it is not said.
    ``rate_sum`` adds up the online rates of the ``rated`` devices of which anything is known.
    """

    area_id: int
    name: str
    devices: int
    rated: int
    rate_sum: float
    managed_s: float
    maintenance_s: float
    unknown_s: float
    down_s: float
    outages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """The outages of one group.

    ``begun`` in the period; ``ended`` in it, however long ago they began, with ``repair_s`` their
    whole durations together; ``longest_s`` of the longest, cut to the period.
    """

    area_id: int
    name: str
    begun: int
    ended: int
    repair_s: float
    longest_s: float
