"""Orders faults over HTTP on loopback: for trainers, with curl.

``GET /`` lists the devices, ``POST /{name}/fault/{fault}`` breaks one, ``DELETE /{name}/fault``
makes it whole. Errors are JSON: ``{"error": ...}``.
"""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

from aiohttp import web

from hub.domain.errors import ConfigError
from hub.simulators.faults import Fault, FaultNotPossible
from hub.simulators.listening import cannot_listen

HOST = "127.0.0.1"
LOCAL_NAMES = frozenset({HOST, "localhost"})

_dumps = functools.partial(json.dumps, ensure_ascii=False)  # curl shows it to people
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Breakable(Protocol):
    """A device that can be broken."""

    fault: Fault | None

    @property
    def label(self) -> str:
        """What people call it."""

    async def set_fault(self, fault: Fault) -> None:
        """Break it; raises FaultNotPossible."""

    async def clear_fault(self) -> None:
        """Make it whole."""


class Control:
    """An async context manager: takes orders as long as it is open."""

    def __init__(self, devices: Mapping[str, Breakable], *, port: int) -> None:
        self._devices = devices
        self._port = port
        self._runner: web.AppRunner | None = None
        self._turn = asyncio.Lock()  # a device is broken or mended by one order at a time
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigError: the port is taken.
        """
        app = web.Application(middlewares=[_errors_as_json, _local_only])
        app.router.add_get("/", self._list)
        app.router.add_post("/{name}/fault/{fault}", self._break)
        app.router.add_delete("/{name}/fault", self._mend)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise cannot_listen(
                error, what="the control of the simulators", host=HOST, port=self._port
            ) from error
        self._runner = runner
        self.url = f"http://{HOST}:{runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _list(self, _request: web.Request) -> web.Response:
        lines = [
            {"name": key, "label": device.label, "fault": device.fault}
            for key, device in self._devices.items()
        ]
        body = {"devices": lines, "faults": [str(fault) for fault in Fault]}
        return web.json_response(body, dumps=_dumps)

    async def _break(self, request: web.Request) -> web.Response:
        device = self._find(request)
        asked = request.match_info["fault"]
        if asked not in list(Fault):
            return _error(422, f"no such fault: use one of {', '.join(Fault)}")
        try:
            async with self._turn:
                await device.set_fault(Fault(asked))
        except FaultNotPossible as error:
            return _error(422, str(error))
        except ConfigError as error:
            return _error(409, str(error))
        return web.json_response({"fault": device.fault})

    async def _mend(self, request: web.Request) -> web.Response:
        device = self._find(request)
        try:
            async with self._turn:
                await device.clear_fault()
        except ConfigError as error:
            return _error(409, str(error))
        return web.json_response({"fault": None})

    def _find(self, request: web.Request) -> Breakable:
        device = self._devices.get(request.match_info["name"])
        if device is None:
            raise web.HTTPNotFound(text="no such device: GET / lists them")
        return device


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the errors of the router the form of ours."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        answer = _error(error.status, error.text or error.reason)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse pages that a browser on this machine has open: they may not break devices."""
    host = request.host.rpartition(":")[0] or request.host
    if "Origin" in request.headers or host not in LOCAL_NAMES:
        return _error(403, "the control takes orders from this machine's command line only")
    return await handler(request)
