"""One line of a device file, checked as far as that can be done without the database.

Addresses, options and names pass what a connection made one by one passes (T3, T12).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.domain.addresses import PROTOCOL_SCHEMES, Address, parse_address
from hub.domain.devices import Json
from hub.domain.errors import AddressRefused, Invalid
from hub.domain.secrets import Secret
from hub.maintenance.inventory_columns import DEVICE_COLUMNS, Column, Part
from hub.maintenance.inventory_table import SURPLUS, BadLine, Line, Table

BROKER = "mqtt"
UPLINK = "uplink"
# What each adapter calls the one device behind its link; behind a broker are many.
DEVICE_KEYS: Mapping[str, str] = {"onvif": "device", "rtsp": "camera", UPLINK: "uplink"}

ParseOptions = Callable[[Mapping[str, Json]], Mapping[str, Json]]
"""Validates ``protocol`` and its options, returns those to store; raises Invalid."""

_COLUMNS: Mapping[str, Column] = {column.name: column for column in DEVICE_COLUMNS}
_OF_THE_BROKER = "credentials and options belong to the broker's own row, which names no device"
_LINK = ("protocol", "address")
_RECORDED = frozenset(column.name for column in DEVICE_COLUMNS if column.part is Part.RECORD)
_FACTS = frozenset(column.name for column in DEVICE_COLUMNS if column.part is Part.DEVICE) - {
    "code",
    "name",
    "area",
    "parent",
}
_OF_A_BROKER = frozenset({"name", "area", "username", "password", "options", *_LINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A line that is good in itself. Empty fields say nothing and overwrite nothing.

    ``address`` is in its normal form. ``key`` is the device's behind its link; empty means the
    link to a broker itself. ``facts`` are columns of devices, ``record`` those of the asset
    record.
    """

    line: int
    protocol: str = ""
    address: str = ""
    key: str = ""
    code: str = ""
    name: str = ""
    area: str = ""
    parent: str = ""
    username: str = ""
    password: Secret = field(default_factory=Secret)
    options: Mapping[str, Json] | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    record: Mapping[str, object] = field(default_factory=dict)

    @property
    def link(self) -> tuple[str, str]:
        """What makes a link one link."""
        return self.protocol, self.address

    @property
    def is_broker(self) -> bool:
        """Whether the row is about the link to a broker, not a device behind it."""
        return self.protocol == BROKER and not self.key


class RowReader:
    """Checks lines of one file; collects every fault of a line."""

    def __init__(self, table: Table, parse_options: ParseOptions) -> None:
        self._table = table
        self._parse_options = parse_options

    def read(self, line: Line) -> DeviceRow | list[BadLine]:
        """Return the row, or what is wrong with the line."""
        if line.has_surplus:  # its cells stand in the wrong columns
            return [self._table.bad_line(line.number, "-", SURPLUS)]
        faults: dict[str, str] = {}
        values = _parse_cells(line, faults)
        address = _address(values, faults)
        options = self._options(values, faults)
        if not faults:
            _check_together(values, address, faults)
        if faults:
            return [self._table.bad_line(line.number, at, why) for at, why in faults.items()]
        return _row(line, values, address, options)

    def _options(
        self, values: Mapping[str, object], faults: dict[str, str]
    ) -> Mapping[str, Json] | None:
        text = values.get("options")
        protocol = values.get("protocol")
        if text is None:
            return None
        if protocol not in PROTOCOL_SCHEMES:
            faults.setdefault("protocol", "is empty, though options are not")
            return None
        try:
            options = json.loads(str(text))
        except (ValueError, RecursionError):
            options = None
        if not isinstance(options, dict):
            faults["options"] = 'options must be a JSON object, like {"events": false}'
            return None
        try:
            return self._parse_options({**options, "protocol": protocol})
        except Invalid as error:
            faults["options"] = str(error)
            return None


def _parse_cells(line: Line, faults: dict[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, cell in line.cells.items():
        column = _COLUMNS[name]
        if column.part is Part.SHOWN:
            continue
        try:
            values[name] = column.parse(cell)
        except ValueError as error:
            faults[name] = str(error)
    return values


def _address(values: dict[str, object], faults: dict[str, str]) -> Address | None:
    """Check protocol and address; a device named by its code alone may lack both."""
    if "code" not in values or not values.keys().isdisjoint(_LINK):
        for name in _LINK:
            if name not in values:
                faults.setdefault(name, "is empty")
    if "protocol" not in values:
        return None
    protocol = values["protocol"] = str(values["protocol"]).lower()
    if protocol not in PROTOCOL_SCHEMES:
        faults["protocol"] = f"unknown protocol: use {', '.join(PROTOCOL_SCHEMES)}"
        return None
    if "address" not in values:
        return None
    try:
        return parse_address(str(values["address"]), schemes=PROTOCOL_SCHEMES[protocol])
    except AddressRefused as error:
        faults["address"] = str(error)
        return None


def _check_together(
    values: Mapping[str, object], address: Address | None, faults: dict[str, str]
) -> None:
    """What cells say of each other."""
    protocol = values.get("protocol")
    if protocol == BROKER and "device" in values:
        given = [name for name in ("username", "password", "options") if name in values]
        if address is not None and (address.username or address.password):
            given.append("address")
        faults |= dict.fromkeys(given, _OF_THE_BROKER)
    if protocol == BROKER and "device" not in values:
        for name in sorted(values.keys() - _OF_A_BROKER):
            faults[name] = "is of a device: name it in the column device"
    if "device" in values and _is_no_key(str(values["device"])):
        faults["device"] = "holds wildcards or parts of a path"
    for one, other in (("longitude", "latitude"), ("latitude", "longitude")):
        if one in values and other not in values:
            faults[other] = f"is empty, though {one} is not"


def _is_no_key(key: str) -> bool:
    return not key.isprintable() or ".." in key or any(sign in key for sign in "+#/\\%")


def _row(
    line: Line,
    values: Mapping[str, object],
    address: Address | None,
    options: Mapping[str, Json] | None,
) -> DeviceRow:
    def text(name: str) -> str:
        return str(values.get(name, ""))

    protocol = text("protocol")
    facts = {name: values[name] for name in _FACTS & values.keys()}
    if "class" in facts:
        facts["device_class"] = facts.pop("class")
    return DeviceRow(
        line=line.number,
        protocol=protocol,
        address="" if address is None else address.text,
        key=text("device") or DEVICE_KEYS.get(protocol, ""),
        code=text("code"),
        name=text("name"),
        area=text("area"),
        parent=text("parent"),
        username=text("username") or ("" if address is None else address.username),
        password=Secret(text("password") or ("" if address is None else address.password)),
        options=options,
        facts=facts,
        record={name: values[name] for name in _RECORDED & values.keys()},
    )
