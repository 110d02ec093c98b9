"""Cameras whose pictures show what they are told to, and the database the rounds write to."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.domain.access import Scope
from hub.domain.errors import ProtocolViolation, StoreUnavailable
from hub.domain.events import StoredEvent
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.domain.ports import CameraTarget
from hub.domain.quality import (
    CheckOrder,
    Codec,
    EncodedFrame,
    Finding,
    Index,
    Mode,
    PictureCheck,
    PictureState,
)
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.maintenance.pictures.rounds import PictureOptions, PictureRounds, PictureSenses
from hub.store.database import Database
from hub.store.events import EventFilter, list_events
from hub.store.picture_history import PastCheck, list_checks
from hub.store.picture_states import get_state
from hub.store.scoping import MAX_LIMIT
from hub.store.status import all_statuses, apply_reports
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import DAY, NOW, add_cameras
from tests.statuses import Told, change_status

SHANGHAI = ZoneInfo("Asia/Shanghai")
Scores = Mapping[Index, float]
FINE: Scores = {Index.SIGNAL: 0.0, Index.BLUR: 10.0}
BLURRED: Scores = {Index.SIGNAL: 0.0, Index.BLUR: 80.0}


class PictureSite:
    """Cameras of the county's east village, a pipeline that stores, and a clock to turn."""

    def __init__(self, database: Database, county: County, data_dir: Path) -> None:
        self.database = database
        self.county = county
        self.now = NOW
        self.cameras: list[int] = []
        self.shows: dict[int, Scores | Exception] = {}
        self.asked: list[int] = []
        self.orders: list[CheckOrder] = []
        self.told: list[DeviceStatusReport] = []
        self.files = EvidenceFolder(data_dir)
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def settle(self, cameras: int = 4) -> None:
        """Cameras that are online and due for their first look."""
        place = self.county.east_link.id, self.county.east.id
        self.cameras = await add_cameras(self.database, *place, cameras)
        async with self.database.transaction() as tx:
            for device in (self.county.east_camera, self.county.west_camera):
                await change_status(
                    tx, SYSTEM, Told(device_id=device.id, status=Status.OFFLINE, since=self.now)
                )
        await self.rounds().welcome()
        self.now += timedelta(seconds=1)

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        """Frames that name their camera and what there is to see."""
        assert timeout_s > spacing_s
        self.asked.append(target.device_id)
        await self.gate.wait()
        await asyncio.sleep(0)
        shown = self.shows.get(target.device_id, FINE)
        if isinstance(shown, Exception):
            raise shown
        data = json.dumps([target.device_id, {i.value: s for i, s in shown.items()}]).encode()
        return (EncodedFrame(codec=Codec.JPEG, data=data, taken_at=self.now),) * count

    async def judge(self, order: CheckOrder) -> PictureCheck:
        """Hold what the last frame shows against the thresholds of the order."""
        self.orders.append(order)
        await asyncio.sleep(0)
        try:
            device, shown = json.loads(order.frames[-1].data)
        except ValueError as error:
            msg = "this is no picture"
            raise ProtocolViolation(msg) from error
        thresholds = {Index(i): order.thresholds.get(Index(i)) for i in shown}
        return PictureCheck(
            mode=Mode.COLOUR,
            width=1920,
            height=1080,
            findings=tuple(
                Finding(index=i, score=shown[i], threshold=t, why=f"{i.value} {shown[i]:.0f}")
                for i, t in thresholds.items()
                if t is not None
            ),
            fingerprint=f"{device} at {self.now:%H:%M:%S}".encode(),
            learnt=order.baselines.get((order.band, Mode.COLOUR), b"") + b"+",
            evidence=b"JPEG of " + order.frames[-1].data if order.evidence_width else b"",
        )

    def order_for(self, device_id: int) -> CheckOrder:
        """The last order about a camera."""
        start = f"[{device_id},".encode()
        return next(one for one in reversed(self.orders) if one.frames[0].data.startswith(start))

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        """Store verdicts at once, as the pipeline does soon."""
        if self.is_away:
            msg = "the database does not answer"
            raise StoreUnavailable(msg)
        self.told += reports
        async with self.database.transaction() as tx:
            await apply_reports(tx, SYSTEM, reports)

    async def pause(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)

    def rounds(self, database: Database | None = None, **options: object) -> PictureRounds:
        """The rounds of one process."""
        senses = PictureSenses(
            fetch=self.fetch,
            judge=self.judge,
            report=self.report,
            clock=lambda: self.now,
            rng=random.Random(3),
            pause=self.pause,
        )
        named = {"shards": 1, "zone": SHANGHAI, **options}
        chosen = PictureOptions(**named)  # type: ignore[arg-type]  # by name
        return PictureRounds(database or self.database, senses, chosen, files=self.files)

    async def look(self, after_s: float = 0.0, rounds: PictureRounds | None = None) -> list[int]:
        """Run every shard once, after a while; return who was asked, by number."""
        self.now += timedelta(seconds=after_s)
        self.asked.clear()
        self.orders.clear()
        await (rounds or self.rounds()).judge_shard(0)
        return sorted(set(self.asked))

    async def state(self, device_id: int) -> PictureState:
        async with self.database.transaction() as tx:
            return await get_state(tx, SYSTEM, device_id)

    async def status(self, device_id: int) -> tuple[Status, dict[Layer, str]]:
        async with self.database.transaction() as tx:
            (row,) = await all_statuses(tx, SYSTEM, [device_id])
        return row.status, dict(row.faults)

    async def checks(self, device_id: int) -> list[PastCheck]:
        """What is in the hypertable, oldest first."""
        async with self.database.transaction() as tx:
            return sorted(
                await list_checks(
                    tx, SYSTEM, device_id, since=self.now - DAY, until=self.now + DAY
                ),
                key=lambda one: one.at,
            )

    async def events(self, scope: Scope = SYSTEM) -> list[StoredEvent]:
        """Of pictures, oldest first."""
        found: list[StoredEvent] = []
        async with self.database.transaction() as tx:
            for kind in ("picture.fault", "picture.mended"):
                page = await list_events(tx, scope, EventFilter(kind=kind), limit=MAX_LIMIT)
                found += page.items
                while page.next is not None:
                    page = await list_events(
                        tx, scope, EventFilter(kind=kind), limit=MAX_LIMIT, cursor=page.next
                    )
                    found += page.items
        return sorted(found, key=lambda event: event.id)
