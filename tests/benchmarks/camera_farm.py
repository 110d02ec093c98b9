"""A process that stands in for up to 70,000 cameras, which answer, fall silent or hang up.

``async with Farm() as farm`` starts it; camera ``n`` is ``farm.address(n)``: every address of
127.0.0.0/8 is this machine, so that each camera is a destination of its own, with local ports of
its own, and all of them are one listening socket. They answer RTSP as cheaply as Python can;
what plays is three packets.

``python -m tests.benchmarks.camera_farm`` probes all cameras at the pace of a county and prints
what that takes: CPU of both sides, local ports, connections in TIME_WAIT. With ``--serve`` it is
the farm itself: it prints its port, obeys lines like ``cut FIRST COUNT`` (accept and say nothing),
``refuse FIRST COUNT`` (reset) and ``restore FIRST COUNT``, and ends with its input.
"""

import argparse
import asyncio
import os
import resource
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import uvloop

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import DeviceError
from streams.answer import ask, plan_call
from streams.network import Trace
from tests.benchmarks.other_process import OtherProcess, obey_orders
from tests.protocol.scripted_rtsp import SDP

MOST_CAMERAS = 100_000
BACKLOG = 4096  # Linux's own limit (net.core.somaxconn)
PER_SUBNET = 250  # cameras of one /24, as in a village
SUBNETS = 250  # of one /16
FIRST_OCTET = 16  # 127.16.0.1 is camera 0: far from what else listens on loopback
LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
SLOT_S = 0.05  # the hub's prober, too, asks together what is due this close together

WELL, SILENT, REFUSING = 0, 1, 2
MODES: Final = {"restore": WELL, "cut": SILENT, "refuse": REFUSING}

SET_UP = (
    b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nSession: 7\r\n"
    b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
)
PLAYING = b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nSession: 7\r\n\r\n"
# Three packets of RTP with a payload of four bytes, interleaved (RFC 2326 section 10.12).
PACKETS = b"".join(
    b"$\x00\x00\x10" + struct.pack(">BBHII", 0x80, 96, number, 0, 7) + b"\x65\x88\x80\x10"
    for number in range(3)
)

CHALLENGE = b'WWW-Authenticate: Digest realm="farm", nonce="abc", qop="auth"\r\n'
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends a reset


def host_of(number: int) -> str:
    """The IP address of a camera."""
    subnet, last = divmod(number, PER_SUBNET)
    second, third = divmod(subnet, SUBNETS)
    return f"127.{FIRST_OCTET + second}.{third}.{last + 1}"


def address_of(number: int, port: int) -> str:
    """The stream address of a camera."""
    return f"rtsp://{host_of(number)}:{port}/live"


def number_of(host: str) -> int:
    """The camera at an IP address; beyond the last one for an address that is none."""
    _, second, third, last = map(int, host.split("."))
    number = ((second - FIRST_OCTET) * SUBNETS + third) * PER_SUBNET + last - 1
    return number if 0 <= number < MOST_CAMERAS else MOST_CAMERAS


class Farm(OtherProcess):
    """The cameras, in a process of their own that ends with the block.

    ``is_digest``: DESCRIBE is answered only with an Authorization, of any content.
    """

    def __init__(self, *, is_digest: bool = False) -> None:
        options = ["--digest"] if is_digest else []
        super().__init__("tests.benchmarks.camera_farm", "--serve", *options)

    @property
    def port(self) -> int:
        """The same for all cameras."""
        return int(self.said)

    def address(self, number: int) -> str:
        """The stream address of a camera."""
        return address_of(number, self.port)

    async def cut(self, cameras: range) -> None:
        """From now on these cameras accept connections and say nothing."""
        await self._turn("cut", cameras)

    async def refuse(self, cameras: range) -> None:
        """From now on these cameras reset every connection."""
        await self._turn("refuse", cameras)

    async def restore(self, cameras: range) -> None:
        """These cameras are well again."""
        await self._turn("restore", cameras)

    async def _turn(self, verb: str, cameras: range) -> None:
        assert cameras.step == 1, "cameras are ordered about in unbroken ranges"
        answer = await self.order(f"{verb} {cameras.start} {len(cameras)}")
        assert answer == "done", answer


class _Cameras:
    """How each camera behaves, and the answers of those that are well."""

    def __init__(self, *, is_digest: bool) -> None:
        self.modes = bytearray(MOST_CAMERAS + 1)
        self.is_digest = is_digest

    def obey(self, order: str) -> str:
        """Do what a line of input says; returns the answer."""
        try:
            verb, first, count = order.split()
            mode, start, end = MODES[verb], int(first), int(first) + int(count)
        except (ValueError, KeyError):
            return f"expected {'|'.join(MODES)} FIRST COUNT"
        if not 0 <= start <= end <= MOST_CAMERAS:
            return f"cameras are 0 to {MOST_CAMERAS - 1}"
        self.modes[start:end] = bytes([mode]) * (end - start)
        return "done"

    def answer(self, request: bytes) -> bytes:
        """The answer to one request."""
        sequence = request.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
        if request.startswith(b"OPTIONS"):
            return b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n" % sequence
        if request.startswith(b"SETUP"):
            return SET_UP % sequence
        if request.startswith(b"PLAY"):
            return PLAYING % sequence + PACKETS
        if not request.startswith(b"DESCRIBE"):
            return b"RTSP/1.0 501 Not Implemented\r\nCSeq: %s\r\n\r\n" % sequence
        if self.is_digest and b"\r\nAuthorization: " not in request:
            head = b"RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\n%s\r\n"
            return head % (sequence, CHALLENGE)
        head = b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nContent-Length: %d\r\n\r\n%s"
        return head % (sequence, len(SDP), SDP)


class _Conversation(asyncio.Protocol):
    """One connection to one of the cameras."""

    def __init__(self, cameras: _Cameras) -> None:
        self._cameras = cameras
        self._number = MOST_CAMERAS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._number = number_of(transport.get_extra_info("sockname")[0])
        if self._cameras.modes[self._number] == REFUSING:
            wire: socket.socket = transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._cameras.modes[self._number] == WELL:
            self._transport.write(self._cameras.answer(data))


async def _serve(cameras: _Cameras) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Conversation(cameras), "0.0.0.0", 0, backlog=BACKLOG)
    await obey_orders(str(server.sockets[0].getsockname()[1]), cameras.obey)
    server.close()


def raise_file_limit() -> int:
    """Allow this process as many open files as it may have; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def _measure(*, count: int, per_s: int, at_once: int) -> None:
    """Probe every camera twice, evenly paced, and print what each round took."""
    async with Farm() as farm:
        for name in ("first round", "second round"):
            started, used, farms = time.perf_counter(), time.process_time(), cpu_s(farm.pid)
            failed = await _probe_paced(farm, range(count), per_s=per_s, at_once=at_once)
            took = time.perf_counter() - started
            used, farms = time.process_time() - used, cpu_s(farm.pid) - farms
            sys.stdout.write(
                f"{name}: {count} cameras, {count / took:.0f} a second of {per_s} wanted,"
                f" {failed} failed\n"
                f"  CPU here   {used / took:6.1%} of a core, {used / count * 1e6:.0f} us a probe\n"
                f"  CPU farm   {farms / took:6.1%} of a core\n"
                f"  TIME_WAIT  {_waiting():6} connections of {_most_waiting()} Linux keeps\n"
            )


async def _probe_paced(farm: Farm, cameras: range, *, per_s: int, at_once: int) -> int:
    """Probe each once; returns how many failed."""
    free, failed = asyncio.Semaphore(at_once), 0

    async def probe(number: int) -> None:
        nonlocal failed
        try:
            call = plan_call(farm.address(number), LOOPBACK)
            assert call is not None
            await ask(call, timeout_s=10, trace=Trace())
        except DeviceError:
            failed += 1
        finally:
            free.release()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as probes:
        for done, number in enumerate(cameras):
            await free.acquire()
            probes.create_task(probe(number))
            ahead_s = started + done / per_s - time.perf_counter()
            if ahead_s > SLOT_S:
                await asyncio.sleep(ahead_s)
    return failed


def cpu_s(pid: int) -> float:
    """The CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _waiting() -> int:
    counts = Path("/proc/net/sockstat").read_text().partition(" tw ")[2]
    return int(counts.split()[0])


def _most_waiting() -> int:
    return int(Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").read_text())


def main() -> None:
    """Be the cameras until the input ends, or measure them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--count", type=int, default=69_919)
    parser.add_argument("--per-second", type=int, default=5_000)
    parser.add_argument("--at-once", type=int, default=300)
    given = parser.parse_args()
    raise_file_limit()
    if given.serve:
        with suppress(KeyboardInterrupt):
            uvloop.run(_serve(_Cameras(is_digest=given.digest)))
        return
    uvloop.run(_measure(count=given.count, per_s=given.per_second, at_once=given.at_once))


if __name__ == "__main__":
    main()
