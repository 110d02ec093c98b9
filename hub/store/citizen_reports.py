"""What residents and grid officers report (随手拍). A reporter's contact is sealed at rest."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.citizen_reports import CitizenReport, NewReport, ReportState
from hub.domain.devices import Json
from hub.domain.dispatches import Position
from hub.domain.errors import Conflict, NotFound
from hub.domain.events import Severity, StoredEvent
from hub.domain.secrets import Secret
from hub.store import audit, events, notices
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "citizen-reports"
# Without letters and digits that people take for each other.
_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_REFERENCE: Final = 8

_SELECT: Final = (
    "SELECT c.id, c.reference, c.area_id, a.path::text AS area_path, a.name AS area_name, c.state,"
    " c.text, c.kind, c.place, c.created_at, c.longitude, c.latitude,"
    " c.unit_id IS NOT NULL AS is_officer, c.reporter, c.answer, c.moderated_by, c.moderated_at,"
    " c.dispatch_id, (SELECT count(*) FROM photos p WHERE p.report_id = c.id) AS photos,"
    " (SELECT coalesce(sum(g.points), 0)::int FROM report_points g WHERE g.report_id = c.id)"
    "  AS points FROM citizen_reports c JOIN areas a ON a.id = c.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who reports: a unit of ours, or somebody known by nothing but the digest of his key."""

    digest: bytes
    unit_id: int | None = None
    unit_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter:
    """What a list of reports is narrowed to; empty fields narrow nothing."""

    area_id: int | None = None
    state: ReportState | None = None
    reporter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a moderator made of a report."""

    state: ReportState
    answer: str = ""
    dispatch_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    reference: str
    area_id: int
    area_path: str
    area_name: str
    state: str
    text: str
    kind: str
    place: str
    created_at: datetime
    longitude: float | None
    latitude: float | None
    is_officer: bool
    reporter: str
    answer: str
    moderated_by: str
    moderated_at: datetime | None
    dispatch_id: int | None
    photos: int
    points: int

    def report(self) -> CitizenReport:
        where = None
        if self.longitude is not None and self.latitude is not None:
            where = Position(longitude=self.longitude, latitude=self.latitude)
        return CitizenReport(
            id=self.id,
            reference=self.reference,
            area_id=self.area_id,
            area_path=self.area_path,
            area_name=self.area_name,
            state=ReportState(self.state),
            text=self.text,
            kind=self.kind,
            place=self.place,
            created_at=self.created_at,
            where=where,
            is_officer=self.is_officer,
            reporter=self.reporter,
            answer=self.answer,
            moderated_by=self.moderated_by,
            moderated_at=self.moderated_at,
            dispatch_id=self.dispatch_id,
            photos=self.photos,
            points=self.points,
        )


async def add_report(
    tx: Transaction, scope: Scope, area_id: int, new: NewReport, by: Reporter, *, now: datetime
) -> CitizenReport:
    """Take in a report; the same key brings back the same report, whatever it says now."""
    known = await find_report(tx, scope, by.digest)
    if known is not None:
        return known
    area = await get_area(tx, scope, area_id)
    contact = " ".join(new.contact.split())
    reporter = by.unit_name or (tx.vault.pseudonym(contact) if contact else "")
    number = await tx.scalar(
        int,
        "INSERT INTO citizen_reports (reference, follow_up, area_id, text, kind, place, longitude,"
        " latitude, contact, unit_id, reporter, created_at) VALUES (%(reference)s, %(digest)s,"
        " %(area)s, %(text)s, %(kind)s, %(place)s, %(longitude)s, %(latitude)s, %(contact)s,"
        " %(unit)s, %(reporter)s, %(now)s) RETURNING id",
        {
            "reference": "".join(secrets.choice(_LETTERS) for _ in range(_REFERENCE)),
            "digest": by.digest,
            "area": area.id,
            "text": new.text,
            "kind": new.kind,
            "place": new.place,
            "longitude": None if new.where is None else new.where.longitude,
            "latitude": None if new.where is None else new.where.latitude,
            "contact": tx.vault.seal(Secret(contact)),
            "unit": by.unit_id,
            "reporter": reporter,
            "now": now,
        },
    )
    report = await get_report(tx, scope, number or 0)
    await notices.notify(tx, scope, TOPIC, [report.id])
    data: dict[str, Json] = {"report": report.id, "kind": new.kind, "is_officer": report.is_officer}
    event = StoredEvent(
        id=0,
        kind="citizen_report.received",
        area_id=report.area_id,
        area_path=report.area_path,
        at=now,
        received_at=now,
        severity=Severity.INFO,
        data=data,
    )
    await events.add_events(tx, scope, [event])
    return report


async def find_report(tx: Transaction, scope: Scope, digest: bytes) -> CitizenReport | None:
    """The report of whoever holds the key with this digest; the key is all that is asked for."""
    del scope
    row = await tx.fetch_one(_Row, _SELECT + " c.follow_up = %(digest)s", {"digest": digest})
    return None if row is None else row.report()


async def get_report(tx: Transaction, scope: Scope, report_id: int) -> CitizenReport:
    """Return one report; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _SELECT + " c.id = %(id)s AND" + IN_SCOPE,
        {"id": report_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such report"
        raise NotFound(msg)
    return row.report()


async def lock_report(tx: Transaction, scope: Scope, report_id: int) -> CitizenReport:
    """Return one report, held for this transaction; raises NotFound outside the scope."""
    await get_report(tx, scope, report_id)
    await tx.execute("SELECT FROM citizen_reports WHERE id = %(id)s FOR UPDATE", {"id": report_id})
    return await get_report(tx, scope, report_id)


async def list_reports(
    tx: Transaction,
    scope: Scope,
    wanted: ReportFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[CitizenReport]:
    """Reports of the scope, newest first."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _SELECT + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR c.id < %(after)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(state)s::text IS NULL OR c.state = %(state)s)"
        " AND (%(reporter)s = '' OR c.reporter = %(reporter)s)"
        " ORDER BY c.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": wanted.area_id,
            "state": wanted.state,
            "reporter": wanted.reporter,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.report() for row in rows[:count]], next=more)


async def count_waiting(tx: Transaction, scope: Scope) -> int:
    """How many reports of the scope wait for a moderator."""
    return (
        await tx.scalar(
            int,
            "SELECT count(*) FROM citizen_reports c JOIN areas a ON a.id = c.area_id"
            " WHERE c.state = 'new' AND" + IN_SCOPE,
            {"scope": scope_paths(scope)},
        )
        or 0
    )


async def decide(
    tx: Transaction, scope: Scope, report_id: int, decision: Decision, *, now: datetime
) -> CitizenReport:
    """Put on record what became of a report of the scope that waited.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: somebody decided already.
    """
    before = await get_report(tx, scope, report_id)
    changed = await tx.execute(
        "UPDATE citizen_reports SET state = %(state)s, answer = %(answer)s,"
        " dispatch_id = %(dispatch)s, moderated_by = %(by)s, moderated_at = %(now)s"
        " WHERE id = %(id)s AND (state = 'new' OR state = 'dispatched' AND %(state)s = 'answered')",
        {
            "id": before.id,
            "state": decision.state,
            "answer": decision.answer,
            "dispatch": decision.dispatch_id or before.dispatch_id,
            "by": scope.actor,
            "now": now,
        },
    )
    if not changed:
        msg = f"this report is {before.state.value} already, by {before.moderated_by}"
        raise Conflict(msg)
    await _record(tx, scope, before, f"citizen_report.{decision.state.value}")
    return await get_report(tx, scope, report_id)


async def move(tx: Transaction, scope: Scope, report_id: int, area_id: int) -> CitizenReport:
    """Give a report of the scope to another area of it; raises NotFound."""
    before = await get_report(tx, scope, report_id)
    area = await get_area(tx, scope, area_id)
    await tx.execute(
        "UPDATE citizen_reports SET area_id = %(area)s WHERE id = %(id)s",
        {"id": before.id, "area": area.id},
    )
    await _record(tx, scope, replace(before, area_id=area.id), "citizen_report.moved")
    return await get_report(tx, scope, report_id)


async def read_contact(tx: Transaction, scope: Scope, report_id: int) -> str:
    """How the reporter of the scope can be reached, if he said so; that it was read is recorded."""
    report = await get_report(tx, scope, report_id)
    sealed = await tx.scalar(
        bytes, "SELECT contact FROM citizen_reports WHERE id = %(id)s", {"id": report_id}
    )
    await _record(tx, scope, report, "citizen_report.contact_read")
    return tx.vault.unseal(sealed).reveal()


async def record_look(tx: Transaction, scope: Scope, report: CitizenReport) -> None:
    """Put on record that somebody looked at a photo of a report."""
    deed = audit.Deed(
        action="citizen_report.photo_looked_at",
        object_type="citizen_report",
        object_id=str(report.id),
        area_id=report.area_id,
    )
    await audit.record(tx, scope, deed)


async def forget_contacts(tx: Transaction, scope: Scope, before: datetime) -> int:
    """Erase the contacts of reports of the scope that were decided before a moment."""
    return await tx.execute(
        "UPDATE citizen_reports c SET contact = NULL FROM areas a WHERE a.id = c.area_id"
        " AND c.contact IS NOT NULL AND c.state <> 'new' AND c.moderated_at < %(before)s AND"
        + IN_SCOPE,
        {"before": before, "scope": scope_paths(scope)},
    )


async def _record(tx: Transaction, scope: Scope, report: CitizenReport, action: str) -> None:
    deed = audit.Deed(
        action=action,
        object_type="citizen_report",
        object_id=str(report.id),
        area_id=report.area_id,
    )
    await audit.record(tx, scope, deed)
    await notices.notify(tx, scope, TOPIC, [report.id])
