"""The judging processes: what they find, and how they are started, shared and ended."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import uvloop
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec, Mode, PictureCheck
from streams import confined
from streams.confined import Confined
from streams.network import OwnShortage
from streams.quality.judges import JudgePool
from streams.quality.judging import judge
from tests.encoded_frames import (
    as_frame,
    build_jpeg,
    build_key_frame,
)
from tests.protocol.judging_pool import (
    GOOD,
    SCENE,
    child_of,
    order,
    use_worker,
)


@pytest.fixture
async def pool() -> AsyncIterator[JudgePool]:
    pool = JudgePool(size=1)
    yield pool
    await pool.close()


@pytest.mark.parametrize("codec", list(Codec))
async def test_process_finds_what_the_judge_finds(pool: JudgePool, codec: Codec) -> None:
    data = GOOD if codec is Codec.JPEG else build_key_frame(codec, SCENE)
    first = await pool(order(data, codec))
    assert_alike(first, judge(order(data, codec)), codec)
    known = replace(
        order(data, codec),
        frames=(as_frame(data, codec),) * 2,
        band=4,
        previous=first.fingerprint,
        baselines={(4, first.mode): first.learnt},
        masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),),
        moved=True,
    )
    assert_alike(await pool(known), judge(known), codec)


def pictures_of_all_kinds() -> dict[str, NDArray[np.uint8]]:
    rng = np.random.default_rng(3)
    rows = np.arange(480)[:, None, None]
    striped = SCENE // 2 + np.where(rows % 12 < 6, 90, 0).astype(np.uint8)
    return {
        "scene": SCENE,
        "black": np.zeros((480, 640, 3), np.uint8),
        "blue": np.full((480, 640, 3), (200, 20, 20), np.uint8),
        "white": np.full((480, 640, 3), 255, np.uint8),
        "grey": np.repeat(SCENE[..., :1], 3, axis=2),
        "dark": SCENE // 12,
        "flat": (SCENE // 10 + 110).astype(np.uint8),
        "blurred": np.asarray(cv2.GaussianBlur(SCENE, (0, 0), 9), np.uint8),
        "red": np.clip(SCENE * np.array([0.4, 0.6, 1.4]), 0, 255).astype(np.uint8),
        "snow": rng.integers(0, 255, (480, 640, 3), np.uint8),
        "striped": striped.astype(np.uint8),
        "bars": np.repeat(np.repeat(rng.integers(0, 255, (1, 8, 3), np.uint8), 80, 1), 480, 0),
        "upright": np.ascontiguousarray(SCENE.transpose(1, 0, 2)),
        "small": np.ascontiguousarray(SCENE[:40, :48]),
        "large": np.asarray(cv2.resize(SCENE, (2560, 1440)), np.uint8),
    }


def assert_alike(check: PictureCheck, expected: PictureCheck, name: str) -> None:
    """Sums may differ in their last bits: here, there are more threads."""
    assert (check.mode, check.width, check.height) == (
        expected.mode,
        expected.width,
        expected.height,
    )
    found, wanted = ({one.index: one.score for one in some.findings} for some in (check, expected))
    assert found == pytest.approx(wanted, abs=0.5), name


async def test_no_kind_of_picture_needs_what_the_process_gave_up(pool: JudgePool) -> None:
    """What a library loads or opens only now and then, it must have loaded before."""
    known = await pool(order())
    for name, picture in pictures_of_all_kinds().items():
        frame = as_frame(build_jpeg(picture))
        asked = replace(
            order(),
            frames=(frame, frame, frame),
            previous=known.fingerprint,
            baselines={(0, mode): known.learnt for mode in Mode},
            masks=(((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)),),
        )
        for _ in range(2):
            check = await pool(asked)
            assert_alike(check, judge(asked), name)
            assert await pool.explain(asked, check)
            asked = replace(
                asked,
                moved=True,
                previous=check.fingerprint,
                baselines={(0, mode): check.learnt or known.learnt for mode in Mode},
            )


async def test_explanation_comes_from_the_process_too(pool: JudgePool) -> None:
    check = await pool(order())
    jpeg = await pool.explain(order(), check)
    assert jpeg.startswith(b"\xff\xd8\xff")
    with pytest.raises(ProtocolViolation, match="not a JPEG"):
        await pool.explain(order(b"<html>"), check)


async def test_many_orders_at_once_get_their_own_answers() -> None:
    pool = JudgePool(size=2)
    sizes = [(64 + 16 * i, 48 + 16 * i) for i in range(12)]
    pictures = [build_jpeg(np.full((height, width, 3), 90, np.uint8)) for width, height in sizes]
    checks = await asyncio.gather(*(pool(order(picture)) for picture in pictures))
    assert [(check.width, check.height) for check in checks] == sizes
    await pool.close()


async def test_process_is_replaced_after_many_orders(
    pool: JudgePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "MOST_QUESTIONS", 2)
    pids = []
    for _ in range(5):
        await pool(order())
        pids.append(child_of(pool).pid)
    assert [pids.index(pid) for pid in pids] == [0, 0, 2, 2, 4]


async def test_closed_pool_leaves_no_process(pool: JudgePool) -> None:
    await pool(order())
    child = child_of(pool)
    await pool.close()
    assert child.returncode is not None


async def test_process_that_does_not_start_is_nobodys_fault() -> None:
    child = Confined("streams.no_such_module", limit_s=5)
    with pytest.raises(OwnShortage, match=r"cannot start .*No module named"):
        await child.ask(b"", read_nothing)
    assert child.process is None


async def read_nothing(source: asyncio.StreamReader) -> bytes:
    return await source.read(0)


@pytest.mark.parametrize("codec", list(Codec))
async def test_ordinary_user_may_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: Codec
) -> None:
    """The limit of processes, which root does not feel, also counts threads."""
    pool = JudgePool(size=1, limit_s=30)
    (tmp_path / "odd_worker.py").write_text(
        "import os\n"
        "from streams.quality import worker\n"
        "confine = worker.confine\n"
        "def become_nobody(memory_bytes):\n"
        "    if os.getuid() == 0:\n        os.setuid(65534)\n"
        "    return confine(memory_bytes)\n"
        "worker.confine = become_nobody\n"
        "main = worker.main\n"
    )
    use_worker(pool, tmp_path, monkeypatch)
    data = build_jpeg(SCENE) if codec is Codec.JPEG else build_key_frame(codec, SCENE)
    check = await pool(order(data, codec))
    assert await pool.explain(order(data, codec), check)
    await pool.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_either_event_loop_serves(run: Callable[..., PictureCheck]) -> None:
    async def check() -> PictureCheck:
        pool = JudgePool(size=1)
        try:
            return await pool(order())
        finally:
            await pool.close()

    assert run(check()).width == 640


def test_hub_itself_loads_no_decoder() -> None:
    """Whoever asks has no need of OpenCV and FFmpeg, nor of the memory they take."""
    program = (
        "import sys, streams.quality.judges, streams.decoder, streams.frames;"
        "sys.exit(len({'cv2', 'av', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
