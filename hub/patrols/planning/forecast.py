"""How long a round of a plan takes, and whether it fits. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.patrols.planning.plans import shortest_time_between
from hub.store.patrol_candidates import Candidate, Medians


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """What is assumed while nothing was measured.

    ``machine_s``: a look takes some 4 s, and 8 are taken at a time. ``doubtful_share``: so many of
    the stops raise a doubt.
    """

    machine_s: float = 0.5
    doubtful_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a round of a plan takes.

    ``takes_s``: both look at the same time, the slower one counts. ``given_s``: what it has, None
    without any bound; ``over_s`` more than that is needed. ``measured_rounds`` say so, 0: nothing
    was measured yet. ``cameras_fit`` fit the plan, ``cameras`` are the first of them; ``coming``
    are its next begins.
    """

    stops: int
    stops_for_people: int
    machine_s: float
    person_s: float
    takes_s: float
    given_s: float | None
    over_s: float
    measured_rounds: int
    warnings: tuple[str, ...] = ()
    cameras_fit: int = 0
    cameras: tuple[Candidate, ...] = ()
    coming: tuple[datetime, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the round is thought to be done in time."""
        return self.over_s <= 0


USUAL: Final = Paces()


def forecast(
    plan: PatrolPlan, stops: int, past: Medians, now: datetime, *, paces: Paces = USUAL
) -> Forecast:
    """Say how long a round of ``stops`` stops takes and whether it fits.

    Raises:
        Invalid: the plan's rule or zone cannot be used.
    """
    pace = past.machine_s if past.machine_s is not None else paces.machine_s
    share = person_share(plan, past, paces)
    for_people = round(stops * share)
    machine_s = stops * pace
    person_s = for_people * (past.person_s if past.person_s is not None else plan.seconds_per_stop)
    takes_s = max(machine_s, person_s)
    gap = shortest_time_between(plan, now)
    gap_s = None if gap is None else gap.total_seconds()
    given_s = min((one for one in (plan.lasts_s, gap_s) if one is not None), default=None)
    over_s = max(0.0, takes_s - given_s) if given_s is not None else 0.0
    return Forecast(
        stops=stops,
        stops_for_people=for_people,
        machine_s=machine_s,
        person_s=person_s,
        takes_s=takes_s,
        given_s=given_s,
        over_s=over_s,
        measured_rounds=past.rounds,
        warnings=tuple(_warnings(plan, stops, takes_s, gap_s)),
    )


def person_share(plan: PatrolPlan, past: Medians, paces: Paces = USUAL) -> float:
    """Which share of the stops is left to people."""
    if plan.mode is PatrolMode.MACHINE:
        return 0.0
    if plan.mode is PatrolMode.WALK:
        return 1.0
    if past.person_share is not None:
        return past.person_share
    drawn = plan.details.random_share
    return drawn + (1 - drawn) * paces.doubtful_share


def describe_s(seconds: float) -> str:
    """A length of time as people say it: "2 h 05 min", "40 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _warnings(plan: PatrolPlan, stops: int, takes_s: float, gap_s: float | None) -> list[str]:
    said = [] if stops else ["no camera fits this plan now: its rounds would have no stops"]
    if gap_s is not None and takes_s > gap_s:
        said.append(
            f"a round takes {describe_s(takes_s)} and the next begins {describe_s(gap_s)} after"
            f" it: {describe_s(takes_s - gap_s)} too long, and the next would be missed"
        )
    if plan.lasts_s is not None:
        said += _warn_of_end(plan, plan.lasts_s, takes_s)
    return said


def _warn_of_end(plan: PatrolPlan, lasts_s: int, takes_s: float) -> list[str]:
    said = []
    if takes_s > lasts_s:
        said.append(
            f"a round takes {describe_s(takes_s)} and must be done within {describe_s(lasts_s)}:"
            f" {describe_s(takes_s - lasts_s)} too long, and its last stops would be missed"
        )
    elif takes_s + plan.window_s > lasts_s:
        said.append(
            f"a round may begin {describe_s(plan.window_s)} late and takes {describe_s(takes_s)}:"
            f" begun late it may not be done within {describe_s(lasts_s)}"
        )
    call = plan.details.roll_call
    if call is not None and call.spread_s + call.answer_s > lasts_s:
        answered = call.spread_s + call.answer_s
        said.append(
            f"the last duty room has until {describe_s(answered)} after the begin to answer,"
            f" {describe_s(answered - lasts_s)} after the round must be done"
        )
    return said
