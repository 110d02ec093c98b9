"""Pictures from snapshot addresses, over a real web server; limits, refusals and the decoder."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address

import cv2
import numpy as np
import pytest
from aiohttp import web

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget, Picture
from hub.domain.quality import Polygon
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from streams.jpeg import MAX_JPEG_BYTES
from streams.snapshot import take_snapshot
from tests.protocol.scripted_rtsp import Behaviour, serve, serve_answers, stay_silent
from tests.protocol.scripted_rtsp import play_along as play_without_frames
from tests.protocol.web_camera import Handler, serve_web

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
JPEG: bytes = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()


def now() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


async def take(
    address: str,
    *,
    credentials: Credentials = ADMIN,
    policy: AddressPolicy = LOOPBACK,
    timeout_s: float = 5.0,
    masks: tuple[Polygon, ...] = (),
    **streams: str,
) -> Picture:
    """``streams`` are the addresses of ``stream`` and ``sub``."""
    target = CameraTarget(
        device_id=1,
        snapshot_address=address,
        stream_address=streams.get("stream", ""),
        sub_stream_address=streams.get("sub", ""),
        credentials=credentials,
        masks=masks,
    )
    async with open_client(policy) as client:
        return await take_snapshot(
            target, timeout_s=timeout_s, client=client, policy=policy, clock=now
        )


async def _good(request: web.Request) -> web.Response:
    return web.Response(body=JPEG, content_type="image/jpeg")


async def _basic(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != "Basic YWRtaW46bmFjaHRzLXVtLTM=":
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="cam"'})
    return await _good(request)


async def _digest(request: web.Request) -> web.Response:
    """Digest SHA-256 with qop, checked as a server does (RFC 7616)."""
    given = request.headers.get("Authorization", "").removeprefix("Digest ")
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    ha1, ha2 = digest(f"admin:cam:{PASSWORD}"), digest(f"GET:{request.raw_path}")
    middle = f"abc:{fields.get('nc')}:{fields.get('cnonce')}:auth"
    if fields.get("response") != digest(f"{ha1}:{middle}:{ha2}"):
        challenge = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=SHA-256'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})
    return await _good(request)


@pytest.mark.parametrize("handler", [_good, _basic, _digest])
async def test_picture_from_the_snapshot_address(handler: Handler) -> None:
    async with serve_web(handler) as port:
        picture = await take(f"http://127.0.0.1:{port}/snap.jpg?channel=1&q=%20")
    assert picture == Picture(jpeg=JPEG, width=64, height=48, taken_at=now(), source="snapshot")


async def test_masks_are_painted_over_before_the_picture_leaves() -> None:
    half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    async with serve_web(_good) as port:
        picture = await take(f"http://127.0.0.1:{port}/snap.jpg", masks=(half,))
    assert (picture.width, picture.height, picture.source) == (64, 48, "snapshot")
    image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image[:, :30].max() < 12
    assert image[:, 40:].min() > 80


@pytest.mark.threat("T27")
async def test_masked_picture_that_cannot_be_decoded_does_not_leave() -> None:
    broken = JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9"
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))
    async with serve_web(_answer(lambda: web.Response(body=broken))) as port:
        address = f"http://127.0.0.1:{port}/snap.jpg"
        with pytest.raises(ProtocolViolation, match=r"^picture: the picture cannot be decoded"):
            await take(address, masks=(mask,))
        assert (await take(address)).jpeg == broken  # unmasked, it is the viewer's to decode


async def test_picture_is_of_the_main_stream() -> None:
    async with (
        serve_answers(play_without_frames) as main,
        serve_answers(play_without_frames) as sub,
    ):
        with pytest.raises(DeviceUnreachable, match=r"^frames: "):
            await take(
                "",
                stream=f"rtsp://127.0.0.1:{main.port}/main",
                sub=f"rtsp://127.0.0.1:{sub.port}/sub",
                timeout_s=0.5,
            )
        assert (main.connections, sub.connections) == (1, 0)


@pytest.mark.threat("T28")
@pytest.mark.threat("T31")
@pytest.mark.parametrize("handler", [_basic, _digest])
async def test_wrong_password_is_sent_once_and_shown_never(handler: Handler) -> None:
    sent: list[str] = []

    async def counting(request: web.Request) -> web.StreamResponse:
        sent.append(request.headers.get("Authorization", ""))
        return await handler(request)

    wrong = Credentials(username="admin", password=Secret("falsch-und-geheim"))
    async with serve_web(counting) as port:
        with pytest.raises(AuthRejected, match=r"^credentials: ") as caught:
            await take(f"http://127.0.0.1:{port}/snap.jpg", credentials=wrong)
    assert len([value for value in sent if value]) == 1
    assert "falsch" not in repr(caught.value) + repr(caught.value.__context__)


def redirect_to(where: str) -> web.Response:
    return web.Response(status=302, headers={"Location": where})


def _answer(response: Callable[[], web.Response]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return response()

    return handler


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
    await response.prepare(request)
    await response.write(b"\xff\xd8\xff")
    for _ in range(2 * MAX_JPEG_BYTES // 65_536):
        await response.write(b"a" * 65_536)
    return response


async def _bomb(request: web.Request) -> web.Response:
    """Compressed although asked not to be: 32 MiB of zeros in 32 KiB."""
    response = web.Response(body=b"\xff\xd8\xff" + bytes(32 * 1024 * 1024))
    response.enable_compression(web.ContentCoding.gzip)
    response.headers["Content-Type"] = "image/jpeg"
    return response


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (_answer(lambda: web.Response(text="<html>login</html>")), ProtocolViolation, "not a JPEG"),
        (_answer(lambda: web.Response(body=JPEG[:-2])), ProtocolViolation, "cut off"),
        (_answer(lambda: web.Response(body=bytes(MAX_JPEG_BYTES + 1))), ProtocolViolation, "bytes"),
        (_endless, ProtocolViolation, "exceeds"),
        (_bomb, ProtocolViolation, "exceeds"),
        (_answer(lambda: web.Response(status=404)), UnsupportedByDevice, "404"),
        (_answer(lambda: web.Response(status=403)), AuthRejected, "forbids"),
        (_answer(lambda: web.Response(status=503)), DeviceBusy, "503"),
        (_answer(lambda: web.Response(status=500)), DeviceBusy, "500"),
        (
            _answer(lambda: web.Response(status=401, headers={"WWW-Authenticate": "Hocus"})),
            UnsupportedByDevice,
            "neither Basic",
        ),
    ],
)
@pytest.mark.threat("T27")
async def test_what_is_no_picture(handler: Handler, kind: type[DeviceError], words: str) -> None:
    async with serve_web(handler) as port:
        with pytest.raises(kind, match=words):
            await take(f"http://127.0.0.1:{port}/snap.jpg")


@pytest.mark.threat("T27")
async def test_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    position = JPEG.index(b"\xff\xc0") + 5
    huge = JPEG[:position] + b"\xff\xff\xff\xff" + JPEG[position + 4 :]
    async with serve_web(_answer(lambda: web.Response(body=huge))) as port:
        with pytest.raises(ProtocolViolation, match="pixels"):
            await take(f"http://127.0.0.1:{port}/snap.jpg")


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff" * 4096 + b"\r\n\r\n")
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (stay_silent, DeviceUnreachable),
        (_cut, DeviceUnreachable),
        (_half, DeviceUnreachable),
        (_garbage, ProtocolViolation),
    ],
)
async def test_misbehaving_web_server(behave: Behaviour, kind: type[DeviceError]) -> None:
    async with serve(behave) as camera, asyncio.timeout(3):
        with pytest.raises(kind):
            await take(f"http://127.0.0.1:{camera.port}/snap.jpg", timeout_s=0.5)


@pytest.mark.threat("T4")
@pytest.mark.threat("T13")
async def test_redirect_to_our_own_service_is_blocked_and_carries_no_password() -> None:
    async with serve_answers(play_without_frames) as trap:
        policy = AddressPolicy(
            allowed=LOOPBACK.allowed,
            own_endpoints=frozenset({(ip_address("127.0.0.1"), trap.port)}),
        )

        async def redirect(request: web.Request) -> web.Response:
            return redirect_to(f"http://127.0.0.1:{trap.port}/")

        async with serve_web(redirect) as port:
            with pytest.raises(DeviceError, match="own services"):
                await take(f"http://127.0.0.1:{port}/snap.jpg", policy=policy)
        assert trap.connections == 0


@pytest.mark.threat("T13")
async def test_password_does_not_follow_a_redirect_to_another_origin() -> None:
    seen: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="cam"'})

    async with serve_web(thief) as elsewhere:

        async def redirect(request: web.Request) -> web.Response:
            return redirect_to(f"http://127.0.0.1:{elsewhere}/")

        async with serve_web(redirect) as port:
            with pytest.raises(AuthRejected):
                await take(f"http://127.0.0.1:{port}/snap.jpg")
    assert seen == [""]


@pytest.mark.threat("T13")
@pytest.mark.parametrize("scheme", ["Basic", 'Digest nonce="abc",'])
async def test_answer_to_a_challenge_does_not_follow_a_redirect(scheme: str) -> None:
    seen: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return await _good(request)

    async with serve_web(thief) as elsewhere:

        async def lure(request: web.Request) -> web.Response:
            if "Authorization" in request.headers:
                return redirect_to(f"http://127.0.0.1:{elsewhere}/")
            challenge = f'{scheme} realm="cam"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})

        async with serve_web(lure) as port:
            await take(f"http://127.0.0.1:{port}/snap.jpg")
    assert seen == [""]


@pytest.mark.threat("T4")
async def test_refused_snapshot_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serve_answers(play_without_frames) as camera:
        with pytest.raises(DeviceUnreachable):
            await take(
                "http://169.254.169.254/latest/",
                stream=f"rtsp://127.0.0.1:{camera.port}/live",
                timeout_s=0.5,
            )
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "169.254.169.254 is not in a network" in caplog.text


@pytest.mark.threat("T4")
@pytest.mark.threat("T14")
@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "rtsp://127.0.0.1/x", "http://169.254.169.254/", "http://127.1/"],
)
async def test_refused_addresses(address: str) -> None:
    policy = AddressPolicy() if "127.1" in address else LOOPBACK
    with pytest.raises(AddressRefused):
        await take(address, policy=policy)


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://h:99999/", "//"])
@pytest.mark.threat("T4")
async def test_redirect_to_what_is_no_web_address(where: str) -> None:
    async def redirect(request: web.Request) -> web.Response:
        return redirect_to(where)

    async with serve_web(redirect) as port:
        with pytest.raises(DeviceError):
            await take(f"http://127.0.0.1:{port}/snap.jpg")


async def test_failure_of_both_ways_is_told() -> None:
    async with (
        serve_web(_answer(lambda: web.Response(status=404))) as port,
        serve_answers(play_without_frames) as camera,
    ):
        with pytest.raises(DeviceUnreachable, match=r"^frames: ") as caught:
            await take(
                f"http://127.0.0.1:{port}/snap.jpg",
                stream=f"rtsp://127.0.0.1:{camera.port}/live",
                timeout_s=1,
            )
    assert any("404" in note for note in caught.value.__notes__)
