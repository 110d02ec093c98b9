"""Orders for judging processes, and hands on the processes themselves."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from hub.domain.quality import CheckOrder, Codec, Index, PictureCheck
from streams import confined
from streams.quality.judges import JudgePool
from tests.encoded_frames import (
    as_frame,
    build_jpeg,
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


def child_of_next(pool: JudgePool) -> asyncio.subprocess.Process | None:
    return pool._judges[0].process


def use_worker(pool: JudgePool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the pool's processes run the folder's ``odd_worker``."""
    boot = f"import sys; sys.path.append({str(folder)!r}); {confined._BOOT}"
    monkeypatch.setattr(confined, "_BOOT", boot)
    for judge_process in pool._judges:
        judge_process._module = "odd_worker"
