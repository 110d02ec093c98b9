"""How many cameras one process probes: ``python -m tests.benchmarks.probe_rate``.

Prints probes per second and per CPU-second of ``probe_camera`` (RTSP DESCRIBE, with and without
Digest) against a responder in a process of its own on 127.0.0.1, on asyncio's loop and uvloop's.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import cast

import uvloop

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from streams.probe import probe_camera
from tests.protocol.scripted_rtsp import SDP

POLICY = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
CHALLENGE = b'WWW-Authenticate: Digest realm="cam", nonce="abc"\r\n'


class Responder(asyncio.Protocol):
    """Answers DESCRIBE as fast as it can; under /digest it asks for a password, any will do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        sequence = data.split(b"CSeq: ", 1)[1].split(b"\r\n", 1)[0]
        if b"/digest" in data and b"Authorization" not in data:
            head = b"RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\n%s\r\n" % (sequence, CHALLENGE)
            self.transport.write(head)
            return
        head = b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nContent-Length: %d\r\n\r\n" % (sequence, len(SDP))
        self.transport.write(head + SDP)


async def respond() -> None:
    """Serve until stdin closes; prints the port first."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Responder, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


async def measure(port: int, path: str, *, count: int, at_once: int) -> tuple[float, float]:
    """Return probes per second and per CPU-second."""
    target = CameraTarget(
        device_id=1,
        stream_address=f"rtsp://127.0.0.1:{port}{path}",
        credentials=Credentials(username="admin", password=Secret(PASSWORD)),
    )
    todo = iter(range(count))
    failed = 0

    async def work() -> None:
        nonlocal failed
        for _ in todo:
            result = await probe_camera(
                target, timeout_s=10, policy=POLICY, clock=lambda: datetime.now(UTC)
            )
            failed += result.failed_layer is not None

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    took, used = time.perf_counter() - started, time.process_time() - cpu
    if failed:
        sys.stderr.write(f"{failed} of {count} probes failed\n")
    return count / took, count / used


def main() -> None:
    """Measure both loops, or be the responder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--respond", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.respond:
        uvloop.run(respond())
        return
    runners: dict[str, Callable[[Coroutine[None, None, tuple[float, float]]], tuple[float, float]]]
    runners = {"asyncio": asyncio.run, "uvloop": uvloop.run}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.probe_rate", "--respond"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as responder:
        if responder.stdout is None or responder.stdin is None:
            return
        port = int(responder.stdout.readline())
        for name, run in runners.items():
            for path in ("/open", "/digest"):
                work = measure(port, path, count=options.count, at_once=options.at_once)
                rate, cpu_rate = run(work)
                sys.stdout.write(
                    f"{name:8} {path:8} {rate:8.0f} probes/s {cpu_rate:8.0f} probes/CPU-second\n"
                )
        responder.stdin.close()


if __name__ == "__main__":
    main()
