"""Receivers of notifications."""

from http import HTTPStatus

from fastapi import APIRouter

from alerts.receivers import validate_secret
from alerts.telling.desk import send_test
from alerts.telling.templates import check_template
from hub.domain.errors import Invalid
from hub.domain.notifications import Receiver
from hub.domain.secrets import Secret
from hub.store import message_lines, receivers
from hub.web.access import Plan
from hub.web.schemas.receivers import MASK, MessageOut, ReceiverIn, ReceiverOut, UnderWayOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["receivers"])
NEW = 0  # the number of what has none yet


@router.get("/receivers")
async def list_receivers(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[ReceiverOut]:
    """Receivers by number, without their secrets."""
    async with services.database.transaction() as tx:
        page = await receivers.list_receivers(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[ReceiverOut.of(one) for one in page.items], next=page.next)


@router.get("/receivers/{receiver_id}")
async def get_receiver(scope: Plan, receiver_id: Id, services: Services) -> ReceiverOut:
    """One receiver, without its secret."""
    async with services.database.transaction() as tx:
        return ReceiverOut.of(await receivers.get_receiver(tx, scope, receiver_id))


@router.post("/receivers", status_code=HTTPStatus.CREATED)
async def add_receiver(scope: Plan, body: ReceiverIn, services: Services) -> ReceiverOut:
    """Add a receiver."""
    new = _receiver(services, NEW, body)
    async with services.database.transaction() as tx:
        return ReceiverOut.of(await receivers.add_receiver(tx, scope, new))


@router.put("/receivers/{receiver_id}")
async def change_receiver(
    scope: Plan, receiver_id: Id, body: ReceiverIn, services: Services
) -> ReceiverOut:
    """Replace a receiver; where it leads elsewhere, its secret must be given again."""
    new = _receiver(services, receiver_id, body)
    async with services.database.transaction() as tx:
        return ReceiverOut.of(await receivers.change_receiver(tx, scope, new))


@router.delete("/receivers/{receiver_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_receiver(scope: Plan, receiver_id: Id, services: Services) -> None:
    """Remove a receiver and its secret."""
    async with services.database.transaction() as tx:
        await receivers.remove_receiver(tx, scope, receiver_id)


@router.post("/receivers/{receiver_id}/test", status_code=HTTPStatus.ACCEPTED)
async def test_receiver(scope: Plan, receiver_id: Id, services: Services) -> UnderWayOut:
    """Send a test message, marked as one, the way of every other message."""
    async with services.database.transaction() as tx:
        await send_test(tx, scope, services.jobs, receiver_id)
    return UnderWayOut()


@router.get("/receivers/{receiver_id}/messages")
async def list_messages(
    scope: Plan, receiver_id: Id, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[MessageOut]:
    """What a receiver got and how each attempt went, newest first."""
    async with services.database.transaction() as tx:
        page = await message_lines.list_messages(tx, scope, receiver_id, limit=limit, cursor=cursor)
    return Listing(items=[MessageOut.of(line) for line in page.items], next=page.next)


def _receiver(services: WebServices, number: int, body: ReceiverIn) -> Receiver:
    if any(isinstance(value, str) and value.endswith(MASK) for value in body.options.values()):
        msg = "a masked address cannot be stored: enter it in full"
        raise Invalid(msg, field="options")
    check_template(body.template)
    secret = body.secret.get_secret_value()
    if secret or number == NEW:
        validate_secret(body.kind, secret)
    return Receiver(
        id=number,
        name=body.name,
        area_id=body.area_id,
        kind=body.kind,
        options=services.parse_receiver(body.kind, body.options),
        secret=Secret(secret),
        template=body.template,
        most_a_minute=body.most_a_minute,
        is_enabled=body.is_enabled,
    )
