"""The RTSP server of a simulated camera (RFC 2326), RTP inside the RTSP connection only.

One connection serves at most one session with one stream; ``rtsp_player`` sends it.
"""

import asyncio
import base64
from collections.abc import Mapping

from hub.simulators.camera_state import STREAM_SHAPES, CameraState, StreamShape
from hub.simulators.clip import FRAME_RATE, Clip
from hub.simulators.digest import Gate, Verdict
from hub.simulators.faults import build_garbage
from hub.simulators.listening import cannot_listen
from hub.simulators.rtp import CLOCK_RATE, PAYLOAD_TYPE
from hub.simulators.rtsp_player import FindClip, Player
from hub.simulators.rtsp_request import MAX_LINE, BadRequest, RtspRequest, read_request
from hub.simulators.rtsp_sound import BACKCHANNEL, Sound, sound_lines

SESSION_TIMEOUT_S = 60
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    551: "Option not supported",
}


def build_sdp(
    state: CameraState, shape: StreamShape, clip: Clip, *, is_spoken_to: bool = False
) -> bytes:
    """Describe a stream (RFC 4566, RFC 6184 section 8.2.1), with a way back when that is asked."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in (clip.sps, clip.pps))
    parameters = (
        f"packetization-mode=1;profile-level-id={clip.sps[1:4].hex()};sprop-parameter-sets={sets}"
    )
    sound = sound_lines(state, is_spoken_to=is_spoken_to)
    lines = (
        "v=0",
        f"o=- {int(state.boot_at.timestamp())} 1 IN IP4 {state.options.host}",
        "s=Media Presentation",
        f"c=IN IP4 {state.options.host}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=0-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_RATE}",
        f"a=fmtp:{PAYLOAD_TYPE} {parameters}",
        f"a=framerate:{FRAME_RATE}",
        f"a=x-dimensions:{shape.width},{shape.height}",
        "a=control:track1",
        *sound,
    )
    return ("\r\n".join(lines) + "\r\n").encode()


class RtspServer:
    """Answers RTSP on one address; ``start`` and ``stop`` are its power switch."""

    def __init__(self, state: CameraState, gate: Gate, find_clip: FindClip) -> None:
        self._state = state
        self._gate = gate
        self._find_clip = find_clip
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen; a port that was 0 keeps the number it got.

        Raises:
            ConfigError: the address is taken.
        """
        host, port = self._state.options.host, self._state.rtsp_port
        try:
            self._server = await asyncio.start_server(self._accept, host, port, limit=MAX_LINE)
        except OSError as error:
            raise cannot_listen(error, what="a simulated camera", host=host, port=port) from error
        self._state.rtsp_port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        await self.drop_connections()
        await server.wait_closed()

    async def drop_connections(self) -> None:
        """Drop every connection, as cameras do when their password changes."""
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        connection = RtspConnection(self._state, self._gate, self._find_clip, writer)
        try:
            await connection.run(reader)
        except BadRequest:
            writer.write(b"RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n")
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()  # the client or our power switch ended it: nothing is owed
        finally:
            connection.close()
            self._connections.discard(task)


class RtspConnection:
    """One client: at most one session with one stream."""

    def __init__(
        self,
        state: CameraState,
        gate: Gate,
        find_clip: FindClip,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._state = state
        self._gate = gate
        self._find_clip = find_clip
        self._writer = writer
        self._session = ""
        self._shape: StreamShape | None = None
        self._channel = 0
        self._player: asyncio.Task[None] | None = None
        self._sound = Sound(state, writer)

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Answer until the client goes."""
        condition = self._state.condition
        while True:
            request = await read_request(reader, self._sound.take)
            if request is None:
                return
            await condition.before_answer()
            if condition.is_garbage:
                self._writer.write(build_garbage(self._state.rng))
                return
            if not await self._answer(request):
                return
            await self._writer.drain()

    def close(self) -> None:
        """End the session, and the connection; what a client does not fetch now is lost."""
        if self._player is not None:
            self._player.cancel()
        self._sound.close()
        self._writer.close()
        if self._writer.transport.get_write_buffer_size():
            self._writer.transport.abort()

    async def _answer(self, request: RtspRequest) -> bool:
        """Answer one request; False ends the connection."""
        if request.method == "OPTIONS":
            self._reply(request, 200, {"Public": _METHODS})
            return True
        verdict = self._gate.judge(
            request.headers.get("authorization", ""),
            method=request.method,
            credentials=self._state.credentials,
            now=self._state.now(),
        )
        if verdict is not Verdict.ACCEPTED:
            is_stale = verdict is Verdict.STALE
            self._reply(
                request,
                401,
                {"WWW-Authenticate": self._gate.challenges(self._state.now(), is_stale=is_stale)},
            )
            return True
        match request.method:
            case "DESCRIBE":
                await self._describe(request)
            case "SETUP":
                self._set_up(request)
            case "PLAY" | "GET_PARAMETER" | "TEARDOWN":
                return self._control(request)
            case _:
                self._reply(request, 501, {"Public": _METHODS})
        return True

    async def _describe(self, request: RtspRequest) -> None:
        shape = _find_shape(request)
        if shape is None:
            self._reply(request, 404)
            return
        clip = await self._find_clip(shape)
        required = request.headers.get("require", "")
        if required and not (self._state.options.has_sound and required == BACKCHANNEL):
            self._reply(request, 551, {"Unsupported": required})
            return
        sdp = build_sdp(self._state, shape, clip, is_spoken_to=bool(required))
        base = request.target.removesuffix("/") + "/"
        self._reply(request, 200, {"Content-Base": base, "Content-Type": "application/sdp"}, sdp)

    def _set_up(self, request: RtspRequest) -> None:
        shape = _find_shape(request)
        transport = request.headers.get("transport", "")
        if shape is None:
            self._reply(request, 404)
        elif self._player is not None:
            self._reply(request, 455)
        elif not transport.startswith("RTP/AVP/TCP"):
            self._reply(request, 461)
        else:
            channel = _interleaved_channel(transport)
            if request.track == 1:
                self._shape, self._channel = shape, channel
            elif not self._sound.set_up(request.track, channel):
                self._reply(request, 404)
                return
            self._session = self._session or f"{self._state.rng.getrandbits(32):08x}"
            pair = f"{channel}-{channel + 1}"
            self._reply(
                request,
                200,
                {
                    "Transport": f"RTP/AVP/TCP;unicast;interleaved={pair}",
                    "Session": f"{self._session};timeout={SESSION_TIMEOUT_S}",
                },
            )

    def _control(self, request: RtspRequest) -> bool:
        session = {"Session": self._session} if self._session else {}
        given = request.headers.get("session", "").partition(";")[0]
        is_ours = self._session and given == self._session
        if request.method != "GET_PARAMETER" and not is_ours:
            self._reply(request, 454)
            return True
        if request.method == "PLAY":
            self._sound.start()
        if request.method == "PLAY" and self._player is None and self._shape is not None:
            player = Player(self._state, self._shape, self._channel, self._writer)
            url = request.target.removesuffix("/")
            session["RTP-Info"] = (
                f"url={url}/track1;seq={player.sequence};rtptime={player.timestamp}"
            )
            self._reply(request, 200, session | {"Range": "npt=now-"})
            self._player = asyncio.create_task(player.run(self._find_clip))
            return True
        self._reply(request, 200, session)
        return request.method != "TEARDOWN"

    def _reply(
        self,
        request: RtspRequest,
        status: int,
        headers: Mapping[str, str | tuple[str, ...]] | None = None,
        body: bytes = b"",
    ) -> None:
        sequence = request.headers.get("cseq", "0")
        lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {sequence}"]
        for name, values in (headers or {}).items():
            every = (values,) if isinstance(values, str) else values
            lines += [f"{name}: {value}" for value in every]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join((*lines, "", "")).encode() + body)


def _find_shape(request: RtspRequest) -> StreamShape | None:
    return next((shape for shape in STREAM_SHAPES if shape.role == request.path), None)


def _interleaved_channel(transport: str) -> int:
    for part in transport.split(";"):
        name, _, value = part.partition("=")
        first = value.partition("-")[0]
        if name.strip() == "interleaved" and first.isdecimal() and len(first) < 4:
            return min(int(first), 254)
    return 0
