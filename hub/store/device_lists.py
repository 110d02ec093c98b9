"""Lists of devices with their present status: narrowed, searched, sorted, counted, in pages.

The order and the kind of search are values of the query like all others: PostgreSQL folds each
CASE over them while it plans (:meth:`Transaction.search` plans anew each time), so that one
constant query uses the index that the question of the moment needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.errors import Invalid
from hub.domain.health import Layer, Status
from hub.domain.quality import Index
from hub.store.database import Transaction
from hub.store.scoping import (
    IN_SCOPE,
    Page,
    decode_cursor,
    encode_cursor,
    page_limit,
    scope_paths,
)

# A trigram index knows nothing of a part of a word that is shorter.
_TRIGRAM = 3
# The expression of the index devices_search, to the letter.
_TEXT = "(d.name || ' ' || d.code || ' ' || d.serial || ' ' || d.address || ' ' || d.place)"
# Of the scope and below the area asked for: numbers of areas tell the planner more than paths do.
_AREAS = (
    "SELECT coalesce(array_agg(a.id), '{}') AS ids, (SELECT count(*) FROM areas) AS all_areas"
    " FROM areas a WHERE"
    + IN_SCOPE
    + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
)
# Each device has an area and a status: joins of what a question does not touch are left out.
DEVICES = (
    " FROM devices d LEFT JOIN areas a ON a.id = d.area_id"
    " LEFT JOIN device_status s ON s.device_id = d.id"
)
NARROWED = (
    " WHERE (%(areas)s::bigint[] IS NULL OR d.area_id = ANY (%(areas)s))"
    " AND CASE %(match)s::text WHEN 'all' THEN true"
    "  WHEN 'short' THEN lower(" + _TEXT + ' COLLATE "C") LIKE ANY (%(forms)s::text[])'
    "  WHEN 'plain' THEN " + _TEXT + " LIKE %(text)s ELSE " + _TEXT + " ILIKE %(text)s END"
    " AND (%(statuses)s::text[] IS NULL OR s.shown = ANY (%(statuses)s))"
    " AND (%(layer)s::text IS NULL OR s.layer = %(layer)s)"
    " AND (%(behind)s::bigint IS NULL OR s.behind_id = %(behind)s)"
    " AND (%(flapping)s::boolean IS NULL OR s.is_flapping = %(flapping)s)"
    " AND (%(parent)s::bigint IS NULL OR d.parent_id = %(parent)s)"
    " AND (%(registration)s::text IS NULL OR d.registration = %(registration)s)"
    " AND (%(kind)s = '' OR d.kind = %(kind)s)"
    " AND (%(class)s::text IS NULL OR d.class = %(class)s)"
    " AND (%(team)s::text IS NULL OR d.team = %(team)s)"
    " AND (%(manufacturer)s::text IS NULL OR d.manufacturer = %(manufacturer)s)"
    " AND (%(model)s::text IS NULL OR d.model = %(model)s)"
    " AND (%(firmware)s::text IS NULL OR d.firmware = %(firmware)s)"
    " AND (%(tag)s::text IS NULL OR %(tag)s = ANY (d.tags))"
    " AND (%(fault)s::text IS NULL OR d.id IN (SELECT p.device_id FROM picture_states p"
    "  WHERE p.faults <> '{}' AND p.faults ? %(fault)s))"
    " AND (%(placed)s::boolean IS NULL OR %(placed)s = (d.id IN (SELECT r.device_id"
    "  FROM asset_records r WHERE r.latitude IS NOT NULL)))"
)
# Orders of the device's own and orders of its status; the second never reads a device that no
# filter asks about.
_WORD = (
    "(CASE %(order)s::text WHEN 'name' THEN d.name WHEN 'area' THEN a.path::text ELSE '' END"
    ' COLLATE "C")'
)
_BY_DEVICE = (
    "SELECT d.id, "
    + _WORD
    + " AS word, 0::float8 AS number"
    + DEVICES
    + NARROWED
    + " AND CASE WHEN %(after)s::bigint IS NULL THEN true"
    " WHEN %(order)s::text = 'number' THEN d.id > %(after)s"
    " ELSE (" + _WORD + ', d.id) > (%(word)s::text COLLATE "C", %(after)s) END'
    " ORDER BY word, CASE WHEN %(few)s THEN d.id + 0 ELSE d.id END LIMIT %(limit)s"
)
_NUMBER = (
    "(CASE %(order)s::text WHEN 'newest' THEN -date_part('epoch', s.since)"
    " WHEN 'longest' THEN date_part('epoch', s.since)"
    " WHEN 'status' THEN array_position(%(by_status)s::text[], s.shown)::float8"
    " ELSE CASE s.layer WHEN '' THEN 99"
    "  ELSE coalesce(array_position(%(by_layer)s::text[], s.layer), 98)::float8 END END)"
)
_BY_STATUS = (
    "SELECT s.device_id AS id, '' AS word, " + _NUMBER + " AS number FROM device_status s"
    " LEFT JOIN devices d ON d.id = s.device_id LEFT JOIN areas a ON a.id = d.area_id"
    + NARROWED
    + " AND (%(after)s::bigint IS NULL"
    "  OR (" + _NUMBER + ", s.device_id) > (%(number)s::float8, %(after)s))"
    " ORDER BY number, s.device_id LIMIT %(limit)s"
)


class DeviceOrder(StrEnum):
    """How a list of devices is sorted; devices that are equal come by number."""

    NUMBER = "number"
    NAME = "name"
    NEWEST = "newest"  # whose status changed last
    LONGEST = "longest"  # whose status has lasted longest
    STATUS = "status"  # offline, degraded, unknown, maintenance, online
    LAYER = "layer"  # the lowest failing layer first
    AREA = "area"  # along the tree


_STATUS_ORDERS = frozenset(
    {DeviceOrder.NEWEST, DeviceOrder.LONGEST, DeviceOrder.STATUS, DeviceOrder.LAYER}
)
WORST_FIRST = [
    Status.OFFLINE,
    Status.DEGRADED,
    Status.UNKNOWN,
    Status.MAINTENANCE,
    Status.ONLINE,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """What a list of devices is narrowed to; empty fields narrow nothing.

    ``text`` matches any part of name, code, serial, address or place. ``status`` and
    ``statuses`` are what people see: maintenance inside a window. ``device_class``, ``team``,
    ``manufacturer``, ``model`` and ``firmware`` match exactly; "" finds those without one.
    ``picture_fault`` is a fault of the picture that stands; ``has_position``: its coordinates
    are on record.
    """

    area_id: int | None = None
    text: str = ""
    status: Status | None = None
    statuses: tuple[Status, ...] = ()
    layer: Layer | None = None
    registration: Registration | None = None
    kind: str = ""
    device_class: str | None = None
    team: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    behind_id: int | None = None
    parent_id: int | None = None
    is_flapping: bool | None = None
    tag: str | None = None
    picture_fault: Index | None = None
    has_position: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One line of the device list: the device and its present status.

    ``faults`` are all layers that fail, each with its sentence. ``behind_id`` is the parent that
    is down and explains it. A parent outside the caller's areas is not named. ``window_id`` is
    the maintenance window the device is in.
    """

    id: int
    connection_id: int
    name: str
    code: str
    kind: str
    device_class: str
    team: str
    area_id: int
    area_name: str
    area_path: str
    place: str
    address: str
    manufacturer: str
    model: str
    firmware: str
    registration: str
    clock_offset_s: float | None
    parent_id: int | None
    parent_name: str
    status: str
    since: datetime
    layer: str
    detail: str
    faults: Mapping[str, str]
    behind_id: int | None
    behind_name: str
    is_flapping: bool
    window_id: int | None


async def list_devices(
    tx: Transaction,
    scope: Scope,
    wanted: DeviceFilter,
    *,
    order: DeviceOrder = DeviceOrder.NUMBER,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[DeviceLine]:
    """Devices of the scope, narrowed, sorted, a page at a time.

    Raises:
        Invalid: the cursor is not of this list in this order.
    """
    count = page_limit(limit)
    # Numbers first, names of a page after: a sort of a county carries no more than it needs.
    areas = await find_areas(tx, scope, wanted)
    places = await tx.search(
        _Place,
        _BY_STATUS if order in _STATUS_ORDERS else _BY_DEVICE,
        {
            **filter_values(wanted),
            **_position(order, cursor),
            "areas": areas.within,
            "few": areas.are_few,
            "limit": count + 1,
        },
    )
    lines = await list_lines(tx, scope, [place.id for place in places[:count]])
    more = None
    if len(places) > count:
        last = places[count - 1]
        more = encode_cursor(order, last.word, last.number, last.id)
    return Page(items=lines, next=more)


async def count_devices(tx: Transaction, scope: Scope, wanted: DeviceFilter) -> int:
    """How many devices of the scope a filter leaves."""
    number = await tx.search(
        _Count,
        "SELECT count(*) AS count" + DEVICES + NARROWED,
        {**filter_values(wanted), "areas": (await find_areas(tx, scope, wanted)).within},
    )
    return number[0].count


async def list_lines(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[DeviceLine]:
    """The devices of the scope with these numbers, in this order."""
    return await tx.fetch(
        DeviceLine,
        "SELECT d.id, d.connection_id, d.name, d.code, d.kind, d.class AS device_class, d.team,"
        " d.area_id, a.name AS area_name, a.path::text AS area_path, d.place, d.address,"
        " d.manufacturer, d.model, d.firmware, d.registration, d.clock_offset_s, p.id AS parent_id,"
        " coalesce(p.name, '') AS parent_name, s.shown AS status, s.since, s.layer, s.detail,"
        " s.faults, b.id AS behind_id, coalesce(b.name, '') AS behind_name, s.is_flapping,"
        " s.window_id FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS n (id, place)"
        " JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN LATERAL (SELECT o.id, o.name FROM devices o JOIN areas a ON a.id = o.area_id"
        "  WHERE o.id = d.parent_id AND" + IN_SCOPE + ") p ON true"
        " LEFT JOIN LATERAL (SELECT o.id, o.name FROM devices o JOIN areas a ON a.id = o.area_id"
        "  WHERE o.id = s.behind_id AND" + IN_SCOPE + ") b ON true"
        " WHERE" + IN_SCOPE + "ORDER BY n.place",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


async def count_by_status(tx: Transaction, scope: Scope) -> dict[str, int]:
    """How many approved devices of the scope have each status."""
    # Few are not online, and an index holds just those.
    rows = await tx.tuples(
        "SELECT coalesce(s.shown, 'online'), count(*) FROM devices d"
        " JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id AND s.shown <> 'online'"
        " WHERE d.registration = 'approved' AND" + IN_SCOPE + "GROUP BY 1",
        {"scope": scope_paths(scope)},
    )
    return {str(status): int(str(number)) for status, number in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    id: int
    word: str
    number: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """The areas that a list looks in."""

    ids: Sequence[int]
    all_areas: int

    @property
    def within(self) -> list[int] | None:
        """Their numbers; None when that is every area there is."""
        return None if len(self.ids) == self.all_areas else list(self.ids)

    @property
    def are_few(self) -> bool:
        """Tell whether to read them whole.

        A walk along the numbers of all devices, which the planner prefers for a short page, may
        find the few of a township that fit only at its end.
        """
        return len(self.ids) * 4 < self.all_areas


async def find_areas(tx: Transaction, scope: Scope, wanted: DeviceFilter) -> Areas:
    """The areas of the scope to look in: all, or one and those below it."""
    (found,) = await tx.search(Areas, _AREAS, {"scope": scope_paths(scope), "area": wanted.area_id})
    return found


def filter_values(wanted: DeviceFilter) -> dict[str, object]:
    """The values of :data:`NARROWED` but ``areas``."""
    statuses = (wanted.status,) if wanted.status else wanted.statuses
    return {
        **_search(wanted.text),
        "statuses": list(statuses) or None,
        "layer": wanted.layer,
        "behind": wanted.behind_id,
        "flapping": wanted.is_flapping,
        "parent": wanted.parent_id,
        "registration": wanted.registration,
        "kind": wanted.kind,
        "class": wanted.device_class,
        "team": wanted.team,
        "manufacturer": wanted.manufacturer,
        "model": wanted.model,
        "firmware": wanted.firmware,
        "tag": wanted.tag,
        "fault": wanted.picture_fault,
        "placed": wanted.has_position,
    }


def _search(text: str) -> dict[str, object]:
    """How a text is looked for: ILIKE costs three times LIKE, which Chinese and digits do with.

    One or two characters are in no trigram: every device is read. lower() in C is quick and knows
    ASCII only; other letters are looked for in each case they have.
    """
    found: dict[str, object] = {"match": "all", "text": _pattern(text), "forms": None}
    if text and text.lower() == text.upper():
        found["match"] = "plain"
    elif len(text) >= _TRIGRAM:
        found["match"] = "folded"
    elif text:
        cases = ({c.lower()} if c.isascii() else {c, c.lower(), c.upper()} for c in text)
        forms = sorted({_pattern("".join(letters)) for letters in product(*cases)})
        found |= {"match": "short", "forms": forms}
    return found


def _pattern(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _position(order: DeviceOrder, cursor: str | None) -> dict[str, object]:
    word, number, after = "", 0.0, None
    key = decode_cursor(cursor, (str, str, float, int))
    if key is not None:
        said, word, number, after = str(key[0]), str(key[1]), float(str(key[2])), int(str(key[3]))
        if said != order or word != word.encode(errors="replace").decode():
            msg = "this cursor was made for another order: start again without one"
            raise Invalid(msg, field="cursor")
    return {
        "order": order,
        "by_status": WORST_FIRST,
        "by_layer": list(Layer),
        "word": word,
        "number": number,
        "after": after,
    }
