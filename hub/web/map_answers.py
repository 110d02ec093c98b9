"""Large answers of the map: made once a moment for all who may see the same, sent compressed.

A county's map is two megabytes; a hundred consoles that open it together after a restart must not
have it read a hundred times. The key of an answer holds the areas it was made for.
"""

import asyncio
import gzip
import math
from collections.abc import Awaitable, Callable, Hashable, Mapping
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
    made_at: float
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
        kept, is_new = self._find(key), False
        if kept is None:
            lock = self._making.setdefault(key, asyncio.Lock())
            try:
                async with lock:
                    kept = self._find(key)
                    if kept is None:
                        kept, is_new = await self._make(key, make), True
            finally:
                self._making.pop(key, None)
        # Whoever follows the live stream since now may have missed what changed meanwhile.
        age_s = 0 if is_new else max(1, math.ceil(self._clock() - kept.made_at))
        return _respond(request, kept.plain, kept.small, {"Age": str(age_s)})

    def _find(self, key: Hashable) -> _Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until > self._clock() else None

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> _Kept:
        made_at = self._clock()
        plain = (await make()).encode()
        small = await _compress(plain)
        now = self._clock()
        # From now on: a database that takes long must not be asked all the more.
        kept = _Kept(made_at=made_at, until=now + KEPT_S, plain=plain, small=small)
        self._kept = {k: one for k, one in self._kept.items() if one.until > now}
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = kept
        return kept


async def answer_compressed(request: Request, text: str) -> Response:
    """Answer JSON, compressed where the browser takes it, and keep nothing."""
    plain = text.encode()
    return _respond(request, plain, await _compress(plain), {})


async def _compress(plain: bytes) -> bytes:
    if len(plain) < _LEAST_BYTES:
        return b""
    return await asyncio.to_thread(gzip.compress, plain, _LEVEL, mtime=0)


def _respond(
    request: Request, plain: bytes, small: bytes, more_headers: Mapping[str, str]
) -> Response:
    headers = {"Vary": "Accept-Encoding", **more_headers}
    body = plain
    if small and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        body = small
    return Response(body, media_type="application/json", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a header names gzip and does not refuse it ("gzip;q=0")."""
    for one in accepted.lower().split(","):
        name, _, quality = one.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0").rstrip(".") != "q="
    return False
