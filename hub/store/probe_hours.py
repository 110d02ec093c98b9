"""Latency and loss of each device by the hour: what trends are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# 400 days of hours, and some.
MOST_HOURS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeHour:
    """The probes of one device in the hour that begins at ``hour``.

    ``latency_ms`` is the sum over the probes that were answered; ``lost`` is how many were not.
    """

    hour: datetime
    device_id: int
    probes: int
    lost: int
    latency_ms: float
    slowest_ms: float

    @property
    def lost_share(self) -> float:
        """0 to 1."""
        return self.lost / self.probes if self.probes else 0.0

    @property
    def mean_ms(self) -> float | None:
        """The mean latency of the answered probes, None when none was answered."""
        answered = self.probes - self.lost
        return self.latency_ms / answered if answered > 0 else None


async def add_hours(tx: Transaction, scope: Scope, rows: Sequence[ProbeHour]) -> None:
    """Add to what is known of these hours; rows of the same device and hour add up.

    Not repeatable: what is added twice counts twice. Only the hub itself may.
    """
    if scope.paths is not None or not rows:
        return
    await tx.execute(
        "CREATE TEMP TABLE IF NOT EXISTS staged_probe_hours (hour timestamptz, device_id bigint,"
        " probes integer, lost integer, latency_ms real, slowest_ms real) ON COMMIT DELETE ROWS"
    )
    # An earlier call in this transaction left its rows.
    await tx.execute("TRUNCATE staged_probe_hours")
    async with (
        tx.connection.cursor() as cursor,
        cursor.copy(
            "COPY staged_probe_hours (hour, device_id, probes, lost, latency_ms, slowest_ms)"
            " FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["timestamptz", "int8", "int4", "int4", "float4", "float4"])
        for row in rows:
            await copy.write_row(
                (row.hour, row.device_id, row.probes, row.lost, row.latency_ms, row.slowest_ms)
            )
    # Sorted: concurrent writers then lock rows in one order and never deadlock.
    await tx.execute(
        "INSERT INTO probe_hours AS h (hour, device_id, probes, lost, latency_ms, slowest_ms)"
        " SELECT date_trunc('hour', hour), device_id, sum(probes), sum(lost), sum(latency_ms),"
        "  max(slowest_ms) FROM staged_probe_hours GROUP BY 1, 2 ORDER BY 2, 1"
        " ON CONFLICT (device_id, hour) DO UPDATE SET probes = h.probes + excluded.probes,"
        " lost = h.lost + excluded.lost, latency_ms = h.latency_ms + excluded.latency_ms,"
        " slowest_ms = greatest(h.slowest_ms, excluded.slowest_ms)"
    )


async def list_hours(
    tx: Transaction, scope: Scope, device_id: int, *, since: datetime, until: datetime
) -> list[ProbeHour]:
    """The hours of a device of the scope that begin in a period, oldest first, at most 10,000."""
    return await tx.fetch(
        ProbeHour,
        "SELECT h.hour, h.device_id, h.probes, h.lost, h.latency_ms, h.slowest_ms"
        " FROM probe_hours h JOIN devices d ON d.id = h.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " WHERE h.device_id = %(device)s AND h.hour >= %(since)s AND h.hour < %(until)s AND"
        + IN_SCOPE
        + "ORDER BY h.hour LIMIT %(most)s",
        {
            "device": device_id,
            "since": since,
            "until": until,
            "most": MOST_HOURS,
            "scope": scope_paths(scope),
        },
    )
