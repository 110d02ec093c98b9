"""What one row of a device file makes of what is there: decided without touching anything."""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from hub.domain.devices import Area, Connection, DeviceKind, Json, Registration
from hub.domain.errors import Invalid
from hub.domain.secrets import Credentials
from hub.maintenance.inventory_rows import (
    BROKER,
    DEVICE_KEYS,
    UPLINK,
    DeviceRow,
    ParseOptions,
)
from hub.store.inventory import FoundDevice, InventoryDevice, Known, LinkKey

SHOWN_CODES = 5
# To look for codes that come close takes longer than all the rest of a row.
MOST_HINTS = 50

_CAMERA_PROTOCOLS = frozenset({"onvif", "rtsp"})
_IN_USE = "is in use already"
_OTHER_CODE = "is the code of another device"
_OTHER_AREA = "the link to this device belongs to another area"


class Taken(Enum):
    """What becomes of a good row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Refused(Exception):
    """The row is not taken."""

    def __init__(self, *, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a row does.

    ``device`` is the device as the row leaves it, None for the link to a broker; what is new has
    the number 0, and so has its link until that is known. ``link`` is set when it is to be
    written. ``fields`` and ``link_fields`` name what changes of what is there.
    """

    row: DeviceRow
    taken: Taken
    before: FoundDevice | None = None
    device: InventoryDevice | None = None
    link: Connection | None = None
    link_before: Connection | None = None
    fields: Sequence[str] = ()
    link_fields: Sequence[str] = ()

    @property
    def device_id(self) -> int:
        """The number of a device that is there, else 0."""
        return 0 if self.before is None else self.before.id


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What rows are compared with: the areas of the caller and what is known of the batch.

    ``lines`` remembers which line spoke of what, through the whole file.
    """

    areas: Mapping[str, Area]
    parse_options: ParseOptions
    known: Known = field(default_factory=Known)
    hints: dict[str, str] = field(default_factory=dict)
    lines: dict[object, int] = field(default_factory=dict)
    planned_links: dict[LinkKey, Connection] = field(default_factory=dict)
    by_code: dict[str, FoundDevice] = field(default_factory=dict)
    by_key: dict[tuple[str, str, str], FoundDevice] = field(default_factory=dict)
    links: dict[LinkKey, Connection] = field(default_factory=dict)
    links_by_id: dict[int, Connection] = field(default_factory=dict)

    def look_at(self, known: Known) -> None:
        """Take up what is known of the next batch."""
        self.known = known
        self.by_code = {one.code: one for one in known.devices if one.code}
        self.by_key = {(d.link_protocol, d.link_address, d.key): d for d in known.devices}
        self.links = {**self.planned_links, **{(c.protocol, c.address): c for c in known.links}}
        self.links_by_id = {link.id: link for link in known.links}

    def unknown_area(self, code: str) -> str:
        """Say that there is no such area, and for the first few which codes come close."""
        if code not in self.hints and len(self.hints) < MOST_HINTS:
            close = difflib.get_close_matches(code, self.areas, n=SHOWN_CODES, cutoff=0.5)
            shown = close or list(self.areas)[:SHOWN_CODES]
            self.hints[code] = f": there is {', '.join(shown)}" if shown else ""
        return f"no area has this code{self.hints.get(code, '')}"

    def claim(self, thing: object, line: int, column: str) -> None:
        """Refuse a second line about the same thing."""
        first = self.lines.setdefault(thing, line)
        if first != line:
            raise Refused(column=column, reason=f"is in line {first} already")


def decide(row: DeviceRow, around: Surroundings) -> Change:
    """Compare one row with what is there.

    Raises:
        Refused: it cannot be taken; nothing of it is.
    """
    if row.is_broker:
        change = _decide_broker(row, around)
    else:
        found = _match(row, around)
        change = _new_device(row, around) if found is None else _known_device(row, found, around)
    _claim(change, around)
    return change


def _claim(change: Change, around: Surroundings) -> None:
    row = change.row
    if change.device_id:
        around.claim(change.device_id, row.line, "code" if row.code else "address")
    if row.protocol:
        around.claim(
            (row.link, row.key), row.line, "device" if row.protocol == BROKER else "address"
        )
    if row.code:
        around.claim(row.code, row.line, "code")


def _match(row: DeviceRow, around: Surroundings) -> FoundDevice | None:
    by_code = around.by_code.get(row.code) if row.code else None
    by_key = around.by_key.get((row.protocol, row.address, row.key))
    if row.code in around.known.taken_codes:
        raise Refused(column="code", reason=_OTHER_CODE)
    if by_code is not None and by_key is not None and by_code.id != by_key.id:
        raise Refused(column="code", reason=_OTHER_CODE)
    if by_code is None and not row.protocol:
        raise Refused(
            column="code", reason="no device has this code: a new one needs protocol and address"
        )
    return by_code or by_key


def _area(row: DeviceRow, around: Surroundings) -> Area:
    if not row.area:
        raise Refused(column="area", reason="is empty")
    area = around.areas.get(row.area)
    if area is None:
        raise Refused(column="area", reason=around.unknown_area(row.area))
    return area


def _decide_broker(row: DeviceRow, around: Surroundings) -> Change:
    link = around.links.get(row.link)
    if link is None:
        return Change(row=row, taken=Taken.NEW, link=_new_link(row, around))
    after = _with_credentials(row, link)
    if row.name:
        after = replace(after, name=_kept_text(link.name, row.name))
    if row.area:
        after = replace(after, area_id=_area(row, around).id)
    fields = _link_fields(link, after)
    return Change(
        row=row,
        taken=Taken.CHANGED if fields else Taken.UNCHANGED,
        link=after if fields else None,
        link_before=link,
        link_fields=fields,
    )


def _new_link(row: DeviceRow, around: Surroundings) -> Connection:
    if row.link in around.known.taken_links:
        raise Refused(column="address", reason=_IN_USE)
    if not row.name:
        raise Refused(column="name", reason="is empty")
    options = row.options
    if options is None:
        options = around.parse_options({"protocol": row.protocol})
    return Connection(
        id=0,
        protocol=row.protocol,
        name=row.name,
        address=row.address,
        area_id=_area(row, around).id,
        credentials=Credentials(username=row.username, password=row.password),
        options=_options(row, row.protocol, options, around),
    )


def _new_device(row: DeviceRow, around: Surroundings) -> Change:
    if not row.name:
        raise Refused(column="name", reason="is empty")
    area = _area(row, around)
    if (row.protocol, row.address, row.key) in around.known.taken_keys:
        raise Refused(column="address", reason=_IN_USE)
    if row.protocol != BROKER and row.key != DEVICE_KEYS[row.protocol]:
        raise Refused(column="device", reason="is for devices behind a broker: leave it empty")
    before = around.links.get(row.link)
    if before is None:
        if row.protocol == BROKER:
            raise Refused(
                column="address", reason="no link to this broker: give it a row without device"
            )
        link: Connection | None = _new_link(row, around)
    else:
        after = _with_credentials(row, before)
        link = after if _link_fields(before, after) else None
    facts = {"kind": _kind_of(row), "registration": Registration.APPROVED.value, **row.facts}
    device = InventoryDevice(
        connection_id=0 if before is None else before.id,
        key=row.key,
        area_id=area.id,
        name=row.name,
        code=row.code,
        address="" if row.protocol == BROKER else row.address,
        kind=str(facts.pop("kind")),
        registration=str(facts.pop("registration")),
    )
    device = _with_values(device, {**facts, **row.record})
    return Change(row=row, taken=Taken.NEW, link=link, link_before=before, device=device)


def _kind_of(row: DeviceRow) -> DeviceKind:
    if row.protocol in _CAMERA_PROTOCOLS:
        return DeviceKind.CAMERA
    if row.protocol == UPLINK:
        return DeviceKind(str((row.options or {}).get("kind", DeviceKind.UPLINK)))
    return DeviceKind.OTHER


def _known_device(row: DeviceRow, found: FoundDevice, around: Surroundings) -> Change:
    link = around.links_by_id.get(found.connection_id)
    new_link = _changed_link(row, found, around)
    values: dict[str, object] = {**row.facts, **row.record}
    if found.registration == Registration.PENDING:
        # Whoever lists it in an inventory knows it.
        values.setdefault("registration", Registration.APPROVED)
    for name in ("name", "code"):
        if text := getattr(row, name):
            values[name] = text
    if row.area:
        values["area_id"] = _area(row, around).id
    if new_link is not None and link is not None and found.address == link.address:
        values["address"] = new_link.address
    device = _with_values(found, values)
    fields = [name for name in values if getattr(device, name) != getattr(found, name)]
    link_fields = [] if link is None or new_link is None else _link_fields(link, new_link)
    return Change(
        row=row,
        taken=Taken.CHANGED if fields or link_fields else Taken.UNCHANGED,
        before=found,
        device=device,
        link=new_link if link_fields else None,
        link_before=link,
        fields=fields,
        link_fields=link_fields,
    )


def _changed_link(row: DeviceRow, found: FoundDevice, around: Surroundings) -> Connection | None:
    """The link of a known device as the row wants it; None when it is nobody's of this caller."""
    _refuse_other_link(row, found, around)
    link = around.links_by_id.get(found.connection_id)
    if link is None:
        if row.username or row.password or row.options is not None:
            raise Refused(column="username" if row.username else "password", reason=_OTHER_AREA)
        return None
    if found.link_protocol == BROKER:
        if row.username or row.password:
            column = "username" if row.username else "password"
            raise Refused(column=column, reason="belongs to the broker's own row")
        return link
    after = _with_credentials(row, link)
    after = replace(after, options=_options(row, link.protocol, after.options, around))
    if row.address and row.address != link.address:
        if link.credentials.password and not row.password:
            raise Refused(
                column="password", reason="with another address the password must be given again"
            )
        after = replace(after, address=row.address)
    # A link that went by the device's name and place goes on doing so.
    if row.name and link.name == found.name:
        after = replace(after, name=_kept_text(link.name, row.name))
    if row.area and link.area_id == found.area_id:
        after = replace(after, area_id=_area(row, around).id)
    return after


def _refuse_other_link(row: DeviceRow, found: FoundDevice, around: Surroundings) -> None:
    """A device known by its code keeps its protocol; a camera may have another address."""
    if not row.protocol or row.link == (found.link_protocol, found.link_address):
        if row.key != found.key and (row.protocol == BROKER or (row.key and not row.protocol)):
            raise Refused(
                column="device", reason=f"the device with this code is called {found.key}"
            )
        return
    if row.protocol != found.link_protocol:
        reason = f"the device with this code is reached by {found.link_protocol}"
        raise Refused(column="protocol", reason=reason)
    if row.protocol == BROKER:
        raise Refused(column="address", reason="the device with this code is behind another broker")
    if found.connection_id not in around.links_by_id:
        raise Refused(column="address", reason=_OTHER_AREA)
    if row.link in around.links or row.link in around.known.taken_links:
        raise Refused(column="address", reason=_IN_USE)


def _with_credentials(row: DeviceRow, link: Connection) -> Connection:
    return replace(
        link,
        credentials=Credentials(
            username=row.username or link.credentials.username,
            password=row.password or link.credentials.password,
        ),
        options=link.options if row.options is None else row.options,
    )


def _options(
    row: DeviceRow, protocol: str, options: Mapping[str, Json], around: Surroundings
) -> Mapping[str, Json]:
    """The options of a link; of an uplink they say what it is."""
    kind = row.facts.get("kind")
    if protocol != UPLINK or kind is None or options.get("kind", UPLINK) == kind:
        return options
    try:
        return around.parse_options({**options, "protocol": UPLINK, "kind": str(kind)})
    except Invalid as error:
        raise Refused(column="kind", reason=str(error)) from None


def _link_fields(before: Connection, after: Connection) -> list[str]:
    names = ("name", "address", "area_id", "credentials", "options")
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _with_values(device: InventoryDevice, values: Mapping[str, object]) -> InventoryDevice:
    # Cells of a file, each parsed by its column.
    changes: dict[str, Any] = dict(values)
    for name, after in values.items():
        before = getattr(device, name)
        if isinstance(before, str) and isinstance(after, str):
            changes[name] = _kept_text(before, after)
        elif isinstance(before, float) and isinstance(after, float):
            # A spreadsheet keeps 15 digits.
            changes[name] = before if math.isclose(before, after, rel_tol=1e-12) else after
    return replace(device, **changes)


def _kept_text(before: str, after: str) -> str:
    """A cell has no blanks around it: what differs only by them does not differ."""
    return before if before.strip() == after else after
