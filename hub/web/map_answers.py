"""Large answers of the map: made once a moment for all who may see the same, sent compressed.

A county's map is two megabytes; a hundred consoles that open it together after a restart must not
have it read a hundred times. The key of an answer holds the areas it was made for.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import Response

KEPT_S: Final = 2.0
MOST_KEPT: Final = 16
# Under this compressing gains nothing.
_LEAST_BYTES: Final = 2_000
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    until: float
    plain: bytes
    small: bytes


class MapAnswers:
    """What was answered a moment ago, by who may see it and what was asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[Hashable, _Kept] = {}
        self._making: dict[Hashable, asyncio.Lock] = {}

    async def answer(
        self, request: Request, key: Hashable, make: Callable[[], Awaitable[str]]
    ) -> Response:
        """The JSON that ``make`` writes, or wrote for the same key a moment ago."""
        kept = self._find(key)
        if kept is None:
            lock = self._making.setdefault(key, asyncio.Lock())
            try:
                async with lock:
                    kept = self._find(key) or await self._make(key, make)
            finally:
                self._making.pop(key, None)
        return _respond(request, kept)

    def _find(self, key: Hashable) -> _Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until > self._clock() else None

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> _Kept:
        plain = (await make()).encode()
        small = b""
        if len(plain) >= _LEAST_BYTES:
            small = await asyncio.to_thread(gzip.compress, plain, _LEVEL, mtime=0)
        now = self._clock()
        kept = _Kept(until=now + KEPT_S, plain=plain, small=small)
        self._kept = {k: one for k, one in self._kept.items() if one.until > now}
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = kept
        return kept


def _respond(request: Request, kept: _Kept) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    body = kept.plain
    if kept.small and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        body = kept.small
    return Response(body, media_type="application/json", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a header names gzip and does not refuse it ("gzip;q=0")."""
    for one in accepted.lower().split(","):
        name, _, quality = one.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0").rstrip(".") != "q="
    return False
