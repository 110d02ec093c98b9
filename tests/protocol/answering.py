"""The cheap probe, both ways it goes, and cameras for it: what its tests have in common."""

import asyncio
from asyncio import StreamReader, StreamWriter

import pytest

from hub.domain.addresses import AddressPolicy
from hub.domain.health import Depth, ProbeResult
from hub.domain.ports import CameraTarget
from tests.protocol.probing import ADMIN, LOOPBACK, probe
from tests.protocol.scripted_rtsp import Behaviour, read_request

# An IP address is asked the cheap way, a name by the client of the deeper probes.
BOTH_WAYS = pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
GOOD = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n"


def camera_at(port: int, host: str = "127.0.0.1", scheme: str = "rtsp") -> CameraTarget:
    address = f"{scheme}://{host}:{port}" + ("" if scheme == "tcp" else "/live")
    return CameraTarget(device_id=1, stream_address=address, credentials=ADMIN)


async def ask(
    port: int, host: str = "127.0.0.1", *, timeout_s: float = 5.0, policy: AddressPolicy = LOOPBACK
) -> ProbeResult:
    target = camera_at(port, host)
    return await probe(target, timeout_s=timeout_s, policy=policy, depth=Depth.ANSWER)


def say(*pieces: bytes, wait_s: float = 0.0) -> Behaviour:
    """Answer a request by these pieces, then keep the connection open."""

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(wait_s)
        await reader.read()

    return behave
