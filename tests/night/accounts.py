"""What came of a night, counted from the database alone, beside the script and the report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.domain.patrols import PatrolRound, PatrolStop, RoundState
from hub.patrols.evidence import Asked, Proof, verify
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.figures import Figures, parse_figures
from hub.patrols.reporting.making import name_round
from hub.store import patrol_reports, rounds, stops
from hub.store.database import Database
from hub.store.rounds import RoundFilter
from tests.night.county import HUB, IDLE_EVERY, County, expected_kind, is_silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """``missed``: scripted and not found; ``false``: found and not scripted; by camera number."""

    walk: PatrolRound
    stops: int
    results: Mapping[str, int]
    timings: Mapping[str, int]
    by_person: int
    missed: Mapping[int, str]
    false: Mapping[int, str]
    other: Mapping[int, tuple[str, str]]
    calls: Mapping[str, int]
    rooms_wrong: tuple[str, ...]
    tasks: Mapping[str, int]
    tasks_of_stops: int
    overdue_events: int
    overdue_alerts: int
    idle_tasks: int
    looks: Mapping[int, int]
    report: Figures | None
    proof: Proof
    findings: Mapping[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """Everything that does not add up, in sentences."""
        report = self.report
        said: list[str] = []
        if self.walk.state is not RoundState.FINISHED:
            said.append(f"the round is {self.walk.state.value}: {self.walk.reason}")
        if self.results.get("open", 0) or self.results.get("not_judged", 0):
            said.append(f"not every stop was judged: {dict(self.results)}")
        if self.missed or self.false or self.other:
            said.append(
                f"findings differ from the script: missed {dict(self.missed)}, false"
                f" {dict(self.false)}, called otherwise {dict(self.other)}"
            )
        said += self.rooms_wrong
        if self.overdue_events != self.idle_tasks or self.overdue_alerts != self.idle_tasks:
            said.append(
                f"{self.idle_tasks} tasks were accepted by nobody, {self.overdue_events} are told"
                f" overdue, {self.overdue_alerts} are alerts"
            )
        if self.proof.faults:
            said.append(f"the evidence is not whole: {self.proof.faults}")
        if report is None:
            said.append("there is no report")
        else:
            said += self._against(report)
        return said

    def _against(self, report: Figures) -> list[str]:
        """Where the report differs from the database."""
        counted = report.stops
        pairs = {
            "planned": (counted.planned, self.stops),
            "normal": (counted.normal, self.results.get("normal", 0)),
            "abnormal": (counted.abnormal, self.results.get("abnormal", 0)),
            "on time": (counted.on_time, self.timings.get("on_time", 0)),
            "late": (counted.late, self.timings.get("late", 0)),
            "by person": (counted.by_person, self.by_person),
            "kinds": (dict(counted.kinds), dict(self.findings)),
            "rooms that answered": (report.calls.answered, self.calls.get("answered", 0)),
            "rooms that did not": (report.calls.unanswered, self.calls.get("unanswered", 0)),
        }
        return [
            f"the report says {name} {told}, the database {found}"
            for name, (told, found) in pairs.items()
            if told != found
        ]


async def account(database: Database, county: County, folder: PictureFolder) -> Accounts:
    """Count the night."""
    async with database.transaction() as tx:
        (walk,) = (await rounds.list_rounds(tx, HUB, RoundFilter(plan_id=county.plan_id))).items
        seen = await stops.all_stops(tx, HUB, walk.id)
        kept = await patrol_reports.find_report(tx, HUB, name_round(walk))
        if kept is not None:
            kept = await patrol_reports.get_report(tx, HUB, kept.id)
        calls = [
            (str(name), str(state))
            for name, state in await tx.tuples("SELECT room_name, state FROM room_calls")
        ]
        tasks = await tx.tuples("SELECT id, state, round_id FROM dispatches ORDER BY id")
        overdue = await tx.scalar(
            int, "SELECT count(*) FROM events WHERE kind = 'dispatch.overdue'"
        )
        alerts = await tx.scalar(
            int,
            "SELECT count(*) FROM alerts x JOIN rules u ON u.id = x.rule_id"
            " WHERE u.name = 'Task overdue 任务超时'",
        )
    found = {_number(stop): stop for stop in seen}
    expected = {number: expected_kind(number) for number in range(county.cameras)}
    abnormal = {number: stop for number, stop in found.items() if stop.result == "abnormal"}
    return Accounts(
        walk=walk,
        stops=len(seen),
        results=Counter(stop.result.value for stop in seen),
        timings=Counter(stop.timing.value for stop in seen),
        by_person=sum(stop.is_for_person for stop in seen),
        missed={
            number: f"{kind}: {_told(found.get(number))}"
            for number, kind in expected.items()
            if kind and number not in abnormal
        },
        false={number: _told(stop) for number, stop in abnormal.items() if not expected[number]},
        other={
            number: (expected[number], _told(stop))
            for number, stop in abnormal.items()
            if expected[number] and stop.kind != expected[number]
        },
        calls=Counter(state for _, state in calls),
        rooms_wrong=tuple(
            f"{name}: {state}"
            for name, state in calls
            if (state == "unanswered") is not is_silent(int(name.partition("号")[0]))
        ),
        tasks=Counter(str(state) for _, state, _ in tasks),
        tasks_of_stops=sum(stop.dispatch_id is not None for stop in seen),
        overdue_events=overdue or 0,
        overdue_alerts=alerts or 0,
        idle_tasks=sum(
            int(str(number)) % IDLE_EVERY == 0 and state != "merged" for number, state, _ in tasks
        ),
        looks=Counter(stop.attempts for stop in seen),
        report=None if kept is None or kept.figures is None else parse_figures(kept.figures),
        proof=await verify(database, HUB, folder, Asked()),
        findings=Counter(stop.kind for stop in seen if stop.result == "abnormal"),
    )


def _number(stop: PatrolStop) -> int:
    """The number of a stop's camera, counted from 0; it is in its name."""
    return int(stop.device_name.split()[1]) - 1


def _told(stop: PatrolStop | None) -> str:
    if stop is None:
        return "no stop"
    return f"{stop.kind} {stop.doubt:.0f} {'; '.join(stop.remarks[:2]) or stop.reason}"
