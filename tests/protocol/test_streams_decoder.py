"""The decoding process: pictures, rubbish, limits, and what it is not told."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import uvloop

from hub.domain.errors import ProtocolViolation
from streams.decoder import DecoderProcess


def encode(codec: str, width: int, height: int, *, grey: int = 200) -> bytes:
    """One key frame in Annex B form, by FFmpeg's own encoder."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = grey
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    packets = [*context.encode(frame), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


@pytest.fixture
async def decoder() -> AsyncIterator[DecoderProcess]:
    decoder = DecoderProcess()
    yield decoder
    await decoder.close()


@pytest.mark.parametrize(("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265")])
async def test_key_frame_becomes_a_picture(
    decoder: DecoderProcess, codec: str, encoder: str
) -> None:
    jpeg, width, height = await decoder.decode(codec, encode(encoder, 320, 240))
    assert (width, height) == (320, 240)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (240, 320, 3)
    assert 190 < float(image.mean()) < 230  # 200 in video range is 214


@pytest.mark.threat("T27")
async def test_rubbish_is_refused_and_the_next_frame_decoded(decoder: DecoderProcess) -> None:
    good = encode("libx264", 64, 48)
    for rubbish in (b"", b"\x00\x00\x00\x01\x65" + bytes(range(256)) * 8, good[: len(good) // 8]):
        with pytest.raises(ProtocolViolation, match="decode"):
            await decoder.decode("h264", rubbish)
    process = decoder._child.process
    assert (await decoder.decode("h264", good))[1:] == (64, 48)
    assert decoder._child.process is process  # a bad frame alone costs no new process


@pytest.mark.threat("T5")
@pytest.mark.parametrize("codec", ["png", "gif", "-i", "", "av1"])
async def test_other_decoders_cannot_be_reached(decoder: DecoderProcess, codec: str) -> None:
    with pytest.raises(ProtocolViolation, match="cannot be decoded"):
        await decoder.decode(codec, encode("libx264", 64, 48))


@pytest.mark.threat("T27")
async def test_picture_of_too_many_pixels_is_not_decoded(decoder: DecoderProcess) -> None:
    huge = encode("libx264", 8192, 5120)  # 41.9 megapixels in few bytes
    with pytest.raises(ProtocolViolation, match="cannot be decoded"):
        await decoder.decode("h264", huge)


@pytest.mark.threat("T27")
async def test_process_that_dies_or_hangs_is_replaced() -> None:
    good = encode("libx264", 64, 48)
    decoder = DecoderProcess(limit_s=5)
    await decoder.decode("h264", good)
    first = decoder._child.process
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)  # it hangs
    hanging = asyncio.create_task(decoder.decode("h264", good))
    await asyncio.sleep(0.05)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert first.returncode is not None  # nothing is left behind
    assert (await decoder.decode("h264", good))[1:] == (64, 48)
    second = decoder._child.process
    assert second is not None
    os.kill(second.pid, signal.SIGSTOP)
    broken = asyncio.create_task(decoder.decode("h264", good))
    await asyncio.sleep(0.05)
    second.kill()  # in the middle of a frame
    with pytest.raises(ProtocolViolation, match="broke the decoder"):
        await broken
    assert (await decoder.decode("h264", good))[1:] == (64, 48)
    third = decoder._child.process
    assert third is not None
    third.kill()  # between two frames
    await third.wait()
    assert (await decoder.decode("h264", good))[1:] == (64, 48)
    await decoder.close()


async def test_time_limit_ends_the_process() -> None:
    decoder = DecoderProcess(limit_s=0.0)
    with pytest.raises(ProtocolViolation, match="not decoded within"):
        await decoder.decode("h264", b"\x00\x00\x00\x01\x65x")
    assert decoder._child.process is None


@pytest.mark.threat("T27")
async def test_process_knows_no_secrets_and_has_its_limits(
    decoder: DecoderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_DATABASE__URL", "postgresql://gengfu:geheim@h/db")
    await decoder.decode("h264", encode("libx264", 64, 48))
    assert decoder._child.process is not None
    proc = Path("/proc") / str(decoder._child.process.pid)
    assert b"geheim" not in (proc / "environ").read_bytes()
    limits = (proc / "limits").read_text().splitlines()
    soft = {line[:26].strip(): line[26:].split()[0] for line in limits}
    assert soft["Max address space"] == str(2 * 1024**3)
    assert soft["Max file size"] == "0"


def test_uvloop_works_too() -> None:
    async def run() -> tuple[bytes, int, int]:
        decoder = DecoderProcess()
        try:
            return await decoder.decode("h264", encode("libx264", 64, 48))
        finally:
            await decoder.close()

    assert uvloop.run(run())[1:] == (64, 48)
