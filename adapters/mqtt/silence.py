"""Who has been silent for too long. Pure: time is passed in, in seconds of one steady clock.

A device is judged only when it is known how often it reports. Silence counts from its last
message, or from the last moment the hub itself could not listen (:meth:`SilenceTracker.hold`).
"""

import heapq
from dataclasses import dataclass

MAX_DEVICES = 200_000  # beyond, new devices are not judged: a flood of names must cost no memory


@dataclass(slots=True)
class _Watch:
    interval_s: float
    heard_at: float
    is_silent: bool = False
    must_say: bool = False
    queued_for: float = float("inf")


class SilenceTracker:
    """Keeps one entry per device that reports at a known interval."""

    def __init__(self, *, factor: float, default_interval_s: float | None = None) -> None:
        self._factor = factor
        self._default_interval_s = default_interval_s
        self._watches: dict[str, _Watch] = {}
        self._due: list[tuple[float, str]] = []
        self._held_at = float("-inf")

    def expect(self, device: str, interval_s: float | None, now: float) -> None:
        """The device said (or no longer says) how often it reports."""
        if not self._factor:
            return
        interval_s = self._default_interval_s if interval_s is None else interval_s
        if interval_s is None:
            self._watches.pop(device, None)
            return
        watch = self._watches.get(device)
        if watch is None:
            if len(self._watches) >= MAX_DEVICES:
                return
            watch = self._watches[device] = _Watch(interval_s=interval_s, heard_at=now)
        watch.interval_s = interval_s
        self._queue(device, watch)

    def heard(self, device: str, now: float) -> bool:
        """A fresh message came from the device; True when it says that the device is there.

        That is when it had been silent until now, or was not known and is expected from now on.
        """
        watch = self._watches.get(device)
        if watch is None:
            if self._default_interval_s is not None:
                self.expect(device, None, now)
            return device in self._watches
        watch.heard_at = now
        was_silent, watch.is_silent, watch.must_say = watch.is_silent, False, False
        self._queue(device, watch)
        return was_silent

    def forget(self, device: str) -> None:
        """The device signed off: nothing is expected of it."""
        self._watches.pop(device, None)

    def hold(self, now: float) -> None:
        """The hub could not listen until now: nobody's silence counts from before."""
        self._held_at = now

    def begin(self, now: float) -> None:
        """A new link: who was silent before is told of again unless it is heard in time."""
        self.hold(now)
        for device, watch in self._watches.items():
            if watch.is_silent:
                watch.must_say = True
                self._queue(device, watch)

    def fallen_silent(self, now: float) -> list[tuple[str, float]]:
        """Devices that became too silent since the last call, each with its seconds of silence."""
        fallen: list[tuple[str, float]] = []
        while self._due and self._due[0][0] <= now:
            queued_for, device = heapq.heappop(self._due)
            watch = self._watches.get(device)
            if watch is None or watch.queued_for != queued_for:
                continue
            watch.queued_for = float("inf")
            if watch.is_silent and not watch.must_say:
                continue
            if self._deadline(watch) > now:
                self._queue(device, watch)
                continue
            watch.is_silent, watch.must_say = True, False
            fallen.append((device, now - watch.heard_at))
        return fallen

    def is_silent(self, device: str) -> bool:
        """Whether the device was reported silent and has not been heard since."""
        watch = self._watches.get(device)
        return watch is not None and watch.is_silent

    def _deadline(self, watch: _Watch) -> float:
        return max(watch.heard_at, self._held_at) + watch.interval_s * self._factor

    def _queue(self, device: str, watch: _Watch) -> None:
        deadline = self._deadline(watch)
        if deadline < watch.queued_for:  # else the entry in the heap comes first and looks again
            watch.queued_for = deadline
            heapq.heappush(self._due, (deadline, device))
