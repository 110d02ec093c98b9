"""A process that judges pictures until it is killed: ``python -m tests.db.pictures_victim``.

Its pictures turn bad and good again every half second, and it looks at them without a pause.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from hub.domain.health import DeviceStatusReport
from hub.domain.ports import CameraTarget
from hub.domain.quality import (
    CheckOrder,
    Codec,
    EncodedFrame,
    Finding,
    Index,
    Mode,
    PictureCheck,
)
from hub.maintenance.intervals import Intervals
from hub.maintenance.pictures.evidence import EvidenceFolder, EvidenceLimits
from hub.maintenance.pictures.rounds import PictureOptions, PictureRounds, PictureSenses
from hub.maintenance.pictures.transitions import Confirming
from hub.store.database import Database
from hub.store.vault import Vault

JPEG = b"\xff\xd8" + b"picture " * 4_000 + b"\xff\xd9"
TURN_S = 0.5


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


async def fetch(
    target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
) -> tuple[EncodedFrame, ...]:
    """Frames that say nothing."""
    del spacing_s, timeout_s
    data = b"%d" % target.device_id
    return (EncodedFrame(codec=Codec.JPEG, data=data, taken_at=now()),) * count


async def judge(order: CheckOrder) -> PictureCheck:
    """Good and bad in turn, by the clock on the wall."""
    score = 80.0 if int(time.time() / TURN_S) % 2 else 10.0
    finding = Finding(index=Index.BLUR, score=score, threshold=50.0, why="told so")
    return PictureCheck(
        mode=Mode.COLOUR,
        width=1,
        height=1,
        findings=(finding,),
        evidence=JPEG if order.evidence_width else b"",
    )


async def report(reports: Sequence[DeviceStatusReport]) -> None:
    """Nobody listens."""
    del reports


async def main(url: str, data_dir: Path) -> None:
    """Say "ready" and work."""
    database = await Database.open(url, vault=Vault.open(data_dir / "gengfu.key"))
    rounds = PictureRounds(
        database,
        PictureSenses(fetch=fetch, judge=judge, report=report, clock=now),
        PictureOptions(
            shards=1,
            spread_s=0.0,
            batch=5,
            intervals=Intervals(picture_s=0.05),
            confirming=Confirming(pause_s=0.02),
        ),
        files=EvidenceFolder(data_dir, EvidenceLimits(most_bytes=10**9, least_free_bytes=0)),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        await rounds.judge_shard(0)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
