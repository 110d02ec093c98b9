"""Orders faults over HTTP on loopback: for trainers, with curl.

``GET /`` lists the devices, ``POST /{name}/fault/{fault}`` breaks one, ``DELETE /{name}/fault``
makes it whole.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from aiohttp import web

from hub.simulators.faults import Fault, FaultNotPossible

HOST = "127.0.0.1"


class Breakable(Protocol):
    """A device that can be broken."""

    fault: Fault | None

    @property
    def name(self) -> str:
        """The device's name."""

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
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/", self._list)
        app.router.add_post("/{name}/fault/{fault}", self._break)
        app.router.add_delete("/{name}/fault", self._mend)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
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
            {"name": key, "label": device.name, "fault": device.fault}
            for key, device in self._devices.items()
        ]
        return web.json_response({"devices": lines, "faults": [str(fault) for fault in Fault]})

    async def _break(self, request: web.Request) -> web.Response:
        device = self._find(request)
        try:
            await device.set_fault(Fault(request.match_info["fault"]))
        except (ValueError, FaultNotPossible) as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.json_response({"fault": device.fault})

    async def _mend(self, request: web.Request) -> web.Response:
        device = self._find(request)
        await device.clear_fault()
        return web.json_response({"fault": None})

    def _find(self, request: web.Request) -> Breakable:
        device = self._devices.get(request.match_info["name"])
        if device is None:
            raise web.HTTPNotFound(text="no such device: GET / lists them\n")
        return device
