"""The judging processes: what they find, what breaks them, and what they are not told."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uvloop

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import CheckOrder, Codec, Index, PictureCheck
from streams import confined
from streams.confined import Confined
from streams.network import OwnShortage
from streams.quality.judges import JudgePool
from streams.quality.judging import judge
from streams.quality.worker import MAX_MEMORY_BYTES
from tests.encoded_frames import (
    WRONG_TYPES,
    as_frame,
    build_jpeg,
    build_key_frame,
    build_scan_bomb,
    claim_size,
    paint_scene,
)

SCENE = paint_scene(640, 480)
GOOD = build_jpeg(SCENE)
OTHER = build_jpeg(np.zeros((240, 320, 3), np.uint8))
EVERY = dict.fromkeys(Index, 50.0)


def order(data: bytes = GOOD, codec: Codec = Codec.JPEG) -> CheckOrder:
    return CheckOrder(
        frames=(as_frame(data, codec),), thresholds=EVERY, infrared=EVERY, evidence_width=160
    )


@pytest.fixture
async def pool() -> AsyncIterator[JudgePool]:
    pool = JudgePool(size=1)
    yield pool
    await pool.close()


def child_of(pool: JudgePool) -> asyncio.subprocess.Process:
    running = [judge.process for judge in pool._judges if judge.process]
    assert running
    return running[0]


async def hold(pool: JudgePool) -> tuple[asyncio.subprocess.Process, "asyncio.Task[PictureCheck]"]:
    """Give an order to a process that is stopped, so that it stays in the middle of it."""
    await pool(order())
    child = child_of(pool)
    os.kill(child.pid, signal.SIGSTOP)
    task = asyncio.create_task(pool(order()))
    await asyncio.sleep(0.05)
    return child, task


@pytest.mark.parametrize("codec", list(Codec))
async def test_process_finds_what_the_judge_finds(pool: JudgePool, codec: Codec) -> None:
    data = GOOD if codec is Codec.JPEG else build_key_frame(codec, SCENE)
    first = await pool(order(data, codec))
    assert first == judge(order(data, codec))
    known = replace(
        order(data, codec),
        frames=(as_frame(data, codec),) * 2,
        band=4,
        previous=first.fingerprint,
        baselines={(4, first.mode): first.learnt},
        masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),),
        moved=True,
    )
    assert await pool(known) == judge(known)


async def test_explanation_comes_from_the_process_too(pool: JudgePool) -> None:
    check = await pool(order())
    jpeg = await pool.explain(order(), check)
    assert jpeg.startswith(b"\xff\xd8\xff")
    with pytest.raises(ProtocolViolation, match="not a JPEG"):
        await pool.explain(order(b"<html>"), check)


@pytest.mark.threat("T27")
async def test_what_is_no_picture_costs_no_process(pool: JudgePool) -> None:
    check = await pool(order())
    child = child_of(pool)
    video = build_key_frame(Codec.H264, SCENE)
    for data, codec in (
        *((data, Codec.JPEG) for data in WRONG_TYPES.values()),
        (claim_size(GOOD, 30_000, 30_000), Codec.JPEG),
        (GOOD[: len(GOOD) // 2], Codec.JPEG),
        (build_scan_bomb(1_000), Codec.JPEG),
        (b"\0\0\0\1\x65" + bytes(range(256)) * 8, Codec.H264),
        (video[: len(video) // 8], Codec.H264),
        (video, Codec.H265),
        (bytes(1024 * 1024), Codec.H265),
    ):
        with pytest.raises(ProtocolViolation):
            await pool(order(data, codec))
    assert await pool(order()) == check
    assert child_of(pool) is child


@pytest.mark.threat("T27")
async def test_largest_picture_stays_within_the_memory_of_a_process(pool: JudgePool) -> None:
    """A progressive picture keeps all of its coefficients in memory: the dearest there is."""
    level = np.full((6_300, 6_300, 3), 90, np.uint8)
    check = await pool(order(build_jpeg(level, is_progressive=True)))
    assert (check.width, check.height) == (6_300, 6_300)
    await pool(order())


@pytest.mark.threat("T27")
async def test_video_of_too_many_pixels_is_refused_before_it_takes_memory(
    pool: JudgePool,
) -> None:
    huge = build_key_frame(Codec.H264, np.full((5_120, 8_192, 3), 90, np.uint8))
    with pytest.raises(ProtocolViolation, match="decoded"):
        await pool(order(huge, Codec.H264))
    await pool(order())


@pytest.mark.threat("T27")
@pytest.mark.threat("K1")
async def test_killed_process_fails_its_order_alone() -> None:
    pool = JudgePool(size=2)
    child, task = await hold(pool)
    good = await pool(order())  # the other one goes on
    child.kill()
    with pytest.raises(ProtocolViolation, match="the picture broke the decoder"):
        await task
    checks = await asyncio.gather(*(pool(order()) for _ in range(4)))
    assert checks == [good] * 4
    await pool.close()


@pytest.mark.threat("T27")
async def test_hanging_process_is_replaced() -> None:
    pool = JudgePool(size=1, limit_s=3)
    child, task = await hold(pool)
    with pytest.raises(ProtocolViolation, match="not judged within 3 s"):
        await task
    assert child.returncode == -signal.SIGKILL
    assert child_of_next(pool) is None
    await pool(order())
    assert child_of(pool).pid != child.pid
    await pool.close()


def child_of_next(pool: JudgePool) -> asyncio.subprocess.Process | None:
    return pool._judges[0].process


async def test_death_between_two_orders_is_blamed_on_neither(pool: JudgePool) -> None:
    check = await pool(order())
    child = child_of(pool)
    child.kill()
    await child.wait()
    assert await pool(order()) == check


@pytest.mark.threat("T27")
async def test_cancelled_order_leaves_no_answer_for_the_next(pool: JudgePool) -> None:
    child, task = await hold(pool)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert child.returncode is not None  # nothing is left behind
    assert (await pool(order(OTHER))).width == 320


async def test_waiting_order_can_be_cancelled(pool: JudgePool) -> None:
    child, first = await hold(pool)
    second = asyncio.create_task(pool(order(OTHER)))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    os.kill(child.pid, signal.SIGCONT)
    assert (await first).width == 640


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


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "answer",
    [
        "b'\\xff\\xff\\xff\\xff'",
        "b'\\0\\0\\0\\2{}'",
        "b'\\0\\0\\0\\x0b{\"sizes\":0}'",
        "messages.pack({'error': ''}, [b'x' * 100])",
        "messages.pack({'error': 'two\\nlines'}, [])",
        "b'GET / HTTP/1.1'",
    ],
)
async def test_process_that_was_taken_over_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """A program in the place of the worker answers as one would whom a picture has taken over."""
    pool = JudgePool(size=1, limit_s=10)
    (tmp_path / "odd_worker.py").write_text(
        "from streams.quality import messages, worker\n"
        f"worker._answer = lambda message: {answer}\n"
        "main = worker.main\n"
    )
    use_worker(pool, tmp_path, monkeypatch)
    with pytest.raises(ProtocolViolation, match="broke the decoder"):
        await pool(order())
    assert child_of_next(pool) is None
    await pool.close()


def use_worker(pool: JudgePool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the pool's processes run the folder's ``odd_worker``."""
    boot = f"import sys; sys.path.append({str(folder)!r}); {confined._BOOT}"
    monkeypatch.setattr(confined, "_BOOT", boot)
    for judge_process in pool._judges:
        judge_process._module = "odd_worker"


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("open('/proc/self/environ')", "OSError"),
        ("open('/tmp/gengfu-was-here', 'w')", "OSError"),
        ("__import__('socket').socket()", "OSError"),
        ("bytes(2 << 30)", "MemoryError"),
        ("1 // 0", "ZeroDivisionError in odd_worker, line 4"),
        ("[][0]", "IndexError"),
    ],
)
async def test_process_can_do_nothing_but_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: str, words: str
) -> None:
    pool = JudgePool(size=1, limit_s=30)
    (tmp_path / "odd_worker.py").write_text(
        "import socket\n"
        "from streams.quality import worker\n"
        f"def judge(order):\n    return {deed}\n"
        "def main():\n    worker._warm_up()\n    worker.judge = judge\n"
        "    worker._warm_up = lambda: None\n    worker.main()\n"
    )
    use_worker(pool, tmp_path, monkeypatch)
    with pytest.raises(ProtocolViolation, match=f"cannot be judged .*{words}"):
        await pool(order())
    assert child_of(pool).returncode is None  # it takes the next order
    await pool.close()


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


@pytest.mark.threat("T27")
@pytest.mark.threat("T31")
async def test_process_knows_no_secrets_and_has_its_limits(
    pool: JudgePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_DATABASE__URL", "postgresql://gengfu:geheim@h/db")
    await pool(order())
    proc = Path("/proc") / str(child_of(pool).pid)
    assert b"geheim" not in (proc / "environ").read_bytes()
    assert b"geheim" not in (proc / "cmdline").read_bytes()
    rows = (proc / "limits").read_text().splitlines()
    soft = {row[:26].strip(): row[26:].split()[0] for row in rows}
    assert soft["Max address space"] == str(MAX_MEMORY_BYTES)
    assert {soft[name] for name in ("Max file size", "Max core file size", "Max open files")} == {
        "0"
    }
    assert soft["Max processes"] == "0"
    assert int(soft["Max cpu time"]) < 60
    handles = {str(handle.readlink()).split(":")[0] for handle in (proc / "fd").iterdir()}
    assert handles <= {"pipe", "socket", "/dev/null"}


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
