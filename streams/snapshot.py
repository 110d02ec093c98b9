"""Take one picture to be shown or stored: fetch one frame, decode it if need be, mask it.

Decoding and painting over happen in a process of their own. The message of every error begins
with the layer that failed and never holds a password.
"""

import asyncio
from dataclasses import replace

import aiohttp

from hub.domain.addresses import AddressPolicy
from hub.domain.errors import DeviceUnreachable, ProtocolViolation
from hub.domain.health import Layer
from hub.domain.ports import CameraTarget, Clock, Picture
from hub.domain.quality import Codec, EncodedFrame, Polygon
from streams.decoder import DecoderProcess
from streams.frames import fetch_frames
from streams.jpeg import parse_jpeg_size

_LEAST_S = 0.5  # of time for the decoder, however long the camera took


async def take_snapshot(
    target: CameraTarget,
    *,
    timeout_s: float,
    client: aiohttp.ClientSession,
    policy: AddressPolicy,
    clock: Clock,
    decoder: DecoderProcess | None = None,
) -> Picture:
    """Return one JPEG picture within ``timeout_s``, with the target's masks painted over.

    It is the snapshot address's, passed on as it is where nothing is masked, else a frame of
    the main stream. ``client`` enforces the address policy on every connection it opens.
    ``decoder`` is shared between calls; without one, a process is started for this picture.

    Raises:
        DeviceError: named for the reaction; the message begins with the failed layer.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    (frame,) = await fetch_frames(
        replace(target, sub_stream_address=""),
        timeout_s=timeout_s,
        client=client,
        policy=policy,
        clock=clock,
    )
    if frame.codec is Codec.JPEG and not target.masks:
        jpeg = frame.data
        width, height = parse_jpeg_size(jpeg)
    else:
        left_s = max(_LEAST_S, deadline - asyncio.get_running_loop().time())
        jpeg, width, height = await _decode(decoder, frame, target.masks, left_s)
    source = "snapshot" if frame.codec is Codec.JPEG else "stream"
    return Picture(jpeg=jpeg, width=width, height=height, taken_at=frame.taken_at, source=source)


async def _decode(
    decoder: DecoderProcess | None,
    frame: EncodedFrame,
    masks: tuple[Polygon, ...],
    limit_s: float,
) -> tuple[bytes, int, int]:
    used = decoder or DecoderProcess()
    try:
        async with asyncio.timeout(limit_s):
            return await used.decode(frame.codec, frame.data, masks)
    except TimeoutError:
        msg = f"{Layer.PICTURE}: the frame was not decoded in time"
        raise DeviceUnreachable(msg) from None
    except ProtocolViolation as error:
        msg = f"{Layer.PICTURE}: {error}"
        raise ProtocolViolation(msg, evidence=error.evidence) from None
    finally:
        if decoder is None:
            await used.close()
