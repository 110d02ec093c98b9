"""Nights of patrols, written straight into the tables: what reports are counted from."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.domain.access import Scope, system_scope
from hub.domain.events import StoredEvent
from hub.domain.patrol_reports import KeptReport, Period
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.reports import Reporter, ReportOptions
from hub.runtime.jobs import Jobs
from hub.store import patrol_reports
from hub.store.areas import create_area
from hub.store.database import Database, Transaction
from hub.store.events import EventFilter, list_events
from hub.store.patrol_reports import ReportFilter

HUB = system_scope("test")
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # of the night of 20 November
MIDNIGHT = NOON + timedelta(hours=12)
STOPS = (
    "INSERT INTO patrol_stops (round_id, position, device_name, area_id, area_name, verdict,"
    " has_picture, result, kind, timing, second_look, judged_by, doubt, at)"
    " SELECT %(round)s, n, '摄像机 ' || n, v.id, v.name, s.verdict, s.has_picture, s.result,"
    " s.kind, s.timing, s.second_look, s.judged_by, s.doubt, %(at)s"
    " FROM unnest(%(areas)s::bigint[], %(verdicts)s::text[], %(pictures)s::boolean[],"
    "  %(results)s::text[], %(kinds)s::text[], %(timings)s::text[], %(seconds)s::text[],"
    "  %(judges)s::text[], %(doubts)s::real[]) WITH ORDINALITY AS s (area_id, verdict,"
    "  has_picture, result, kind, timing, second_look, judged_by, doubt, n)"
    " JOIN areas v ON v.id = s.area_id"
)
CALLS = (
    "INSERT INTO room_calls (round_id, room_name, area_id, asked_at, answer_by, state, code,"
    " answered_at, answered_how) SELECT %(round)s, '值班室', c.area_id, %(at)s,"
    " %(at)s + interval '300 s', c.state, '1234', %(at)s + c.after * interval '1 s',"
    " CASE WHEN c.after IS NULL THEN NULL ELSE 'phone' END"
    " FROM unnest(%(areas)s::bigint[], %(states)s::text[], %(afters)s::float8[])"
    "  AS c (area_id, state, after)"
)
TASKS = (
    "INSERT INTO dispatches (area_id, title, kind, priority, state, source, unit_id, unit_name,"
    " created_at, created_by, sent_at, accepted_at, on_site_at, done_at, closed_at, done_by)"
    " SELECT t.area_id, 'task', 'waste', 'normal', t.state, 'patrol', %(unit)s, '巡一组',"
    "  t.at, 'desk', t.at + interval '60 s', t.at + t.took * interval '0.25 s',"
    "  t.at + t.took * interval '0.5 s', t.at + t.took * interval '1 s',"
    "  CASE WHEN t.state IN ('verified', 'cancelled') THEN t.at + t.took * interval '1 s' END,"
    "  t.at + interval '7200 s'"
    " FROM unnest(%(areas)s::bigint[], %(states)s::text[], %(ats)s::timestamptz[],"
    "  %(tooks)s::float8[]) AS t (area_id, state, at, took)"
)


@dataclass
class Scene:
    """A county with towns and villages, and a clock that is set by hand."""

    database: Database
    data_dir: Path
    now: datetime = MIDNIGHT + timedelta(hours=8)
    county: int = 0
    towns: list[int] = field(default_factory=list)
    villages: list[int] = field(default_factory=list)
    unit: int = 0
    per_village: int = 3

    def clock(self) -> datetime:
        return self.now

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.database, self.clock)

    @property
    def papers(self) -> Papers:
        return Papers.of(self.database, self.data_dir, Printer())

    @property
    def maker(self) -> Maker:
        return Maker(
            database=self.database,
            jobs=self.jobs,
            papers=self.papers,
            clock=self.clock,
            zone=SHANGHAI,
        )

    @property
    def reporter(self) -> Reporter:
        return Reporter(maker=self.maker, options=ReportOptions(has_pdf=False))

    async def build(self, *, towns: int = 2, villages: int = 4) -> "Scene":
        """Store the tree and a unit."""
        async with self.database.transaction() as tx:
            county = await create_area(tx, HUB, code="c", name="某县", parent_id=None)
            self.county = county.id
            for number in range(towns):
                town = await create_area(
                    tx, HUB, code=f"t{number}", name=f"第{number}镇", parent_id=county.id
                )
                self.towns.append(town.id)
            for number in range(villages):
                village = await create_area(
                    tx,
                    HUB,
                    code=f"v{number}",
                    name=f"第{number}村",
                    parent_id=self.towns[number % towns],
                )
                self.villages.append(village.id)
            self.unit = await _insert(
                tx,
                "INSERT INTO field_units (area_id, name, kind) VALUES (%(area)s, '巡一组',"
                " 'patrol_unit') RETURNING id",
                {"area": county.id},
            )
        return self

    async def walk(
        self, planned_at: datetime, *, area: int | None = None, state: str = "finished"
    ) -> int:
        """A round without stops."""
        is_begun = state in {"finished", "cancelled", "running"}
        async with self.database.transaction() as tx:
            return await _insert(
                tx,
                "INSERT INTO patrol_rounds (plan_name, area_id, time_zone, window_s,"
                " seconds_per_stop, planned_at, state, started_at, finished_at, forecast_s)"
                " VALUES ('零点夜查', %(area)s, 'Asia/Shanghai', 900, 5, %(at)s, %(state)s,"
                " %(begun)s, %(ended)s, 3000) RETURNING id",
                {
                    "area": area or self.county,
                    "at": planned_at,
                    "state": state,
                    "begun": planned_at if is_begun else None,
                    "ended": planned_at + timedelta(hours=1) if state != "running" else None,
                },
            )

    async def add_stops(
        self,
        round_id: int,
        at: datetime,
        rng: random.Random,
        *,
        villages: Sequence[int] | None = None,
    ) -> None:
        """Stops of villages (all of them) that ended in every way."""
        areas = [one for one in villages or self.villages for _ in range(self.per_village)]
        verdicts = rng.choices(["seen", "not_seen", "pending"], [18, 2, 1], k=len(areas))
        results = rng.choices(["normal", "abnormal", "not_judged"], [12, 4, 1], k=len(areas))
        timings = ["on_time", "late", "early", "missed", "out_of_order"]
        await self._execute(
            STOPS,
            {
                "round": round_id,
                "at": at,
                "areas": areas,
                "verdicts": verdicts,
                "pictures": [one == "seen" and rng.random() < 0.95 for one in verdicts],
                "results": results,
                "kinds": [
                    rng.choice(["waste", "road"]) if r == "abnormal" else "" for r in results
                ],
                "timings": rng.choices(timings, [15, 2, 1, 1, 1], k=len(areas)),
                "seconds": rng.choices(["", "agreed", "disagreed"], [20, 2, 1], k=len(areas)),
                "judges": rng.choices(["hub.patrols", "王芳"], k=len(areas)),
                "doubts": [rng.random() * 100 for _ in areas],
            },
        )

    async def call_rooms(self, round_id: int | None, at: datetime, rng: random.Random) -> None:
        """A question to a room of every village."""
        states = rng.choices(
            ["answered", "unanswered", "cancelled"], [8, 2, 1], k=len(self.villages)
        )
        afters = [rng.uniform(5, 400) if one == "answered" else None for one in states]
        await self._execute(
            CALLS,
            {"round": round_id, "at": at, "areas": self.villages, "states": states,
             "afters": afters},
        )  # fmt: skip

    async def add_tasks(self, at: datetime, rng: random.Random, *, count: int = 10) -> None:
        """Tasks opened over a day; some late, some open, some cancelled."""
        states = rng.choices(["verified", "done", "accepted", "cancelled"], k=count)
        tooks = [None if one == "accepted" else rng.uniform(600, 20_000) for one in states]
        await self._execute(
            TASKS,
            {
                "unit": self.unit,
                "areas": rng.choices(self.villages, k=count),
                "states": states,
                "ats": [at + timedelta(seconds=rng.uniform(0, 86_399)) for _ in states],
                "tooks": tooks,
            },
        )
        await self._execute("UPDATE dispatches SET done_at = NULL WHERE state = 'cancelled'", {})

    async def reports(self, **wanted: object) -> Sequence[KeptReport]:
        """Kept reports, the oldest first."""
        async with self.database.transaction() as tx:
            chosen = ReportFilter(**wanted)  # type: ignore[arg-type]  # the caller knows the fields
            page = await patrol_reports.list_reports(tx, HUB, chosen, limit=500)
            return [await patrol_reports.get_report(tx, HUB, one.id) for one in page.items][::-1]

    async def night(self, back: int = 0, *, scope: Scope = HUB, area: int = 0) -> KeptReport:
        """Make the report of a night so many nights after the first."""
        day = (NOON + timedelta(days=back)).date()
        return await self.maker.make_period(scope, Period.NIGHT, area or self.county, day)

    async def events(self, kind: str) -> Sequence[StoredEvent]:
        async with self.database.transaction() as tx:
            return (await list_events(tx, HUB, EventFilter(kind=kind))).items

    async def count(self, query: str, **params: object) -> int:
        """One number, by SQL of the test's own."""
        async with self.database.transaction() as tx:
            row = await (await tx.connection.execute(query.encode(), params)).fetchone()
        return int(str(row[0])) if row else 0

    async def _execute(self, query: str, params: dict[str, object]) -> None:
        async with self.database.transaction() as tx:
            await tx.connection.execute(query.encode(), params)


async def _insert(tx: Transaction, query: str, params: dict[str, object]) -> int:
    row = await (await tx.connection.execute(query.encode(), params)).fetchone()
    assert row is not None
    return int(str(row[0]))
