"""Latency and loss, counted in memory and handed over by the hour."""

from datetime import UTC, datetime

from hub.domain.health import OFFLINE_LAYERS, ProbeResult
from hub.store.probe_hours import ProbeHour

HOUR_S = 3600


class ProbeCounts:
    """The counts of the devices of one shard since they were last taken.

    A result counts for the hour in which it was asked for; counts of another hour than the
    present one are taken first.
    """

    def __init__(self) -> None:
        self._hour = 0
        self._rows: dict[int, list[float]] = {}

    def add(self, device_id: int, result: ProbeResult) -> None:
        """Count one result; one that says nothing of the device is left out."""
        if not result.is_conclusive:
            return
        row = self._rows.get(device_id)
        if row is None:
            row = self._rows[device_id] = [0.0, 0.0, 0.0, 0.0]
        row[0] += 1
        if result.failed_layer in OFFLINE_LAYERS:
            row[1] += 1
            return
        latency_ms = result.latency_s * 1000
        row[2] += latency_ms
        row[3] = max(row[3], latency_ms)

    def is_over(self, now: datetime) -> bool:
        """Tell whether the hour that is counted has ended."""
        hour = int(now.timestamp()) // HOUR_S
        if not self._rows:
            self._hour = hour
        return hour != self._hour

    def take(self) -> list[ProbeHour]:
        """Hand over what was counted and begin anew."""
        hour = datetime.fromtimestamp(self._hour * HOUR_S, UTC)
        rows, self._rows = self._rows, {}
        return [
            ProbeHour(
                hour=hour,
                device_id=device_id,
                probes=int(probes),
                lost=int(lost),
                latency_ms=latency_ms,
                slowest_ms=slowest_ms,
            )
            for device_id, (probes, lost, latency_ms, slowest_ms) in rows.items()
        ]
