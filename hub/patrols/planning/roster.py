"""Who is on duty by the shifts of an area, and who may walk a round. Pure."""

from collections.abc import Sequence
from datetime import datetime

from hub.domain.access import PERMISSIONS, Grant, Permission, Principal, Role
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.duty_rooms import Shift
from hub.domain.errors import Invalid
from hub.domain.patrol_details import Walker
from hub.runtime.calendars import is_active


def shifts_now(
    shifts: Sequence[Shift], at: datetime, holidays: Holidays = NO_HOLIDAYS
) -> list[Shift]:
    """Return the shifts that are on duty; hours that cannot be used hold always."""
    return [one for one in shifts if _holds(one, at, holidays)]


def people_on_duty(
    shifts: Sequence[Shift],
    area_path: str,
    at: datetime,
    holidays: Holidays = NO_HOLIDAYS,
) -> frozenset[int] | None:
    """Return who is on duty for an area: by its own shifts, else by those of the nearest above.

    ``shifts`` are those of the area and of all above it. None: no shift is on duty up to the
    root, or nobody stands in it.
    """
    on = shifts_now(shifts, at, holidays)
    path = area_path
    while path:
        people = frozenset(user for one in on if one.area_path == path for user in one.user_ids)
        if people:
            return people
        path = path.rpartition(".")[0]
    return None


def may_walk(
    walker: Walker,
    principal: Principal,
    area_path: str,
    on_duty: frozenset[int] | None = None,
) -> bool:
    """Tell whether somebody may walk a round of an area.

    They must be allowed to operate in the whole of it, and be whom the plan names: the person,
    somebody with the role there, or somebody on duty (``on_duty``, of :func:`people_on_duty`).
    While nobody is on duty whoever may operate may: better walked by another than by nobody.
    """
    held = [grant for grant in principal.grants if _covers(grant, area_path)]
    if not any(Permission.OPERATE in PERMISSIONS[grant.role] for grant in held):
        return False
    if walker.user_id is not None:
        return principal.user_id == walker.user_id
    if walker.role is not None:
        return _holds_role(held, walker.role)
    if walker.is_roster:
        return on_duty is None or principal.user_id in on_duty
    return True


def _holds_role(held: Sequence[Grant], role: Role) -> bool:
    return any(grant.role is role for grant in held)


def _covers(grant: Grant, area_path: str) -> bool:
    return area_path == grant.area_path or area_path.startswith(grant.area_path + ".")


def _holds(shift: Shift, at: datetime, holidays: Holidays) -> bool:
    try:
        return is_active(shift.hours, at, holidays)
    except Invalid:
        return True
