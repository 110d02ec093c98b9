"""Makes, keeps and signs one report, whoever asks for it.

A report is counted from the database and kept with its figures, the event that tells of it and
the jobs that send it, in one transaction; the same data give the same figures. Its page comes
after: a full disk delays the page, never the figures.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, Invalid
from hub.domain.events import StoredEvent
from hub.domain.patrol_reports import KeptReport, NewReport, Period, SignedLine
from hub.domain.patrols import PatrolRound, RoundState
from hub.domain.ports import Clock
from hub.patrols.reporting import periods
from hub.patrols.reporting.figures import FORMULA, Figures, build_figures
from hub.patrols.reporting.gathering import gather, span_of, work_out
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.ranking import RankingOptions
from hub.patrols.reporting.sending import defer_sending
from hub.runtime.jobs import Jobs
from hub.runtime.zones import zone_name
from hub.store import areas, audit, events, patrol_figures, patrol_reports, rounds
from hub.store.database import Database, Transaction

READY: Final = "patrol.report_ready"
SIGNED: Final = "patrol.report_signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes reports for people and for the hub itself. Nights begin at noon in ``zone``.

    Whoever makes a report has its page kept (:meth:`keep_page`) afterwards.
    """

    database: Database
    jobs: Jobs
    papers: Papers
    clock: Clock
    zone: tzinfo
    ranking: RankingOptions = field(default_factory=RankingOptions)

    async def make_period(
        self, scope: Scope, period: Period, area_id: int, night: date
    ) -> KeptReport:
        """Make the report of the period that holds a night, for an area of the scope.

        Raises:
            NotFound: the area lies outside the scope.
            Conflict: the report is signed.
            Invalid: the period has not begun, or it is a round.
        """
        now = self.clock()
        new = self.name_period(period, area_id, night)
        if new.starts_at >= now:
            msg = "this time has not come yet"
            raise Invalid(msg, field="night")
        return await self._make(scope, new, as_of=min(now, new.ends_at))

    def name_period(self, period: Period, area_id: int, night: date) -> NewReport:
        """Say which report is meant; raises Invalid for a round."""
        since, until = periods.bounds(period, night, self.zone)
        return NewReport(
            period=period,
            area_id=area_id,
            starts_at=since,
            ends_at=until,
            time_zone=zone_name(self.zone, since),
            formula=FORMULA,
        )

    async def make_round(self, scope: Scope, round_id: int) -> KeptReport:
        """Make the report of a round of the scope that is over.

        Raises:
            NotFound: the round lies outside the scope.
            Conflict: it is not over, was never walked, or its report is signed.
        """
        async with self.database.transaction() as tx:
            new = name_round(await rounds.get_round(tx, scope, round_id))
        return await self._make(scope, new, as_of=self.clock())

    async def sign(
        self, scope: Scope, report_id: int, *, made_at: datetime, note: str
    ) -> KeptReport:
        """Sign a report of the scope, once and for good.

        Raises:
            NotFound: it lies outside the scope.
            Conflict: it is signed, or was made anew since ``made_at``.
        """
        now = self.clock()
        line = SignedLine(made_at=made_at, at=now, note=note)
        async with self.database.transaction() as tx:
            report = await patrol_reports.sign_report(tx, scope, report_id, line)
            said = {"by": report.signed_by, "note": note}
            await events.add_events(tx, _HUB, [_event(report, SIGNED, now, said)])
            return report

    async def keep_page(self, report: KeptReport) -> None:
        """Make and keep the page of a report, as it is now.

        Raises:
            NotKept: the disk does not take it; whoever reads it has it made then.
        """
        await self.papers.keep_page(report)
        if report.round_id is not None:
            async with self.database.transaction() as tx:
                await patrol_reports.mark_round_reported(tx, _HUB, report.round_id)

    async def _make(self, scope: Scope, new: NewReport, *, as_of: datetime) -> KeptReport:
        figures = await self._count(scope, new, as_of)
        async with self.database.transaction() as tx:
            return await self._keep(tx, scope, new, figures)

    async def _count(self, scope: Scope, new: NewReport, as_of: datetime) -> Figures:
        """Whoever may see the area gets its figures, counted as the hub itself counts them."""
        async with self.database.transaction() as tx:
            area = await areas.get_area(tx, scope, new.area_id)
            span = span_of(new, area.path, as_of)
            facts = await gather(tx, _HUB, span)
        fact = patrol_figures.AreaFact(
            id=area.id, name=area.name, path=area.path, has_cameras=False
        )
        return await asyncio.to_thread(work_out, new, fact, facts, span, self.ranking)

    async def _keep(
        self, tx: Transaction, scope: Scope, new: NewReport, figures: Figures
    ) -> KeptReport:
        """Keep figures; those that say nothing new leave the report as it was read."""
        now, built = self.clock(), build_figures(figures)
        before = await patrol_reports.find_report(tx, scope, new)
        if before is not None and before.signed_at is None and _is_same(before.figures, built):
            return before
        number, is_new = await patrol_reports.keep_report(tx, scope, new, built, now)
        report = await patrol_reports.get_report(tx, scope, number)
        if scope.actor != _HUB.actor:
            await audit.record(tx, scope, _made_by_hand(report))
        if is_new:
            await defer_sending(tx, self.jobs, report)
            await events.add_events(tx, _HUB, [_event(report, READY, now, _headline(figures))])
        return report


def name_round(walk: PatrolRound) -> NewReport:
    """Say which report is meant; raises Conflict for a round that is not over or never began."""
    if walk.state not in {RoundState.FINISHED, RoundState.CANCELLED} or walk.started_at is None:
        msg = "only a round that was walked and is over has a report"
        raise Conflict(msg)
    return NewReport(
        period=Period.ROUND,
        area_id=walk.area_id,
        round_id=walk.id,
        starts_at=walk.planned_at,
        ends_at=walk.finished_at or walk.started_at,
        time_zone=walk.time_zone,
        formula=FORMULA,
    )


def _is_same(before: Mapping[str, Json] | None, now: Mapping[str, Json]) -> bool:
    """Whether nothing but the moment of counting differs, and the formula is the same."""
    if before is None or before.get("period") != Period.ROUND:
        return before == now
    return {**before, "as_of": None} == {**now, "as_of": None}


def _headline(figures: Figures) -> Mapping[str, Json]:
    stops, missed = figures.stops, figures.rounds.missed
    left = stops.not_judged + stops.open
    said = [
        f"{stops.planned} 处 stops",
        f"异常 abnormal {stops.abnormal}",
        *([f"未判 not judged {left}"] if left else []),
        *(
            [f"无人应答 silent rooms {figures.calls.unanswered}"]
            if figures.calls.unanswered
            else []
        ),
        *([f"漏巡 missed rounds {missed}"] if missed else []),
        *([f"超时 overdue tasks {figures.tasks.overdue}"] if figures.tasks.overdue else []),
    ]
    return {
        "detail": ", ".join(said),
        "planned": stops.planned,
        "seen": stops.seen,
        "abnormal": stops.abnormal,
        "not_judged": left,
        "silent": figures.calls.unanswered,
        "missed_rounds": missed,
        "overdue": figures.tasks.overdue,
    }


def _event(report: KeptReport, kind: str, now: datetime, data: Mapping[str, Json]) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=report.area_id,
        area_path=report.area_path,
        at=now,
        received_at=now,
        data={
            "report": report.id,
            "period": report.period.value,
            "since": report.starts_at.isoformat(),
            **({} if report.round_id is None else {"round": report.round_id}),
            **data,
        },
    )


def _made_by_hand(report: KeptReport) -> audit.Deed:
    return audit.Deed(
        action="patrol_report.made",
        object_type="patrol_report",
        object_id=str(report.id),
        area_id=report.area_id,
    )


_HUB: Final = system_scope("hub.patrols")
