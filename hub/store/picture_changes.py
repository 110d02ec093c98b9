"""What other thresholds would have made of past checks: an exact dry run on the stored scores.

A picture without a signal was judged by nothing else, so that another threshold for lost signals
changes nothing about the other indices of that picture here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.quality import Index, Thresholds
from hub.store.database import Transaction
from hub.store.picture_rows import parse_numbers
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_EXAMPLES: Final = 20
LONGEST: Final = timedelta(days=7)

Correct = Callable[[Thresholds, Mapping[Index, float]], Thresholds]
"""The thresholds of a camera: those of its profile, with what people's words add to them."""

_CHOSEN = (
    " FROM picture_checks k JOIN devices d ON d.id = k.device_id"
    " JOIN areas a ON a.id = d.area_id"
    " WHERE k.at >= %(since)s AND k.at < %(until)s"
    " AND (%(is_night)s::boolean IS NULL"
    "  OR (k.is_night OR k.mode = 'infrared') = %(is_night)s)"
    " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
    " AND (%(class)s = '' OR d.class = %(class)s)"
    " AND (%(device)s::bigint IS NULL OR k.device_id = %(device)s) AND"
)
_TOTALS = (
    "SELECT count(k.signal_loss) AS signal_loss, count(k.freeze) AS freeze,"
    " count(k.occlusion) AS occlusion, count(k.scene_change) AS scene_change,"
    " count(k.too_dark) AS too_dark, count(k.too_bright) AS too_bright,"
    " count(k.low_contrast) AS low_contrast, count(k.blur) AS blur,"
    " count(k.colour_cast) AS colour_cast, count(k.noise) AS noise, count(k.stripes) AS stripes,"
    " count(k.jitter) AS jitter, count(k.ptz) AS ptz" + _CHOSEN
)
# Most checks are good before and after, and are not looked at any closer. Scores are compared as
# they are stored, with single precision: a score that equals its threshold then still does.
_CLOSER = (
    "AND (k.faults <> '{}' OR k.device_id = ANY (%(corrected)s)"
    " OR k.signal_loss >= %(signal_loss)s::real OR k.freeze >= %(freeze)s::real"
    " OR k.occlusion >= %(occlusion)s::real OR k.scene_change >= %(scene_change)s::real"
    " OR k.too_dark >= %(too_dark)s::real OR k.too_bright >= %(too_bright)s::real"
    " OR k.low_contrast >= %(low_contrast)s::real OR k.blur >= %(blur)s::real"
    " OR k.colour_cast >= %(colour_cast)s::real OR k.noise >= %(noise)s::real"
    " OR k.stripes >= %(stripes)s::real OR k.jitter >= %(jitter)s::real"
    " OR k.ptz >= %(ptz)s::real)"
)
_CHANGES = (
    "WITH own AS (SELECT * FROM unnest(%(corrected)s::bigint[], %(theirs)s::jsonb[])"
    "  AS own (device_id, thresholds)),"
    " judged AS (SELECT k.device_id, x.name, x.name = ANY (k.faults) AS before,"
    "  coalesce(x.score >= x.threshold, false) AS after FROM (SELECT k.*" + _CHOSEN + IN_SCOPE
) + (
    _CLOSER + ") k LEFT JOIN own ON own.device_id = k.device_id CROSS JOIN LATERAL (VALUES"
    "  ('signal_loss', k.signal_loss, %(signal_loss)s::real),"
    "  ('freeze', k.freeze, %(freeze)s::real), ('occlusion', k.occlusion, %(occlusion)s::real),"
    "  ('scene_change', k.scene_change, %(scene_change)s::real),"
    "  ('too_dark', k.too_dark, %(too_dark)s::real),"
    "  ('too_bright', k.too_bright, %(too_bright)s::real),"
    "  ('low_contrast', k.low_contrast, %(low_contrast)s::real),"
    "  ('blur', k.blur, %(blur)s::real), ('colour_cast', k.colour_cast, %(colour_cast)s::real),"
    "  ('noise', k.noise, %(noise)s::real), ('stripes', k.stripes, %(stripes)s::real),"
    "  ('jitter', k.jitter, %(jitter)s::real), ('ptz', k.ptz, %(ptz)s::real))"
    "  AS v (name, score, threshold) CROSS JOIN LATERAL (SELECT v.name, v.score,"
    "   CASE WHEN own.thresholds IS NULL THEN v.threshold"
    "    ELSE (own.thresholds ->> v.name)::real END AS threshold) x"
    "  WHERE v.score IS NOT NULL AND v.name = ANY (%(names)s)),"
    " cameras AS (SELECT name, device_id, count(*) FILTER (WHERE before) AS before,"
    "  count(*) FILTER (WHERE after) AS after,"
    "  count(*) FILTER (WHERE after AND NOT before) AS became,"
    "  count(*) FILTER (WHERE before AND NOT after) AS ceased"
    "  FROM judged WHERE before OR after GROUP BY name, device_id)"
    " SELECT name, sum(before)::int AS before, sum(after)::int AS after,"
    "  sum(became)::int AS became, sum(ceased)::int AS ceased,"
    "  count(*) FILTER (WHERE became + ceased > 0)::int AS cameras,"
    "  coalesce((array_agg(device_id ORDER BY became + ceased DESC, device_id)"
    "   FILTER (WHERE became + ceased > 0))[1:%(most)s], '{}') AS examples"
    " FROM cameras GROUP BY name"
)


def _add(thresholds: Thresholds, corrections: Mapping[Index, float]) -> Thresholds:
    return {
        index: None if threshold is None else threshold + corrections.get(index, 0.0)
        for index, threshold in thresholds.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Which past checks are judged again, and by what; an index without a threshold is not.

    A threshold that is None finds no fault at all. An area includes those below it; empty and
    None: all. ``is_night``: those that the night profile judged (after dark, or by infrared light),
    or the day profile. ``correct`` is how a camera's corrections are added to the thresholds: as
    they are wherever pictures are judged.
    """

    thresholds: Thresholds
    since: datetime
    until: datetime
    is_night: bool | None = None
    area_id: int | None = None
    device_class: str = ""
    device_id: int | None = None
    correct: Correct = field(default=_add)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexChange:
    """What would change about one index: numbers of checks, and of cameras with another verdict.

    ``became`` checks would be faults that were none, ``ceased`` the other way round.
    ``examples`` are the cameras with the most changes.
    """

    index: Index
    checks: int = 0
    faults_before: int = 0
    faults_after: int = 0
    became: int = 0
    ceased: int = 0
    cameras: int = 0
    examples: tuple[int, ...] = ()


async def count_changes(tx: Transaction, scope: Scope, wanted: DryRun) -> list[IndexChange]:
    """What the thresholds would have changed, for each index they name, in the order of Index.

    Raises:
        Invalid: the period is longer than LONGEST.
    """
    if wanted.until - wanted.since > LONGEST:
        msg = f"a dry run looks at no more than {LONGEST.days} days"
        raise Invalid(msg, field="since")
    values: dict[str, object] = {
        "scope": scope_paths(scope),
        "since": wanted.since,
        "until": wanted.until,
        "is_night": wanted.is_night,
        "area": wanted.area_id,
        "class": wanted.device_class,
        "device": wanted.device_id,
        "most": MOST_EXAMPLES,
        "names": list(wanted.thresholds),
        **{index.value: wanted.thresholds.get(index) for index in Index},
    }
    (totals,) = await tx.search(_Totals, _TOTALS + IN_SCOPE, values)
    own = await _corrected(tx, scope, wanted)
    values |= {
        "corrected": list(own),
        "theirs": [json.dumps(thresholds) for thresholds in own.values()],
    }
    rows = {row.name: row for row in await tx.search(_Row, _CHANGES, values)}
    return [
        IndexChange(index=index, checks=totals.of(index))
        if index not in rows
        else rows[index].change(totals.of(index))
        for index in Index
        if index in wanted.thresholds
    ]


async def _corrected(tx: Transaction, scope: Scope, wanted: DryRun) -> dict[int, dict[str, Json]]:
    """The thresholds of the few cameras of which people said something."""
    rows = await tx.tuples(
        "SELECT p.device_id, p.corrections FROM picture_states p JOIN devices d"
        " ON d.id = p.device_id JOIN areas a ON a.id = d.area_id WHERE p.corrections <> '{}'"
        " AND (%(device)s::bigint IS NULL OR d.id = %(device)s) AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "device": wanted.device_id},
    )
    found: dict[int, dict[str, Json]] = {}
    for device, corrections in rows:
        if isinstance(corrections, dict):
            own = wanted.correct(wanted.thresholds, parse_numbers(corrections))
            found[int(str(device))] = {index.value: score for index, score in own.items()}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    signal_loss: int
    freeze: int
    occlusion: int
    scene_change: int
    too_dark: int
    too_bright: int
    low_contrast: int
    blur: int
    colour_cast: int
    noise: int
    stripes: int
    jitter: int
    ptz: int

    def of(self, index: Index) -> int:
        return int(getattr(self, index.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    before: int
    after: int
    became: int
    ceased: int
    cameras: int
    examples: list[int]

    def change(self, checks: int) -> IndexChange:
        return IndexChange(
            index=Index(self.name),
            checks=checks,
            faults_before=self.before,
            faults_after=self.after,
            became=self.became,
            ceased=self.ceased,
            cameras=self.cameras,
            examples=tuple(self.examples),
        )
