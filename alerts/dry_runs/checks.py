"""What is doubtful about a rule: it cannot fire, always fires, contradicts itself, tells nobody.

Pure. An *error* says that the rule does not do what it says, as things stand; a *warning* that it
probably does what nobody wants. Neither is a reason to refuse it: the device may come tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from alerts.dry_runs.report import ALWAYS, DryRun
from alerts.rules.observations import STATUS_KINDS
from hub.domain.alerts import Rule
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    NothingSeen,
    PointBeyond,
    kinds_of,
)
from hub.domain.errors import Invalid
from hub.runtime.calendars import check_calendar
from hub.store.rule_facts import RuleFacts, Telling

# Of so few subjects a majority says nothing.
FEWEST_SUBJECTS: Final = 3
# A device that reports on time is still late now and then: one missed reading is no silence.
MISSED_READINGS: Final = 2

_STATES: Final = (
    *("motion", "scene_change", "tamper", "picture_too_blurry", "picture_too_dark"),
    *("picture_too_bright", "fan_failure", "power_supply_failure", "storage_failure"),
    *("temperature_critical", "intrusion", "person", "vehicle", "sound", "digital_input", "relay"),
)
# What begins, and what ends it.
ENDS: Final[dict[str, str]] = {
    **{f"{name}.started": f"{name}.stopped" for name in _STATES},
    "signal.lost": "signal.restored",
    "link.lost": "link.restored",
    "point.stuck": "point.moving",
    "point.silent": "point.heard",
    "point.out_of_range": "point.in_range",
    "certificate.expiring": "certificate.renewed",
    "device.flapping": "device.steady",
    "device.offline": "device.online",
    "device.degraded": "device.online",
    "device.maintenance_started": "device.maintenance_ended",
    "receiver.failing": "receiver.working",
    "template.failed": "template.mended",
    "patrol.report_ready": "patrol.report_signed",
    "roll_call.unanswered": "roll_call.answered",
    "dispatch.overdue": "dispatch.on_time",
}
# The kinds of events this hub makes by itself; devices may bring others.
KNOWN_KINDS: Final = frozenset(
    {
        *STATUS_KINDS,
        *ENDS,
        *ENDS.values(),
        *("line.crossed", "shutdown.initiated", "reboot.reported", "reset.reported"),
        *("backup.reported", "clock.synchronised", "configuration.changed", "unrecognised"),
        *("device.firmware_changed", "device.identity_conflict", "patrol.round_missed"),
        *("patrol.round_unattended", "patrol.round_finished", "citizen_report.received"),
        *("dispatch.opened", "dispatch.closed"),
    }
)


class Weight(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One doubt: ``code`` names it for programs, ``field`` is the part of the rule it is about."""

    severity: Weight
    code: str
    field: str
    message: str


def check_rule(rule: Rule, facts: RuleFacts, now: datetime) -> list[Finding]:
    """Everything that is doubtful about a rule, errors first."""
    found = [
        *_check_devices(rule, facts),
        *_check_points(rule, facts),
        *_check_kinds(rule, facts),
        *_check_sense(rule),
        *_check_hours(rule, now),
        *_check_firing(facts),
        *_check_listeners(rule, facts),
    ]
    return sorted(found, key=lambda one: one.severity is Weight.WARNING)


def check_dry_run(run: DryRun) -> list[Finding]:
    """What a dry run makes doubtful."""
    found = []
    if run.always:
        found.append(
            _warn(
                "always",
                "condition",
                f"it would have fired more than {ALWAYS:.0%} of the time for {run.always} of the"
                f" {run.subjects} subjects it fired for: nobody looks at what never stops",
            )
        )
    if run.folded:
        found.append(
            _warn(
                "folds",
                "most_in_area",
                f"{run.folded} of {run.count} alerts would have been folded into one for many:"
                " more were open at once than stand by themselves",
            )
        )
    if run.looked.cut_short:
        found.append(
            _warn(
                "cut_short",
                "until",
                f"looked at until {run.looked.until.isoformat(timespec='seconds')} only:"
                f" {run.looked.cut_short}",
            )
        )
    return found


def _check_devices(rule: Rule, facts: RuleFacts) -> Iterator[Finding]:
    """No device is left to watch. Events of places need none."""
    is_narrowed = bool(rule.condition.device_kinds or rule.classes or rule.tags)
    if kinds_of(rule.condition) and not is_narrowed:
        return
    if not facts.devices:
        yield _fail("no_device", "area_id", "there is no approved device in its area")
    elif not facts.of_kind:
        kinds = ", ".join(rule.condition.device_kinds)
        yield _fail("no_device", "condition.device_kinds", f"no device of its area is a {kinds}")
    elif not facts.of_class:
        message = f"no such device of its area is of the class {', '.join(rule.classes)}"
        yield _fail("no_device", "classes", message)
    elif not facts.of_tag:
        message = f"no such device of its area has the tag {', '.join(rule.tags)}"
        yield _fail("no_device", "tags", message)


def _check_points(rule: Rule, facts: RuleFacts) -> Iterator[Finding]:
    condition = rule.condition
    if not isinstance(condition, PointBeyond | NothingSeen) or not condition.point:
        return
    if not facts.points:
        if facts.of_tag:
            message = f"none of its devices has a point {condition.point}"
            yield _fail("no_point", "condition.point", message)
        return
    if isinstance(condition, PointBeyond):
        yield from _check_range(condition, facts)
    elif facts.interval_s is not None and condition.for_s < MISSED_READINGS * facts.interval_s:
        message = (
            f"a point {condition.point} reports every {facts.interval_s:g} s: {condition.for_s:g} s"
            " without a reading are usual"
        )
        is_sure = condition.for_s <= facts.interval_s
        yield (_fail if is_sure else _warn)("too_short", "condition.for_s", message)


def _check_range(condition: PointBeyond, facts: RuleFacts) -> Iterator[Finding]:
    """The threshold lies where no reading comes, or where every reading lies beyond it."""
    is_above = condition.direction is Direction.ABOVE
    far, near = (facts.high, facts.low) if is_above else (facts.low, facts.high)
    sign = 1.0 if is_above else -1.0
    side = condition.direction.value
    if far is not None and sign * condition.threshold >= sign * far:
        message = f"no point {condition.point} reads {side} {condition.threshold:g}: {far:g} is all"
        yield _fail("never", "condition.threshold", message)
    elif near is not None and sign * condition.threshold < sign * near:
        message = (
            f"every point {condition.point} always reads {side} {condition.threshold:g}:"
            f" {near:g} is the nearest it can"
        )
        yield _fail("always", "condition.threshold", message)


def _check_kinds(rule: Rule, facts: RuleFacts) -> Iterator[Finding]:
    for kind in sorted(kinds_of(rule.condition) - KNOWN_KINDS - facts.seen_kinds):
        message = f"no event {kind} came lately in its area, and the hub makes none: a slip?"
        yield _warn("unknown_kind", _place_of(rule.condition, kind), message)


def _place_of(condition: Condition, kind: str) -> str:
    """Which field of a condition names a kind."""
    if isinstance(condition, EventOfKind | Combination) and kind == condition.clear_kind:
        return "condition.clear_kind"
    return "condition.events" if isinstance(condition, Combination) else "condition.kind"


def _check_sense(rule: Rule) -> Iterator[Finding]:
    """What contradicts itself, whatever there is."""
    condition = rule.condition
    match condition:
        case PointBeyond(threshold=threshold, clear=clear):
            if threshold == clear and not condition.for_s and not condition.clear_for_s:
                message = "it ends where it begins, at once: a value that wavers there flaps"
                yield _warn("flaps", "condition.clear", message)
        case EventOfKind():
            yield from _check_end(condition)
        case EventCount(within_s=within_s, clear_s=clear_s):
            if clear_s is not None and clear_s < within_s:
                message = "it is over while what it counted still lies within its time: it flaps"
                yield _warn("flaps", "condition.clear_s", message)
        case Combination(within_s=within_s, clear_s=clear_s):
            if clear_s < within_s:
                message = "it is over before the next event of the combination is too late"
                yield _warn("flaps", "condition.clear_s", message)
        case DeviceOffline() | DeviceDegraded() | NothingSeen():
            pass
        case _ as never:
            assert_never(never)


def _check_end(condition: EventOfKind) -> Iterator[Finding]:
    if condition.kind == condition.clear_kind:
        message = f"the event {condition.kind} begins it: it cannot also end it"
        yield _fail("contradicts", "condition.clear_kind", message)
    elif not condition.clear_kind and condition.auto_clear_s is None:
        end = ENDS.get(condition.kind)
        hint = f"{end} would be the end" if end else "say auto_clear_s, or the kind that ends it"
        message = f"unless its devices say it is no longer active, it ends by hand only: {hint}"
        yield _warn("never_ends", "condition.clear_kind", message)


def _check_hours(rule: Rule, now: datetime) -> Iterator[Finding]:
    if rule.hours is None:
        return
    try:
        check_calendar(rule.hours, now)
    except Invalid as error:
        yield _fail("never", "hours", f"it never watches: {error}")


def _check_firing(facts: RuleFacts) -> Iterator[Finding]:
    if facts.of_tag >= FEWEST_SUBJECTS and 2 * facts.firing > facts.of_tag:
        message = f"it fires now for {facts.firing} of {facts.of_tag} devices: that is no exception"
        yield _warn("always", "condition", message)


def _check_listeners(rule: Rule, facts: RuleFacts) -> Iterator[Finding]:
    if facts.receivers or any(_may_tell(one, rule) for one in facts.tellings):
        return
    message = "it tells nobody: it has no receiver, and no route or policy is about its alerts"
    yield _warn("tells_nobody", "receivers", message)


def _may_tell(telling: Telling, rule: Rule) -> bool:
    """Tell whether alerts of the rule may match; which devices they are about is not known."""
    matcher = telling.matcher
    has_severity = not matcher.severities or rule.severity in matcher.severities
    return has_severity and (not matcher.rule_ids or rule.id in matcher.rule_ids)


def _fail(code: str, field: str, message: str) -> Finding:
    return Finding(severity=Weight.ERROR, code=code, field=field, message=message)


def _warn(code: str, field: str, message: str) -> Finding:
    return Finding(severity=Weight.WARNING, code=code, field=field, message=message)
