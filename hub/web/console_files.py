"""Serves the console: one page for every desk, with scripts and style beside it.

They hold nothing of anybody. Vite names files by what is in them, so a browser keeps them for
good; the page itself is asked for anew each time. What a build compressed is served compressed.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DESKS: Final = (
    "account",
    "admin",
    "alerts",
    "devices",
    "dispatch",
    "map",
    "patrol",
    "reports",
    "wall",
)
PAGE_PATHS: Final = frozenset(
    {"/", *(f"/{desk}" for desk in DESKS), *(f"/{desk}/{{rest:path}}" for desk in DESKS)}
)
ASSETS: Final = "/assets"
_FOR_GOOD: Final = "private, max-age=31536000, immutable"
# The console alone may ask for the microphone: to speak through a camera.
_PAGE_HEADERS: Final = {"Permissions-Policy": "camera=(), geolocation=(), microphone=(self)"}
_NOT_BUILT: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Gengfu</title>
<p>The console is not built here. On a checkout: <code>make console</code>, then load this page."""


class ConsoleFiles(StaticFiles):
    """Scripts and style of a build; a browser that takes gzip gets what was compressed then."""

    async def check_config(self) -> None:
        """A checkout may not be built yet: then nothing is found, and nothing fails."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file."""
        if "\0" in path:
            raise HTTPException(status_code=HTTPStatus.NOT_FOUND)
        response = await self._serve(path, scope)
        response.headers["Cache-Control"] = _FOR_GOOD
        response.headers["Vary"] = "Accept-Encoding"
        return response

    async def _serve(self, path: str, scope: Scope) -> Response:
        accepted = Headers(scope=scope).get("accept-encoding", "")
        packed, found = self.lookup_path(path + ".gz")
        if "gzip" not in accepted or found is None:
            return await super().get_response(path, scope)
        plain, _ = self.lookup_path(path)
        response = await super().get_response(path + ".gz", scope)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Type"] = _type_of(plain or packed)
        return response


def _type_of(path: str) -> str:
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    kind = kinds.get(Path(path).suffix, "application/octet-stream")
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def add_console(app: FastAPI, folder: Path) -> None:
    """Serve the console that was built into ``folder``; without one, a page that says so."""
    page = folder / "index.html"

    async def show_console() -> Response:
        """The console; without a session it shows the sign-in form only.

        Whatever a desk shows is in its address: messages link to an alert, people to a device.
        """
        text = page.read_text(encoding="utf-8") if page.is_file() else _NOT_BUILT
        return HTMLResponse(text, headers=_PAGE_HEADERS)

    for path in sorted(PAGE_PATHS):
        app.get(path, include_in_schema=False)(show_console)
    app.mount(
        ASSETS, ConsoleFiles(directory=folder / "assets", check_dir=False), name="console-files"
    )
