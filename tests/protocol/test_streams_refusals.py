"""What a probe refuses to connect to and to tell: addresses, redirects, passwords."""

import asyncio
import logging
from ipaddress import ip_address

import pytest

from hub.domain.addresses import AddressPolicy
from hub.domain.health import Depth, Layer
from hub.domain.ports import CameraTarget
from tests.protocol.probing import LOOPBACK, PASSWORD, probe, target
from tests.protocol.scripted_rtsp import (
    SDP,
    Seen,
    play_along,
    reply,
    serve,
    serve_answers,
)


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[2002:7f00:1::]",
    ],
)
async def test_own_network_is_refused_in_every_spelling(host: str) -> None:
    async with serve_answers(play_along) as camera:
        result = await probe(
            CameraTarget(device_id=1, stream_address=f"rtsp://{host}:{camera.port}/live"),
            policy=AddressPolicy(),
        )
    assert result.failed_layer is Layer.NETWORK
    assert "refused" in result.detail
    assert camera.connections == 0


@pytest.mark.threat("T13")
@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "10.0.0.1", "224.0.0.1"])
async def test_metadata_and_private_networks_are_refused(host: str) -> None:
    camera = CameraTarget(device_id=1, stream_address=f"rtsp://{host}/latest/meta-data")
    result = await probe(camera, policy=LOOPBACK)
    assert "refused" in result.detail
    assert result.latency_s < 1


@pytest.mark.threat("T4")
async def test_own_services_are_refused_even_in_an_allowed_network() -> None:
    async with serve_answers(play_along) as camera:
        policy = AddressPolicy(
            allowed=LOOPBACK.allowed,
            own_endpoints=frozenset({(ip_address("127.0.0.1"), camera.port)}),
        )
        result = await probe(target(camera.port), policy=policy)
        mapped = CameraTarget(
            device_id=1, stream_address=f"rtsp://[::ffff:127.0.0.1]:{camera.port}/live"
        )
        second = await probe(mapped, policy=policy)
    assert "own services" in result.detail
    assert "own services" in second.detail
    assert camera.connections == 0


@pytest.mark.threat("T3")
@pytest.mark.threat("T14")
@pytest.mark.parametrize(
    "address",
    [
        "exec:/bin/sh",
        "file:///etc/passwd",
        "concat:/a|/b",
        "pipe:0",
        "-i",
        "rtsp://h/a b",
        "rtsp://h/a\r\nX: y",
        "ftp://h/x",
        "",
    ],
)
async def test_addresses_of_other_forms_are_refused(address: str) -> None:
    result = await probe(CameraTarget(device_id=1, stream_address=address))
    assert result.failed_layer is Layer.NETWORK
    only_service = CameraTarget(device_id=1, service_address=address)
    assert (await probe(only_service)).failed_layer is Layer.NETWORK


@pytest.mark.threat("T4")
async def test_redirects_and_foreign_control_addresses_lead_nowhere() -> None:
    async with serve_answers(play_along) as trap:
        elsewhere = f"rtsp://127.0.0.1:{trap.port}/secret"

        def redirect(seen: Seen) -> bytes:
            return reply(seen, "302 Found", f"Location: {elsewhere}")

        def lure(seen: Seen) -> bytes:
            if seen.method == "DESCRIBE":
                body = SDP.replace(b"trackID=1", elsewhere.encode())
                return reply(seen, "200 OK", f"Content-Base: {elsewhere}/", body=body)
            return play_along(seen)

        async with serve_answers(redirect) as camera:
            result = await probe(target(camera.port))
        async with serve_answers(lure) as camera:
            await probe(target(camera.port), timeout_s=0.5, depth=Depth.FRAMES)
            assert [seen.method for seen in camera.requests][:2] == ["DESCRIBE", "SETUP"]
    assert "redirects" in result.detail
    assert trap.connections == 0


@pytest.mark.threat("T31")
async def test_a_password_the_camera_echoes_is_hidden(caplog: pytest.LogCaptureFixture) -> None:
    def echo(seen: Seen) -> bytes:
        return reply(seen, f"455 rtsp://admin:{PASSWORD}@h/ {PASSWORD}")

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"nonsense {PASSWORD}\r\n\r\n".encode())
        await asyncio.Event().wait()

    with caplog.at_level(logging.DEBUG):
        async with serve_answers(echo) as camera:
            first = await probe(target(camera.port))
        async with serve(shout) as camera:
            second = await probe(target(camera.port))
    assert first.failed_layer is Layer.STREAM
    assert second.failed_layer is Layer.PROTOCOL
    assert "***" in repr(first) + repr(second)
    assert PASSWORD not in repr(first) + repr(second) + caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://a..b/x",
        f"rtsp://{'a' * 70}.b/x",
        "rtsp://[::1/x",
        "https://a..b/",
        "rtsp://:0/",
        "rtsp://h:99999/",
    ],
)
async def test_hosts_that_cannot_be_are_no_crash(address: str) -> None:
    async with asyncio.timeout(10):
        result = await probe(CameraTarget(device_id=1, stream_address=address), timeout_s=2)
    assert result.failed_layer is Layer.NETWORK
    assert result.detail
