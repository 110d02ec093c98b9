"""Reports of patrols as they are kept: figures with their formula's version, and who signed.

A report may be made again until somebody signs it; a signed one never changes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, NotFound
from hub.domain.patrol_reports import KeptReport, NewReport, Period, SignedLine
from hub.store import audit, notices, patrol_evidence
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "patrol-reports"
SIGNED: Final = "report_signed"  # a line of evidence

_COLUMNS: Final = (
    "SELECT p.id, p.period, p.area_id, a.path::text AS area_path, a.name AS area_name, p.round_id,"
    " p.starts_at, p.ends_at, p.time_zone, p.formula, p.made_at, p.signed_by, p.signed_at,"
    " p.sign_note"
)
_FROM: Final = " FROM patrol_reports p JOIN areas a ON a.id = p.area_id WHERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter:
    """What a list of reports is narrowed to; empty fields narrow nothing."""

    area_id: int | None = None
    period: Period | None = None
    round_id: int | None = None
    is_signed: bool | None = None


async def list_reports(
    tx: Transaction,
    scope: Scope,
    wanted: ReportFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[KeptReport]:
    """Reports of the scope without their figures, newest first."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        KeptReport,
        _COLUMNS + _FROM + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR p.id < %(after)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(period)s::text IS NULL OR p.period = %(period)s)"
        " AND (%(round)s::bigint IS NULL OR p.round_id = %(round)s)"
        " AND (%(signed)s::boolean IS NULL OR (p.signed_at IS NOT NULL) = %(signed)s)"
        " ORDER BY p.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": wanted.area_id,
            "period": wanted.period,
            "round": wanted.round_id,
            "signed": wanted.is_signed,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def get_report(tx: Transaction, scope: Scope, report_id: int) -> KeptReport:
    """One report with its figures; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        KeptReport,
        _COLUMNS + ", p.figures" + _FROM + IN_SCOPE + "AND p.id = %(id)s",
        {"scope": scope_paths(scope), "id": report_id},
    )
    if row is None:
        raise _missing()
    return _typed(row)


async def get_lines(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[KeptReport]:
    """Some reports of the scope without their figures; others are left out."""
    rows = await tx.fetch(
        KeptReport,
        _COLUMNS + _FROM + IN_SCOPE + "AND p.id = ANY (%(ids)s::bigint[]) ORDER BY p.id",
        {"scope": scope_paths(scope), "ids": list(ids)},
    )
    return [_typed(row) for row in rows]


async def find_report(tx: Transaction, scope: Scope, new: NewReport) -> KeptReport | None:
    """The kept report of the same period, area and round, None while there is none."""
    row = await tx.fetch_one(
        KeptReport,
        _COLUMNS + ", p.figures" + _FROM + IN_SCOPE + "AND p.period = %(period)s"
        " AND p.area_id = %(area)s AND p.starts_at = %(since)s"
        " AND p.round_id IS NOT DISTINCT FROM %(round)s::bigint",
        {
            "scope": scope_paths(scope),
            "period": new.period,
            "area": new.area_id,
            "since": new.starts_at,
            "round": new.round_id,
        },
    )
    return None if row is None else _typed(row)


async def keep_report(
    tx: Transaction, scope: Scope, new: NewReport, figures: Mapping[str, Json], now: datetime
) -> tuple[int, bool]:
    """Keep a report, or put it in the place of the one before.

    Returns its number and whether there was none before.

    Raises:
        NotFound: its area lies outside the scope.
        Conflict: it is signed.
    """
    await get_area(tx, scope, new.area_id)
    rows = await tx.tuples(
        "INSERT INTO patrol_reports AS p (period, area_id, round_id, starts_at, ends_at,"
        " time_zone, formula, figures, made_at) VALUES (%(period)s, %(area)s, %(round)s,"
        " %(since)s, %(until)s, %(zone)s, %(formula)s, %(figures)s, %(now)s)"
        " ON CONFLICT (period, area_id, round_id, starts_at) DO UPDATE SET"
        " ends_at = excluded.ends_at, time_zone = excluded.time_zone,"
        " formula = excluded.formula, figures = excluded.figures, made_at = excluded.made_at"
        " WHERE p.signed_at IS NULL RETURNING id, (xmax = 0)",
        {
            "period": new.period,
            "area": new.area_id,
            "round": new.round_id,
            "since": new.starts_at,
            "until": new.ends_at,
            "zone": new.time_zone,
            "formula": new.formula,
            "figures": Jsonb(dict(figures)),
            "now": now,
        },
    )
    if not rows:
        msg = "this report is signed: it stays as it is"
        raise Conflict(msg)
    number, is_new = rows[0]
    await notices.notify(tx, scope, TOPIC, [int(str(number))])
    return int(str(number)), is_new is True


async def mark_round_reported(tx: Transaction, scope: Scope, round_id: int) -> None:
    """Note that a round of the scope has its report, page and all."""
    await tx.execute(
        "UPDATE patrol_rounds r SET has_report = true FROM areas a WHERE a.id = r.area_id"
        " AND r.id = %(round)s AND NOT r.has_report AND" + IN_SCOPE,
        {"round": round_id, "scope": scope_paths(scope)},
    )
    await notices.notify(tx, scope, "patrol-rounds", [round_id])


async def rounds_without_report(tx: Transaction, scope: Scope, since: datetime) -> list[int]:
    """Rounds of the scope that finished since then and have no page yet, the oldest first."""
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.state = 'finished' AND NOT r.has_report AND r.planned_at >= %(since)s AND"
        + IN_SCOPE
        + "ORDER BY r.id LIMIT 200",
        {"since": since, "scope": scope_paths(scope)},
    )
    return [int(str(row[0])) for row in rows]


async def receivers_of(tx: Transaction, scope: Scope, report: KeptReport) -> list[int]:
    """Whom the plans of a report's rounds name: of its round, or of the rounds of its very area."""
    rows = await tx.tuples(
        "SELECT DISTINCT o.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " CROSS JOIN LATERAL jsonb_array_elements_text(CASE"
        "  jsonb_typeof(r.details -> 'report_receivers') WHEN 'array'"
        "  THEN r.details -> 'report_receivers' ELSE '[]' END) AS named"
        " JOIN receivers o ON o.id = named::bigint"
        " WHERE (r.id = %(round)s OR %(round)s::bigint IS NULL AND r.area_id = %(area)s"
        "  AND r.planned_at >= %(since)s AND r.planned_at < %(until)s) AND"
        + IN_SCOPE
        + "ORDER BY o.id",
        {
            "round": report.round_id,
            "area": report.area_id,
            "since": report.starts_at,
            "until": report.ends_at,
            "scope": scope_paths(scope),
        },
    )
    return [int(str(row[0])) for row in rows]


async def sign_report(
    tx: Transaction, scope: Scope, report_id: int, line: SignedLine
) -> KeptReport:
    """Sign a report of the scope, once and for good; of a round it becomes evidence.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is signed, or was made anew since ``line.made_at``.
    """
    await tx.scalar(
        int,
        "SELECT p.id FROM patrol_reports p JOIN areas a ON a.id = p.area_id"
        " WHERE p.id = %(id)s AND" + IN_SCOPE + "FOR UPDATE OF p",
        {"id": report_id, "scope": scope_paths(scope)},
    )
    report = await get_report(tx, scope, report_id)
    if report.signed_at is not None:
        msg = f"signed by {report.signed_by} already"
        raise Conflict(msg)
    if report.made_at != line.made_at:
        msg = "this report was made anew since you read it: read it again before you sign"
        raise Conflict(msg)
    await tx.execute(
        "UPDATE patrol_reports SET signed_by = %(by)s, signed_at = %(now)s, sign_note = %(note)s"
        " WHERE id = %(id)s",
        {"id": report_id, "by": scope.actor, "now": line.at, "note": line.note},
    )
    digest = digest_figures(report.figures or {})
    said: dict[str, Json] = {
        "report": report_id,
        "period": report.period.value,
        "by": scope.actor,
        "note": line.note,
        "figures_sha256": digest,
    }
    deed = audit.Deed(
        action="patrol_report.signed",
        object_type="patrol_report",
        object_id=str(report_id),
        area_id=report.area_id,
    )
    await audit.record(tx, scope, deed, said)
    await notices.notify(tx, scope, TOPIC, [report_id])
    if report.round_id is not None:
        proof = patrol_evidence.Line(what=SIGNED, at=line.at, body=said)
        await patrol_evidence.append(tx, scope, report.round_id, [proof])
        await patrol_evidence.seal(tx, scope, report.round_id, line.at)
    return await get_report(tx, scope, report_id)


def digest_figures(figures: Mapping[str, Json]) -> str:
    """SHA-256 of figures in one writing, whatever order the database keeps their keys in."""
    said = json.dumps(figures, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _typed(row: KeptReport) -> KeptReport:
    return replace(row, period=Period(row.period))


def _missing() -> NotFound:
    msg = "no such patrol report"
    return NotFound(msg)
