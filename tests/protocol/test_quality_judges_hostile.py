"""Judging processes that hang, die or are taken over, and what they cannot do even then."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec
from streams.quality.judges import JudgePool
from streams.quality.worker import MAX_MEMORY_BYTES
from tests.encoded_frames import (
    WRONG_TYPES,
    build_jpeg,
    build_key_frame,
    build_scan_bomb,
    claim_size,
)
from tests.protocol.judging_pool import (
    GOOD,
    OTHER,
    SCENE,
    child_of,
    child_of_next,
    hold,
    order,
    use_worker,
)


@pytest.fixture
async def pool() -> AsyncIterator[JudgePool]:
    pool = JudgePool(size=1)
    yield pool
    await pool.close()


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


HUB = """
import asyncio
from tests.protocol.judging_pool import child_of, order
from streams.quality.judges import JudgePool
async def run():
    pool = JudgePool(size=1)
    await pool(order())
    print(child_of(pool).pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""


@pytest.mark.threat("K1")
async def test_killed_hub_leaves_no_process_behind() -> None:
    hub = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HUB), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert hub.stdout is not None
    child = Path("/proc") / (await hub.stdout.readline()).decode().strip()
    assert b"streams.quality.worker" in (child / "cmdline").read_bytes()
    hub.kill()
    await hub.wait()
    async with asyncio.timeout(10):
        while child.exists() and "(zombie)" not in (child / "status").read_text():
            await asyncio.sleep(0.02)


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
