"""Latency and loss, counted in memory and handed over by the hour."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hub.domain.health import OFFLINE_LAYERS, ProbeResult
from hub.store.probe_hours import ProbeHour

HOUR_S = 3600


class ProbeCounts:
    """The counts of the devices of one shard, each result in the hour in which it was asked."""

    def __init__(self) -> None:
        self._hours: dict[int, dict[int, list[float]]] = {}

    def add(self, device_id: int, result: ProbeResult) -> None:
        """Count one result; one that says nothing of the device is left out."""
        if not result.is_conclusive:
            return
        rows = self._hours.setdefault(_hour_of(result.probed_at), {})
        row = rows.get(device_id)
        if row is None:
            row = rows[device_id] = [0.0, 0.0, 0.0, 0.0]
        row[0] += 1
        if result.failed_layer in OFFLINE_LAYERS:
            row[1] += 1
            return
        latency_ms = result.latency_s * 1000
        row[2] += latency_ms
        row[3] = max(row[3], latency_ms)

    def take(self, before: datetime | None = None) -> list[ProbeHour]:
        """Hand over the hours that ended before a moment, None for all, and forget them."""
        end = None if before is None else _hour_of(before)
        over = [hour for hour in self._hours if end is None or hour < end]
        return [
            ProbeHour(
                hour=datetime.fromtimestamp(hour * HOUR_S, UTC),
                device_id=device_id,
                probes=int(probes),
                lost=int(lost),
                latency_ms=latency_ms,
                slowest_ms=slowest_ms,
            )
            for hour in over
            for device_id, (probes, lost, latency_ms, slowest_ms) in self._hours.pop(hour).items()
        ]

    def put_back(self, rows: Iterable[ProbeHour]) -> None:
        """Take back what could not be stored."""
        for row in rows:
            counts = [row.probes, row.lost, row.latency_ms, row.slowest_ms]
            known = self._hours.setdefault(_hour_of(row.hour), {}).setdefault(row.device_id, counts)
            if known is not counts:
                known[:3] = [old + more for old, more in zip(known[:3], counts[:3], strict=True)]
                known[3] = max(known[3], counts[3])


def _hour_of(at: datetime) -> int:
    return int(at.timestamp()) // HOUR_S
