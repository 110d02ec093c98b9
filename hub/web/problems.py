"""Errors as RFC 9457 problem documents. They never repeat what the caller sent (T8, T31)."""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import (
    RequestValidationError,
    ValidationException,
    WebSocketRequestValidationError,
)
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from hub.domain.errors import (
    AddressRefused,
    Conflict,
    DeviceBusy,
    DeviceError,
    GengfuError,
    Invalid,
    NotFound,
    NotPermitted,
    StoreUnavailable,
    UnsupportedByDevice,
)
from hub.web.headers import CONTENT_POLICY

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Read by programs that know a user's name and password only: a token is the password.
BASIC_PATHS = frozenset({"/api/v1/patrol-plans/calendar.ics"})
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}\Z")

# The first that fits counts: narrower errors before wider ones.
_STATUS: tuple[tuple[type[GengfuError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (NotPermitted, HTTPStatus.FORBIDDEN),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (AddressRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (UnsupportedByDevice, HTTPStatus.CONFLICT),
    (DeviceBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (DeviceError, HTTPStatus.BAD_GATEWAY),
)


class SignInNeeded(GengfuError):
    """No session, no token, or one that is over (401)."""


class TooManyTries(GengfuError):
    """Come back later (429)."""

    def __init__(self, message: str, *, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def build_problem(
    status: HTTPStatus,
    detail: str,
    *,
    errors: Sequence[Mapping[str, object]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build one problem document."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(GengfuError, _answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(WebSocketRequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_defect)


async def _answer_ours(request: Request, error: Exception) -> Response:
    if isinstance(error, SignInNeeded):
        is_calendar = request.url.path in BASIC_PATHS
        challenge = 'Basic realm="Gengfu", charset="UTF-8"' if is_calendar else "Bearer"
        return build_problem(
            HTTPStatus.UNAUTHORIZED, str(error), headers={"WWW-Authenticate": challenge}
        )
    if isinstance(error, TooManyTries):
        headers = {"Retry-After": str(error.wait_s)}
        return build_problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers=headers)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return build_problem(status, str(error), errors=_field_of(error))
    log.error("a request failed: %s", error)
    return build_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the hub could not do this: see its log")


async def _answer_validation(_request: Request, error: Exception) -> Response:
    errors: list[Mapping[str, object]] = []
    if isinstance(error, ValidationException):
        for item in error.errors():
            # Only place and rule: ``input`` and ``ctx`` would repeat what was sent.
            place = [_shown(part) for part in item.get("loc", ())]
            errors.append({"loc": place, "msg": _rule(item), "type": str(item.get("type", ""))})
    detail = "the request does not have the form this route expects"
    return build_problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def _answer_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    return build_problem(status, status.description or status.phrase, headers=error.headers)


async def _answer_defect(_request: Request, error: Exception) -> Response:
    # The server logs the traceback itself; the caller learns nothing of it.
    del error
    # This answer is made outside every middleware: it brings its own headers.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": CONTENT_POLICY}
    detail = "a defect in the hub: see its log"
    return build_problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, headers=headers)


def _field_of(error: GengfuError) -> Sequence[Mapping[str, object]]:
    if isinstance(error, Invalid) and error.field:
        return [{"loc": ["body", error.field], "msg": str(error), "type": "invalid"}]
    return ()


def _rule(item: Mapping[str, object]) -> str:
    """Pydantic's sentence, unless a validator's own text or a parser's may quote the input."""
    if item.get("type") in {"value_error", "assertion_error", "json_invalid"}:
        return "not acceptable"
    return str(item.get("msg", ""))[:200]


def _shown(part: object) -> object:
    """A place as it may be repeated: our field names and indexes, not the caller's keys."""
    return part if isinstance(part, int) or _SAFE_NAME.match(str(part)) else "?"
