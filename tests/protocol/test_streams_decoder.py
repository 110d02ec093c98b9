"""The decoding process: pictures, rubbish, limits, and what it is not told."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import uvloop
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec
from streams import confined
from streams.decoder import DecoderProcess
from tests.encoded_frames import build_jpeg, build_key_frame, build_scan_bomb


def flat(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 200, np.uint8)


@pytest.fixture
async def decoder() -> AsyncIterator[DecoderProcess]:
    decoder = DecoderProcess()
    yield decoder
    await decoder.close()


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
async def test_key_frame_becomes_a_picture(decoder: DecoderProcess, codec: Codec) -> None:
    frame = build_key_frame(codec, flat(320, 240))
    jpeg, width, height = await decoder.decode(codec, frame)
    assert (width, height) == (320, 240)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (240, 320, 3)
    assert 195 < float(image.mean()) < 205


@pytest.mark.threat("T27")
async def test_rubbish_is_refused_and_the_next_frame_decoded(decoder: DecoderProcess) -> None:
    good = build_key_frame(Codec.H264, flat(64, 48))
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
        await decoder.decode(codec, build_key_frame(Codec.H264, flat(64, 48)))


@pytest.mark.parametrize("codec", [Codec.JPEG, Codec.H264])
async def test_masks_are_painted_over(decoder: DecoderProcess, codec: Codec) -> None:
    picture = flat(320, 240)
    data = build_jpeg(picture) if codec is Codec.JPEG else build_key_frame(codec, picture)
    corner = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
    jpeg, width, height = await decoder.decode(codec, data, (corner,))
    assert (width, height) == (320, 240)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image[:118, :158].max() < 10
    assert image[130:, :].min() > 180
    assert image[:, 170:].min() > 180


async def test_picture_with_an_unclear_mask_is_not_given_out(decoder: DecoderProcess) -> None:
    for mask in (((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0), (1.0, 9.0), (0.0, 1.0))):
        with pytest.raises(ProtocolViolation, match="ValueError"):
            await decoder.decode("jpeg", build_jpeg(flat(64, 48)), (mask,))


@pytest.mark.threat("T27")
async def test_jpeg_of_a_thousand_passes_is_refused(decoder: DecoderProcess) -> None:
    with pytest.raises(ProtocolViolation, match="100 passes"):
        await decoder.decode("jpeg", build_scan_bomb(1000))


@pytest.mark.threat("T27")
async def test_picture_of_too_many_pixels_is_not_decoded(decoder: DecoderProcess) -> None:
    huge = build_key_frame(Codec.H264, flat(8192, 5120))  # 41.9 megapixels in few bytes
    with pytest.raises(ProtocolViolation, match="cannot be decoded"):
        await decoder.decode("h264", huge)


@pytest.mark.threat("T27")
async def test_process_that_dies_or_hangs_is_replaced() -> None:
    good = build_key_frame(Codec.H264, flat(64, 48))
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


async def test_ordinary_user_may_decode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of processes, which root does not feel, also counts threads."""
    (tmp_path / "odd_decoder.py").write_text(
        "import os\n"
        "from streams import decoder_worker\n"
        "confine = decoder_worker.confine\n"
        "def become_nobody(memory_bytes):\n"
        "    if os.getuid() == 0:\n        os.setuid(65534)\n"
        "    return confine(memory_bytes)\n"
        "decoder_worker.confine = become_nobody\n"
        "main = decoder_worker.main\n"
    )
    boot = f"import sys; sys.path.append({str(tmp_path)!r}); {confined._BOOT}"
    monkeypatch.setattr(confined, "_BOOT", boot)
    decoder = DecoderProcess()
    decoder._child._module = "odd_decoder"
    for codec in Codec:
        picture = flat(64, 48)
        data = build_jpeg(picture) if codec is Codec.JPEG else build_key_frame(codec, picture)
        assert (await decoder.decode(codec, data))[1:] == (64, 48)
    await decoder.close()


@pytest.mark.threat("T27")
async def test_process_knows_no_secrets_and_has_its_limits(
    decoder: DecoderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_DATABASE__URL", "postgresql://gengfu:geheim@h/db")
    await decoder.decode("h264", build_key_frame(Codec.H264, flat(64, 48)))
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
            return await decoder.decode("h264", build_key_frame(Codec.H264, flat(64, 48)))
        finally:
            await decoder.close()

    assert uvloop.run(run())[1:] == (64, 48)
