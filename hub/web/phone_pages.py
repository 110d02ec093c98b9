"""The pages for phones: one file each, with scripts and style beside them.

They hold nothing of anybody: what they show comes by the token in the fragment of their address,
which no browser sends. So they may stay in the phone's cache for a while, where lines are slow;
a page names its scripts by what is in them, and never meets those of another version.
"""

import hashlib
import re
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = "/phone/static"
_CACHED: Final = "private, max-age=600"
_FOR_GOOD: Final = "private, max-age=604800, immutable"
_VERSION: Final = re.compile(r"[0-9a-f]{12}/")
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
    """Scripts and style; under the name of a version they may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file."""
        plain = path[13:] if _VERSION.match(path) else path
        response = await super().get_response(plain, scope)
        response.headers["Cache-Control"] = _CACHED if plain == path else _FOR_GOOD
        return response


def add_phone_pages(app: FastAPI, folder: Path) -> None:
    """Serve the pages in ``folder``."""
    version = _find_version(folder)
    task = _read(folder / "task.html", version)
    roll_call = _read(folder / "call.html", version)
    report = _read(folder / "report.html", version)

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

    # Compressed: the same for everybody, so its length tells nothing of anybody's.
    app.mount(STATIC, GZipMiddleware(_PhoneFiles(directory=folder)), name="phone")


def _find_version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _read(path: Path, version: str) -> str:
    return path.read_text(encoding="utf-8").replace(f"{STATIC}/", f"{STATIC}/{version}/")
