"""The pages for phones: one file each, with scripts and style beside them.

They hold nothing of anybody: what they show comes by the token in the fragment of their address,
which no browser sends. So they may stay in the phone's cache for a while, where lines are slow.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = "/phone/static"
_CACHED: Final = "private, max-age=600"
# Only here may a page ask for the place of the phone it is on; it cannot be sent anywhere.
_HEADERS: Final = {
    "Cache-Control": _CACHED,
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class _PhoneFiles(StaticFiles):
    """Scripts and style, cached like their page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _CACHED
        return response


def add_phone_pages(app: FastAPI, folder: Path) -> None:
    """Serve the pages in ``folder``."""
    task = (folder / "task.html").read_text(encoding="utf-8")
    roll_call = (folder / "call.html").read_text(encoding="utf-8")
    report = (folder / "report.html").read_text(encoding="utf-8")

    @app.get("/phone/task", include_in_schema=False)
    async def show_task() -> Response:
        """The page of a task, for whoever was sent there."""
        return HTMLResponse(task, headers=_HEADERS)

    @app.get("/phone/call", include_in_schema=False)
    async def show_call() -> Response:
        """The page of a roll call, for whoever is in the duty room."""
        return HTMLResponse(roll_call, headers=_HEADERS)

    @app.get("/report", include_in_schema=False)
    async def show_report() -> Response:
        """The page of a resident, or of an officer with a link, who reports something."""
        return HTMLResponse(report, headers=_HEADERS)

    app.mount(STATIC, _PhoneFiles(directory=folder), name="phone")
