"""The description of the API: FastAPI's own, with what each route asks for (T2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIWebSocketRoute, iter_route_contexts

from hub.domain.access import Permission
from hub.web.access import Anyone, find_requirement
from hub.web.phone_access import LINK_HEADER
from hub.web.schemas.discovery import DiscoveryNewsOut
from hub.web.schemas.shifts import HandoverNewsOut

# Rows that no route answers with, only the live stream.
LIVE_ONLY = (HandoverNewsOut, DiscoveryNewsOut)
WEBSOCKET = "WEBSOCKET"
ERRORS = {
    "description": "Problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLine:
    """One method of one route and what it asks for; None asks for nothing.

    The method of what is opened as a WebSocket is WEBSOCKET.
    """

    method: str
    path: str
    requirement: Permission | Anyone | None


def list_routes(app: FastAPI) -> Iterator[RouteLine]:
    """Every method of every route of the application, mounts included."""
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        requirement = find_requirement(dependant) if isinstance(dependant, Dependant) else None
        is_socket = isinstance(context.original_route, APIWebSocketRoute)
        for method in sorted(context.methods or {WEBSOCKET if is_socket else "GET"}):
            yield RouteLine(method=method, path=context.path or "/", requirement=requirement)


def build_openapi(app: FastAPI) -> dict[str, object]:
    """Build the document; every operation carries ``x-permission`` and its problem answer."""
    document = cast(
        "dict[str, object]",
        get_openapi(title=app.title, version=app.version, routes=app.routes),
    )
    components = cast("dict[str, dict[str, object]]", document.setdefault("components", {}))
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    for told in LIVE_ONLY:
        components["schemas"][told.__name__] = told.model_json_schema(mode="serialization")
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "gengfu"},
        "link": {"type": "apiKey", "in": "header", "name": LINK_HEADER},
    }
    paths = cast("dict[str, dict[str, dict[str, object]]]", document["paths"])
    for line in list_routes(app):
        operation = paths.get(line.path, {}).get(line.method.lower())
        if operation is None:
            continue
        operation["x-permission"] = str(line.requirement or "open")
        answers = cast("dict[str, object]", operation.setdefault("responses", {}))
        answers.pop("422", None)
        answers["default"] = ERRORS
        if line.requirement is Anyone.LINK_HOLDER:
            operation["security"] = [{"link": []}]
        elif line.requirement is not None:
            operation["security"] = [{"token": []}, {"session": []}]
    return document
