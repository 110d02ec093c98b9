"""Registered cameras that somebody names on the command line, judged as the rounds judge them."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Conflict, NotFound
from hub.domain.ports import CameraTarget, FetchFrames, JudgePicture
from hub.domain.quality import CheckOrder, EncodedFrame, PictureCheck
from hub.domain.quality_profiles import NIGHT, PROFILES
from hub.main.picture_sources import FRAMES, SPACING_S, Subject
from hub.main.surroundings import utc_now
from hub.maintenance.pictures.assigned import Applied, find_applied
from hub.maintenance.pictures.profiles import Chosen
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.device_lists import DeviceFilter, DeviceLine, list_devices, list_lines
from hub.store.devices import get_device
from hub.store.picture_due import load_pictures
from hub.store.scoping import MAX_LIMIT

_LONGEST_NUMBER: Final = 18  # digits; a national code has 20
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is needed to look at a registered camera: the way to it, its zone, the patience."""

    fetch: FetchFrames
    zone: tzinfo
    timeout_s: float


async def find_device(tx: Transaction, scope: Scope, text: str) -> int:
    """The number of the device with a number, code or name.

    Raises:
        NotFound: there is none.
        Conflict: there are several; it names them.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER:
        lines = await list_lines(tx, scope, [int(text)])
        if lines:
            return lines[0].id
    found = await _called(tx, scope, text)
    if not found:
        msg = "no such file, and no device has this number, code or name"
        raise NotFound(msg)
    if len(found) > 1:
        named = ", ".join(f"{line.id} ({line.area_name})" for line in found[:_MOST_NAMED])
        msg = f"{len(found)} devices are called so: say a number, {named}"
        raise Conflict(msg)
    return found[0].id


async def device_subject(
    tx: Transaction, scope: Scope, device_id: int, profile: str, site: Site
) -> Subject:
    """A camera with what is learnt of it, its masks and its profile; a named profile wins.

    That somebody looks at it is in the audit log.

    Raises:
        Conflict: it is no camera that can be looked at.
    """
    device = await get_device(tx, scope, device_id)
    found = await load_pictures(tx, scope, [device.id])
    if not found:
        msg = "this device has no picture: it is no camera, or nothing is known of its channels"
        raise Conflict(msg)
    applied = await find_applied(tx, device)
    deed = Deed(
        action="device.looked_at",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    await record(tx, scope, deed)
    chosen = Chosen(day=PROFILES[profile], night=NIGHT) if profile else applied.chosen

    async def look(judge: JudgePicture) -> tuple[CheckOrder, PictureCheck]:
        senses = SightSenses(fetch=_patiently(site.fetch), judge=judge)
        sight = Sight(senses, SightOptions(timeout_s=site.timeout_s, zone=site.zone))
        seen = await sight.see(found[0], chosen, utc_now())
        return seen.order, seen.check

    return Subject(
        name=f"{device.name} (device {device.id})",
        place=f"{device.id}-{device.name}",
        profile=f"profile {profile}" if profile else _tell(applied),
        look=look,
        device_id=device.id,
    )


def _patiently(fetch: FetchFrames) -> FetchFrames:
    """Fetch enough frames for every index: a person asks seldom, and waits."""

    async def fetched(
        target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        more = max(count, FRAMES)
        return await fetch(
            target,
            count=more,
            spacing_s=max(spacing_s, SPACING_S),
            timeout_s=timeout_s + (more - count) * SPACING_S,
        )

    return fetched


async def _called(tx: Transaction, scope: Scope, text: str) -> list[DeviceLine]:
    found: list[DeviceLine] = []
    cursor: str | None = None
    while True:
        page = await list_devices(
            tx, scope, DeviceFilter(text=text), limit=MAX_LIMIT, cursor=cursor
        )
        found += [line for line in page.items if text in {line.code, line.name}]
        cursor = page.next
        if cursor is None:
            return found


def _tell(applied: Applied) -> str:
    return f"profiles {applied.day_name} and {applied.night_name}"
