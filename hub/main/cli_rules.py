"""`gengfu rules`: what is watched for, what is doubtful about it, what it would have done."""

import os
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Annotated

import typer

from alerts.dry_runs.checks import Finding, Weight, check_dry_run, check_rule
from alerts.dry_runs.dry_run import LONGEST, Limits, Span, dry_run
from alerts.dry_runs.report import DryRun, Fired
from hub.domain.alerts import Rule
from hub.domain.conditions import Condition, build_condition
from hub.main.console import Exit, as_row, print_json, print_rows, say
from hub.main.report_options import AreaOption, duration, span_note
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import local_zone, utc_now
from hub.store import rules
from hub.store.database import Transaction
from hub.store.rule_facts import rule_facts

rules_app = typer.Typer(help="What is watched for.", no_args_is_help=True)

RULE_COLUMNS = ("id", "name", "area", "severity", "watches", "receivers", "enabled")
FINDING_COLUMNS = ("rule", "name", "severity", "about", "finding")
FIRED_COLUMNS = ("fired", "lasted", "device", "area", "reason", "told")
OFTEN_COLUMNS = ("device", "area", "times", "of_the_time")
# Somebody at a terminal waits longer than a browser does.
LIMITS = Limits(most_s=300.0, most_rows=20_000_000)
PAGE = 500
REASONS_SHOWN = 5

RuleArgument = Annotated[int, typer.Argument(help="Number of the rule.", min=1)]


@rules_app.command("list")
def list_rules(
    area: AreaOption = "", settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """The rules, and what each watches for."""

    async def work(store: Store) -> list[Rule]:
        async with store.database.transaction() as tx:
            return await _all_rules(tx, store, area)

    found = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json([{**as_row(one), "condition": build_condition(one.condition)} for one in found])
        return
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "area": one.area_path,
            "severity": one.severity.value,
            "watches": tell_condition(one.condition),
            "receivers": len(one.receivers),
            "enabled": "yes" if one.is_enabled else "no",
        }
        for one in found
    ]
    print_rows(rows, as_json=False, columns=RULE_COLUMNS, empty="no rule yet")


@rules_app.command("check")
def check(
    rule: Annotated[int | None, typer.Argument(help="Number of a rule; all without.")] = None,
    area: AreaOption = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What is doubtful about rules; exit status 1 when one cannot do what it says."""

    async def work(store: Store) -> list[tuple[Rule, list[Finding]]]:
        async with store.database.transaction() as tx:
            wanted = (
                await _all_rules(tx, store, area)
                if rule is None
                else [await rules.get_rule(tx, store.scope, rule)]
            )
            return [
                (one, check_rule(one, await rule_facts(tx, store.scope, one), utc_now()))
                for one in wanted
            ]

    found = with_store(settings, dict(os.environ), work)
    rows = [_finding_row(one, finding) for one, findings in found for finding in findings]
    empty = f"{len(found)} rules looked at: nothing doubtful about them"
    print_rows(rows, as_json=as_json, columns=FINDING_COLUMNS, empty=empty)
    if any(row["severity"] == Weight.ERROR for row in rows):
        raise typer.Exit(Exit.FAILED)


@rules_app.command("dry-run")
def dry_run_rule(
    rule: RuleArgument,
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST.days, help="How many days back to look.")
    ] = 7,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """When a rule, as it is now, would have fired."""

    async def work(store: Store) -> tuple[DryRun, list[Finding], tzinfo]:
        now = utc_now()
        async with store.database.transaction() as tx:
            wanted = await rules.get_rule(tx, store.scope, rule)
            facts = await rule_facts(tx, store.scope, wanted)
        span = Span(since=now - timedelta(days=days), until=now)
        run = await dry_run(store.database, store.scope, wanted, span, LIMITS)
        findings = [*check_rule(wanted, facts, now), *check_dry_run(run)]
        return run, findings, local_zone(store.settings)

    run, findings, zone = with_store(settings, dict(os.environ), work)
    if as_json:
        whole = as_row(run)
        whole["rule"] = {"id": run.rule.id, "name": run.rule.name}
        print_json({**whole, "findings": [as_row(one) for one in findings]})
        return
    _print_dry_run(run, findings, zone)


def tell_condition(condition: Condition) -> str:
    """A condition in one line: its type and what is said of it."""
    said = build_condition(condition)
    kind = str(said.pop("type"))
    parts = [f"{key}={_short(value)}" for key, value in said.items() if value or value is False]
    return " ".join([kind.replace("_", " "), *parts])


def _print_dry_run(run: DryRun, findings: list[Finding], zone: tzinfo) -> None:
    rows = [_fired_row(one, run.looked.until, zone) for one in run.fired]
    print_rows(rows, as_json=False, columns=FIRED_COLUMNS, empty="it would not have fired")
    if run.often and run.count > len(run.often):
        often = [
            {
                "device": one.device_name or "-",
                "area": one.area_name,
                "times": one.times,
                "of_the_time": f"{one.share:.0%}",
            }
            for one in run.often
        ]
        print_rows(often, as_json=False, columns=OFTEN_COLUMNS, empty="")
    for line in _summary(run, zone):
        say(line)
    for finding in findings:
        say(f"{finding.severity.value}: {finding.field}: {finding.message}")


def _summary(run: DryRun, zone: tzinfo) -> list[str]:
    looked = run.looked
    times = "once" if run.count == 1 else f"{run.count} times"
    headline = (
        f"rule {run.rule.id} ({run.rule.name}) would have fired {times}"
        f" ({run.still_open} still open): {span_note(looked.since, looked.until, zone)}"
    )
    lines = [headline]
    if run.count > len(run.fired):
        lines.append(f"shown are the first {len(run.fired)}")
    if run.folded:
        lines.append(f"{run.folded} would count in an alert for many: nobody is told of each")
    readings = f", {looked.readings:,} readings of {looked.points:,} points"
    lines.append(f"looked at: {looked.events:,} events{readings if looked.points else ''}")
    for why, number in islice(run.held_back.items(), REASONS_SHOWN):
        lines.append(f"held back {number} times: {why}")
    return lines


def _fired_row(one: Fired, until: datetime, zone: tzinfo) -> dict[str, object]:
    lasted = duration(((one.resolved_at or until) - one.fired_at).total_seconds())
    return {
        "fired": one.fired_at.astimezone(zone).strftime("%m-%d %a %H:%M:%S"),
        "lasted": lasted if one.resolved_at else f"open, {lasted}",
        "device": " ".join(filter(None, [one.device_name or "-", one.channel])),
        "area": one.area_name,
        "reason": one.reason,
        "told": "no, folded" if one.is_folded else "yes",
    }


def _finding_row(rule: Rule, finding: Finding) -> dict[str, object]:
    return {
        "rule": rule.id,
        "name": rule.name,
        "severity": finding.severity.value,
        "about": finding.field,
        "code": finding.code,
        "finding": finding.message,
    }


async def _all_rules(tx: Transaction, store: Store, area: str) -> list[Rule]:
    place = (await find_place(tx, store.scope, area)).id if area else None
    found: list[Rule] = []
    cursor: str | None = None
    while True:
        page = await rules.list_rules(tx, store.scope, area_id=place, limit=PAGE, cursor=cursor)
        found.extend(page.items)
        if page.next is None:
            return found
        cursor = page.next


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_short(one) for one in value)
    if isinstance(value, dict):
        return str(value.get("kind", value))
    return f"{value:g}" if isinstance(value, float) else str(value)
