"""What a rule would have done, and what is doubtful about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from alerts.dry_runs.checks import Finding, Weight
from alerts.dry_runs.report import DryRun
from hub.web.schemas.rules import RuleIn
from hub.web.schemas.shapes import In, Out


class PeriodIn(In):
    """Which part of the past to look at, at most 31 days; without anything, the last week."""

    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None


class DryRunIn(PeriodIn):
    """A rule that is not stored, and which part of the past to show to it."""

    rule: RuleIn


class FindingOut(Out):
    """One doubt; ``code`` names it for programs, ``field`` is the part of the rule it is about."""

    severity: Weight
    code: str
    field: str
    message: str


class CheckOut(Out):
    """What is doubtful about a rule, errors first."""

    findings: Sequence[FindingOut]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "CheckOut":
        """Show findings."""
        return cls(findings=[FindingOut.model_validate(one) for one in findings])


class LookedOut(Out):
    """What of history was looked at; ``cut_short`` says why not all of what was asked for.

    ``until`` is up to when the answer holds; ``lead_in`` from when on events were shown, so that
    what began before the period is known.
    """

    since: Annotated[datetime, Field(serialization_alias="from")]
    until: datetime
    asked_until: datetime
    lead_in: datetime
    events: int
    readings: int
    points: int
    cut_short: str


class FiredOut(Out):
    """One alert that would have been; ``resolved_at`` null: it was open at the end."""

    subject: str
    device_id: int | None
    device_name: str
    area_id: int
    area_name: str
    point_id: int | None
    channel: str
    started_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    reason: str
    resolution: str
    value: float | None
    is_folded: bool


class OftenOut(Out):
    """How often it would have fired for a device or place, and for what share of the time."""

    device_id: int | None
    device_name: str
    area_id: int
    area_name: str
    times: int
    share: float


class DryRunOut(Out):
    """What would have been: the first alerts of ``count``, and the devices with the most.

    ``folded`` of them count in an alert for many; ``held_back`` says how often which reason kept
    the rule quiet.
    """

    looked: LookedOut
    count: int
    folded: int
    still_open: int
    subjects: int
    always: int
    fired: Sequence[FiredOut]
    often: Sequence[OftenOut]
    held_back: Mapping[str, int]
    findings: Sequence[FindingOut]

    @classmethod
    def of(cls, run: DryRun, findings: Sequence[Finding]) -> "DryRunOut":
        """Show a dry run."""
        return cls(
            looked=LookedOut.model_validate(run.looked),
            count=run.count,
            folded=run.folded,
            still_open=run.still_open,
            subjects=run.subjects,
            always=run.always,
            fired=[FiredOut.model_validate(one) for one in run.fired],
            often=[OftenOut.model_validate(one) for one in run.often],
            held_back=run.held_back,
            findings=[FindingOut.model_validate(one) for one in findings],
        )
