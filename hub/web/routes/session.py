"""Signing in and out, and the caller's own password and tokens."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub.domain.access import Scope
from hub.domain.errors import NotPermitted
from hub.domain.secrets import Secret
from hub.store import audit, sessions, users
from hub.store.passwords import verify_password
from hub.web.access import SignedIn, Visitor, anonymous_scope, cookie_name
from hub.web.problems import SignInNeeded, TooManyTries
from hub.web.schemas.people import (
    CsrfOut,
    GrantOut,
    LoginIn,
    MeOut,
    NewTokenOut,
    PasswordChangeIn,
    TokenIn,
    TokenOut,
)
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services, WebServices
from hub.web.source import find_source, group_source, is_foreign_origin
from hub.web.throttle import LoginThrottle

router = APIRouter(tags=["session"])


def get_throttle(request: Request) -> LoginThrottle:
    """The application's memory of wrong passwords."""
    throttle = request.app.state.throttle
    if not isinstance(throttle, LoginThrottle):
        msg = "the application was created without a throttle"
        raise TypeError(msg)
    return throttle


Throttle = Annotated[LoginThrottle, Depends(get_throttle)]


@router.post("/session/login")
async def login(
    request: Request, response: Response, body: LoginIn, services: Services, throttle: Throttle
) -> MeOut:
    """Begin a session. Unknown users, wrong passwords and disabled users get one answer."""
    if is_foreign_origin(request, services.settings):
        msg = "this page may not sign in here"
        raise NotPermitted(msg)
    source = find_source(request, services.settings)
    scope = anonymous_scope(source)
    password = Secret(body.password.get_secret_value())
    async with services.database.transaction() as tx:
        found = await users.find_login(tx, scope, body.name)
    _refuse_haste(throttle, source, services)
    with throttle.trying(group_source(source)):
        is_right = await verify_password(found.password_hash if found else None, password)
    if found is None or found.is_disabled or not is_right:
        throttle.note_mistake(group_source(source), body.name, services.clock())
        async with services.database.transaction() as tx:
            # A name that does not exist may be a password typed into the wrong field.
            named = found.name if found else ""
            await audit.record(tx, scope, _deed("session.refused"), {"user": named})
        msg = "the name or the password is wrong"
        raise SignInNeeded(msg)
    throttle.note_success(group_source(source), body.name)
    own = Scope(paths=(), actor=found.name, user_id=found.user_id, source=source)
    return await _begin(response, services, own, found.user_id)


@router.post("/session/logout", status_code=HTTPStatus.NO_CONTENT)
async def logout(visitor: SignedIn, services: Services) -> Response:
    """End this session, in all its tabs."""
    async with services.database.transaction() as tx:
        if not visitor.is_token:
            await sessions.close_session(tx, visitor.own_scope, visitor.credential)
        await audit.record(tx, visitor.own_scope, _deed("session.ended"))
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.delete_cookie(cookie_name(services), path="/")
    return response


@router.get("/session/me")
async def me(visitor: SignedIn) -> MeOut:
    """Who the caller is."""
    return _me(visitor, visitor.csrf)


@router.get("/session/csrf")
async def csrf(visitor: SignedIn) -> CsrfOut:
    """The token that changes with this session's cookie need."""
    return CsrfOut(csrf=visitor.csrf)


@router.post("/session/password")
async def change_password(
    response: Response,
    visitor: SignedIn,
    body: PasswordChangeIn,
    services: Services,
    throttle: Throttle,
) -> MeOut:
    """Change the caller's own password: ends all his sessions and tokens, begins a new one."""
    own = visitor.own_scope
    _refuse_token(visitor)
    async with services.database.transaction() as tx:
        found = await users.find_login(tx, own, visitor.principal.name)
    current = Secret(body.current.get_secret_value())
    _refuse_haste(throttle, visitor.source, services)
    with throttle.trying(group_source(visitor.source)):
        is_right = await verify_password(found.password_hash if found else None, current)
    if not is_right:
        throttle.note_mistake(
            group_source(visitor.source), visitor.principal.name, services.clock()
        )
        msg = "the current password is wrong"
        raise NotPermitted(msg)
    async with services.database.transaction() as tx:
        user_id = visitor.principal.user_id
        await users.change_password(tx, own, user_id, Secret(body.new.get_secret_value()))
    return await _begin(response, services, own, visitor.principal.user_id)


@router.get("/tokens")
async def list_tokens(visitor: SignedIn, services: Services) -> Listing[TokenOut]:
    """The caller's own tokens, without their values."""
    async with services.database.transaction() as tx:
        found = await sessions.list_tokens(tx, visitor.own_scope)
    return Listing(items=[TokenOut.model_validate(line) for line in found])


@router.post("/tokens", status_code=HTTPStatus.CREATED)
async def create_token(visitor: SignedIn, body: TokenIn, services: Services) -> NewTokenOut:
    """Make a token with all the caller may do. Tokens cannot make tokens."""
    _refuse_token(visitor)
    async with services.database.transaction() as tx:
        number, value = await sessions.create_token(
            tx,
            visitor.own_scope,
            name=body.name,
            expires_at=body.expires_at,
            now=services.clock(),
        )
        deed = _deed("token.created", "token", number)
        await audit.record(tx, visitor.own_scope, deed, {"name": body.name})
    return NewTokenOut(id=number, value=value.reveal())


@router.delete("/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_token(visitor: SignedIn, token_id: Id, services: Services) -> None:
    """End one of the caller's own tokens."""
    async with services.database.transaction() as tx:
        await sessions.revoke_token(tx, visitor.own_scope, token_id)
        await audit.record(tx, visitor.own_scope, _deed("token.revoked", "token", token_id))


async def _begin(response: Response, services: WebServices, own: Scope, user_id: int) -> MeOut:
    now = services.clock()
    async with services.database.transaction() as tx:
        new = await sessions.open_session(tx, own, user_id, now)
        await audit.record(tx, own, _deed("session.begun"))
        principal = await sessions.load_principal(tx, own, user_id)
    if principal is None:
        msg = "this account was just disabled"
        raise SignInNeeded(msg)
    response.set_cookie(
        cookie_name(services),
        new.cookie.reveal(),
        max_age=int(sessions.HARD_END.total_seconds()),
        path="/",
        secure=services.settings.has_secure_cookies,
        httponly=True,
        samesite="strict",
    )
    visitor = Visitor(
        principal=principal, csrf=new.csrf, source=own.source, credential=new.cookie, is_token=False
    )
    return _me(visitor, new.csrf)


def _me(visitor: Visitor, csrf_token: str) -> MeOut:
    who = visitor.principal
    return MeOut(
        id=who.user_id,
        name=who.name,
        permissions=sorted(who.permissions()),
        grants=[GrantOut.model_validate(grant) for grant in who.grants],
        csrf=csrf_token,
    )


def _refuse_haste(throttle: LoginThrottle, source: str, services: WebServices) -> None:
    wait_s = throttle.wait_s(group_source(source), services.clock())
    if wait_s:
        msg = f"too many wrong passwords from your address: wait {wait_s} s"
        raise TooManyTries(msg, wait_s=wait_s)


def _refuse_token(visitor: Visitor) -> None:
    if visitor.is_token:
        msg = "sign in with name and password for this: a token is not enough"
        raise NotPermitted(msg)


def _deed(action: str, object_type: str = "session", number: int | None = None) -> audit.Deed:
    return audit.Deed(action=action, object_type=object_type, object_id=str(number or ""))
