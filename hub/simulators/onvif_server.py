"""The web server of a simulated camera: ONVIF by SOAP, snapshots, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.simulators import onvif_device, onvif_media, onvif_ptz
from hub.simulators.camera_state import STREAM_SHAPES, CameraState, StreamShape
from hub.simulators.digest import Gate, Verdict
from hub.simulators.faults import build_garbage
from hub.simulators.listening import cannot_listen
from hub.simulators.onvif_search import Searches
from hub.simulators.onvif_security import OPEN_ACTIONS, Unauthorised, check_caller
from hub.simulators.picture import Moment, Scene, build_jpeg, draw_background, draw_picture
from hub.simulators.picture_faults import Mode
from hub.simulators.pull_points import PullPoints, not_supported
from hub.simulators.scenery import Frame
from hub.simulators.soap import (
    BadSoap,
    Request,
    SoapFault,
    Xml,
    build_envelope,
    build_fault,
    el,
    parse_request,
)

MAX_REQUEST = 256 * 1024
_MOST_BACKGROUNDS = 16  # a camera that moves sees ever new ones
_SERVICES = frozenset({"device_service", "media_service", "ptz_service", "event_service"})
_OPERATIONS = {**onvif_device.OPERATIONS, **onvif_media.OPERATIONS, **onvif_ptz.OPERATIONS}
_XML = "application/soap+xml"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OnvifServer:
    """Answers HTTP on one address; ``start`` and ``stop`` are its power switch."""

    def __init__(self, state: CameraState, pull_points: PullPoints, gate: Gate) -> None:
        self._state = state
        self._pull_points = pull_points
        self._gate = gate
        self.searches = Searches(state)
        self._runner: web.AppRunner | None = None
        self._backgrounds: dict[Scene, Frame] = {}
        self._stills: dict[str, bytes] = {}

    async def start(self) -> None:
        """Listen; a port that was 0 keeps the number it got.

        Raises:
            ConfigError: the address is taken.
        """
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=[self._suffer])
        app.router.add_post("/onvif/{service}", self._soap)
        app.router.add_post("/onvif/subscription/{id}", self._soap)
        app.router.add_get("/snapshot/{role}.jpg", self._snapshot)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, self._state.options.host, self._state.http_port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            host, port = self._state.options.host, self._state.http_port
            raise cannot_listen(error, what="a simulated camera", host=host, port=port) from error
        self._runner = runner
        self._state.http_port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def freeze(self) -> None:
        """Keep the pictures of this moment for as long as the picture stays frozen."""
        moment = self._state.moment()
        self._stills = {s.role: self._render(s, moment) for s in STREAM_SHAPES}

    @web.middleware
    async def _suffer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Apply the faults that lie between the camera and its clients."""
        condition = self._state.condition
        await condition.before_answer()
        if condition.is_garbage and request.transport is not None:
            request.transport.write(build_garbage(self._state.rng))
            request.transport.close()
            return web.Response()  # nobody gets it
        response = await handler(request)
        await condition.line.passage()
        return response

    async def _soap(self, http: web.Request) -> web.Response:
        try:
            request = parse_request(await http.read())
            body = await self._answer(http, request)
        except BadSoap as error:
            fault = SoapFault(subcodes=("ter:WellFormed",), reason=str(error))
            return web.Response(body=build_fault(fault), status=400, content_type=_XML)
        except SoapFault as fault:
            return self._refuse(fault)
        relates = request.header.get("MessageID", "")
        header = el("wsa:RelatesTo", relates) if relates else None
        return web.Response(
            body=build_envelope(body, header=header), content_type=_XML, charset="utf-8"
        )

    async def _answer(self, http: web.Request, request: Request) -> Xml:
        state = self._state
        if request.action not in OPEN_ACTIONS:
            check_caller(
                request.header,
                http.headers.get("Authorization", ""),
                credentials=state.credentials,
                gate=self._gate,
                now=state.now(),
            )
        service = http.match_info.get("service", "")
        subscription = http.match_info.get("id", "")
        if subscription or service == "event_service":
            return await self._pull_points.answer(request, subscription)
        if service == "search_service":
            return self.searches.answer(request)
        operation = _OPERATIONS.get(request.action)
        if operation is None or service not in _SERVICES:
            raise not_supported(request.action)
        return operation(state, request)

    def _refuse(self, fault: SoapFault) -> web.Response:
        status = 500 if fault.code == "Receiver" else fault.status
        response = web.Response(body=build_fault(fault), status=status, content_type=_XML)
        if isinstance(fault, Unauthorised) and status == 401:
            self._challenge(response, is_stale=fault.is_stale)
        return response

    def _challenge(self, response: web.Response, *, is_stale: bool) -> None:
        for value in self._gate.challenges(self._state.now(), is_stale=is_stale):
            response.headers.add("WWW-Authenticate", value)

    async def _snapshot(self, http: web.Request) -> web.Response:
        shape = next((s for s in STREAM_SHAPES if s.role == http.match_info["role"]), None)
        verdict = self._gate.judge(
            http.headers.get("Authorization", ""),
            method="GET",
            credentials=self._state.credentials,
            now=self._state.now(),
        )
        if verdict is not Verdict.ACCEPTED:
            refusal = web.Response(status=401)
            self._challenge(refusal, is_stale=verdict is Verdict.STALE)
            return refusal
        if shape is None:
            return web.Response(status=404)
        jpeg = await asyncio.to_thread(self._render, shape, self._state.moment())
        return web.Response(body=jpeg, content_type="image/jpeg")

    def _render(self, shape: StreamShape, moment: Moment) -> bytes:
        state = self._state
        mode, scene = state.mode, state.scene(shape)
        if mode is Mode.FROZEN and shape.role in self._stills:
            return self._stills[shape.role]
        background = self._backgrounds.get(scene)
        if background is None:
            if len(self._backgrounds) >= _MOST_BACKGROUNDS:
                self._backgrounds.clear()
            background = self._backgrounds[scene] = draw_background(scene)
        return build_jpeg(draw_picture(scene, background, mode, moment))
