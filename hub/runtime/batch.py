"""Turns one batch of emissions into rows, within one transaction.

What it learns on the way (new devices, new points, new statuses) stays with the batch until the
commit: :meth:`Batch.publish` then hands it to the registry.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from hub.domain.access import system_scope
from hub.domain.devices import Connection, Device, Json, Point, Registration
from hub.domain.events import (
    DeviceDescribed,
    Event,
    Occurrence,
    Reading,
    Severity,
    StatusReported,
    StoredEvent,
    UnrecognisedEvent,
)
from hub.domain.health import (
    OFFLINE_LAYERS,
    DeviceStatusReport,
    Layer,
    Status,
    says_news,
)
from hub.runtime.registry import Known, Registry
from hub.store import areas, devices, events, notices, status
from hub.store.database import Transaction
from hub.store.devices import NewDevice
from hub.store.events import ReadingRow
from hub.store.status import FLAPPING_WITHIN, Change, StatusRow

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.pipeline")
# A verdict costs as much as so many readings: a transaction holds that many fewer of them.
REPORT_WEIGHT = 2

_SEVERITY = {
    Status.OFFLINE: Severity.WARNING,
    Status.DEGRADED: Severity.WARNING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """What one call handed over: committed as a whole, then acknowledged."""

    received_at: datetime
    connection: Connection | None = None
    registration: Registration = Registration.PENDING
    events: Sequence[Event] = ()
    reports: Sequence[DeviceStatusReport] = ()
    acknowledge: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self.events) + REPORT_WEIGHT * len(self.reports)


@dataclass(slots=True)
class Batch:
    """The rows of one transaction, and what the registry learns when it commits."""

    tx: Transaction
    registry: Registry
    readings: list[ReadingRow] = field(default_factory=list)
    _events: list[StoredEvent] = field(default_factory=list)
    _known: dict[tuple[int, str], Known] = field(default_factory=dict)
    _points: dict[tuple[int, str], int] = field(default_factory=dict)
    _reports: dict[int, tuple[Known, DeviceStatusReport, datetime]] = field(default_factory=dict)
    _statuses: dict[int, StatusRow] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)
    _changed: set[int] = field(default_factory=set)

    async def add(self, emission: Emission) -> None:
        """Turn one emission into rows."""
        for event in emission.events:
            if emission.connection is not None:
                await self._add_event(emission, emission.connection, event)
        for report in emission.reports:
            known = self.registry.get(report.device_id)
            if known is not None:
                await self._report(known, report, emission.received_at)

    async def write(self) -> list[StoredEvent]:
        """Write the rows; return the events that are new."""
        await self._apply_reports()
        await events.add_readings(self.tx, SCOPE, self.readings)
        stored: list[StoredEvent] = []
        if self._events:
            stored = await events.add_events(self.tx, SCOPE, self._events)
        if self._touched:
            await notices.notify(self.tx, SCOPE, "devices", sorted(self._touched))
        if self._changed:
            await notices.notify(self.tx, SCOPE, "statuses", sorted(self._changed))
        return stored

    def publish(self) -> None:
        """After the commit: the registry learns what this batch found out."""
        for known in self._known.values():
            self.registry.keep(known)
        for (device_id, key), point_id in self._points.items():
            known_device = self.registry.get(device_id)
            if known_device is not None:
                known_device.points[key] = point_id
        for device_id, row in self._statuses.items():
            known_device = self.registry.get(device_id)
            if known_device is not None:
                known_device.learn(row)
        self.registry.expect(self._changed)

    async def _add_event(self, emission: Emission, connection: Connection, event: Event) -> None:
        if isinstance(event, UnrecognisedEvent) and not event.device:
            await self._keep_stray(connection, event, emission.received_at)
            return
        known = await self._device(emission, connection, event)
        match event:
            case Reading():
                await self._add_reading(known.device, event, emission.received_at)
            case StatusReported():
                await self._report_status(known, event, emission.received_at)
            case DeviceDescribed():
                await self._describe(known, event, emission.received_at)
            case Occurrence():
                self._events.append(_occurrence(known.device, event, emission.received_at))
            case UnrecognisedEvent():
                unread = _unrecognised(event, emission.received_at)
                self._events.append(_about(known.device, unread))
            case Event():
                msg = f"the pipeline knows no {type(event).__name__}"
                raise TypeError(msg)
            case _:
                assert_never(event)

    async def _keep_stray(
        self, connection: Connection, event: UnrecognisedEvent, received_at: datetime
    ) -> None:
        """Something that names no possible device belongs to the place of its connection."""
        area = await areas.get_area(self.tx, SCOPE, connection.area_id)
        unread = _unrecognised(event, received_at)
        self._events.append(replace(unread, area_id=area.id, area_path=area.path))

    async def _device(self, emission: Emission, connection: Connection, event: Event) -> Known:
        """The device an event is about; one never seen before is registered."""
        place = (connection.id, event.device)
        known = self._known.get(place) or self.registry.find(*place)
        if known is not None:
            return known
        area_id = connection.area_id
        if isinstance(event, DeviceDescribed) and event.description.area_hint:
            area_id = await self._hinted_area(connection, event.description.area_hint)
        device = await devices.add_device(
            self.tx,
            SCOPE,
            NewDevice(
                connection_id=connection.id,
                key=event.device,
                area_id=area_id,
                registration=emission.registration,
            ),
        )
        log.info(
            "device registered as %s: %s of %s", device.registration, device.key, connection.name
        )
        known = Known(device=device)
        self._known[place] = known
        self._touched.add(device.id)
        return known

    async def _hinted_area(self, connection: Connection, code: str) -> int:
        """The area a device names, if it lies below its connection's: never a way out of it."""
        tree = await areas.list_areas(self.tx, SCOPE)
        home = next(area for area in tree if area.id == connection.area_id)
        for area in tree:
            if area.code == code and (area.path + ".").startswith(home.path + "."):
                return area.id
        return home.id

    async def _add_reading(self, device: Device, event: Reading, received_at: datetime) -> None:
        point_id = await self._point(device, event.point)
        self.readings.append(
            ReadingRow(
                device_id=device.id,
                point_id=point_id,
                at=event.occurred_at or received_at,
                value=event.value,
            )
        )

    async def _point(self, device: Device, key: str) -> int:
        registered = self.registry.get(device.id)
        point_id = None if registered is None else registered.points.get(key)
        point_id = point_id or self._points.get((device.id, key))
        if point_id is None:
            point_id = await devices.add_point(self.tx, SCOPE, device.id, Point(key=key))
            self._points[(device.id, key)] = point_id
        return point_id

    async def _describe(self, known: Known, event: DeviceDescribed, received_at: datetime) -> None:
        said = event.description
        if devices.description_mark(said) == known.device.described_mark:
            return  # said before: nothing to do for tens of thousands after a restart
        device = await devices.describe_device(self.tx, SCOPE, known.device.id, said)
        self._known[(device.connection_id, device.key)] = Known(
            device=device, status=known.status, session=known.session, points=dict(known.points)
        )
        if device != known.device or said.points:
            self._touched.add(device.id)
        for point in await devices.list_points(self.tx, SCOPE, device.id) if said.points else ():
            self._points[(device.id, point.key)] = point.id
        before = known.device.firmware
        if before and device.firmware != before:
            data: dict[str, Json] = {"previous": before, "firmware": device.firmware}
            self._events.append(_event(device, "device.firmware_changed", received_at, data=data))
        if said.hardware_id and said.hardware_id != known.device.hardware_id:
            await self._note_twin(device, received_at)

    async def _note_twin(self, device: Device, received_at: datetime) -> None:
        """Two links that reach one identity: both stay, and somebody is told."""
        twin = await devices.find_same_hardware(
            self.tx, SCOPE, device.hardware_id, not_connection=device.connection_id
        )
        if twin is None:
            return
        log.warning("two devices have one identity: %s and %s", device.name, twin.name)
        data: dict[str, Json] = {
            "hardware_id": device.hardware_id,
            "other_device": twin.id,
            "other_name": twin.name,
            "remedy": "one camera configured twice, or a cloned one: retire one of the two",
        }
        self._events.append(
            _event(
                device,
                "device.identity_conflict",
                received_at,
                severity=Severity.WARNING,
                data=data,
            )
        )

    async def _report_status(
        self, known: Known, event: StatusReported, received_at: datetime
    ) -> None:
        layer = event.layer
        if event.status is Status.OFFLINE and layer is None:
            layer = Layer.NETWORK
        report = DeviceStatusReport(
            device_id=known.device.id,
            probed_at=event.occurred_at or received_at,
            layer=layer,
            detail=event.detail,
            seen=OFFLINE_LAYERS if layer is None else OFFLINE_LAYERS | {layer},
            is_unknown=event.status is Status.UNKNOWN,
            session=event.session,
        )
        await self._report(known, report, received_at)

    async def _report(
        self, known: Known, report: DeviceStatusReport, received_at: datetime
    ) -> None:
        """Keep a verdict for :meth:`write`; the one before it about the same device goes first."""
        if known.device.id in self._reports:
            await self._apply_reports()
        if _is_news(self._statuses.get(known.device.id) or known, report):
            self._reports[known.device.id] = (known, report, received_at)

    async def _apply_reports(self) -> None:
        waiting, self._reports = self._reports, {}
        if not waiting:
            return
        reports = [report for _, report, _ in waiting.values()]
        for change in await status.apply_reports(self.tx, SCOPE, reports):
            device_id = change.after.device_id
            self._statuses[device_id] = change.after
            known, report, received_at = waiting[device_id]
            # A fault is known once it is confirmed; it began at the first look.
            known_at = max(report.probed_at, received_at)
            if change.is_news:
                self._changed.add(device_id)
                transition = _transition(known.device, change, known_at)
                self._events.append(replace(transition, at=report.probed_at))
            if change.began_flapping:
                self._events.append(_flapping(known.device, known_at))


def _is_news(known: Known | StatusRow, report: DeviceStatusReport) -> bool:
    """Tell whether a report can change what is stored; the database has the last word."""
    if report.confirms or (report.session is not None and report.session != known.session):
        return True
    return says_news(report, known)


def _event(
    device: Device,
    kind: str,
    at: datetime,
    *,
    severity: Severity = Severity.INFO,
    data: dict[str, Json] | None = None,
) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=device.area_id,
        area_path=device.area_path,
        at=at,
        received_at=at,
        device_id=device.id,
        device_name=device.name,
        severity=severity,
        data=data or {},
    )


def _transition(device: Device, change: Change, at: datetime) -> StoredEvent:
    after = change.after
    data: dict[str, Json] = {
        "previous": str(change.before.status),
        "layer": str(after.layer or ""),
        "detail": after.detail,
    }
    if after.behind_id is not None:
        data["behind"] = after.behind_id
    if after.is_flapping:
        data["flapping"] = True
    severity = _SEVERITY.get(after.status, Severity.INFO)
    return _event(device, f"device.{after.status}", at, severity=severity, data=data)


def _flapping(device: Device, at: datetime) -> StoredEvent:
    data: dict[str, Json] = {"within_s": FLAPPING_WITHIN.total_seconds()}
    event = _event(device, "device.flapping", at, severity=Severity.WARNING, data=data)
    return replace(event, is_active=True)


def _occurrence(device: Device, event: Occurrence, received_at: datetime) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=event.kind,
        area_id=device.area_id,
        area_path=device.area_path,
        at=event.occurred_at or received_at,
        received_at=received_at,
        device_id=device.id,
        device_name=device.name,
        channel=event.channel,
        severity=event.severity,
        is_active=event.is_active,
        replayed=event.replayed,
        data=event.data,
    )


def _about(device: Device, event: StoredEvent) -> StoredEvent:
    return replace(
        event,
        area_id=device.area_id,
        area_path=device.area_path,
        device_id=device.id,
        device_name=device.name,
    )


def _unrecognised(event: UnrecognisedEvent, received_at: datetime) -> StoredEvent:
    try:
        payload, encoding = event.payload.decode().replace("\0", "\ufffd"), "text"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(event.payload).decode(), "base64"
    return StoredEvent(
        id=0,
        kind=event.kind,
        area_id=0,
        area_path="",
        at=event.occurred_at or received_at,
        received_at=received_at,
        severity=Severity.INFO,
        replayed=event.replayed,
        data={
            "topic": event.topic.replace("\0", "\ufffd"),
            "reason": event.reason,
            "payload": payload,
            "encoding": encoding,
        },
    )
