"""For monitoring: alive, ready, figures. Outside /api/v1, and without JSON models."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from hub.domain.access import Permission
from hub.domain.errors import NotPermitted
from hub.web.access import sign_in
from hub.web.health_figures import HealthFigures
from hub.web.services import Services
from hub.web.source import is_loopback

router = APIRouter(tags=["health"])


def get_figures(request: Request, services: Services) -> HealthFigures:
    """The counts of this application, made when somebody asks for them first."""
    figures = getattr(request.app.state, "health_figures", None)
    if not isinstance(figures, HealthFigures):
        figures = request.app.state.health_figures = HealthFigures(services.database)
    return figures


Figures = Annotated[HealthFigures, Depends(get_figures)]


@router.get("/healthz")
async def healthz() -> Response:
    """The process is alive."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
async def readyz(services: Services) -> Response:
    """Whether every part does its work; 503 names the one that does not.

    Why it does not is for those who are signed in: sentences may name addresses.
    """
    parts = {name: state is True for name, state in services.readiness().items()}
    is_ready = all(parts.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "ready" if is_ready else "not ready", "parts": parts}, status)


@router.get("/metrics")
async def metrics(request: Request, services: Services, figures: Figures) -> Response:
    """Prometheus figures: for this machine, or with a token that sees a root area."""
    if not is_loopback(request, services.settings):
        visitor = await sign_in(request, services)
        paths = visitor.principal.scope(Permission.SEE).paths or ()
        if not any("." not in path for path in paths):
            msg = "figures of the whole hub need a role in a root area"
            raise NotPermitted(msg)
    await figures.refresh()
    text = generate_latest(services.metrics) + generate_latest(figures.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
