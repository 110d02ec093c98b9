"""The scores of past checks: what charts show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Final

from hub.domain.access import Scope
from hub.domain.quality import Index, Mode, PictureCheck
from hub.store.database import Transaction
from hub.store.picture_rows import clamp
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_ROWS: Final = 10_000

_OF_DEVICE = (
    " FROM picture_checks k JOIN devices d ON d.id = k.device_id JOIN areas a ON a.id = d.area_id"
    " WHERE k.device_id = %(device)s AND k.at >= %(since)s AND k.at < %(until)s AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheck:
    """A check to be kept; ``is_night``: it was dark outside."""

    device_id: int
    at: datetime
    is_night: bool
    check: PictureCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCheck:
    """What one check found. An index that could not be judged has no score."""

    at: datetime
    mode: Mode
    is_night: bool
    faults: tuple[Index, ...]
    scores: Mapping[Index, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastHour:
    """The checks of one hour: how many, in how many each index was a fault, the worst scores."""

    hour: datetime
    checks: int
    faults: Mapping[Index, int]
    scores: Mapping[Index, float]


async def add_checks(tx: Transaction, scope: Scope, checks: Sequence[NewCheck]) -> None:
    """Store the scores of checks of cameras of the scope; one that is there already is kept."""
    if not checks:
        return
    scores = [_scores(one.check) for one in checks]
    await tx.execute(
        'INSERT INTO picture_checks (at, device_id, mode, is_night, faults, signal_loss, "freeze",'
        "  occlusion, scene_change, too_dark, too_bright, low_contrast, blur, colour_cast, noise,"
        "  stripes, jitter, ptz)"
        " SELECT n.at, d.id, n.mode, n.is_night, string_to_array(n.faults, ' '), n.signal_loss,"
        "  n.freeze, n.occlusion, n.scene_change, n.too_dark, n.too_bright, n.low_contrast,"
        "  n.blur, n.colour_cast, n.noise, n.stripes, n.jitter, n.ptz"
        " FROM unnest(%(at)s::timestamptz[], %(ids)s::bigint[], %(modes)s::text[],"
        "  %(nights)s::boolean[], %(faults)s::text[], %(signal_loss)s::real[], %(freeze)s::real[],"
        "  %(occlusion)s::real[], %(scene_change)s::real[], %(too_dark)s::real[],"
        "  %(too_bright)s::real[], %(low_contrast)s::real[], %(blur)s::real[],"
        "  %(colour_cast)s::real[], %(noise)s::real[], %(stripes)s::real[], %(jitter)s::real[],"
        '  %(ptz)s::real[]) AS n (at, id, mode, is_night, faults, signal_loss, "freeze", occlusion,'
        "  scene_change, too_dark, too_bright, low_contrast, blur, colour_cast, noise, stripes,"
        "  jitter, ptz)"
        " JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "ON CONFLICT DO NOTHING",
        {
            "scope": scope_paths(scope),
            "at": [one.at for one in checks],
            "ids": [one.device_id for one in checks],
            "modes": [one.check.mode for one in checks],
            "nights": [one.is_night for one in checks],
            "faults": [" ".join(f.index for f in one.check.faults) for one in checks],
            **{index.value: [held.get(index) for held in scores] for index in Index},
        },
    )


async def list_checks(
    tx: Transaction,
    scope: Scope,
    device_id: int,
    *,
    since: datetime,
    until: datetime,
    limit: int = MOST_ROWS,
) -> list[PastCheck]:
    """The checks of a device of the scope, oldest first; the newest ``limit`` of them."""
    rows = await tx.fetch(
        _Row,
        "SELECT k.at, k.mode, k.is_night, k.faults, to_jsonb(k) AS scores"
        + _OF_DEVICE
        + IN_SCOPE
        + "ORDER BY k.at DESC LIMIT %(limit)s",
        {**_period(scope, device_id, since, until), "limit": max(1, min(limit, MOST_ROWS))},
    )
    return [row.check() for row in reversed(rows)]


async def list_check_hours(
    tx: Transaction, scope: Scope, device_id: int, *, since: datetime, until: datetime
) -> list[PastHour]:
    """The hours (UTC) of a device of the scope in which it was checked, oldest first.

    The newest MOST_ROWS of them, which are more than a year's.
    """
    rows = await tx.fetch(
        _HourRow,
        "SELECT date_bin('1 hour', k.at, 'epoch') AS hour, count(*)::int AS checks,"
        " string_agg(array_to_string(k.faults, ' '), ' ') AS faults,"
        " jsonb_build_object('signal_loss', max(k.signal_loss), 'freeze', max(k.freeze),"
        "  'occlusion', max(k.occlusion), 'scene_change', max(k.scene_change),"
        "  'too_dark', max(k.too_dark), 'too_bright', max(k.too_bright),"
        "  'low_contrast', max(k.low_contrast), 'blur', max(k.blur),"
        "  'colour_cast', max(k.colour_cast), 'noise', max(k.noise),"
        "  'stripes', max(k.stripes), 'jitter', max(k.jitter), 'ptz', max(k.ptz)) AS scores"
        + _OF_DEVICE
        + IN_SCOPE
        + "GROUP BY 1 ORDER BY 1 DESC LIMIT %(limit)s",
        {**_period(scope, device_id, since, until), "limit": MOST_ROWS},
    )
    return [row.hour_of() for row in reversed(rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    at: datetime
    mode: str
    is_night: bool
    faults: list[str]
    scores: dict[str, object]

    def check(self) -> PastCheck:
        return PastCheck(
            at=self.at,
            mode=Mode(self.mode),
            is_night=self.is_night,
            faults=tuple(index for index in Index if index in self.faults),
            scores=_by_index(self.scores),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourRow:
    hour: datetime
    checks: int
    faults: str
    scores: dict[str, object]

    def hour_of(self) -> PastHour:
        counted = Counter(self.faults.split())
        return PastHour(
            hour=self.hour,
            checks=self.checks,
            faults={index: counted[index] for index in Index if index in counted},
            scores=_by_index(self.scores),
        )


def _scores(check: PictureCheck) -> dict[Index, float]:
    return {one.index: clamp(one.score) for one in check.findings if isfinite(one.score)}


def _by_index(raw: Mapping[str, object]) -> dict[Index, float]:
    return {index: float(str(raw[index])) for index in Index if raw.get(index) is not None}


def _period(scope: Scope, device_id: int, since: datetime, until: datetime) -> dict[str, object]:
    return {
        "scope": scope_paths(scope),
        "device": device_id,
        "since": since,
        "until": until,
    }
