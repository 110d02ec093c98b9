"""Photos from strangers, through the process that makes them harmless."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hub.domain.errors import Invalid
from streams.photos import LONGEST_SIDE, PhotoCleaner
from tests.encoded_frames import build_jpeg, build_scan_bomb

ORIENTATION, MAKE, MAKER_NOTE, GPS = 0x0112, 0x010F, 0x927C, 0x8825
SCRIPT = b"<script>alert(document.cookie)</script>"


@pytest.fixture
async def clean() -> AsyncIterator[PhotoCleaner]:
    cleaner = PhotoCleaner()
    yield cleaner
    await cleaner.close()


def photo(kind: str, *, orientation: int = 1, size: tuple[int, int] = (640, 480)) -> bytes:
    """Red above, blue below, with all that phones write into their photos."""
    image = Image.new("RGB", size, (200, 20, 20))
    image.paste((20, 20, 200), (0, size[1] // 2, *size))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKE] = SCRIPT.decode()
    exif.get_ifd(GPS).update({1: "N", 2: (30.0, 45.0, 12.0), 3: "E", 4: (120.0, 45.0, 3.0)})
    file = io.BytesIO()
    image.save(file, kind, exif=exif, comment=SCRIPT, icc_profile=SCRIPT * 4)
    return file.getvalue()


def pixels(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.mark.threat("T27")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_nothing_but_the_pixels_is_left(clean: PhotoCleaner, kind: str) -> None:
    given = photo(kind) + SCRIPT
    assert SCRIPT in given
    found = await clean(given)
    assert SCRIPT not in found.jpeg
    assert b"Exif" not in found.jpeg
    left = Image.open(io.BytesIO(found.jpeg))
    assert left.format == "JPEG"
    assert not dict(left.getexif())
    assert set(left.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert (found.width, found.height) == (640, 480)
    shown = pixels(found.jpeg)
    assert shown[20, 320, 2] > 150
    assert shown[460, 320, 0] > 150


@pytest.mark.parametrize(
    ("orientation", "red_at"), [(1, (5, 100)), (3, (475, 100)), (6, (100, 475)), (8, (100, 5))]
)
async def test_it_stands_as_it_was_taken(
    clean: PhotoCleaner, orientation: int, red_at: tuple[int, int]
) -> None:
    found = await clean(photo("JPEG", orientation=orientation))
    is_turned = orientation in {6, 8}
    assert (found.width, found.height) == ((480, 640) if is_turned else (640, 480))
    assert pixels(found.jpeg)[red_at][2] > 150


async def test_a_large_one_is_made_smaller(clean: PhotoCleaner) -> None:
    for orientation, size in ((1, (2048, 1536)), (6, (1536, 2048))):
        found = await clean(photo("JPEG", orientation=orientation, size=(6_000, 4_500)))
        assert (found.width, found.height) == size
        assert max(size) == LONGEST_SIDE
    assert (await clean(photo("PNG", size=(3_000, 40)))).width == LONGEST_SIDE


@pytest.mark.threat("T27")
async def test_bombs_and_rubbish_cost_no_process(clean: PhotoCleaner) -> None:
    good = photo("JPEG")
    await clean(good)
    child = clean._child.process
    cut = photo("PNG")
    for bad in (
        build_scan_bomb(1_000),
        b"\xff\xd8\xff\xc0\x00\x11\x08\x01\x00\x01\x00" + os.urandom(64),
        cut[: len(cut) // 3],
        b"RIFF\x50\x00\x00\x00WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\x3f\0\0\x2f\0\0" + bytes(60),
    ):
        with pytest.raises(Invalid, match="cannot be decoded"):
            await clean(bad)
    assert (await clean(good)).width == 640
    assert clean._child.process is child


@pytest.mark.threat("T27")
async def test_the_largest_photo_stays_within_the_memory_of_the_process(
    clean: PhotoCleaner,
) -> None:
    level = np.full((9_000, 12_000, 3), 90, np.uint8)  # 108 megapixels, and progressive
    found = await clean(build_jpeg(level, is_progressive=True))
    assert (found.width, found.height) == (2048, 1536)


@pytest.mark.threat("T27")
async def test_a_process_that_hangs_or_dies_is_replaced() -> None:
    clean = PhotoCleaner(limit_s=1.0)
    good = photo("JPEG")
    await clean(good)
    for number, words in ((signal.SIGSTOP, "not decoded in time"), (signal.SIGKILL, "broke")):
        child = clean._child.process
        assert child is not None
        waiting = asyncio.create_task(clean(good))
        os.kill(child.pid, number)
        if number is signal.SIGSTOP:
            with pytest.raises(Invalid, match=words):
                await waiting
        else:
            await asyncio.gather(waiting, return_exceptions=True)
        assert (await clean(good)).width == 640
    await clean.close()
