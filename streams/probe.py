"""Probe a camera in layers: network, protocol, credentials, stream and, when asked, frames.

A link (a switch, an uplink), whose stream address is ``tcp://host:port``, has but the network.

The first layer that fails names the fault (RFC 2326; the layers are hub.domain.health's). A
probe never raises for what a camera does, never changes the camera, sends its password only
when asked for it, and ends in time whatever is sent to it. It is a coroutine without a thread.
"""

import time
from contextlib import aclosing
from datetime import datetime

from hub.domain.addresses import (
    LINK_SCHEMES,
    STREAM_SCHEMES,
    WEB_SCHEMES,
    Address,
    AddressPolicy,
    parse_address,
)
from hub.domain.errors import (
    AddressRefused,
    DeviceError,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.health import Depth, ProbeResult
from hub.domain.ports import CameraTarget, Clock
from streams.answer import ask, plan_call, reach
from streams.http_status import fetch_status
from streams.network import OwnShortage, Trace, blame_delay, name_layer
from streams.rtp import is_rtp
from streams.rtsp.client import RtspClient, open_rtsp
from streams.urls import redact

FRAMES_WANTED = 2  # packets: the first may be left over from before the session
MAX_EVIDENCE_CHARACTERS = 80


async def probe_camera(
    target: CameraTarget,
    *,
    timeout_s: float,
    policy: AddressPolicy,
    clock: Clock,
    depth: Depth = Depth.STREAM,
) -> ProbeResult:
    """Probe one camera within ``timeout_s``, down to a depth.

    Without a stream address, the snapshot or service address is asked for any HTTP answer.
    """
    probed_at, trace, failure = clock(), Trace(), None
    try:
        call = plan_call(target.stream_address, policy) if depth is Depth.ANSWER else None
        if call is not None:
            await ask(call, timeout_s=timeout_s, trace=trace)
        else:
            await _probe(target, timeout_s=timeout_s, policy=policy, trace=trace, depth=depth)
    except DeviceError as error:
        failure = blame_delay(error, trace, timeout_s)
        _note_failure(failure, target, trace)
    return _result(target, trace, failure, probed_at, depth)


async def _probe(
    target: CameraTarget, *, timeout_s: float, policy: AddressPolicy, trace: Trace, depth: Depth
) -> None:
    address = _choose_address(target)
    if address.scheme in WEB_SCHEMES:
        await fetch_status(address, timeout_s=timeout_s, policy=policy, trace=trace)
        return
    if address.scheme in LINK_SCHEMES:
        await reach(address, timeout_s=timeout_s, policy=policy, trace=trace)
        return
    async with open_rtsp(
        address, target.credentials, timeout_s=timeout_s, policy=policy, trace=trace
    ) as rtsp:
        if depth is Depth.ANSWER:
            await rtsp.answers()
            return
        description = await rtsp.describe()
        video = description.video
        if video is None:
            msg = "the camera describes no video stream"
            raise UnsupportedByDevice(msg)
        trace.note(f"video: {video.codec or 'unknown codec'}")
        if depth is Depth.FRAMES:
            await rtsp.play(description, video)
            await _await_frames(rtsp)
            trace.note("frames arrive")


async def _await_frames(rtsp: RtspClient) -> None:
    seen = 0
    async with aclosing(rtsp.packets()) as packets:
        async for packet in packets:
            seen += is_rtp(packet)
            if seen >= FRAMES_WANTED:
                return


def _choose_address(target: CameraTarget) -> Address:
    if target.stream_address:
        return parse_address(target.stream_address, schemes=STREAM_SCHEMES | LINK_SCHEMES)
    text = target.snapshot_address or target.service_address
    if not text:
        msg = "no address is known for this camera"
        raise AddressRefused(msg)
    return parse_address(text, schemes=WEB_SCHEMES)


def _note_failure(error: DeviceError, target: CameraTarget, trace: Trace) -> None:
    """Name the layer, and keep what the camera sent where that explains the failure."""
    trace.layer = name_layer(error, trace)
    trace.note(str(error))
    if isinstance(error, ProtocolViolation) and error.evidence:
        shown = redact(error.evidence.decode("utf-8", "replace"), target.credentials)
        trace.note(f"received: {shown[:MAX_EVIDENCE_CHARACTERS]!r}")


def _result(
    target: CameraTarget,
    trace: Trace,
    failure: DeviceError | None,
    probed_at: datetime,
    depth: Depth,
) -> ProbeResult:
    latency_s = time.monotonic() - trace.started
    if failure is None:
        return ProbeResult(
            probed_at=probed_at, latency_s=latency_s, lines=tuple(trace.lines[-1:]), depth=depth
        )
    return ProbeResult(
        probed_at=probed_at,
        latency_s=latency_s,
        failed_layer=trace.layer,
        detail=redact(str(failure), target.credentials),
        lines=tuple(trace.lines),
        depth=depth,
        is_conclusive=not isinstance(failure, OwnShortage),
    )
