"""How long alerts may wait, by area and severity."""

from collections.abc import Sequence
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Joins ``dl``, the deadlines that count (acknowledge_s, resolve_s, yellow_share; all null without
# any), to a query in which ``a`` is the area of an alert and ``k`` a row with its ``severity``.
DEADLINES_OF: Final[LiteralString] = (
    " LEFT JOIN LATERAL (SELECT dr.acknowledge_s, dr.resolve_s, dr.yellow_share FROM deadlines dr"
    " JOIN areas da ON da.id = dr.area_id WHERE da.path @> a.path AND dr.severity = k.severity"
    " ORDER BY nlevel(da.path) DESC LIMIT 1) dl ON true "
)
# The columns that follow, where ``k`` has ``fired_at``, too.
DEADLINE_COLUMNS: Final[LiteralString] = (
    " k.fired_at + dl.acknowledge_s * interval '1 s' AS acknowledge_by,"
    " k.fired_at + dl.resolve_s * interval '1 s' AS resolve_by,"
    " coalesce(dl.yellow_share, 0.25) AS yellow_share "
)


async def set_deadlines(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> None:
    """Give alerts of the scope the deadlines of their area, counted from when they fired."""
    await tx.execute(
        "UPDATE alerts x SET acknowledge_by = s.acknowledge_by, resolve_by = s.resolve_by,"
        " yellow_share = s.yellow_share FROM (SELECT k.id,"
        + DEADLINE_COLUMNS
        + "FROM alerts k JOIN areas a ON a.id = k.area_id"
        + DEADLINES_OF
        + "WHERE k.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + ") s WHERE x.id = s.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
