"""A camera that is due, and eyes that see what they are told to, for tests of single looks."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from hub.domain.devices import DeviceKind
from hub.domain.errors import DeviceError
from hub.domain.health import Status
from hub.domain.ports import CameraTarget
from hub.domain.quality import (
    CheckOrder,
    Codec,
    EncodedFrame,
    Finding,
    Index,
    Mode,
    PictureCheck,
    PictureFault,
    PictureState,
)
from hub.maintenance.pictures.figures import PictureFigures
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.store.picture_due import DuePicture

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MIDNIGHT = NOON + timedelta(hours=12)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MASK = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5))


def due(device_id: int = 1, **held: object) -> DuePicture:
    state = PictureState(device_id=device_id, fingerprint=b"last time")
    camera = DuePicture(
        target=CameraTarget(device_id=device_id, channel="1", snapshot_address="http://x/s"),
        device_name="西门1",
        area_id=3,
        area_path="c.v",
        device_class="",
        kind=DeviceKind.CAMERA,
        status=Status.ONLINE,
        layer=None,
        has_ptz=False,
        presets=(),
        longitude=None,
        latitude=None,
        state=state,
        baselines={},
        masks=(MASK,),
        opinions={},
    )
    return replace(camera, **held)  # type: ignore[arg-type]  # by name


def found(index: Index, score: float) -> Finding:
    return Finding(index=index, score=score, threshold=50, why="")


def fault(why: str = "") -> PictureFault:
    return PictureFault(since=NOON, looks=2, score=80, threshold=50, why=why)


class Eyes:
    """Fetches and judges as told; remembers what it was asked."""

    def __init__(self, *answers: Sequence[Finding]) -> None:
        self.fetched: list[tuple[int, float]] = []
        self.orders: list[CheckOrder] = []
        self.answers = list(answers)
        self.errors: list[DeviceError | None] = []
        self.hangs = False
        self.figures = CollectorRegistry()
        self._figures = PictureFigures(self.figures)

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        del target, timeout_s
        self.fetched.append((count, spacing_s))
        if self.hangs:
            await asyncio.Event().wait()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return (EncodedFrame(codec=Codec.JPEG, data=b"jpeg", taken_at=NOON),) * count

    async def judge(self, order: CheckOrder) -> PictureCheck:
        self.orders.append(order)
        findings = self.answers.pop(0) if self.answers else ()
        return PictureCheck(
            mode=Mode.COLOUR,
            width=1920,
            height=1080,
            findings=tuple(findings),
            evidence=b"masked" if order.evidence_width else b"",
        )

    def sight(self, **options: object) -> Sight:
        named = {"zone": SHANGHAI, **options}
        chosen = SightOptions(**named)  # type: ignore[arg-type]  # by name
        senses = SightSenses(fetch=self.fetch, judge=self.judge)
        return Sight(senses, chosen, self._figures)
