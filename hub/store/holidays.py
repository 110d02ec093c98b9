"""The days an administrator declared: off although weekdays, or worked although not (调休).

There is one list for the hub. Everybody may read it; whoever administers the whole tree keeps it.
"""

from collections.abc import Sequence
from datetime import date

from hub.domain.access import Scope
from hub.domain.calendars import Holiday
from hub.domain.errors import Invalid, NotFound
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import scope_paths

LONGEST_NAME = 64
FIRST_YEAR, LAST_YEAR = 2000, 2199
_HOLIDAY = "SELECT h.day, h.name, h.is_working FROM holidays h "
# A caller keeps the list when his areas begin at a root.
_IS_KEEPER = (
    "SELECT %(scope)s::ltree[] IS NULL OR EXISTS (SELECT FROM areas r"
    " WHERE r.parent_id IS NULL AND r.path = ANY (%(scope)s::ltree[]))"
)


async def all_holidays(tx: Transaction, scope: Scope) -> dict[date, Holiday]:
    """Every declared day; they belong to no area and are the same for everybody."""
    del scope
    rows = await tx.fetch(Holiday, _HOLIDAY + "ORDER BY h.day", {})
    return {row.day: row for row in rows}


async def holidays_of(tx: Transaction, scope: Scope, year: int) -> list[Holiday]:
    """The declared days of a year, in order."""
    del scope
    return await tx.fetch(
        Holiday,
        _HOLIDAY + "WHERE h.day BETWEEN %(first)s AND %(last)s ORDER BY h.day",
        _bounds(year),
    )


async def set_year(tx: Transaction, scope: Scope, year: int, days: Sequence[Holiday]) -> None:
    """Replace the declared days of a year.

    Raises:
        NotFound: the caller does not keep the list.
        Invalid: a day lies in another year, comes twice or has no name.
    """
    await _check_keeper(tx, scope)
    if len({one.day for one in days}) != len(days):
        _refuse("a day stands in the list once")
    if any(one.day.year != year for one in days):
        _refuse(f"every day of the list lies in {year}")
    for one in days:
        _check(one)
    await tx.execute("DELETE FROM holidays WHERE day BETWEEN %(first)s AND %(last)s", _bounds(year))
    await _insert(tx, days)
    await _changed(tx, scope, "holidays.replaced", str(year), days)


async def put_holiday(tx: Transaction, scope: Scope, holiday: Holiday) -> None:
    """Declare one day, or declare it anew.

    Raises:
        NotFound: the caller does not keep the list.
        Invalid: it has no name, or lies too far away.
    """
    await _check_keeper(tx, scope)
    _check(holiday)
    await _insert(tx, [holiday])
    await _changed(tx, scope, "holidays.declared", holiday.day.isoformat(), [holiday])


async def remove_holiday(tx: Transaction, scope: Scope, day: date) -> None:
    """Let a day be what its weekday says; raises NotFound when nothing was declared."""
    await _check_keeper(tx, scope)
    if not await tx.execute("DELETE FROM holidays WHERE day = %(day)s", {"day": day}):
        msg = "nothing is declared about this day"
        raise NotFound(msg)
    await _changed(tx, scope, "holidays.removed", day.isoformat(), [])


async def _check_keeper(tx: Transaction, scope: Scope) -> None:
    if not await tx.scalar(bool, _IS_KEEPER, {"scope": scope_paths(scope)}):
        msg = "the list of holidays is kept by who administers the whole tree of areas"
        raise NotFound(msg)


async def _insert(tx: Transaction, days: Sequence[Holiday]) -> None:
    await tx.execute(
        "INSERT INTO holidays (day, name, is_working) SELECT * FROM"
        " unnest(%(days)s::date[], %(names)s::text[], %(working)s::boolean[])"
        " ON CONFLICT (day) DO UPDATE SET name = excluded.name, is_working = excluded.is_working",
        {
            "days": [one.day for one in days],
            "names": [one.name for one in days],
            "working": [one.is_working for one in days],
        },
    )


async def _changed(
    tx: Transaction, scope: Scope, action: str, number: str, days: Sequence[Holiday]
) -> None:
    # No rule changed, but the days by which they count: whoever keeps rules reads them again.
    await notify(tx, scope, "rules", [0])
    deed = Deed(action=action, object_type="holidays", object_id=number)
    said = {one.day.isoformat(): {"name": one.name, "is_working": one.is_working} for one in days}
    await record(tx, scope, deed, {"days": said})


def _check(holiday: Holiday) -> None:
    is_name = holiday.name.isprintable() and holiday.name.strip() != ""
    if not is_name or len(holiday.name) > LONGEST_NAME:
        _refuse(f"a day has a name of 1 to {LONGEST_NAME} characters", "name")
    if not FIRST_YEAR <= holiday.day.year <= LAST_YEAR:
        _refuse(f"a day lies between {FIRST_YEAR} and {LAST_YEAR}", "day")


def _bounds(year: int) -> dict[str, object]:
    return {"first": date(year, 1, 1), "last": date(year, 12, 31)}


def _refuse(message: str, field: str = "days") -> None:
    raise Invalid(message, field=field)
