"""What is known of a place, in short sentences for a tired operator. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from hub.domain.looks import PlaceFacts
from hub.store.patrol_places import Place, PlaceAlert, PlaceEvent

_LONGEST_PART: Final = 80  # characters
_NEAR: Final = timedelta(hours=20)  # a time of the day is enough
_MOVED: Final = "摄像机报告有移动 Camera reported movement"
_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "motion.started": _MOVED,
        "intrusion.started": "摄像机报告区域入侵 Camera reported an intrusion",
        "line.crossed": "摄像机报告越线 Camera reported a line crossed",
        "person.started": _MOVED,  # who or what it took it for is not ours to say
        "vehicle.started": _MOVED,
        "sound.started": "摄像机报告声音 Camera reported a sound",
        "tamper.started": "摄像机报告被遮挡 Camera reported tampering",
        "digital_input.started": "摄像机报警输入 Alarm input of the camera",
    }
)


def describe(place: Place) -> PlaceFacts:
    """Say what is known of a place, a sentence for each fact, in their order."""
    return PlaceFacts(
        open_alerts=tuple(_say_alert(one, place) for one in place.alerts),
        last_events=tuple(_say_event(one, place) for one in place.events),
    )


def one_line(text: str, longest: int) -> str:
    """Return one printable line: parts of it were said by devices and by people."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _say_alert(alert: PlaceAlert, place: Place) -> str:
    own = alert.device_id == place.device_id
    word = "未解除警报 Open alert" if own else "附近未解除警报 Open alert nearby"
    name = "" if own or not alert.device_name else f"{one_line(alert.device_name, _LONGEST_PART)}: "
    reason = one_line(alert.reason, _LONGEST_PART)
    return f"{word}, {_say_time(alert.started_at, place)}: {name}{reason}"


def _say_event(event: PlaceEvent, place: Place) -> str:
    at = _say_time(event.at, place)
    if event.device_id == place.device_id:
        return f"{_EVENTS.get(event.kind, one_line(event.kind, _LONGEST_PART))}, {at}"
    name = one_line(event.device_name, _LONGEST_PART)
    return f"附近事件 Event nearby, {at}: {name}: {one_line(event.kind, _LONGEST_PART)}"


def _say_time(at: datetime, place: Place) -> str:
    local = at.astimezone(place.zone)
    is_near = place.asked_at is None or place.asked_at - at < _NEAR
    return f"{local:%H:%M}" if is_near else f"{local:%m-%d %H:%M}"
