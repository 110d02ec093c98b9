"""All devices that a filter leaves, in order, as numbers: random access into a list of 70,000.

A console asks for the order once, then for the lines of what is on its screen
(:func:`hub.store.device_lists.list_lines`). The database joins the numbers to one text: to make
objects of them takes longer than to sort them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.health import Layer
from hub.store.database import Transaction
from hub.store.device_lists import (
    DEVICES,
    NARROWED,
    WORST_FIRST,
    DeviceFilter,
    filter_values,
    find_areas,
)

# Words of a sort of 70,000 devices; PostgreSQL's own 4 MB send it to the disk.
_SORT_MEMORY: Final = "SET LOCAL work_mem = '32MB'"

# As in device_lists: PostgreSQL folds each CASE over the order asked for, and drops what is left
# constant. What is empty comes last in both directions.
_WORD = (
    "(nullif(CASE %(by)s::text WHEN 'name' THEN d.name WHEN 'code' THEN d.code"
    " WHEN 'kind' THEN d.kind WHEN 'place' THEN d.place WHEN 'address' THEN d.address_order"
    " WHEN 'manufacturer' THEN d.manufacturer WHEN 'model' THEN d.model"
    " WHEN 'firmware' THEN d.firmware WHEN 'class' THEN d.class WHEN 'team' THEN d.team END, '')"
    ' COLLATE "C")'
)
_NUMBER = (
    "(CASE %(by)s::text WHEN 'since' THEN date_part('epoch', s.since)"
    " WHEN 'status' THEN array_position(%(by_status)s::text[], s.shown)::float8"
    " WHEN 'layer' THEN coalesce(array_position(%(by_layer)s::text[], nullif(s.layer, '')),"
    "  99)::float8 END)"
)
_ORDER = (
    " ORDER BY CASE WHEN NOT %(down)s THEN "
    + _WORD
    + " END NULLS LAST, CASE WHEN %(down)s THEN "
    + _WORD
    + " END DESC NULLS LAST, CASE WHEN NOT %(down)s THEN "
    + _NUMBER
    + " END, CASE WHEN %(down)s THEN "
    + _NUMBER
    + " END DESC, CASE WHEN %(down)s AND %(by)s::text = 'number' THEN -d.id ELSE d.id END"
)
_LISTED = "SELECT count(*) AS total, coalesce(string_agg(n.id::text, ','), '') AS ids FROM (SELECT"
_IN_ORDER = _LISTED + " d.id" + DEVICES + NARROWED + _ORDER + ") n"
_ALONG_TREE = (
    _LISTED
    + " d.id"
    + DEVICES
    + " JOIN (SELECT id, row_number() OVER (ORDER BY path) AS place FROM areas) t"
    " ON t.id = d.area_id"
    + NARROWED
    + ' ORDER BY CASE WHEN %(down)s THEN -t.place ELSE t.place END, d.name COLLATE "C", d.id) n'
)


class OrderKey(StrEnum):
    """What a list of all devices may be sorted by; devices that are equal come by number."""

    NUMBER = "number"
    NAME = "name"
    CODE = "code"
    KIND = "kind"
    AREA = "area"  # along the tree, by name within each
    PLACE = "place"
    ADDRESS = "address"  # IP addresses as numbers
    MANUFACTURER = "manufacturer"
    MODEL = "model"
    FIRMWARE = "firmware"
    CLASS = "class"
    TEAM = "team"
    STATUS = "status"  # offline, degraded, unknown, maintenance, online
    LAYER = "layer"  # the lowest failing layer first
    SINCE = "since"  # when the present status began


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNumbers:
    """All devices of a list in order: how many, and their numbers with commas between."""

    total: int
    ids: str

    def numbers(self) -> list[int]:
        """The numbers as such."""
        return [int(number) for number in self.ids.split(",")] if self.ids else []

    def first(self, count: int) -> list[int]:
        """The first of the numbers."""
        head = self.ids.split(",", count)[:count] if self.ids else []
        return [int(number) for number in head]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTally:
    """How many devices there are of each combination."""

    status: str
    kind: str
    layer: str
    is_flapping: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTally:
    """How many devices the asset record describes alike; empty: it does not say."""

    device_class: str
    team: str
    manufacturer: str
    model: str
    count: int


async def order_devices(
    tx: Transaction,
    scope: Scope,
    wanted: DeviceFilter,
    *,
    by: OrderKey = OrderKey.NUMBER,
    is_descending: bool = False,
) -> DeviceNumbers:
    """The devices of the scope that a filter leaves, all of them, in order."""
    await tx.execute(_SORT_MEMORY)
    (found,) = await tx.search(
        DeviceNumbers,
        _ALONG_TREE if by is OrderKey.AREA else _IN_ORDER,
        {
            **await _values(tx, scope, wanted),
            "by": by,
            "down": is_descending,
            "by_status": WORST_FIRST,
            "by_layer": list(Layer),
        },
    )
    return found


async def tally_devices(
    tx: Transaction, scope: Scope, wanted: DeviceFilter
) -> Sequence[DeviceTally]:
    """Count the devices of the scope that a filter leaves, by what a filter bar offers."""
    return await tx.search(
        DeviceTally,
        "SELECT s.shown AS status, d.kind, s.layer, s.is_flapping, count(*) AS count"
        + DEVICES
        + NARROWED
        + " GROUP BY 1, 2, 3, 4",
        await _values(tx, scope, wanted),
    )


async def tally_records(
    tx: Transaction, scope: Scope, wanted: DeviceFilter
) -> Sequence[RecordTally]:
    """Count the devices of the scope that a filter leaves, by what is on record of them."""
    return await tx.search(
        RecordTally,
        "SELECT d.class AS device_class, d.team, d.manufacturer, d.model, count(*) AS count"
        + DEVICES
        + NARROWED
        + " GROUP BY 1, 2, 3, 4",
        await _values(tx, scope, wanted),
    )


async def _values(tx: Transaction, scope: Scope, wanted: DeviceFilter) -> Mapping[str, object]:
    areas = await find_areas(tx, scope, wanted)
    return {**filter_values(wanted), "areas": areas.within}
