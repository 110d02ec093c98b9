"""Makes devices of those who answered a look: checked like connections that are added singly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.access import Scope
from hub.domain.addresses import PROTOCOL_SCHEMES, parse_address
from hub.domain.devices import Connection, DeviceKind, Json, Registration
from hub.domain.discovery import Login
from hub.domain.errors import AddressRefused
from hub.domain.secrets import Credentials
from hub.maintenance.inventory_rows import DEVICE_KEYS, ParseOptions
from hub.store import areas, audit, device_labels, discoveries, discovery_finds, inventory, parents
from hub.store.database import Transaction
from hub.store.discovery_finds import FindLine
from hub.store.inventory import InventoryDevice
from hub.store.notices import notify
from hub.store.rules import check_labels

IN_USE = "this address is registered already"
NO_AREA = "no such area"
NO_FIND = "this look found no such device"
NO_LOGIN = "none of the logins that were tried fits: give one"
FORGOTTEN = "the logins of this look are forgotten by now: give one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A find to add, and what a person said of it; ``target`` is the path of a stream."""

    find_id: int
    name: str
    area_id: int
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all that are added get; ``credentials`` None: those that fitted each."""

    credentials: Credentials | None = None
    device_class: str = ""
    team: str = ""
    tags: Sequence[str] = ()
    parent_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of one of them."""

    find_id: int
    device_id: int | None = None
    connection_id: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """One that can be added, as far as can be told before."""

    find: FindLine
    chosen: Chosen
    link: Connection


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What the chosen ones are compared with."""

    finds: Mapping[int, FindLine]
    area_ids: frozenset[int]
    logins: Sequence[Credentials]
    common: Common
    parse_options: ParseOptions
    options: dict[str, Mapping[str, Json]] = field(default_factory=dict)


async def add_finds(
    tx: Transaction,
    scope: Scope,
    discovery_id: int,
    chosen: Sequence[Chosen],
    common: Common,
    parse_options: ParseOptions,
) -> list[Added]:
    """Register the chosen finds; those that cannot be are named, with the reason.

    Raises:
        NotFound: the look or the parent lies outside the scope.
        Invalid: the tags or the parent cannot be.
    """
    check_labels(common.tags, "tags")
    numbers = [one.find_id for one in chosen]
    page = await discovery_finds.list_finds(tx, scope, discovery_id, ids=numbers)
    desk = _Desk(
        finds={one.id: one for one in page.items},
        area_ids=frozenset(area.id for area in await areas.list_areas(tx, scope)),
        logins=await discoveries.credentials_of(tx, scope, discovery_id),
        common=common,
        parse_options=parse_options,
    )
    problems: dict[int, str] = {}
    ready: dict[tuple[str, str], _Ready] = {}
    for one in chosen:
        try:
            prepared = _prepare(one, desk)
        except _Refused as refused:
            problems[one.find_id] = str(refused)
            continue
        ready[prepared.link.protocol, prepared.link.address] = prepared
    links = await inventory.add_links(tx, scope, [one.link for one in ready.values()])
    made = {links[key]: one for key, one in ready.items() if key in links}
    devices = await inventory.add_devices(
        tx, scope, [_device(number, one, common) for number, one in made.items()]
    )
    by_link = {link: device for (link, _), device in devices.items()}
    await device_labels.put_tags(tx, scope, list(by_link.values()), common.tags)
    if common.parent_id is not None:
        await parents.set_parent(tx, scope, list(by_link.values()), common.parent_id)
    await _tell(tx, scope, discovery_id, made, list(by_link.values()))
    added = {
        one.find.id: Added(find_id=one.find.id, connection_id=number, device_id=by_link.get(number))
        for number, one in made.items()
    }
    return [
        added.get(number) or Added(find_id=number, problem=problems.get(number, IN_USE))
        for number in numbers
    ]


class _Refused(Exception):
    """It is not added."""


def _prepare(one: Chosen, desk: _Desk) -> _Ready:
    find = desk.finds.get(one.find_id)
    if find is None:
        raise _Refused(NO_FIND)
    if one.area_id not in desk.area_ids:
        raise _Refused(NO_AREA)
    if find.trouble:
        raise _Refused(find.trouble)
    address = find.address
    if one.target and find.protocol == "rtsp":
        address = address.rstrip("/") + one.target
    try:
        parsed = parse_address(address, schemes=PROTOCOL_SCHEMES[find.protocol])
    except AddressRefused as refused:
        raise _Refused(str(refused)) from refused
    if find.protocol not in desk.options:
        desk.options[find.protocol] = desk.parse_options({"protocol": find.protocol})
    link = Connection(
        id=0,
        protocol=find.protocol,
        name=one.name,
        address=parsed.text,
        area_id=one.area_id,
        credentials=_credentials(find, desk),
        options=desk.options[find.protocol],
    )
    return _Ready(find=find, chosen=one, link=link)


def _credentials(find: FindLine, desk: _Desk) -> Credentials:
    if desk.common.credentials is not None:
        return desk.common.credentials
    if find.login == Login.OPEN:
        return Credentials()
    if find.credential is None:
        raise _Refused(NO_LOGIN)
    if find.credential >= len(desk.logins):
        raise _Refused(FORGOTTEN)
    return desk.logins[find.credential]


def _device(link_id: int, one: _Ready, common: Common) -> InventoryDevice:
    find = one.find
    return InventoryDevice(
        connection_id=link_id,
        key=DEVICE_KEYS[find.protocol],
        area_id=one.chosen.area_id,
        kind=DeviceKind.CAMERA.value,
        name=one.chosen.name,
        registration=Registration.APPROVED.value,
        device_class=common.device_class,
        team=common.team,
        manufacturer=find.manufacturer,
        model=find.model,
        serial=find.serial,
        firmware=find.firmware,
        address=one.link.address,
    )


async def _tell(
    tx: Transaction,
    scope: Scope,
    discovery_id: int,
    made: Mapping[int, _Ready],
    device_ids: Sequence[int],
) -> None:
    deeds = [
        audit.Deed(
            action="connection.added",
            object_type="connection",
            object_id=str(number),
            area_id=one.chosen.area_id,
        )
        for number, one in made.items()
    ]
    await audit.record_all(tx, scope, deeds, {"discovery": discovery_id})
    await notify(tx, scope, "connections", list(made))
    await notify(tx, scope, "devices", device_ids)
