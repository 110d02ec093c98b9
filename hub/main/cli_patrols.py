"""`gengfu patrols`: plans and rounds, and the proof that what was kept of them is whole."""

import os
from collections.abc import Callable
from typing import Annotated

import typer
from rich.progress import Progress

from hub.domain.errors import Invalid
from hub.domain.patrol_details import build_details
from hub.domain.patrols import PatrolPlan, PatrolRound
from hub.main.console import (
    Exit,
    as_row,
    print_json,
    print_line,
    print_rows,
    progress,
    reported_errors,
    say,
)
from hub.main.storage import JsonOption, SettingsOption, Store, with_store
from hub.main.surroundings import utc_now
from hub.patrols.desk import run_now
from hub.patrols.evidence import Asked, Fault, Known, Proof, verify
from hub.patrols.files import PictureFolder
from hub.patrols.planning.plans import next_due
from hub.runtime.jobs import Jobs
from hub.store import patrols, rounds

patrols_app = typer.Typer(help="The midnight video patrol.", no_args_is_help=True)

PLAN_COLUMNS = ("id", "name", "area_id", "mode", "rrule", "time_zone", "next_at", "is_enabled")
ROUND_COLUMNS = (
    *("id", "plan_name", "area_name", "planned_at", "state", "stops_planned", "stops_seen"),
    *("stops_open", "stops_normal", "stops_abnormal", "stops_not_judged", "reason"),
)
SHOWN_FAULTS = 20
SHA256_DIGITS = 64


@patrols_app.command("list")
def list_plans(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """The patrol plans, and when the next round of each is due."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            page = await patrols.list_plans(tx, store.scope, limit=500)
        return [_plan_row(plan) for plan in page.items]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=PLAN_COLUMNS, empty="no patrol plan yet")


@patrols_app.command("rounds")
def list_rounds(
    settings: SettingsOption = None,
    *,
    plan: Annotated[int | None, typer.Option(help="Number of a plan: its rounds only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The rounds, newest first: how far they are and what they came to."""

    async def work(store: Store) -> list[dict[str, object]]:
        wanted = rounds.RoundFilter(plan_id=plan)
        async with store.database.transaction() as tx:
            page = await rounds.list_rounds(tx, store.scope, wanted, limit=limit)
        return [_round_row(walk) for walk in page.items]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=ROUND_COLUMNS, empty="no patrol round yet")


@patrols_app.command("run")
def run_plan(
    plan: Annotated[int, typer.Argument(help="Number of the plan.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Start a round of a plan now; the running hub walks it."""

    async def work(store: Store) -> int:
        jobs = Jobs(store.database, utc_now)
        async with store.database.transaction() as tx:
            return await run_now(tx, store.scope, jobs, plan, now=utc_now())

    number = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"round": number})
    else:
        say(f"round {number} starts as soon as a hub with the role work runs")


@patrols_app.command("verify")
def verify_rounds(
    settings: SettingsOption = None,
    *,
    walked: Annotated[
        list[int] | None, typer.Option("--round", help="Number of a round; every round otherwise.")
    ] = None,
    with_pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Read every picture and film as well.")
    ] = True,
    known: Annotated[
        str, typer.Option(help="A seal that was noted earlier, like 31:9f86d0…: is it still there?")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Prove that the evidence of the rounds is whole: lines, results, pictures, seals.

    Exit status 1 when anything is not; what that is, is said.
    """
    with reported_errors():
        noted = _read_known(known)

    async def work(store: Store) -> Proof:
        folder = PictureFolder(store.settings.data_dir.absolute())
        with progress() as bar:
            asked = Asked(
                rounds=walked, with_pictures=with_pictures, known=noted, seen=_counting(bar)
            )
            return await verify(store.database, store.scope, folder, asked)

    proof = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json(as_row(proof))
    else:
        _print_proof(proof, with_pictures=with_pictures)
    if proof.faults:
        raise typer.Exit(Exit.FAILED)


def _plan_row(plan: PatrolPlan) -> dict[str, object]:
    try:
        due = next_due(plan, utc_now()) if plan.is_enabled else None
    except Invalid:  # the hub switches it off when it next looks
        due = None
    return {**as_row(plan), "details": build_details(plan.details), "next_at": due}


def _round_row(walk: PatrolRound) -> dict[str, object]:
    return {**as_row(walk), "details": build_details(walk.details)}


def _read_known(text: str) -> Known | None:
    if not text:
        return None
    number, _, digits = text.strip().partition(":")
    if not (number.isascii() and number.isdigit() and len(digits) == SHA256_DIGITS):
        msg = "a seal is its number, a colon and 64 hexadecimal digits, as this command prints it"
        raise Invalid(msg, field="known")
    return Known(seq=int(number), hash=digits.lower())


def _counting(bar: Progress) -> Callable[[int, int], None]:
    task = bar.add_task("rounds", total=None)
    return lambda done, of: bar.update(task, completed=done, total=of)


def _print_proof(proof: Proof, *, with_pictures: bool) -> None:
    for fault in proof.faults[:SHOWN_FAULTS]:
        print_line(f"NOT WHOLE: {_place(fault)}: {fault.what}")
    if len(proof.faults) > SHOWN_FAULTS:
        print_line(f"and {len(proof.faults) - SHOWN_FAULTS} more: --json shows all")
    files = (
        f", {proof.pictures} pictures and films" if with_pictures else "; pictures were not read"
    )
    print_line(f"checked {proof.rounds} rounds, {proof.lines} lines{files}")
    if proof.before:
        print_line(f"{proof.before} rounds are from before evidence was kept")
    if not proof.faults:
        print_line("all is whole")
    if proof.last_seal is not None:
        print_line(
            f"last seal, to be noted elsewhere: {proof.last_seal.seq}:{proof.last_seal.hash}"
        )


def _place(fault: Fault) -> str:
    if fault.round_id is None:
        return "the chain of all rounds"
    if fault.planned_at is None:
        return f"round {fault.round_id}"
    planned_at = f"{fault.planned_at.astimezone():%Y-%m-%d %H:%M}"
    return f"round {fault.round_id} ({fault.plan_name}, {planned_at})"
