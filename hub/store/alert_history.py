"""Why somebody was called, and why somebody was not."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.domain.access import Scope
from hub.domain.alerts import AlertStep, Step
from hub.store.alerts import get_alert, list_steps
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

# Steps by which an alert that fires is kept from being told.
_KEPT_BACK = frozenset({Step.FOLDED, Step.SILENCED})
_NEWS = frozenset({Step.FIRED, Step.REPEATED})
NO_RECEIVER = "neither its rule nor a route names a receiver that is switched on"


class LineKind(StrEnum):
    """What a line of a history tells.

    STEP: what happened to the alert. TOLD: who is told of a step, and why him. ATTEMPT: an
    attempt to deliver. UNTOLD: nobody is told of a step, and why not. PLANNED: what comes next.
    """

    STEP = "step"
    TOLD = "told"
    ATTEMPT = "attempt"
    UNTOLD = "untold"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One line. ``what`` is a step, a delivery status, an outcome; ``who`` acted or is told."""

    at: datetime
    kind: LineKind
    what: str
    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A rule would have called about something, and this spoke against it ``times``."""

    rule_id: int
    rule_name: str
    subject: str
    reason: str
    area_id: int
    area_name: str
    device_id: int | None
    device_name: str
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFilter:
    """What a list of what was held back is narrowed to; empty fields narrow nothing."""

    device_id: int | None = None
    rule_id: int | None = None
    area_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLine:
    """Who is told of a step, how that stands, and why him."""

    step_id: int
    status: str
    receiver: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    at: datetime
    what: str
    who: str
    text: str


async def alert_history(
    tx: Transaction, scope: Scope, alert_id: int, now: datetime
) -> list[HistoryLine]:
    """Everything about an alert of the scope in one account, oldest first, what is planned last."""
    alert = await get_alert(tx, scope, alert_id)
    steps = await list_steps(tx, scope, alert.id)
    told = await tx.fetch(
        ToldLine,
        "SELECT n.step_id, n.status, v.name AS receiver, n.why FROM notifications n"
        " JOIN receivers v ON v.id = n.receiver_id"
        " WHERE n.alert_id = %(id)s ORDER BY n.id",
        {"id": alert.id},
    )
    attempts = await tx.fetch(
        _Line,
        "SELECT t.at, t.outcome AS what, v.name AS who, t.detail AS text FROM message_attempts t"
        " JOIN messages m ON m.id = t.message JOIN receivers v ON v.id = m.receiver_id"
        " WHERE t.message IN (SELECT n.message FROM notifications n WHERE n.alert_id = %(id)s)"
        " ORDER BY t.id",
        {"id": alert.id},
    )
    lines = [*tell_steps(steps, told)]
    lines += [_line(LineKind.ATTEMPT, one) for one in attempts]
    lines.sort(key=lambda line: line.at)  # stable: what is told follows its step
    return lines + [_line(LineKind.PLANNED, one) for one in await _planned(tx, alert.id, now)]


def tell_steps(steps: Sequence[AlertStep], told: Collection[ToldLine]) -> Iterator[HistoryLine]:
    """Each step, followed by who is told of it, or by why nobody is. Pure."""
    for step in steps:
        yield HistoryLine(
            at=step.at, kind=LineKind.STEP, what=step.step.value, who=step.actor, text=step.note
        )
        of_step = [one for one in told if one.step_id == step.id]
        for one in of_step:
            yield HistoryLine(
                at=step.at, kind=LineKind.TOLD, what=one.status, who=one.receiver, text=one.why
            )
        if step.step in _NEWS and not of_step:
            reason = _why_untold(step, steps)
            yield HistoryLine(
                at=step.at, kind=LineKind.UNTOLD, what=step.step.value, who="", text=reason
            )


async def list_holds(
    tx: Transaction,
    scope: Scope,
    wanted: HoldFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[HeldBack]:
    """What was held back in the scope, the latest first."""
    after = decode_cursor(cursor, (str, int, str, str))
    count = page_limit(limit)
    key = dict(zip(("at", "rule_after", "subject", "reason"), after or [None] * 4, strict=True))
    rows = await tx.search(
        HeldBack,
        "SELECT h.rule_id, u.name AS rule_name, h.subject, h.reason, h.area_id,"
        " a.name AS area_name, h.device_id, coalesce(d.name, '') AS device_name, h.first_at,"
        " h.last_at, h.times FROM alert_holds h JOIN areas a ON a.id = h.area_id"
        " JOIN rules u ON u.id = h.rule_id LEFT JOIN devices d ON d.id = h.device_id"
        " WHERE (%(device)s::bigint IS NULL OR h.device_id = %(device)s)"
        " AND (%(rule)s::bigint IS NULL OR h.rule_id = %(rule)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(since)s::timestamptz IS NULL OR h.last_at >= %(since)s)"
        " AND (%(until)s::timestamptz IS NULL OR h.first_at < %(until)s)"
        " AND (%(at)s::timestamptz IS NULL OR h.last_at < %(at)s::timestamptz"
        "  OR (h.last_at = %(at)s::timestamptz AND (h.rule_id, h.subject, h.reason)"
        "   > (%(rule_after)s::bigint, %(subject)s::text, %(reason)s::text))) AND"
        + IN_SCOPE
        + "ORDER BY h.last_at DESC, h.rule_id, h.subject, h.reason LIMIT %(limit)s",
        {
            "device": wanted.device_id,
            "rule": wanted.rule_id,
            "area": wanted.area_id,
            "since": wanted.since,
            "until": wanted.until,
            **key,
            "scope": scope_paths(scope),
            "limit": count + 1,
        },
    )
    more = None
    if len(rows) > count:
        last = rows[count - 1]
        more = encode_cursor(last.last_at.isoformat(), last.rule_id, last.subject, last.reason)
    return Page(items=rows[:count], next=more)


def _why_untold(step: AlertStep, steps: Sequence[AlertStep]) -> str:
    """What kept it back is the next step, by the same hand."""
    after = next((one for one in steps if one.id > step.id), None)
    is_kept = after is not None and after.step in _KEPT_BACK and after.actor == step.actor
    return after.note if after is not None and is_kept else NO_RECEIVER


async def _planned(tx: Transaction, alert_id: int, now: datetime) -> list[_Line]:
    """What will happen by itself if nobody does anything."""
    return await tx.fetch(
        _Line,
        "SELECT at, what, who, text FROM ("
        "SELECT c.due_at AS at, 'escalated' AS what, p.name AS who,"
        " 'step ' || (c.step + 1) || ' of ' || jsonb_array_length(p.steps) AS text"
        " FROM climbs c JOIN policies p ON p.id = c.policy_id WHERE c.alert_id = %(id)s"
        " UNION ALL SELECT x.quiet_until, 'repeated', '', x.quiet_reason FROM alerts x"
        " WHERE x.id = %(id)s AND x.status = 'firing' AND x.folded_into IS NULL"
        " AND x.quiet_until > %(now)s) AS o ORDER BY at, what, who",
        {"id": alert_id, "now": now},
    )


def _line(kind: LineKind, line: _Line) -> HistoryLine:
    return HistoryLine(at=line.at, kind=kind, what=line.what, who=line.who, text=line.text)
