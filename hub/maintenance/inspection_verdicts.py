"""What a slow look at a camera means: faults of clock and recording, certificates. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median
from typing import Final

from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import DeviceStatusReport, Inspection, Layer, Recording
from hub.store.camera_days import Learnt

EXPIRING: Final = "certificate.expiring"
RENEWED: Final = "certificate.renewed"
FIRMWARE_CHANGED: Final = "device.firmware_changed"
SUSPICIOUS: Final = 10  # fewer clocks that are wrong alike are one village's


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond these it is a fault (practice, field.md §5: N of the clock rate is at most 60).

    ``completeness`` is the share of the planned seconds that must be recorded; 0 asks only that
    anything is.
    """

    clock_s: float = 60.0
    completeness: float = 0.95
    certificate: timedelta = timedelta(days=30)


def judge(
    device_id: int, found: Inspection, limits: Limits, zone: tzinfo = UTC
) -> list[DeviceStatusReport]:
    """Return a verdict for each layer of which the camera told anything."""
    verdicts = []
    if found.clock_offset_s is not None:
        verdicts.append((Layer.CLOCK, clock_fault(found.clock_offset_s, limits)))
    if found.recording is not None and found.recording_day is not None:
        day = f"{found.recording_day.astimezone(zone):%Y-%m-%d}"
        verdicts.append((Layer.RECORDING, recording_fault(found.recording, day, limits)))
    return [
        DeviceStatusReport(
            device_id=device_id,
            probed_at=found.inspected_at,
            layer=layer if fault else None,
            detail=fault,
            seen=frozenset({layer}),
        )
        for layer, fault in verdicts
    ]


def suspects_own_clock(offsets_s: Sequence[float], limits: Limits) -> bool:
    """Tell whether so many clocks differ from ours by the same that ours may be the wrong one."""
    if len(offsets_s) < SUSPICIOUS:
        return False
    middle = median(offsets_s)
    alike = sum(abs(offset - middle) <= limits.clock_s for offset in offsets_s)
    return abs(middle) > limits.clock_s and alike >= 0.9 * len(offsets_s)


def is_first_day(found: Inspection, registered_at: datetime) -> bool:
    """Tell whether the day that was measured began before camera and recording were there."""
    day, oldest_at = found.recording_day, found.oldest_recording_at
    return day is not None and registered_at > day and (oldest_at is None or oldest_at > day)


def clock_fault(offset_s: float, limits: Limits) -> str:
    """Return what is wrong with a clock; empty when nothing is."""
    if abs(offset_s) <= limits.clock_s:
        return ""
    direction = "ahead" if offset_s > 0 else "behind"
    return f"the camera's clock is {span_text(abs(offset_s))} {direction}"


def recording_fault(recording: Recording, day: str, limits: Limits) -> str:
    """Return what is wrong with the recording of a day; empty when nothing is."""
    if recording.planned_s <= 0:
        return ""
    if recording.recorded_s <= 0:
        return f"nothing was recorded on {day}"
    share = recording.recorded_s / recording.planned_s
    if share >= limits.completeness:
        return ""
    # Rounded down: 94.96 % is not the 95 % that are asked for.
    text = f"only {int(share * 1000) / 10:.1f} % of {day} was recorded"
    if not recording.holes:
        return text
    longest = max((end - begin).total_seconds() for begin, end in recording.holes)
    count = len(recording.holes)
    return f"{text}; {count} {'hole' if count == 1 else 'holes'}, up to {span_text(longest)}"


def span_text(seconds: float) -> str:
    """Say how long something is, in its two largest units."""
    parts = []
    left = round(seconds)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def is_expiring(expires_at: datetime | None, now: datetime, limits: Limits) -> bool:
    """Tell whether a certificate ends soon, or has ended."""
    return expires_at is not None and expires_at - now <= limits.certificate


def events_of(
    learnt: Sequence[Learnt], announced: Collection[tuple[int, str]], now: datetime, limits: Limits
) -> list[StoredEvent]:
    """Return what is news about firmware and certificates.

    ``announced`` are the (device, end) of certificates of which it was said already.
    """
    events = []
    for one in learnt:
        if one.firmware_was and one.firmware != one.firmware_was:
            data: dict[str, Json] = {"previous": one.firmware_was, "firmware": one.firmware}
            events.append(_event(one, FIRMWARE_CHANGED, now, data))
        if one.certificate is None:
            continue
        ends = one.certificate.isoformat()
        data = {"expires_at": ends}
        if is_expiring(one.certificate, now, limits):
            if (one.device_id, ends) not in announced:
                event = _event(one, EXPIRING, now, data)
                events.append(replace(event, severity=Severity.WARNING, is_active=True))
        elif is_expiring(one.certificate_was, now, limits):
            events.append(replace(_event(one, RENEWED, now, data), is_active=False))
    return events


def _event(about: Learnt, kind: str, at: datetime, data: dict[str, Json]) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=about.area_id,
        area_path=about.area_path,
        at=at,
        received_at=at,
        device_id=about.device_id,
        device_name=about.name,
        data=data,
    )
