"""Looking for devices, and trying one address before it is saved."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.addresses import PROTOCOL_SCHEMES, IPNetwork, parse_address, parse_networks
from hub.domain.discovery import (
    MOST_HOSTS,
    ONVIF_PORTS,
    RTSP_PORTS,
    Survey,
    host_count,
    outside,
)
from hub.domain.errors import AddressRefused, Conflict, DeviceError, Invalid
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.discovering import LOOKS_AT_ONCE, SCAN
from hub.maintenance.discovery_adding import Chosen, Common, add_finds
from hub.store import areas, audit, discoveries, discovery_finds
from hub.web.access import Administer
from hub.web.schemas.discovery import (
    AddedListing,
    AddedOut,
    AddFindsIn,
    DiscoveryIn,
    DiscoveryOut,
    FindListing,
    FindOut,
    GroundOut,
    NetworkOut,
    TriedOut,
    TryIn,
)
from hub.web.schemas.shapes import Cursor, Id, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["discovery"])


@router.get("/discoveries/ground")
async def show_ground(_scope: Administer, services: Services) -> GroundOut:
    """Where devices may be looked for (network.devices in the settings), and the usual ports."""
    return GroundOut(
        networks=[NetworkOut(network=str(one)) for one in services.device_networks],
        most_hosts=MOST_HOSTS,
        onvif_ports=ONVIF_PORTS,
        rtsp_ports=RTSP_PORTS,
    )


@router.get("/discoveries")
async def list_discoveries(
    scope: Administer, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[DiscoveryOut]:
    """Looks for devices, the newest first."""
    async with services.database.transaction() as tx:
        await discoveries.end_silent(tx, scope, now=services.clock())
        page = await discoveries.list_discoveries(tx, scope, limit=limit, cursor=cursor)
    return Listing(items=[DiscoveryOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/discoveries", status_code=HTTPStatus.CREATED)
async def start_discovery(scope: Administer, body: DiscoveryIn, services: Services) -> DiscoveryOut:
    """Look for devices; the credentials are tried as digests, kept sealed, forgotten in a day."""
    survey = _survey(body, services)
    async with services.database.transaction() as tx:
        found = await discoveries.add_discovery(
            tx, scope, body.area_id, survey, now=services.clock()
        )
        # So many at once over all workers: what they ask of the network is bounded.
        lock = f"{SCAN}:{found.id % LOOKS_AT_ONCE}"
        await services.jobs.defer(tx, SCAN, {"discovery": found.id}, lock=lock)
    return DiscoveryOut.model_validate(found)


@router.get("/discoveries/{discovery_id}")
async def get_discovery(scope: Administer, discovery_id: Id, services: Services) -> DiscoveryOut:
    """How far a look is."""
    async with services.database.transaction() as tx:
        await discoveries.end_silent(tx, scope, now=services.clock())
        found = await discoveries.get_discovery(tx, scope, discovery_id)
    return DiscoveryOut.model_validate(found)


@router.get("/discoveries/{discovery_id}/finds")
async def list_finds(
    scope: Administer,
    discovery_id: Id,
    services: Services,
    limit: Limit = None,
    cursor: Cursor = None,
) -> FindListing:
    """Who answered, in the order found, and whether that is registered already."""
    async with services.database.transaction() as tx:
        page = await discovery_finds.list_finds(tx, scope, discovery_id, limit=limit, cursor=cursor)
    return FindListing(items=[FindOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/discoveries/{discovery_id}/cancel")
async def cancel_discovery(scope: Administer, discovery_id: Id, services: Services) -> DiscoveryOut:
    """Stop looking; what was found stays."""
    async with services.database.transaction() as tx:
        found = await discoveries.cancel_discovery(tx, scope, discovery_id, now=services.clock())
    return DiscoveryOut.model_validate(found)


@router.post("/discoveries/{discovery_id}/add")
async def add_found(
    scope: Administer, discovery_id: Id, body: AddFindsIn, services: Services
) -> AddedListing:
    """Make devices of those chosen; each that cannot be is named with the reason."""
    login = None
    if body.username:
        login = Credentials(
            username=body.username, password=Secret(body.password.get_secret_value())
        )
    common = Common(
        credentials=login,
        device_class=body.device_class,
        team=body.team,
        tags=body.tags,
        parent_id=body.parent_id,
    )
    chosen = [
        Chosen(
            find_id=one.find_id,
            name=one.name,
            area_id=one.area_id or body.area_id,
            target=one.target,
        )
        for one in body.finds
    ]
    if len({one.find_id for one in chosen}) < len(chosen):
        msg = "each find once"
        raise Invalid(msg, field="finds")
    async with services.database.transaction() as tx:
        await areas.get_area(tx, scope, body.area_id)
        made = await add_finds(tx, scope, discovery_id, chosen, common, services.parse_connection)
    return AddedListing(items=[AddedOut.model_validate(one) for one in made])


@router.post("/discoveries/try")
async def try_address(scope: Administer, body: TryIn, services: Services) -> TriedOut:
    """Ask one address what it is, before it is saved; the password goes where it will go then."""
    if services.ask_address is None:
        msg = "this process asks no devices"
        raise Conflict(msg)
    try:
        address = parse_address(body.address, schemes=PROTOCOL_SCHEMES[body.protocol])
    except AddressRefused as error:
        raise Invalid(str(error), field="address") from error
    async with services.database.transaction() as tx:
        area = await areas.get_area(tx, scope, body.area_id)
        deed = audit.Deed(action="connection.tried", object_type="connection", area_id=area.id)
        await audit.record(tx, scope, deed, {"protocol": body.protocol, "address": address.text})
    login = Credentials(
        username=body.username or address.username,
        password=Secret(body.password.get_secret_value() or address.password),
    )
    try:
        find = await services.ask_address(body.protocol, address.text, login)
    except DeviceError as error:
        return TriedOut(
            ok=False, failure=type(error).__name__, detail=str(error), address=address.text
        )
    return TriedOut(
        ok=True,
        address=find.address,
        name=find.name,
        manufacturer=find.manufacturer,
        model=find.model,
        serial=find.serial,
        firmware=find.firmware,
        stream=find.stream,
        login=find.login,
    )


def _survey(body: DiscoveryIn, services: WebServices) -> Survey:
    ranges = _ranges(body.ranges)
    if not ranges and not body.multicast:
        msg = "name a range, or ask by multicast"
        raise Invalid(msg, field="ranges")
    total = sum(host_count(one) for one in ranges)
    if total > MOST_HOSTS:
        msg = f"a look takes at most {MOST_HOSTS:,} addresses (a /16), not {total:,}: split it"
        raise Invalid(msg, field="ranges")
    stranger = outside(ranges, services.device_networks)
    if stranger is not None:
        msg = f"{stranger} is not in a network that the settings allow (network.devices)"
        raise Invalid(msg, field="ranges")
    if ranges and not body.onvif_ports and not body.rtsp_ports:
        msg = "name at least one port"
        raise Invalid(msg, field="onvif_ports")
    return Survey(
        ranges=ranges,
        is_multicast=body.multicast,
        onvif_ports=tuple(dict.fromkeys(body.onvif_ports)),
        rtsp_ports=tuple(dict.fromkeys(body.rtsp_ports)),
        credentials=[
            Credentials(username=one.username, password=Secret(one.password.get_secret_value()))
            for one in body.credentials
        ],
    )


def _ranges(texts: Sequence[str]) -> tuple[IPNetwork, ...]:
    try:
        return parse_networks(text.strip() for text in texts)
    except ValueError as error:
        msg = "a range is an address or a network like 192.168.1.0/24"
        raise Invalid(msg, field="ranges") from error
