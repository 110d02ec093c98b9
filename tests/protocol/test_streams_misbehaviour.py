"""Cameras that send rubbish, nothing, or without end: a probe ends in time and says why."""

import asyncio

import pytest
import uvloop

from hub.domain.health import Depth, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from tests.protocol.probing import probe, target
from tests.protocol.scripted_rtsp import (
    Behaviour,
    play_along,
    read_request,
    serve,
    serve_answers,
    stay_silent,
)


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(255, -1, -1)) * 64)
    await asyncio.Event().wait()


async def _web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await asyncio.Event().wait()


async def _endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"a" * 1000 + b"\r\n")
        await writer.drain()


async def _endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 ")
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def _huge_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n")
    await asyncio.Event().wait()


async def _slow_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"RTSP/1.0 200 OK\r\nX-Slow: " + b"z" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def _endless_packets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"$\x00\x00\x04data" * 1000)
        await writer.drain()


async def _endless_late_replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n" * 1000)
        await writer.drain()


@pytest.mark.threat("K8")
@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (stay_silent, "says nothing"),
        (_cut, "closed the connection"),
        (_garbage, "not RTSP"),
        (_web_server, "not RTSP"),
        (_endless_headers, "exceed"),
        (_endless_line, "exceed"),
        (_huge_body, "Content-Length"),
        (_slow_bytes, "too slowly"),
        (_endless_packets, "anything but the reply"),
        (_endless_late_replies, "anything but the reply"),
    ],
)
async def test_misbehaviour_fails_the_protocol_in_time(behave: Behaviour, words: str) -> None:
    async with serve(behave) as camera, asyncio.timeout(3):
        result = await probe(target(camera.port), timeout_s=0.5)
    assert result.failed_layer is Layer.PROTOCOL
    assert result.status is Status.OFFLINE
    assert words in result.detail
    assert result.latency_s < 2


async def test_what_was_received_is_in_the_log_lines() -> None:
    async with serve(_web_server) as camera:
        result = await probe(target(camera.port))
    assert any("HTTP/1.1 400" in line for line in result.lines)


async def test_camera_that_plays_without_frames_fails_at_frames() -> None:
    async with serve_answers(play_along) as camera:
        result = await probe(target(camera.port), timeout_s=0.5, depth=Depth.FRAMES)
    assert result.failed_layer is Layer.FRAMES
    assert [seen.method for seen in camera.requests][:3] == ["DESCRIBE", "SETUP", "PLAY"]


async def test_cancelling_a_probe_frees_it_at_once() -> None:
    async with serve(stay_silent) as camera:
        task = asyncio.create_task(probe(target(camera.port), timeout_s=30))
        await camera.was_reached.wait()
        task.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await task


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (stay_silent, "no HTTP answer"),
        (_garbage, "not HTTP"),
        (_endless_line, "not HTTP"),
        (_cut, "closed"),
    ],
)
async def test_web_misbehaviour_fails_the_protocol(behave: Behaviour, words: str) -> None:
    async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if behave is _cut:
            await reader.readuntil(b"\r\n\r\n")
            return
        await behave(reader, writer)

    async with serve(at_once) as camera:
        address = f"http://127.0.0.1:{camera.port}/"
        result = await probe(CameraTarget(device_id=1, snapshot_address=address), timeout_s=0.5)
    assert result.failed_layer is Layer.PROTOCOL
    assert words in result.detail


@pytest.mark.threat("K8")
async def test_flood_of_tiny_packets_leaves_others_their_turn() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            writer.write(play_along(await read_request(reader)))
        while True:
            writer.write(b"$\x09\x00\x00" * 10_000)
            await writer.drain()

    async with serve(flood) as camera:
        probing = asyncio.create_task(probe(target(camera.port), timeout_s=1, depth=Depth.FRAMES))
        turns = 0
        while not probing.done():
            await asyncio.sleep(0)
            turns += 1
    assert (await probing).failed_layer is Layer.FRAMES
    assert turns > 200  # thousands here; about 30 when a whole buffer is taken in one turn


def test_uvloop_works_too() -> None:
    """The hub runs on uvloop, whose transports are no subclasses of asyncio's."""

    async def run() -> list[ProbeResult]:
        async with serve_answers(play_along) as good, serve(_endless_headers) as bad:
            web = CameraTarget(device_id=1, service_address=f"http://127.0.0.1:{bad.port}/")
            return [
                await probe(target(good.port)),
                await probe(target(bad.port), timeout_s=0.5),
                await probe(web, timeout_s=0.5),
            ]

    online, endless, web = uvloop.run(run())
    assert online.failed_layer is None, online.lines
    assert "exceed" in endless.detail
    assert "not HTTP" in web.detail
