"""What history tells of devices that speaks against an alert: windows, dead parents, flapping.

Pure. The engine asks the present for it; here the events of devices and the maintenance windows
answer for any moment of the past, as far as they were shown.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.rules.observations import STATUS_KINDS
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status
from hub.store.present import Presence
from hub.store.rule_history import PastWindow

FLAPPING_KINDS: Final = ("device.flapping", "device.steady")
_LAYERS: Final[Mapping[object, frozenset[Layer]]] = {
    layer.value: frozenset({layer}) for layer in Layer
}
_NONE: Final[frozenset[Layer]] = frozenset()

# Since when, the parent to blame, whether it flaps.
_Spell = tuple[datetime, str, bool]


class PastDevices:
    """Devices as they were; knows only what it was told."""

    def __init__(self, windows: Iterable[PastWindow] = ()) -> None:
        self._known: dict[int, Presence] = {}
        self._spells: dict[int, list[_Spell]] = {}
        self._of_devices: dict[int, list[PastWindow]] = {}
        self._of_areas: dict[str, list[PastWindow]] = {}
        for window in windows:
            if window.device_id is None:
                self._of_areas.setdefault(window.area_path, []).append(window)
            else:
                self._of_devices.setdefault(window.device_id, []).append(window)

    def learn(self, event: StoredEvent) -> Presence | None:
        """Keep what an event says of its device; return the device as it was told last."""
        device_id = event.device_id
        if device_id is None:
            return None
        before = self._known.get(device_id)
        status = STATUS_KINDS.get(event.kind)
        if event.replayed or (status is None and event.kind not in FLAPPING_KINDS):
            return before
        if status is None:
            is_flapping = event.kind == "device.flapping"
            after = replace(before or _unknown(device_id), is_flapping=is_flapping)
        else:
            after = _told(device_id, event, status, before)
        self._known[device_id] = after
        spells = self._spells.setdefault(device_id, [])
        if (spells[-1][1:] if spells else ("", False)) != (after.behind, after.is_flapping):
            since = event.received_at if not spells else max(spells[-1][0], event.received_at)
            spells.append((since, after.behind, after.is_flapping))
        return after

    def find(
        self, device_id: int, area_path: str, at: datetime
    ) -> tuple[Presence | None, datetime | None]:
        """A device as it was then, as far as it matters, and when that is known to end.

        None: nothing spoke against an alert.
        """
        has_windows = bool(self._of_areas) or device_id in self._of_devices
        window = self._window(device_id, area_path, at) if has_windows else None
        if window is not None:
            present = replace(
                _unknown(device_id), window=window.reason, window_until=window.ends_at
            )
            return present, window.ends_at
        spells = self._spells.get(device_id)
        if not spells:
            return None, None
        place = bisect_right(spells, at, key=_since)
        behind, is_flapping = spells[place - 1][1:] if place else ("", False)
        if not behind and not is_flapping:
            return None, None
        ends_at = spells[place][0] if place < len(spells) else None
        return replace(_unknown(device_id), behind=behind, is_flapping=is_flapping), ends_at

    def _window(self, device_id: int, area_path: str, at: datetime) -> PastWindow | None:
        """The one in force then, the last to end when there are several."""
        found = [w for w in self._around(device_id, area_path) if w.starts_at <= at < w.ends_at]
        return max(found, key=lambda w: w.ends_at, default=None)

    def _around(self, device_id: int, area_path: str) -> Iterator[PastWindow]:
        yield from self._of_devices.get(device_id, ())
        if self._of_areas:
            codes = area_path.split(".")
            for depth in range(1, len(codes) + 1):
                yield from self._of_areas.get(".".join(codes[:depth]), ())


def _told(device_id: int, event: StoredEvent, status: Status, before: Presence | None) -> Presence:
    """An event is also made when only the parent to blame changed: the status began before."""
    is_same = before is not None and before.status is status
    parent = event.data.get("behind")
    return Presence(
        device_id=device_id,
        kind=DeviceKind.OTHER,
        status=status,
        since=before.since if before is not None and is_same else event.received_at,
        faults=_LAYERS.get(event.data.get("layer"), _NONE),
        behind="" if parent is None else f"device {parent}",
        is_flapping=event.data.get("flapping") is True,
    )


def _unknown(device_id: int) -> Presence:
    return Presence(device_id=device_id, kind=DeviceKind.OTHER, status=Status.UNKNOWN, since=None)


def _since(spell: _Spell) -> datetime:
    return spell[0]
