"""The ONVIF adapter against cameras that are broken, hostile or gone."""

import asyncio
import logging
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import (
    AddressRefused,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from hub.domain.events import DeviceDescribed
from tests.protocol.onvif_camera import Camera, notification, serve, soap
from tests.protocol.onvif_run import LOOPBACK, Recorder, adapter_for, running

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'.encode()
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + b"]><lolz>&i;</lolz>"
)


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that says what it likes; yields its http address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def run_against(address: str, *, call_deadline_s: float = 2.0) -> DeviceError:
    """Run the adapter until it raises; it must be a DeviceError, and soon."""
    started = time.monotonic()
    with pytest.raises(DeviceError) as caught:
        async with asyncio.timeout(8):
            await adapter_for(Camera(), address=address, call_deadline_s=call_deadline_s).run(
                Recorder()
            )
    assert time.monotonic() - started < 6
    return caught.value


@contextmanager
def grows_less_than(mib: float) -> Iterator[None]:
    """Fail when the process's resident memory peaks more than that above its present size."""
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak
    before = _status_kib("VmRSS")
    yield
    assert (_status_kib("VmHWM") - before) / 1024 < mib


def _status_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe\x01" * 64,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a><b></a",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<cut",
        b"HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"RTSP/1.0 400 Bad Request\r\n\r\n",
    ],
)
async def test_garbage_bytes_become_a_device_error(garbage: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        await writer.drain()

    async with raw_server(talk) as address:
        error = await run_against(address)
    assert isinstance(error, ProtocolViolation | DeviceUnreachable)


@pytest.mark.parametrize(
    "operation", ["GetDeviceInformation", "GetServices", "GetProfiles", "PullMessages"]
)
@pytest.mark.parametrize(
    "body",
    [b"", b"<x/>", b"\xff\xd8\xff\xe0 JPEG", b"<html><body>login</body></html>", BOMB, b"{}"],
)
async def test_nonsense_in_any_reply_is_survived(operation: str, body: bytes) -> None:
    camera = Camera()

    async def answer(request: web.Request, text: str) -> web.Response:
        return web.Response(body=body, content_type="application/soap+xml")

    camera.answers[operation] = answer
    link = Recorder()
    async with serve(camera):
        task = asyncio.create_task(adapter_for(camera).run(link))
        if operation in {"GetDeviceInformation", "PullMessages"}:
            with pytest.raises(ProtocolViolation):
                async with asyncio.timeout(5):
                    await task
        else:
            (described,) = await link.wait_for(1)
            assert isinstance(described, DeviceDescribed)
            assert described.description.serial == "SN-1"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.threat("T21")
async def test_a_bomb_of_entities_is_refused_with_evidence() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n"
        )
        writer.write(head % len(BOMB) + BOMB)
        await writer.drain()

    with grows_less_than(64):
        async with raw_server(talk) as address:
            error = await run_against(address)
    assert isinstance(error, ProtocolViolation)
    assert "DOCTYPE" in str(error)
    assert error.evidence.startswith(b"<!DOCTYPE")


@pytest.mark.threat("T21")
@pytest.mark.parametrize("part", [b"<a>", b"<a b='c'/>", b"x" * 1024, b"\x00"])
async def test_an_endless_reply_is_refused_in_bounded_memory(part: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<?xml version='1.0'?>")
        chunk = part * (65536 // len(part))
        while True:
            writer.write(chunk)
            await writer.drain()

    with grows_less_than(64):
        async with raw_server(talk) as address:
            error = await run_against(address)
    assert isinstance(error, ProtocolViolation)
    assert "does not end" in str(error)


@pytest.mark.threat("T21")
async def test_a_reply_that_unpacks_to_too_much_is_refused() -> None:
    packer = zlib.compressobj(9, wbits=31)  # gzip
    packed = b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(256)) + packer.flush()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        )
        writer.write(packed)
        await writer.drain()
        await reader.read()

    with grows_less_than(128):
        async with raw_server(talk) as address:
            error = await run_against(address)
    assert isinstance(error, ProtocolViolation)


@pytest.mark.threat("T21")
async def test_endless_headers_are_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    with grows_less_than(64):
        async with raw_server(talk) as address:
            await run_against(address, call_deadline_s=1.0)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<a>"])
async def test_a_camera_that_never_finishes_meets_the_deadline(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await reader.read()

    async with raw_server(talk) as address:
        error = await run_against(address, call_deadline_s=0.5)
    assert isinstance(error, DeviceUnreachable)
    assert "no answer in time" in str(error)


async def test_nobody_there_is_unreachable() -> None:
    async with raw_server(lambda _reader, _writer: asyncio.sleep(0)) as address:
        pass
    assert isinstance(await run_against(address), DeviceUnreachable)


async def test_a_cut_cable_ends_the_run() -> None:
    link = Recorder()
    async with serve(Camera()) as camera:
        task = asyncio.create_task(adapter_for(camera).run(link))
        await link.wait_for(1)
        await camera.is_pulled.wait()
    with pytest.raises(DeviceUnreachable):
        async with asyncio.timeout(5):
            await task


async def test_a_busy_server_and_a_redirect() -> None:
    camera = Camera()

    async def busy(request: web.Request, body: str) -> web.Response:
        return web.Response(status=503)

    async def elsewhere(request: web.Request, body: str) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})

    async with serve(camera):
        camera.answers["GetSystemDateAndTime"] = busy
        assert isinstance(await run_against(camera.base), DeviceBusy)
        camera.answers["GetSystemDateAndTime"] = elsewhere
        assert isinstance(await run_against(camera.base), ProtocolViolation)


@pytest.mark.threat("T4")
@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "uri",
    [
        "exec:reboot",
        "file:///etc/passwd",
        "concat:a|b",
        "-i",
        "rtsp://127.0.0.1:554/a b",
        "http://169.254.169.254/latest/meta-data",
        "rtsp://[::ffff:169.254.169.254]/",
        "rtsp://203.0.113.7/live",
        "rtsp://127.0.0.1:5432/",
    ],
)
async def test_foreign_stream_and_snapshot_addresses_are_refused_and_logged_once(
    uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = ("127.0.0.1", 5432)
    policy = AddressPolicy(
        allowed=LOOPBACK.allowed,
        own_endpoints=frozenset({(parse_networks([database[0]])[0].network_address, database[1])}),
    )
    camera = Camera(stream_uri=uri, snapshot_uri=uri)
    async with serve(camera), running(adapter_for(camera, policy=policy)) as link:
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    (channel,) = described.description.channels
    assert channel.streams == ()
    assert channel.snapshot_address == ""
    refusals = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(refusals) == 2, "one for the stream, one for the snapshot"


@pytest.mark.threat("T4")
async def test_services_and_subscriptions_elsewhere_are_never_called() -> None:
    async with serve(Camera()) as other:
        camera = Camera(
            media_xaddr=other.base.replace("127.0.0.1", "localhost") + "/onvif/media",
            subscription_uri="http://169.254.169.254/onvif/subscription",
        )
        async with serve(camera), running(adapter_for(camera, poll_interval_s=0.2)) as link:
            described = (await link.wait_for(1))[0]
            await asyncio.sleep(0.5)
            assert camera.calls.count("GetSystemDateAndTime") > 1, "it goes on without events"
    assert isinstance(described, DeviceDescribed)
    assert described.description.channels == ()
    assert other.calls == []


async def test_a_camera_behind_address_translation_is_reached_by_its_connection() -> None:
    camera = Camera(
        stream_uri="rtsp://192.168.1.64:8554/main",
        media_xaddr="http://192.168.1.64/onvif/media",
        subscription_uri="http://192.168.1.64:80:80/onvif/sub",
    )
    camera.pending.put_nowait(notification("tns1:VideoSource/MotionAlarm", State="true"))
    async with serve(camera), running(adapter_for(camera, rewrite_host=True)) as link:
        described = (await link.wait_for(2))[0]
    assert isinstance(described, DeviceDescribed)
    (channel,) = described.description.channels
    assert channel.streams[0].address == "rtsp://127.0.0.1:8554/main"


@pytest.mark.threat("T13")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_endpoint_the_policy_refuses_is_never_connected_to(host: str) -> None:
    connected = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()

    async with raw_server(talk) as address:
        with pytest.raises(AddressRefused, match="not in a network that the settings allow"):
            await adapter_for(
                Camera(), address=address.replace("127.0.0.1", host), policy=AddressPolicy()
            ).run(Recorder())
    assert not connected.is_set()


@pytest.mark.threat("T14")
@pytest.mark.parametrize("address", ["file:///etc/passwd", "gopher://127.0.0.1/", "rtsp://h/"])
def test_other_schemes_are_refused_before_anything_happens(address: str) -> None:
    adapter = adapter_for(Camera(), address=address)
    with pytest.raises(AddressRefused):
        asyncio.run(adapter.run(Recorder()))


async def test_a_camera_with_nothing_but_a_name_stays_connected() -> None:
    camera = Camera(services=())

    async def unset(request: web.Request, body: str) -> web.Response:
        return soap(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>"
            "<tt:Hour>0</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time>"
            "<tt:Date><tt:Year>0</tt:Year><tt:Month>0</tt:Month><tt:Day>0</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    camera.answers["GetSystemDateAndTime"] = unset
    async with serve(camera), running(adapter_for(camera, poll_interval_s=0.2)) as link:
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    assert described.description.clock_offset_s is None
    assert described.description.channels == ()


async def test_cancel_within_a_second_while_the_camera_hangs() -> None:
    camera = Camera()

    async def hang(request: web.Request, body: str) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    camera.answers["Unsubscribe"] = hang
    link = Recorder()
    async with serve(camera):
        task = asyncio.create_task(adapter_for(camera).run(link))
        await camera.is_pulled.wait()
        started = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert time.monotonic() - started < 1.0
