"""Users and their grants."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.access import Role, Scope
from hub.domain.secrets import Secret
from hub.store import person_access, users
from hub.store.database import Transaction
from hub.store.passwords import generate_password
from hub.store.users import User
from hub.web.access import Administer
from hub.web.schemas.people import (
    GrantIn,
    NewUserOut,
    PasswordSetIn,
    UserChangeIn,
    UserIn,
    UserOut,
    WatcherOut,
    WatchersOut,
)
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["users"])


@router.get("/users")
async def list_users(scope: Administer, services: Services) -> Listing[UserOut]:
    """Everybody who holds something in the caller's areas."""
    async with services.database.transaction() as tx:
        found = await users.list_users(tx, scope)
        return Listing(items=await _shown(services, tx, scope, found))


@router.get("/users/{user_id}")
async def get_user(scope: Administer, user_id: Id, services: Services) -> UserOut:
    """One person."""
    async with services.database.transaction() as tx:
        return await _one(services, tx, scope, await users.get_user(tx, scope, user_id))


@router.post("/users", status_code=HTTPStatus.CREATED)
async def create_user(scope: Administer, body: UserIn, services: Services) -> NewUserOut:
    """Add a person with a first grant."""
    given = body.password.get_secret_value() if body.password else ""
    password = Secret(given) if given else generate_password()
    async with services.database.transaction() as tx:
        number = await users.create_user(
            tx, scope, name=body.name, password=password, display_name=body.display_name
        )
        await users.add_grant(tx, scope, number, role=body.grant.role, area_id=body.grant.area_id)
    return NewUserOut(id=number, password=None if given else password.reveal())


@router.patch("/users/{user_id}")
async def change_user(
    scope: Administer, user_id: Id, body: UserChangeIn, services: Services
) -> UserOut:
    """Rename or disable a person; disabling ends sessions, tokens and open streams at once."""
    async with services.database.transaction() as tx:
        before = await users.get_user(tx, scope, user_id)
        after = await users.change_user(
            tx,
            scope,
            user_id,
            display_name=before.display_name if body.display_name is None else body.display_name,
            is_disabled=before.is_disabled if body.is_disabled is None else body.is_disabled,
        )
        return await _one(services, tx, scope, after)


@router.delete("/users/{user_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_user(scope: Administer, user_id: Id, services: Services) -> None:
    """Remove a person."""
    async with services.database.transaction() as tx:
        await users.remove_user(tx, scope, user_id)


@router.post("/users/{user_id}/password", status_code=HTTPStatus.NO_CONTENT)
async def set_password(
    scope: Administer, user_id: Id, body: PasswordSetIn, services: Services
) -> None:
    """Give a person another password; ends sessions, tokens and open streams at once."""
    async with services.database.transaction() as tx:
        await users.get_user(tx, scope, user_id)
        await users.change_password(tx, scope, user_id, Secret(body.new.get_secret_value()))


@router.post("/users/{user_id}/grants", status_code=HTTPStatus.CREATED)
async def add_grant(scope: Administer, user_id: Id, body: GrantIn, services: Services) -> UserOut:
    """Give a person a role in an area of the caller."""
    async with services.database.transaction() as tx:
        await users.get_user(tx, scope, user_id)
        await users.add_grant(tx, scope, user_id, role=body.role, area_id=body.area_id)
        return await _one(services, tx, scope, await users.get_user(tx, scope, user_id))


@router.delete("/users/{user_id}/grants/{area_id}/{role}", status_code=HTTPStatus.NO_CONTENT)
async def remove_grant(
    scope: Administer, user_id: Id, area_id: Id, role: Role, services: Services
) -> None:
    """Take a role in an area of the caller back."""
    async with services.database.transaction() as tx:
        await users.get_user(tx, scope, user_id)
        await users.remove_grant(tx, scope, user_id, role=role, area_id=area_id)


@router.post("/users/{user_id}/sign-out", status_code=HTTPStatus.NO_CONTENT)
async def sign_out_everywhere(scope: Administer, user_id: Id, services: Services) -> None:
    """End every session, token and open stream of a person at once; he may sign in again."""
    async with services.database.transaction() as tx:
        await users.end_everywhere(tx, scope, user_id)


@router.get("/areas/{area_id}/people")
async def list_watchers(scope: Administer, area_id: Id, services: Services) -> WatchersOut:
    """Who may see an area: everybody with a role there or above it."""
    async with services.database.transaction() as tx:
        found, above = await person_access.list_watchers(tx, scope, area_id)
    return WatchersOut(items=[WatcherOut.model_validate(one) for one in found], above=above)


async def _shown(
    services: WebServices, tx: Transaction, scope: Scope, found: Sequence[User]
) -> list[UserOut]:
    numbers = [user.id for user in found]
    access = await person_access.list_access(tx, scope, numbers, services.clock())
    held = {one.user_id: one for one in access}
    return [UserOut.of(user, held[user.id]) for user in found]


async def _one(services: WebServices, tx: Transaction, scope: Scope, user: User) -> UserOut:
    return (await _shown(services, tx, scope, [user]))[0]
