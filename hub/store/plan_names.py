"""Whether everything that a patrol plan names lies where its author may look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.access import PERMISSIONS, Permission, Scope
from hub.domain.errors import Invalid, NotFound
from hub.domain.patrols import PatrolPlan
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, scope_paths

OPERATING: Final = sorted(
    role.value for role, held in PERMISSIONS.items() if Permission.OPERATE in held
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who can be asked to walk, to be on duty, to take over."""

    id: int
    name: str


async def check_names(
    tx: Transaction, scope: Scope, plan: PatrolPlan, before: PatrolPlan | None
) -> None:
    """Refuse what the caller may not name; persons and receivers of ``before`` may stay.

    Raises:
        NotFound: an area, a camera, a person or a receiver lies outside the scope; areas and
            cameras also outside the plan's area.
        Invalid: the person who is to walk it may not operate in its area.
    """
    path = (await get_area(tx, scope, plan.area_id)).path
    details = plan.details
    await _check_cameras(tx, scope, path, [*(plan.device_ids or ()), *details.presets])
    await _check_areas(tx, scope, path, details.selection.area_ids)
    kept = set() if before is None else set(before.details.report_receivers)
    await check_receivers(tx, scope, [one for one in details.report_receivers if one not in kept])
    walker = details.walker.user_id
    if walker is None:
        return
    is_new = before is None or walker != before.details.walker.user_id
    if is_new:
        await check_people(tx, scope, [walker])
    if is_new or plan.is_enabled:
        await _check_operates(tx, scope, walker, path)


async def check_people(tx: Transaction, scope: Scope, user_ids: Sequence[int]) -> None:
    """Raise NotFound unless each of these people holds something within the scope."""
    wanted = sorted(set(user_ids))
    found = await tx.scalar(
        int,
        "SELECT count(*) FROM users u WHERE u.id = ANY (%(ids)s::bigint[]) AND NOT u.is_disabled"
        " AND EXISTS (SELECT FROM grants g JOIN areas a ON a.id = g.area_id"
        "  WHERE g.user_id = u.id AND" + IN_SCOPE + ")",
        {"ids": wanted, "scope": scope_paths(scope)},
    )
    if found != len(wanted):
        msg = "no such person"
        raise NotFound(msg)


async def who_operates(
    tx: Transaction, scope: Scope, user_ids: Sequence[int], area_path: str
) -> set[int]:
    """Those of these people who may operate in the whole of an area of the scope."""
    if not scope.covers(area_path):
        return set()
    rows = await tx.tuples(
        "SELECT DISTINCT g.user_id FROM grants g JOIN areas a ON a.id = g.area_id"
        " JOIN users u ON u.id = g.user_id WHERE g.user_id = ANY (%(ids)s::bigint[])"
        " AND NOT u.is_disabled AND g.role = ANY (%(roles)s::text[]) AND %(path)s::ltree <@ a.path",
        {"ids": list(user_ids), "roles": OPERATING, "path": area_path},
    )
    return {int(str(number)) for (number,) in rows}


async def list_operators(tx: Transaction, scope: Scope, area_path: str) -> list[Operator]:
    """Who may operate in the whole of an area and holds something within the scope, by name."""
    return await tx.fetch(
        Operator,
        "SELECT u.id, coalesce(nullif(u.display_name, ''), u.name) AS name FROM users u"
        " WHERE NOT u.is_disabled AND EXISTS (SELECT FROM grants g"
        "  JOIN areas a ON a.id = g.area_id WHERE g.user_id = u.id AND"
        + IN_SCOPE
        + ") AND EXISTS (SELECT FROM grants g JOIN areas b ON b.id = g.area_id"
        "  WHERE g.user_id = u.id AND g.role = ANY (%(roles)s::text[])"
        "  AND %(path)s::ltree <@ b.path) ORDER BY 2, 1",
        {"roles": OPERATING, "path": area_path, "scope": scope_paths(scope)},
    )


async def _check_operates(tx: Transaction, scope: Scope, user_id: int, path: str) -> None:
    if not await who_operates(tx, scope, [user_id], path):
        msg = "this person may not walk patrols in the whole of the plan's area"
        raise Invalid(msg, field="walker")


async def _check_cameras(
    tx: Transaction, scope: Scope, path: str, device_ids: Sequence[int]
) -> None:
    wanted = sorted(set(device_ids))
    known = await tx.scalar(
        int,
        "SELECT count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s::bigint[]) AND a.path <@ %(path)s::ltree AND" + IN_SCOPE,
        {"ids": wanted, "path": path, "scope": scope_paths(scope)},
    )
    if known != len(wanted):
        msg = "a camera of the plan is not in its area"
        raise NotFound(msg)


async def _check_areas(tx: Transaction, scope: Scope, path: str, area_ids: Sequence[int]) -> None:
    wanted = sorted(set(area_ids))
    known = await tx.scalar(
        int,
        "SELECT count(*) FROM areas a"
        " WHERE a.id = ANY (%(ids)s::bigint[]) AND a.path <@ %(path)s::ltree AND" + IN_SCOPE,
        {"ids": wanted, "path": path, "scope": scope_paths(scope)},
    )
    if known != len(wanted):
        msg = "an area of the plan is not in its area"
        raise NotFound(msg)
