"""What the health of points becomes outside: rows, events, reports about the device. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import DeviceStatusReport, Layer
from hub.maintenance.point_limits import Faults, Learnt, Limits, PointFault, is_contact, may_rest
from hub.maintenance.points import DeviceWatch, PointWatch, say_fault
from hub.store.point_health import FaultRow, LearntRow, PointRecord

# What an event is called when a fault begins, and when it is over.
KINDS: Final[Mapping[PointFault, tuple[str, str]]] = MappingProxyType(
    {
        PointFault.OUT_OF_RANGE: ("point.out_of_range", "point.in_range"),
        PointFault.STUCK: ("point.stuck", "point.moving"),
        PointFault.SILENT: ("point.silent", "point.heard"),
    }
)

Place = tuple[DeviceWatch, PointWatch]


def opened_faults(rows: Iterable[FaultRow]) -> dict[int, Faults]:
    """Sort what is stored by point."""
    found: dict[int, Faults] = {}
    for row in rows:
        found[row.point_id] = found.get(row.point_id, frozenset()) | {PointFault(row.kind)}
    return found


def limits_of(record: PointRecord) -> Limits:
    """What is plausible of a stored point; a contact is not expected to speak."""
    is_regular = not is_contact(record.key, record.quantity)
    return Limits(
        low=record.low,
        high=record.high,
        spread=record.spread or 0.0,
        stuck_after_s=record.stuck_after_s,
        expected_interval_s=record.expected_interval_s if is_regular else None,
        may_rest=bool(record.role) or may_rest(record.key, record.quantity),
    )


def watch_of(record: PointRecord, opened: Faults, now: float) -> PointWatch:
    """Go on watching a stored point."""
    learnt = Learnt()
    if record.observed_s is not None:
        learnt = Learnt(
            observed_s=record.observed_s,
            changes=record.changes or 0,
            longest_s=record.longest_s or 0.0,
            today_s=record.today_s or 0.0,
            still_s=record.still_s or 0.0,
            anchor=record.anchor,
            is_binary=bool(record.is_binary),
        )
    return PointWatch.resume(
        about=(record.point_id, record.key, record.unit),
        limits=limits_of(record),
        learnt=learnt,
        opened=opened,
        now=now,
    )


def learnt_row(watch: PointWatch) -> LearntRow:
    """What was learnt of a point, as it is kept."""
    learnt = watch.learnt()
    return LearntRow(
        point_id=watch.point_id,
        observed_s=learnt.observed_s,
        changes=learnt.changes,
        longest_s=learnt.longest_s,
        today_s=learnt.today_s,
        still_s=learnt.still_s,
        anchor=learnt.anchor,
        is_binary=learnt.is_binary,
    )


def fault_row(watch: PointWatch, fault: PointFault, at: datetime, now: float) -> FaultRow:
    """A fault that began, as it is stored; ``at`` is the time of ``now``."""
    return FaultRow(
        point_id=watch.point_id,
        kind=fault.value,
        since=at - timedelta(seconds=max(0.0, now - watch.began(fault))),
        sentence=say_fault(fault, watch),
        value=watch.out_value if fault is PointFault.OUT_OF_RANGE else watch.anchor,
    )


def begun_event(place: Place, row: FaultRow, at: datetime) -> StoredEvent:
    """A fault began."""
    kind, _ = KINDS[PointFault(row.kind)]
    data: dict[str, Json] = {"value": row.value, "detail": row.sentence}
    return _event(place, row, at, kind=kind, is_active=True, data=data)


def ended_event(place: Place, row: FaultRow, at: datetime) -> StoredEvent:
    """A fault is over."""
    _, kind = KINDS[PointFault(row.kind)]
    return _event(place, row, at, kind=kind, is_active=False, data={"value": place[1].anchor})


def device_report(device: DeviceWatch, at: datetime, *, was_ill: bool) -> DeviceStatusReport:
    """What the faults of its points make of a device."""
    ill = [(fault, point) for point in device.points for fault in point.opened]
    ill.sort(key=lambda one: (list(PointFault).index(one[0]), one[1].point_id))
    text = say_fault(*ill[0]) if ill else ""
    if len(ill) > 1:
        text += f"; and {len(ill) - 1} more"
    return readings_report(device.device_id, at, text, confirms=was_ill and bool(ill))


def readings_report(
    device_id: int, at: datetime, detail: str, *, confirms: bool = False
) -> DeviceStatusReport:
    """Say of a device whether its readings are plausible: ``detail`` says what is not.

    ``confirms`` has another sentence stored even though the device was ill before.
    """
    return DeviceStatusReport(
        device_id=device_id,
        probed_at=at,
        layer=Layer.READINGS if detail else None,
        detail=detail,
        seen=frozenset({Layer.READINGS}),
        confirms=confirms,
    )


def _event(
    place: Place,
    row: FaultRow,
    at: datetime,
    *,
    kind: str,
    is_active: bool,
    data: Mapping[str, Json],
) -> StoredEvent:
    device, point = place
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=device.area_id,
        area_path=device.area_path,
        at=at,
        received_at=at,
        device_id=device.device_id,
        device_name=device.name,
        severity=Severity.WARNING if is_active else Severity.INFO,
        is_active=is_active,
        data={
            "point": point.key,
            "unit": point.unit,
            "since": row.since.isoformat(),
            **data,
        },
    )
