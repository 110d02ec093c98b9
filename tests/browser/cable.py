"""A cable between browser and hub that a test can cut and mend."""

import asyncio
from urllib.parse import urlsplit


class Cable:
    """Forwards TCP from a port of its own; cut, it drops everything and refuses more."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def lay(cls, address: str) -> "Cable":
        """Start forwarding to an address."""
        parts = urlsplit(address)
        cable = cls(parts.hostname or "127.0.0.1", parts.port or 80)
        await cable.mend()
        return cable

    @property
    def address(self) -> str:
        """Where the browser goes."""
        return f"http://127.0.0.1:{self._port}"

    async def mend(self) -> None:
        """Forward, on the same port as before."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Drop every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        self._open |= {writer, far_writer}
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # cut
        finally:
            self._open.discard(writer)
            writer.close()
