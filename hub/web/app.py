"""Puts the web application together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from prometheus_client import Gauge
from starlette.responses import JSONResponse, Response

from hub.runtime.ending import end_tasks
from hub.web.body_limit import BodyLimit
from hub.web.console_files import add_console
from hub.web.headers import SecurityHeaders
from hub.web.helm import Helm
from hub.web.known_query import refuse_unknown
from hub.web.live import Broadcaster
from hub.web.live_video import LiveVideo
from hub.web.loaders import LOADERS
from hub.web.map_answers import MapAnswers
from hub.web.openapi import build_openapi
from hub.web.phone_access import PhoneThrottle
from hub.web.phone_pages import add_phone_pages
from hub.web.problems import install_handlers
from hub.web.report_throttle import ReportThrottle
from hub.web.routes import (
    alert_history,
    alert_pictures,
    alerts,
    areas,
    audit,
    cap,
    citizen_reports,
    connections,
    device_changes,
    device_health,
    device_lines,
    device_tags,
    devices,
    discovery,
    dispatch_desk,
    dispatch_rules,
    dispatches,
    drills,
    dry_run,
    duty_rooms,
    escalation,
    field_units,
    health,
    history,
    holidays,
    inventory,
    live,
    live_media,
    live_video,
    maintenance,
    maps,
    mine,
    overview,
    patrol_plans,
    patrol_reports,
    patrol_walks,
    patrols,
    people,
    phone,
    picture_profiles,
    picture_remarks,
    pictures,
    points,
    ptz,
    receivers,
    reporting,
    reports,
    routes,
    rules,
    session,
    shifts,
    silences,
    site,
    system,
    talk,
)
from hub.web.services import WebServices
from hub.web.throttle import LoginThrottle

API = "/api/v1"
MAX_BODY_BYTES = 1 << 20
PAGES = Path(str(resources.files("hub.web"))) / "pages"
BUILT_CONSOLE = PAGES.parent / "console" / "dist"
_ROUTERS = (
    session,
    site,
    areas,
    overview,
    connections,
    device_lines,  # before the devices: "order" is no number of one
    devices,
    device_health,
    device_tags,
    device_changes,
    discovery,
    points,
    ptz,
    talk,
    pictures,
    picture_remarks,
    picture_profiles,
    inventory,
    history,
    audit,
    system,
    alert_history,  # before the alerts: "holds" is no number of one
    alerts,
    alert_pictures,
    cap,
    silences,
    receivers,
    routes,
    dry_run,
    rules,
    holidays,
    escalation,
    drills,
    maintenance,
    shifts,
    duty_rooms,
    patrol_plans,
    patrols,
    patrol_reports,
    patrol_walks,
    dispatch_desk,  # before the tasks: "counts" is no number of one
    dispatches,
    dispatch_rules,
    field_units,
    reports,
    people,
    mine,
    phone,
    citizen_reports,
    reporting,
    maps,
    live,
    live_video,
    live_media,
)


@cache
def _api() -> APIRouter:
    """The routes of the API: they hold nothing of an application, and are costly to make."""
    api = APIRouter(prefix=API, dependencies=[Depends(refuse_unknown)])
    for module in _ROUTERS:
        api.include_router(module.router)
    return api


def create_app(services: WebServices) -> FastAPI:
    """Build the application; its lifespan runs the live broadcaster."""
    broadcaster = Broadcaster(services.database, services.live, LOADERS)
    viewings = LiveVideo(
        database=services.database,
        feed=services.live,
        clock=services.clock,
        limits=services.live_limits,
    )
    helm = Helm(services.steer)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(broadcaster.run(), name="web-live"),
            asyncio.create_task(viewings.run(), name="web-live-video"),
        ]
        yield
        await viewings.close()
        await end_tasks(tasks)
        await helm.close()

    app = FastAPI(
        title="Gengfu",
        version=services.settings.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.broadcaster = broadcaster
    app.state.live_video = viewings
    Gauge("gengfu_consoles_open", "Open live streams", registry=services.metrics).set_function(
        lambda: broadcaster.open_streams
    )
    app.state.throttle = LoginThrottle()
    app.state.map_answers = MapAnswers(time.monotonic)
    app.state.phone_throttle = PhoneThrottle()
    app.state.report_throttle = ReportThrottle()
    app.state.helm = helm
    install_handlers(app)
    larger = {API + path: inventory.MOST_FILE_BYTES for path in inventory.FILE_PATHS}
    photo_paths = (*phone.PHOTO_PATHS, *reporting.PHOTO_PATHS)
    larger |= {API + path: phone.MOST_PHOTO_BYTES for path in photo_paths}
    larger[API + maps.FILE_PATH] = maps.MOST_FILE_BYTES
    app.add_middleware(BodyLimit, most_bytes=MAX_BODY_BYTES, larger=larger)
    # Added last, it stands outermost.
    app.add_middleware(SecurityHeaders, has_tls=services.settings.has_secure_cookies)
    app.router.routes.extend(_api().routes)
    app.include_router(health.router)
    _add_pages(app)
    add_console(app, services.settings.console_dir or BUILT_CONSOLE)
    return app


def describe_api(version: str) -> dict[str, object]:
    """The description of the API, without an application that serves it."""
    app = FastAPI(title="Gengfu", version=version, openapi_url=None)
    app.router.routes.extend(_api().routes)
    return build_openapi(app)


def end_streams(app: FastAPI) -> None:
    """End every live stream: call it when the server is told to stop, or it waits for them."""
    broadcaster = app.state.broadcaster
    if isinstance(broadcaster, Broadcaster):
        broadcaster.end_all()
    viewings = app.state.live_video
    if isinstance(viewings, LiveVideo):
        viewings.end_all()


def _add_pages(app: FastAPI) -> None:
    document: dict[str, object] = {}

    @app.get(API + "/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        """The description of this API, with the permission every route asks for."""
        if not document:
            document.update(build_openapi(app))
        return JSONResponse(document)

    add_phone_pages(app, PAGES / "phone")
