"""One change to many devices: decided for each, then written in a few statements.

A device that cannot take the change is left as it is, and named; all others take all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Area, DeviceKind, Registration
from hub.store import areas, device_labels, device_ledgers, parents
from hub.store.database import Transaction
from hub.store.device_labels import Labelled
from hub.store.device_ledgers import ProfilePair, WindowPlan
from hub.store.inventory_deeds import ImportDeed, record_deeds
from hub.store.notices import notify
from hub.store.rules import MOST_LABELS, check_labels

MOST_AT_ONCE: Final = 5_000

TOO_MANY_TAGS = f"it would have more than {MOST_LABELS} tags"
BELOW_ITSELF = "a device cannot be below itself"
NO_PICTURE = "it has no picture"
OTHER_AREA = "the profile belongs to another area: it is for cameras there and below it"

_SEEING = frozenset({DeviceKind.CAMERA, DeviceKind.NVR})
_WRITTEN = ("area_id", "registration", "device_class", "team", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """What changes; None leaves as it is.

    ``parent_id`` counts only with ``sets_parent``: None puts devices below no parent.
    ``drops_intervals``: they inherit again.
    """

    area_id: int | None = None
    registration: Registration | None = None
    device_class: str | None = None
    team: str | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    sets_parent: bool = False
    parent_id: int | None = None
    window: WindowPlan | None = None
    intervals: Mapping[str, float | None] = field(default_factory=dict)
    drops_intervals: bool = False
    profiles: ProfilePair | None = None

    @property
    def is_more(self) -> bool:
        """Whether it adds something that a device may have had before: each is changed."""
        return bool(self.window or self.intervals or self.drops_intervals or self.profiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDevice:
    """A device that does not take the change."""

    device_id: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What a change did, or would do."""

    matched: int
    changed: int
    unchanged: int
    refused: Sequence[RefusedDevice]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What devices are compared with."""

    area: Area | None
    above: frozenset[int]
    profile_places: Sequence[str]


async def change_devices(
    tx: Transaction,
    scope: Scope,
    device_ids: Sequence[int],
    change: BulkChange,
    *,
    now: datetime,
    is_dry_run: bool,
) -> BulkOutcome:
    """Change many devices of the scope, or say what that would do.

    Raises:
        NotFound: a device, the area, the parent or a profile lies outside the scope.
        Invalid: the change itself cannot be.
    """
    check_labels(change.add_tags, "add_tags")
    before = await device_labels.lock_devices(tx, scope, device_ids)
    ground = await _look(tx, scope, change)
    refused: list[RefusedDevice] = []
    after: dict[int, Labelled] = {}
    for device in before:
        reason = _refusal(device, change, ground)
        if reason:
            refused.append(RefusedDevice(device_id=device.id, name=device.name, reason=reason))
        else:
            after[device.id] = _changed(device, change, ground)
    changed = [
        (device, after[device.id])
        for device in before
        if device.id in after and (change.is_more or device != after[device.id])
    ]
    if not is_dry_run:
        await _write(tx, scope, changed, change, now)
    return BulkOutcome(
        matched=len(before),
        changed=len(changed),
        unchanged=len(after) - len(changed),
        refused=refused,
    )


async def _look(tx: Transaction, scope: Scope, change: BulkChange) -> _Ground:
    area = None if change.area_id is None else await areas.get_area(tx, scope, change.area_id)
    above: frozenset[int] = frozenset()
    if change.sets_parent and change.parent_id is not None:
        ancestors = await parents.list_ancestors(tx, scope, change.parent_id)
        above = frozenset({change.parent_id, *ancestors})
    places: Sequence[str] = ()
    if change.profiles is not None:
        places = await device_ledgers.profile_places(tx, scope, change.profiles)
    return _Ground(area=area, above=above, profile_places=places)


def _refusal(device: Labelled, change: BulkChange, ground: _Ground) -> str:
    """Why a device cannot take the change; empty when it can."""
    if device.id in ground.above:
        return BELOW_ITSELF
    if len(_tags(device, change)) > MOST_LABELS:
        return TOO_MANY_TAGS
    if change.profiles is not None:
        if device.kind not in _SEEING:
            return NO_PICTURE
        path = device.area_path if ground.area is None else ground.area.path
        if not all(_is_within(path, place) for place in ground.profile_places):
            return OTHER_AREA
    return ""


def _changed(device: Labelled, change: BulkChange, ground: _Ground) -> Labelled:
    area_id, path = device.area_id, device.area_path
    if ground.area is not None:
        area_id, path = ground.area.id, ground.area.path
    return replace(
        device,
        area_id=area_id,
        area_path=path,
        registration=change.registration or device.registration,
        device_class=device.device_class if change.device_class is None else change.device_class,
        team=device.team if change.team is None else change.team,
        tags=_tags(device, change),
        parent_id=change.parent_id if change.sets_parent else device.parent_id,
    )


def _tags(device: Labelled, change: BulkChange) -> list[str]:
    kept = [tag for tag in device.tags if tag not in change.remove_tags]
    return list(dict.fromkeys([*kept, *change.add_tags]))


def _is_within(path: str, place: str) -> bool:
    return path == place or path.startswith(place + ".")


async def _write(
    tx: Transaction,
    scope: Scope,
    changed: Sequence[tuple[Labelled, Labelled]],
    change: BulkChange,
    now: datetime,
) -> None:
    if not changed:
        return
    ids = [before.id for before, _ in changed]
    relabelled = [after for before, after in changed if _differing(before, after)]
    if relabelled:
        await device_labels.write_labels(tx, scope, relabelled)
    if change.sets_parent:
        await parents.set_parent(tx, scope, ids, change.parent_id)
    if change.window is not None:
        await device_ledgers.plan_windows(tx, scope, ids, change.window, now=now)
    if change.drops_intervals:
        await device_ledgers.clear_intervals(tx, scope, ids)
    if change.intervals:
        await device_ledgers.set_intervals(tx, scope, ids, change.intervals)
    if change.profiles is not None:
        await device_ledgers.assign_profiles(tx, scope, ids, change.profiles)
    await record_deeds(tx, scope, [_deed(*pair, change, len(changed)) for pair in changed])
    await notify(tx, scope, "devices", ids)
    moved = {
        area_id
        for before, after in changed
        if before.area_id != after.area_id
        for area_id in (before.area_id, after.area_id)
    }
    # Those who saw them where they were must drop them: they read again.
    await notify(tx, scope, "areas", sorted(moved))


def _differing(before: Labelled, after: Labelled) -> list[str]:
    return [name for name in _WRITTEN if getattr(before, name) != getattr(after, name)]


def _deed(before: Labelled, after: Labelled, change: BulkChange, count: int) -> ImportDeed:
    detail: dict[str, object] = {"together": count}
    for name in _differing(before, after):
        detail[name] = getattr(after, name)
        detail[f"previous_{name}"] = getattr(before, name)
    if change.window is not None:
        detail["window"] = {
            "starts_at": change.window.starts_at.isoformat(),
            "ends_at": change.window.ends_at.isoformat(),
            "reason": change.window.reason,
        }
    if change.intervals or change.drops_intervals:
        detail["intervals"] = dict(change.intervals) or None
    if change.profiles is not None:
        detail["profiles"] = asdict(change.profiles)
    is_registered = before.registration != after.registration
    return ImportDeed(
        action=f"device.{after.registration}" if is_registered else "device.edited",
        object_type="device",
        object_id=str(after.id),
        area_id=after.area_id,
        detail=detail,
    )
