"""Links to devices and brokers. Passwords go in and never come out."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.access import Scope
from hub.domain.addresses import PROTOCOL_SCHEMES, STREAM_SCHEMES, Address, parse_address
from hub.domain.devices import Connection
from hub.domain.errors import AddressRefused, ConfigError, Invalid, NotFound
from hub.domain.secrets import Credentials, Secret
from hub.store import audit, connections, console
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.web.access import Administer, See
from hub.web.schemas.places import ConnectionChangeIn, ConnectionIn, ConnectionOut
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["connections"])


@router.get("/connections")
async def list_connections(scope: See, services: Services) -> Listing[ConnectionOut]:
    """How every link of the caller's areas is."""
    async with services.database.transaction() as tx:
        found = await connections.list_states(tx, scope)
    return Listing(items=[ConnectionOut.model_validate(state) for state in found])


@router.get("/connections/{connection_id}")
async def get_connection(scope: See, connection_id: Id, services: Services) -> ConnectionOut:
    """How one link is."""
    async with services.database.transaction() as tx:
        return await _show(tx, scope, connection_id)


@router.post("/connections", status_code=HTTPStatus.CREATED)
async def add_connection(
    scope: Administer, body: ConnectionIn, services: Services
) -> ConnectionOut:
    """Add a link; the hub connects within seconds."""
    address = _parse(body.protocol, body.address)
    new = Connection(
        id=0,
        protocol=body.protocol,
        name=body.name,
        address=address.text,
        area_id=body.area_id,
        credentials=_credentials(address, body.username, body.password.get_secret_value()),
        options=_options(services, body.protocol, body.options),
        is_enabled=body.is_enabled,
    )
    async with services.database.transaction() as tx:
        number = await connections.add_connection(tx, scope, new)
        await _record(tx, scope, "connection.added", replace(new, id=number))
        return await _show(tx, scope, number)


@router.patch("/connections/{connection_id}")
async def change_connection(
    scope: Administer, connection_id: Id, body: ConnectionChangeIn, services: Services
) -> ConnectionOut:
    """Change a link. Another address never gets the old password: give it anew."""
    async with services.database.transaction() as tx:
        before = await connections.get_connection(tx, scope, connection_id)
        after = _change(services, before, body)
        await connections.change_connection(tx, scope, after)
        await _record(tx, scope, "connection.changed", after)
        if after.area_id != before.area_id:
            await notify(tx, scope, "areas", [before.area_id, after.area_id])
        return await _show(tx, scope, connection_id)


@router.delete("/connections/{connection_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_connection(scope: Administer, connection_id: Id, services: Services) -> None:
    """Remove a link and the devices behind it."""
    async with services.database.transaction() as tx:
        before = await connections.get_connection(tx, scope, connection_id)
        await connections.remove_connection(tx, scope, connection_id)
        await _record(tx, scope, "connection.removed", before)
        await notify(tx, scope, "areas", [before.area_id])


def _change(services: WebServices, before: Connection, body: ConnectionChangeIn) -> Connection:
    """Apply what was sent.

    Raises:
        Invalid: the address changes while a stored password would go to the new one.
    """
    address = _parse(before.protocol, body.address if body.address is not None else before.address)
    username = before.credentials.username if body.username is None else body.username
    credentials = _credentials(address, username, body.password.get_secret_value())
    is_elsewhere = address.text != before.address
    if is_elsewhere and before.credentials.password and not credentials.password:
        msg = "with another address the password must be given again"
        raise Invalid(msg, field="password")
    return replace(
        before,
        name=body.name or before.name,
        address=address.text,
        area_id=body.area_id or before.area_id,
        credentials=credentials,
        options=before.options
        if body.options is None
        else _options(services, before.protocol, body.options),
        is_enabled=before.is_enabled if body.is_enabled is None else body.is_enabled,
    )


def _parse(protocol: str, text: str) -> Address:
    try:
        return parse_address(text, schemes=PROTOCOL_SCHEMES.get(protocol, STREAM_SCHEMES))
    except AddressRefused as error:
        raise Invalid(str(error), field="address") from error


def _credentials(address: Address, username: str, password: str) -> Credentials:
    return Credentials(
        username=username or address.username, password=Secret(password or address.password)
    )


def _options(
    services: WebServices, protocol: str, options: Mapping[str, object]
) -> dict[str, object]:
    try:
        return dict(services.parse_connection({**options, "protocol": protocol}))
    except ConfigError as error:
        raise Invalid(str(error), field="options") from error


async def _show(tx: Transaction, scope: Scope, connection_id: int) -> ConnectionOut:
    rows = await console.connection_rows(tx, scope, [connection_id])
    if not rows:
        msg = "no such connection"
        raise NotFound(msg)
    return ConnectionOut.model_validate(rows[0])


async def _record(tx: Transaction, scope: Scope, action: str, link: Connection) -> None:
    deed = audit.Deed(
        action=action, object_type="connection", object_id=str(link.id), area_id=link.area_id
    )
    detail = {"protocol": link.protocol, "name": link.name, "address": link.address}
    await audit.record(tx, scope, deed, detail)
    await notify(tx, scope, "connections", [link.id])
