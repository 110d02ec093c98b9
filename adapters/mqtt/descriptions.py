"""Reads what a device says of itself in its status. Pure."""

from collections.abc import Iterable, Mapping

from adapters.mqtt.fields import (
    Fault,
    Faults,
    parse_interval,
    parse_mapping,
    parse_number,
    parse_text,
)
from hub.domain.devices import DeviceDescription, DeviceKind, Json, Point

MAX_POINTS = 1_000  # of one device, and values of one reading
MAX_POINT_LENGTH = 64
INTERVAL_CAPABILITY = "interval_s"


def parse_description(document: dict[str, Json], faults: Faults) -> DeviceDescription:
    """Read the fields of a description; what is wrong with some goes to ``faults``."""
    texts: dict[str, str] = {}
    for field in ("name", "area", "manufacturer", "model", "firmware", "serial"):
        try:
            texts[field] = parse_text(document.get(field))
        except Fault as fault:
            texts[field] = ""
            faults.add(field, fault)
    kind, interval_s = DeviceKind.SENSOR, None
    try:
        kind = _parse_device_kind(document.get("kind"))
    except Fault as fault:
        faults.add("kind", fault)
    try:
        interval_s = parse_interval(document.get("interval"))
    except Fault as fault:
        faults.add("interval", fault)
    return DeviceDescription(
        kind=kind,
        name=texts["name"],
        manufacturer=texts["manufacturer"],
        model=texts["model"],
        firmware=texts["firmware"],
        serial=texts["serial"],
        area_hint=texts["area"],
        points=tuple(_parse_points(document.get("points"), interval_s, faults)),
        capabilities={} if interval_s is None else {INTERVAL_CAPABILITY: interval_s},
    )


def expected_interval(description: DeviceDescription) -> float | None:
    """Within how many seconds a device says it reports: its own word, else its fastest point's."""
    stated = description.capabilities.get(INTERVAL_CAPABILITY)
    if isinstance(stated, int | float):
        return float(stated)
    return min(
        (p.expected_interval_s for p in description.points if p.expected_interval_s is not None),
        default=None,
    )


def parse_point_key(key: str) -> str:
    """Read a point's name.

    Raises:
        Fault: when it cannot be one.
    """
    if not key or len(key) > MAX_POINT_LENGTH or not key.isprintable() or key != key.strip():
        msg = f"not a point's name: 1 to {MAX_POINT_LENGTH} printable characters"
        raise Fault(msg)
    return key


def _parse_device_kind(value: Json) -> DeviceKind:
    if value is None:
        return DeviceKind.SENSOR
    try:
        return DeviceKind(parse_text(value))
    except ValueError:
        msg = f"expected one of {', '.join(DeviceKind)}"
        raise Fault(msg) from None


def _parse_points(value: Json, interval_s: float | None, faults: Faults) -> Iterable[Point]:
    if value is None:
        return
    if not isinstance(value, dict) or len(value) > MAX_POINTS:
        faults.add("points", Fault(f"expected an object of at most {MAX_POINTS} points"))
        return
    for key, about in value.items():
        try:
            told = parse_mapping(about)
            stated_s = parse_interval(told.get("interval"))
            low, high = _parse_range(told)
            yield Point(
                key=parse_point_key(key),
                unit=parse_text(told.get("unit"), longest=32),
                quantity=parse_text(told.get("quantity"), longest=64),
                expected_interval_s=interval_s if stated_s is None else stated_s,
                low=low,
                high=high,
            )
        except Fault as fault:
            faults.add(f"points.{key}", fault)


def _parse_range(told: Mapping[str, Json]) -> tuple[float | None, float | None]:
    """Read between which values a point's readings lie when it is well."""
    low, high = (
        None if (value := told.get(side)) is None else _parse_limit(value)
        for side in ("low", "high")
    )
    if low is not None and high is not None and low >= high:
        msg = "low is not below high"
        raise Fault(msg)
    return low, high


def _parse_limit(value: Json) -> float:
    if isinstance(value, bool):
        msg = "a truth value instead of a number"
        raise Fault(msg)
    return parse_number(value)
