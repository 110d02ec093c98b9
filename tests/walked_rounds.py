"""Rounds for people to walk, looked at without a camera: for tests of what people do."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from hub.domain.access import system_scope
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, PatrolPlan, StopOrder, Verdict
from hub.patrols.evidence_stops import BEGUN
from hub.patrols.files import PictureFolder
from hub.patrols.planning.laying import lay_out
from hub.patrols.walking.rounds import new_stops
from hub.store import patrols, rounds, stop_looks, stops
from hub.store.database import Transaction
from hub.store.patrol_evidence import Line, append

HUB = system_scope("test")
EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the machine shows of a stop; without a picture it has a reason."""

    jpeg: bytes = b""
    doubt: float = 0.0
    remarks: Sequence[str] = ()
    reason: str = ""
    film: bytes = b""


async def begin_walk(
    tx: Transaction,
    area_id: int,
    device_ids: Sequence[int],
    now: datetime,
    *,
    group_size: int = 30,
    **changes: object,
) -> int:
    """Begin a round of a new plan with a stop every ten seconds; nothing of it is looked at."""
    plan = PatrolPlan(
        name="零点夜查",
        area_id=area_id,
        rrule="FREQ=DAILY",
        time_zone="Asia/Shanghai",
        starts_on=date(2026, 1, 1),
        mode=PatrolMode.WALK,
        order=StopOrder.FIXED,
        device_ids=tuple(device_ids),
        details=PlanDetails(tolerance_s=60),
    )
    plan = replace(plan, **changes)  # type: ignore[arg-type]  # the caller knows the fields
    kept = await patrols.add_plan(tx, HUB, plan, now=now)
    number = await rounds.add_round(tx, HUB, kept, now)
    assert number is not None
    walk = await rounds.get_round(tx, HUB, number)
    laid = new_stops(await lay_out(tx, HUB, walk, kept, rng=random.Random(1)), now)
    timed = [
        replace(one, due_at=now + timedelta(seconds=EVERY_S * place))
        for place, one in enumerate(laid)
    ]
    await stops.add_stops(tx, HUB, number, timed, group_size=group_size)
    await rounds.begin_round(tx, HUB, walk, now)
    begun = Line(what=BEGUN, at=now, body={"stops": len(timed)})
    await append(tx, HUB, number, [begun])
    return number


async def show_stop(
    tx: Transaction,
    folder: PictureFolder,
    place: tuple[int, int],
    shown: Shown,
    at: datetime,
) -> str:
    """Have the machine look at a stop (round, position), leave it to a person; return its SHA."""
    if shown.jpeg:
        await folder.keep_picture(*place, shown.jpeg)
    if shown.film:
        await folder.keep_clip(*place, shown.film)
    found = stops.StopResult(
        round_id=place[0],
        position=place[1],
        verdict=Verdict.SEEN if shown.jpeg else Verdict.NOT_SEEN,
        reason=shown.reason,
        at=at,
        has_picture=bool(shown.jpeg),
        picture_sha256=sha256(shown.jpeg).hexdigest() if shown.jpeg else "",
        clip_sha256=sha256(shown.film).hexdigest() if shown.film else "",
        doubt=shown.doubt,
        remarks=tuple(shown.remarks),
    )
    await stop_looks.claim_stop(tx, HUB, *place, at)
    left = stop_looks.Ruling(is_for_person=True)
    assert await stop_looks.settle_stop(tx, HUB, found, left)
    return found.picture_sha256
