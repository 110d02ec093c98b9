"""Profiles: thresholds under a name, for the cameras of an area and below it.

Whoever sees an area also sees the profiles of the areas above it, for they apply to him; he
changes those of his own areas only. Which profile applies where is in picture_assignments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.quality import MAX_SCORE, Profile, Thresholds
from hub.domain.quality_profiles import PROFILES
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.picture_rows import build_numbers, parse_thresholds
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "picture-profiles"
LONGEST_NAME: Final = 64
DEFAULT_DAY, DEFAULT_NIGHT = "day", "night"

_SELECT = (
    "SELECT f.id, f.name, f.area_id, f.thresholds FROM picture_profiles f"
    " JOIN areas a ON a.id = f.area_id WHERE"
)
# In the scope, or above it.
_VISIBLE = (
    " (%(scope)s::ltree[] IS NULL OR a.path <@ ANY (%(scope)s::ltree[])"
    " OR a.path @> ANY (%(scope)s::ltree[])) "
)


async def all_profiles(tx: Transaction, scope: Scope) -> list[Profile]:
    """Every profile that applies somewhere in the scope."""
    rows = await tx.fetch(_Row, _SELECT + _VISIBLE + "ORDER BY f.id", {"scope": scope_paths(scope)})
    return [row.profile() for row in rows]


async def list_profiles(
    tx: Transaction,
    scope: Scope,
    *,
    usable_in: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Profile]:
    """Profiles by number; when an area is named, those that can be assigned in it."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _SELECT
        + _VISIBLE
        + "AND f.id > coalesce(%(after)s::bigint, 0) AND (%(area)s::bigint IS NULL"
        "  OR a.path @> (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY f.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": usable_in,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.profile() for row in rows[:count]], next=more)


async def get_profile(tx: Transaction, scope: Scope, profile_id: int) -> Profile:
    """Return one profile; raises NotFound when it applies nowhere in the scope."""
    row = await tx.fetch_one(
        _Row,
        _SELECT + " f.id = %(id)s AND" + _VISIBLE,
        {"id": profile_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such profile"
        raise NotFound(msg)
    return row.profile()


async def add_profile(tx: Transaction, scope: Scope, profile: Profile) -> Profile:
    """Add a profile to an area of the scope (its ``id`` is ignored).

    Raises:
        NotFound: the area lies outside the scope.
        Conflict: the area has one of this name.
        Invalid: the name or a threshold has a form that is refused.
    """
    values = _values(profile)
    await get_area(tx, scope, profile.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO picture_profiles (area_id, name, thresholds)"
        " VALUES (%(area)s, %(name)s, %(thresholds)s) ON CONFLICT (area_id, name) DO NOTHING"
        " RETURNING id",
        values,
    )
    if number is None:
        _refuse_name(profile.name)
    return await _changed(tx, scope, "picture_profile.added", number)


async def change_profile(tx: Transaction, scope: Scope, profile: Profile) -> Profile:
    """Replace name and thresholds of a profile of the scope; it stays in its area.

    Raises:
        NotFound: the profile lies outside the scope.
        Conflict: its area has another one of this name.
        Invalid: the name or a threshold has a form that is refused.
    """
    values = _values(profile)
    await _own(tx, scope, profile.id)
    changed = await tx.execute(
        "UPDATE picture_profiles f SET name = %(name)s, thresholds = %(thresholds)s"
        " WHERE f.id = %(id)s AND NOT EXISTS (SELECT FROM picture_profiles o"
        "  WHERE o.area_id = f.area_id AND o.name = %(name)s AND o.id <> f.id)",
        values,
    )
    if not changed:
        _refuse_name(profile.name)
    return await _changed(tx, scope, "picture_profile.changed", profile.id)


async def remove_profile(tx: Transaction, scope: Scope, profile_id: int) -> None:
    """Remove a profile of the scope that is assigned nowhere.

    Raises:
        NotFound: the profile lies outside the scope.
        Conflict: it is assigned.
    """
    profile = await _own(tx, scope, profile_id)
    number = await tx.scalar(
        int,
        "SELECT count(*) FROM picture_assignments WHERE %(id)s IN (day_id, night_id)",
        {"id": profile.id},
    )
    if number:
        places = "one place" if number == 1 else f"{number} places"
        msg = f"this profile is assigned in {places}: assign another one there first"
        raise Conflict(msg)
    await tx.execute("DELETE FROM picture_profiles WHERE id = %(id)s", {"id": profile.id})
    await notify(tx, scope, TOPIC, [profile.id])
    await record(tx, scope, _deed("picture_profile.removed", profile), {"name": profile.name})


async def ensure_default_profiles(tx: Transaction, scope: Scope, area_id: int) -> bool:
    """Give an area of the scope the profiles every installation starts with, and assign them.

    Nothing is done where profiles are, or an assignment is: what people removed or changed
    does not come back. Tells whether anything was done.

    Raises:
        NotFound: the area lies outside the scope.
    """
    area = await get_area(tx, scope, area_id)
    has_any = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT FROM picture_profiles WHERE area_id = %(id)s)"
        " OR EXISTS (SELECT FROM picture_assignments WHERE area_id = %(id)s AND class = ''"
        "  AND device_id IS NULL)",
        {"id": area.id},
    )
    if has_any:
        return False
    rows = await tx.tuples(
        "INSERT INTO picture_profiles (area_id, name, thresholds)"
        " SELECT %(area)s, n.name, n.thresholds::jsonb"
        " FROM unnest(%(names)s::text[], %(thresholds)s::text[]) AS n (name, thresholds)"
        " ON CONFLICT (area_id, name) DO NOTHING RETURNING id, name",
        {
            "area": area.id,
            "names": list(PROFILES),
            "thresholds": [build_numbers(thresholds) for thresholds in PROFILES.values()],
        },
    )
    numbers = {str(name): int(str(number)) for number, name in rows}
    if len(numbers) < len(PROFILES):
        return False  # another process does the same at this moment
    await tx.execute(
        "INSERT INTO picture_assignments (area_id, day_id, night_id)"
        " VALUES (%(area)s, %(day)s, %(night)s) ON CONFLICT DO NOTHING",
        {"area": area.id, "day": numbers[DEFAULT_DAY], "night": numbers[DEFAULT_NIGHT]},
    )
    await notify(tx, scope, TOPIC, list(numbers.values()))
    deed = Deed(
        action="picture_profile.defaults_added",
        object_type="area",
        object_id=str(area.id),
        area_id=area.id,
    )
    await record(tx, scope, deed, {"names": list(numbers)})
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    thresholds: Mapping[str, Json]

    def profile(self) -> Profile:
        return Profile(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            thresholds=parse_thresholds(self.thresholds),
        )


async def _own(tx: Transaction, scope: Scope, profile_id: int) -> Profile:
    """A profile that the caller may change: one above his areas is not his."""
    row = await tx.fetch_one(
        _Row,
        _SELECT + " f.id = %(id)s AND" + IN_SCOPE,
        {"id": profile_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such profile"
        raise NotFound(msg)
    return row.profile()


async def _changed(tx: Transaction, scope: Scope, action: str, profile_id: int) -> Profile:
    profile = await _own(tx, scope, profile_id)
    await notify(tx, scope, TOPIC, [profile.id])
    thresholds = {index.value: score for index, score in profile.thresholds.items()}
    await record(
        tx, scope, _deed(action, profile), {"name": profile.name, "thresholds": thresholds}
    )
    return profile


def _deed(action: str, profile: Profile) -> Deed:
    return Deed(
        action=action,
        object_type="picture_profile",
        object_id=str(profile.id),
        area_id=profile.area_id,
    )


def check_thresholds(thresholds: Thresholds) -> None:
    """Refuse thresholds that no score, or every score reaches; raises Invalid."""
    # Not a number fails this too.
    if not all(score is None or 0 < score <= MAX_SCORE for score in thresholds.values()):
        msg = f"a threshold is a score above 0 and up to {MAX_SCORE:.0f}, or nothing at all"
        raise Invalid(msg, field="thresholds")


def _values(profile: Profile) -> dict[str, object]:
    name = profile.name.strip()
    if not name.isprintable() or not 1 <= len(name) <= LONGEST_NAME:
        msg = f"a name has 1 to {LONGEST_NAME} printable characters"
        raise Invalid(msg, field="name")
    check_thresholds(profile.thresholds)
    thresholds = {index.value: score for index, score in profile.thresholds.items()}
    return {
        "id": profile.id,
        "area": profile.area_id,
        "name": name,
        "thresholds": Jsonb(thresholds),
    }


def _refuse_name(name: str) -> NoReturn:
    msg = f"the area has a profile “{name.strip()}” already: choose another name"
    raise Conflict(msg)
