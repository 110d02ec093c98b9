"""Whether what a matcher names can be met in an area at all."""

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.domain.matchers import Matcher
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# A rule of the county watches the village, too: for whoever works there it exists.
_WATCHES_IN_SCOPE = (
    " (%(scope)s::ltree[] IS NULL OR a.path <@ ANY (%(scope)s::ltree[])"
    " OR a.path @> ANY (%(scope)s::ltree[])) "
)


async def check_matcher(
    tx: Transaction,
    scope: Scope,
    area_path: str,
    matcher: Matcher,
    *,
    known: Matcher | None = None,
) -> None:
    """Refuse a matcher of an area that could never match.

    What it names already (``known``) may be gone by now.

    Raises:
        NotFound: a device is not in the area, or a rule never watches anything in it.
    """
    known = known or Matcher()
    devices = sorted(set(matcher.device_ids) - set(known.device_ids))
    rules = sorted(set(matcher.rule_ids) - set(known.rule_ids))
    values = {"path": area_path, "scope": scope_paths(scope)}
    found = await tx.scalar(
        int,
        "SELECT count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s) AND a.path <@ %(path)s::ltree AND" + IN_SCOPE,
        {**values, "ids": devices},
    )
    if found != len(devices):
        msg = "no such device in this area"
        raise NotFound(msg)
    found = await tx.scalar(
        int,
        "SELECT count(*) FROM rules u JOIN areas a ON a.id = u.area_id"
        " WHERE u.id = ANY (%(ids)s) AND u.removed_at IS NULL"
        " AND (a.path @> %(path)s::ltree OR a.path <@ %(path)s::ltree) AND" + _WATCHES_IN_SCOPE,
        {**values, "ids": rules},
    )
    if found != len(rules):
        msg = "no such rule watches anything in this area"
        raise NotFound(msg)
