"""ONVIF topics mapped to our event kinds.

Topics are those of the ONVIF Core, Imaging, Analytics and Device IO specifications; a vendor is
named where it alone sends one. What is not listed here is stored as an unrecognised event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.onvif.notifications import Notification
from hub.domain.events import Event, Occurrence, Reading, Severity, UnrecognisedEvent

_TRUE = frozenset({"true", "1", "active", "on", "yes"})
_FALSE = frozenset({"false", "0", "inactive", "off", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A topic that is true for a while. ``items`` are the names the flag goes by."""

    begins: str
    ends: str
    items: tuple[str, ...]
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A topic that happens at one moment."""

    kind: str
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """A topic that carries a number: ``item`` is a reading at ``point``."""

    point: str
    item: str


_Meaning = _State | _Moment | _Measure


def _state(name: str, *items: str, severity: Severity = Severity.INFO) -> _State:
    return _State(begins=f"{name}.started", ends=f"{name}.stopped", items=items, severity=severity)


_MOTION = _state("motion", "IsMotion", "State", "Value")
_SCENE = _state("scene_change", "State", "Value", severity=Severity.WARNING)
_TAMPER = _state("tamper", "IsTamper", "State", severity=Severity.WARNING)
_BLURRY = _state("picture_too_blurry", "State", severity=Severity.WARNING)
_DARK = _state("picture_too_dark", "State", severity=Severity.WARNING)
_BRIGHT = _state("picture_too_bright", "State", severity=Severity.WARNING)
_FAN = _state("fan_failure", "Failed", "State", severity=Severity.WARNING)
_POWER = _state("power_supply_failure", "Failed", "State", severity=Severity.CRITICAL)
_STORAGE = _state("storage_failure", "Failed", "State", severity=Severity.CRITICAL)
_HOT = _state("temperature_critical", "Critical", "State", severity=Severity.CRITICAL)
_SIGNAL = _State(
    begins="signal.lost", ends="signal.restored", items=("State",), severity=Severity.CRITICAL
)
_SERVICES = ("", "/ImagingService", "/AnalyticsService", "/RecordingService")

_TOPICS: dict[str, _Meaning] = {
    "VideoSource/MotionAlarm": _MOTION,
    "RuleEngine/CellMotionDetector/Motion": _MOTION,
    "RuleEngine/MotionRegionDetector/Motion": _MOTION,
    "VideoAnalytics/Motion": _MOTION,  # older Dahua
    "VideoSource/SignalLoss": _SIGNAL,
    "RuleEngine/TamperDetector/Tamper": _TAMPER,  # Hikvision, Dahua
    "RuleEngine/FieldDetector/ObjectsInside": _state("intrusion", "IsInside", "State"),
    "RuleEngine/LineDetector/Crossed": _Moment(kind="line.crossed"),
    "RuleEngine/MyRuleDetector/PeopleDetect": _state("person", "State"),  # Reolink
    "RuleEngine/MyRuleDetector/VehicleDetect": _state("vehicle", "State"),  # Reolink
    "AudioAnalytics/Audio/DetectedSound": _state("sound", "IsSoundDetected", "State"),
    "AudioSource/TriggerLevel": _state("sound", "Triggered", "State"),  # Axis
    "Device/Trigger/DigitalInput": _state("digital_input", "LogicalState", "State"),
    "Device/Trigger/Relay": _state("relay", "LogicalState", "State"),
    # The Core Specification's names, and the short ones some cameras use.
    "Device/HardwareFailure/FanFailure": _FAN,
    "Device/HardwareFailure/Fan": _FAN,
    "Device/HardwareFailure/PowerSupplyFailure": _POWER,
    "Device/HardwareFailure/PowerSupply": _POWER,
    "Device/HardwareFailure/StorageFailure": _STORAGE,
    "Device/HardwareFailure/Storage": _STORAGE,
    "Device/HardwareFailure/TemperatureCritical": _HOT,
    "Device/OperationMode/ShutdownInitiated": _Moment(
        kind="shutdown.initiated", severity=Severity.WARNING
    ),
    "Monitoring/ProcessorUsage": _Measure(point="processor_usage", item="Value"),
    "Monitoring/OperatingTime/LastReboot": _Moment(kind="reboot.reported"),
    "Monitoring/OperatingTime/LastReset": _Moment(kind="reset.reported"),
    "Monitoring/Backup/Last": _Moment(kind="backup.reported"),
    "Monitoring/OperatingTime/LastClockSynchronization": _Moment(kind="clock.synchronised"),
    "Media/ProfileChanged": _Moment(kind="configuration.changed"),
    "Media/ConfigurationChanged": _Moment(kind="configuration.changed"),
}
for _name, _meaning in (
    ("GlobalSceneChange", _SCENE),
    ("ImageTooBlurry", _BLURRY),
    ("ImageTooDark", _DARK),
    ("ImageTooBright", _BRIGHT),
):
    _TOPICS.update({f"VideoSource/{_name}{service}": _meaning for service in _SERVICES})


def event_of(message: Notification, *, device: str, channels: Mapping[str, str]) -> Event:
    """Return the event a message stands for; one nobody can read becomes unrecognised.

    Args:
        message: What the camera sent.
        device: The device's key within its connection.
        channels: Video source tokens and configuration tokens, each with its channel's key.
    """
    meaning = _TOPICS.get(message.topic)
    if meaning is None:
        return _unrecognised(message, device=device, reason="a topic that is not known")
    if isinstance(meaning, _Measure):
        return _reading(message, meaning, device=device)
    if isinstance(meaning, _Moment):
        return _occurrence(message, device, channels, meaning.kind, meaning.severity)
    flag = False if message.operation == "Deleted" else _flag(message.data, meaning.items)
    if flag is None:
        return _unrecognised(message, device=device, reason="neither true nor false")
    begun = _occurrence(message, device, channels, meaning.begins, meaning.severity)
    return (
        replace(begun, is_active=True)
        if flag
        else replace(begun, kind=meaning.ends, is_active=False, severity=Severity.INFO)
    )


def is_replayed(message: Notification) -> bool:
    """Return whether the message repeats the state at subscription: a fact, but no news."""
    return message.operation == "Initialized"


def _flag(data: Mapping[str, str], names: tuple[str, ...]) -> bool | None:
    """Return the flag under the first name present; None when it cannot be read."""
    value = next((data[name].lower() for name in names if name in data), "")
    return True if value in _TRUE else False if value in _FALSE else None


def _occurrence(
    message: Notification,
    device: str,
    channels: Mapping[str, str],
    kind: str,
    severity: Severity,
) -> Occurrence:
    channel = next((channels[v] for v in message.source.values() if v in channels), "")
    return Occurrence(
        device=device,
        occurred_at=message.occurred_at,
        replayed=is_replayed(message),
        kind=kind,
        channel=channel,
        severity=severity,
        data={"topic": message.topic, **message.source, **message.data},
    )


def _reading(message: Notification, meaning: _Measure, *, device: str) -> Event:
    try:
        value = float(message.data.get(meaning.item, ""))
    except ValueError:
        return _unrecognised(message, device=device, reason="not a number")
    if not -1e12 < value < 1e12:
        return _unrecognised(message, device=device, reason="a number out of range")
    return Reading(
        device=device,
        occurred_at=message.occurred_at,
        replayed=is_replayed(message),
        point=meaning.point,
        value=value,
    )


def _unrecognised(message: Notification, *, device: str, reason: str) -> UnrecognisedEvent:
    return UnrecognisedEvent(
        device=device,
        occurred_at=message.occurred_at,
        replayed=is_replayed(message),
        topic=message.topic,
        reason=reason,
        payload=message.raw,
    )
