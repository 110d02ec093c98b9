"""Who is calling, and what they may do here: one dependency per route names its permission."""

import base64
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from hub.domain.access import Permission, Principal, Scope
from hub.domain.errors import NotPermitted
from hub.domain.secrets import Secret
from hub.store.sessions import Caller, find_session, find_token
from hub.web.console_files import ASSETS, PAGE_PATHS
from hub.web.phone_access import RequiresLink
from hub.web.problems import BASIC_PATHS, SignInNeeded
from hub.web.services import Services, WebServices
from hub.web.source import find_source, is_foreign_origin

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Anyone(StrEnum):
    """What a route asks for that asks for no role."""

    SIGNED_IN = "signed-in"
    LINK_HOLDER = "link-holder"  # the link to a phone page that he was sent


# Every route that answers without a login; tests/web/test_walk.py holds the app to it.
# /metrics asks for a token unless the caller sits on this machine.
OPEN_PATHS = frozenset(
    {
        *PAGE_PATHS,  # the console's page: nothing of anybody in it
        ASSETS,
        "/phone/task",
        "/report",
        "/phone/call",
        "/phone/static",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/openapi.json",
        "/api/v1/session/login",
        # Residents report without an account, where the site lets them.
        "/api/v1/reporting",
        "/api/v1/reporting/report",
        "/api/v1/reporting/reports",
        "/api/v1/reporting/photos",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A caller who is signed in, and from where; ``credential`` is the cookie or the token."""

    principal: Principal
    csrf: str
    source: str
    credential: Secret
    is_token: bool

    @property
    def own_scope(self) -> Scope:
        """For what belongs to the caller himself: no areas."""
        return Scope(
            paths=(),
            actor=self.principal.name,
            user_id=self.principal.user_id,
            source=self.source,
        )


def anonymous_scope(source: str) -> Scope:
    """The scope of somebody who has not proved who they are: no areas."""
    return Scope(paths=(), actor="anonymous", source=source)


def cookie_name(services: WebServices) -> str:
    """With TLS, browsers accept the ``__Host-`` name only from us and only over TLS."""
    return "__Host-gengfu" if services.settings.has_secure_cookies else "gengfu"


async def sign_in(request: HTTPConnection, services: Services) -> Visitor:
    """Read the credential of a request, or of a WebSocket before it is accepted.

    Raises:
        SignInNeeded: there is none, or it is over.
        NotPermitted: it is a cookie that changes something without the CSRF token, or that a
            foreign page opens a WebSocket with.
    """
    source = find_source(request, services.settings)
    authorization = request.headers.get("authorization")
    if authorization is not None:
        credential = _read_token(request, authorization)
    else:
        credential = Secret(request.cookies.get(cookie_name(services), ""))
    caller = await look_up(services, credential, is_token=authorization is not None, source=source)
    if caller is None:
        msg = "sign in first"
        raise SignInNeeded(msg)
    if request.scope["type"] == "websocket":
        _refuse_foreign_page(request, services, is_token=authorization is not None)
    elif authorization is None and request.scope["method"] not in _SAFE_METHODS:
        _refuse_forgery(request, services, caller.csrf)
    return Visitor(
        principal=caller.principal,
        csrf=caller.csrf,
        source=source,
        credential=credential,
        is_token=authorization is not None,
    )


def _read_token(request: HTTPConnection, authorization: str) -> Secret:
    """The token of a header; as the password of HTTP Basic for calendars alone.

    Browsers send a Basic password again by themselves: nowhere else does it open anything.
    """
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return Secret(value.strip())
    is_calendar = request.scope.get("method") in _SAFE_METHODS and request.url.path in BASIC_PATHS
    if kind.lower() != "basic" or not is_calendar:
        return Secret("")
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return Secret("")
    return Secret(pair.partition(":")[2])


async def look_up(
    services: WebServices, credential: Secret, *, is_token: bool, source: str
) -> Caller | None:
    """Return who a cookie or token stands for now, None when it is over."""
    if not credential:
        return None
    find = find_token if is_token else find_session
    async with services.database.transaction() as tx:
        return await find(tx, anonymous_scope(source), credential, services.clock())


def _refuse_forgery(request: HTTPConnection, services: WebServices, csrf: str) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    is_ours = hmac.compare_digest(given.encode(), csrf.encode())
    if not is_ours or is_foreign_origin(request, services.settings):
        msg = f"a change with a session cookie needs its {CSRF_HEADER}"
        raise NotPermitted(msg)


def _refuse_foreign_page(request: HTTPConnection, services: WebServices, *, is_token: bool) -> None:
    """Browsers let any page open a WebSocket with our cookie, but say which page it is."""
    is_silent = "origin" not in request.headers and not is_token
    if is_silent or is_foreign_origin(request, services.settings):
        msg = "only this hub's own pages may open this with a session cookie"
        raise NotPermitted(msg)


SignedIn = Annotated[Visitor, Depends(sign_in)]


@dataclass(frozen=True, slots=True)
class Requires:
    """A dependency that turns the caller into the scope in which they hold one permission."""

    permission: Permission

    async def __call__(self, visitor: SignedIn) -> Scope:
        """Return the scope.

        Raises:
            NotPermitted: the caller holds no such permission anywhere.
        """
        scope = visitor.principal.scope(self.permission, source=visitor.source)
        if not scope.paths:
            msg = f"this needs a role that may {self.permission.value}"
            raise NotPermitted(msg)
        return scope


See = Annotated[Scope, Depends(Requires(Permission.SEE))]
Operate = Annotated[Scope, Depends(Requires(Permission.OPERATE))]
Dispatch = Annotated[Scope, Depends(Requires(Permission.DISPATCH))]
Maintain = Annotated[Scope, Depends(Requires(Permission.MAINTAIN))]
Plan = Annotated[Scope, Depends(Requires(Permission.PLAN))]
Administer = Annotated[Scope, Depends(Requires(Permission.ADMINISTER))]


def find_requirement(dependant: Dependant) -> Permission | Anyone | None:
    """Return what a route asks for, None when it asks for nothing."""
    found: Anyone | None = None
    for call in _calls(dependant):
        if isinstance(call, Requires):
            return call.permission
        if isinstance(call, RequiresLink):
            found = Anyone.LINK_HOLDER
        if call is sign_in:
            found = Anyone.SIGNED_IN
    return found


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
