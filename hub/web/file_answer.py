"""Sends a table as a file of CSV or XLSX."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, BinaryIO, Final

from fastapi import Query
from fastapi.responses import StreamingResponse

from hub.runtime.sheets import SheetKind

Format = Annotated[SheetKind, Query(alias="format")]
Chinese = Annotated[bool, Query(description="Chinese column names.")]
FILE_ANSWER: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "The file",
        "content": {
            kind.media_type: {"schema": {"type": "string", "format": "binary"}}
            for kind in SheetKind
        },
    }
}

_PIECE_BYTES: Final = 1 << 16


async def send_file(
    write: Callable[[BinaryIO], Awaitable[int]], kind: SheetKind, name: str
) -> StreamingResponse:
    """Write the file, then send it piece by piece; what fails in between fails before it begins."""
    pieces = _pieces(write)
    first = await anext(pieces)
    return StreamingResponse(
        _from_first(first, pieces),
        media_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )


async def _pieces(write: Callable[[BinaryIO], Awaitable[int]]) -> AsyncGenerator[bytes, None]:
    with tempfile.TemporaryFile() as file:
        await write(file)
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


async def _from_first(
    first: bytes, pieces: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
