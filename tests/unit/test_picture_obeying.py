"""Whether a camera obeys: when it is moved, what is judged, and that it returns."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from hub.domain.devices import Json
from hub.domain.errors import DeviceError, DeviceUnreachable
from hub.domain.ports import Bearing, CameraTarget
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
from hub.maintenance.pictures.obeying import Obeying, ObeyingOptions, ObeyingSenses, presets_of
from hub.store.picture_due import DuePicture
from tests.unit.picture_eyes import due as due_camera

NIGHT = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
ORDER = CheckOrder(frames=(), thresholds={Index.PTZ: 50.0}, infrared={Index.PTZ: 60.0})
TARGET = CameraTarget(
    device_id=7, service_address="http://10.0.0.7/", options={"ptz_check": ["1", "2"]}
)


def due(target: CameraTarget = TARGET, state: PictureState | None = None) -> DuePicture:
    return due_camera(
        target.device_id,
        target=target,
        has_ptz=True,
        masks=(),
        state=state or PictureState(device_id=target.device_id),
    )


@dataclass
class Dome:
    """A camera with a motor, and all that obeying asks of the world. It keeps what was done."""

    at: str | None = "1"
    is_moving: bool | None = False
    obeys_after: int = 1  # looks after an order until it shows
    broken: frozenset[str] = frozenset()
    is_left_alone: bool = True
    now: datetime = NIGHT
    done: list[str] = field(default_factory=list)
    asked_since: list[datetime] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    orders: list[CheckOrder] = field(default_factory=list)
    may_look: asyncio.Event = field(default_factory=asyncio.Event)
    looks: int = 0

    def __post_init__(self) -> None:
        self.may_look.set()

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        assert (count, target, spacing_s, timeout_s) == (1, TARGET, 1.0, 10.0)
        self.done.append("look")
        await self.may_look.wait()
        self._fail_if("look")
        self.looks += 1
        return (EncodedFrame(codec=Codec.JPEG, data=str(self.looks).encode(), taken_at=self.now),)

    async def judge(self, order: CheckOrder) -> PictureCheck:
        self.orders.append(order)
        score = 5.0 if len(self.orders) >= self.obeys_after else 95.0
        finding = Finding(index=Index.PTZ, score=score, threshold=50.0, why="…")
        blur = Finding(index=Index.BLUR, score=99.0, threshold=50.0, why="…")
        return PictureCheck(mode=Mode.COLOUR, width=1, height=1, findings=(blur, finding))

    async def call_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        assert (target, timeout_s) == (TARGET, 10.0)
        self.done.append(f"to {preset}")
        self._fail_if(f"to {preset}")
        self.at = preset

    async def find_bearing(self, target: CameraTarget, *, timeout_s: float) -> Bearing:
        assert (target, timeout_s) == (TARGET, 10.0)
        self._fail_if("bearing")
        return Bearing(preset=self.at, is_moving=self.is_moving)

    async def is_free(self, device_id: int, since: datetime) -> bool:
        assert device_id == 7
        self.asked_since.append(since)
        return self.is_left_alone

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def _fail_if(self, what: str) -> None:
        if what in self.broken:
            raise DeviceUnreachable(what)

    def obeying(self, **options: object) -> Obeying:
        senses = ObeyingSenses(
            fetch=self.fetch,
            judge=self.judge,
            call_preset=self.call_preset,
            find_bearing=self.find_bearing,
            is_free=self.is_free,
            clock=lambda: self.now,
            pause=self.pause,
        )
        return Obeying(senses, replace(ObeyingOptions(), **options))  # type: ignore[arg-type]  # few


async def test_a_camera_goes_looks_and_returns() -> None:
    dome = Dome()
    finding = await dome.obeying().check(due(), ORDER)
    assert finding is not None
    assert (finding.index, finding.is_fault) == (Index.PTZ, False)
    assert dome.done == ["look", "to 2", "look", "to 1"]
    assert dome.pauses == [8.0]
    (order,) = dome.orders
    assert order.moved
    assert [frame.data for frame in order.frames] == [b"1", b"2"]
    assert (order.thresholds, order.infrared) == (ORDER.thresholds, ORDER.infrared)
    assert (order.evidence_width, order.baselines) == (0, {})


async def test_a_slow_camera_is_waited_for_and_one_that_never_moves_is_a_fault() -> None:
    slow = Dome(obeys_after=2)
    finding = await slow.obeying().check(due(), ORDER)
    assert finding is not None
    assert not finding.is_fault
    assert slow.pauses == [8.0, 16.0]
    assert slow.orders[1].frames[0].data == b"1", "compared with the picture from home"
    stuck = Dome(obeys_after=9)
    finding = await stuck.obeying().check(due(), ORDER)
    assert finding is not None
    assert finding.is_fault
    assert stuck.done == ["look", "to 2", "look", "look", "to 1"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ptz_check": None},
        {"ptz_check": "12"},
        {"ptz_check": ["1"]},
        {"ptz_check": ["1", "1"]},
        {"ptz_check": ["", "2"]},
        {"ptz_check": [1, 2]},
        {"ptz_check": ["1", "2", "3"]},
        {"ptz_check": {"1": "2", "3": "4"}},
    ],
)
async def test_a_camera_that_was_not_allowed_to_be_moved_is_not(
    options: Mapping[str, Json],
) -> None:
    dome = Dome()
    target = replace(TARGET, options=options)
    assert presets_of(target) is None
    assert await dome.obeying().check(due(target), ORDER) is None
    assert (dome.done, dome.asked_since) == ([], [])


async def test_cameras_are_moved_at_the_hours_of_the_place() -> None:
    shanghai = timezone(timedelta(hours=8))
    for hour, is_moved in ((18, True), (19, True), (20, True), (21, False), (3, False)):
        dome = Dome(now=NIGHT.replace(hour=hour))
        await dome.obeying(zone=shanghai).check(due(), ORDER)
        assert bool(dome.done) is is_moved, hour


async def test_a_suspicion_is_followed_up_when_the_hours_are_over() -> None:
    seen_at = NIGHT.replace(hour=4, minute=59)
    suspect = PictureFault(since=NIGHT, seen_at=seen_at, looks=1, score=90, threshold=50, why="…")
    suspected = PictureState(device_id=7, suspects={Index.PTZ: suspect})
    for minutes, is_moved in ((1, True), (59, True), (60, False), (-60 * 6, False)):
        dome = Dome(now=seen_at + timedelta(minutes=minutes))
        await dome.obeying(hours=frozenset()).check(due(state=suspected), ORDER)
        assert bool(dome.done) is is_moved, minutes


@pytest.mark.parametrize("at", ["", "5"])
async def test_a_camera_in_somebodys_hands_is_left_alone(at: str) -> None:
    for dome in (Dome(at=at), Dome(is_moving=True), Dome(is_left_alone=False)):
        assert await dome.obeying().check(due(), ORDER) is None
        assert dome.done == []


@pytest.mark.parametrize("at", ["2", None])
async def test_a_camera_that_may_not_be_at_home_goes_there_first(at: str | None) -> None:
    dome = Dome(at=at)
    await dome.obeying().check(due(), ORDER)
    assert dome.done == ["to 1", "look", "to 2", "look", "to 1"]
    assert dome.pauses == [8.0, 8.0]


async def test_it_is_moved_again_sooner_only_to_confirm_or_to_end_a_fault() -> None:
    fault = PictureFault(since=NIGHT, looks=1, score=90, threshold=50, why="…")
    suspected = PictureState(device_id=7, suspects={Index.PTZ: fault})
    faulty = PictureState(device_id=7, faults={Index.PTZ: fault})
    dome = Dome()
    for state in (None, suspected, faulty):
        await dome.obeying().check(due(state=state), ORDER)
    assert dome.asked_since == [NIGHT - timedelta(hours=20), NIGHT, NIGHT]


@pytest.mark.parametrize(
    ("broken", "done"),
    [
        ("bearing", []),
        ("look", ["look"]),
        ("to 2", ["look", "to 2", "to 1"]),
        ("to 1", ["look", "to 2", "look", "to 1", "to 1", "to 1"]),
    ],
)
async def test_what_fails_is_no_fault_of_the_picture_and_the_camera_returns(
    broken: str, done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    dome = Dome(broken=frozenset({broken}))
    finding = await dome.obeying().check(due(), ORDER)
    assert (finding is None) is (broken != "to 1")
    assert dome.done == done
    assert ("may not have returned" in caplog.text) is (broken == "to 1")


async def test_a_look_that_fails_over_there_returns_too() -> None:
    dome = Dome()

    async def fetch(
        target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        if dome.at == "2":
            raise DeviceError
        return await Dome.fetch(dome, target, timeout_s=timeout_s)

    dome.fetch = fetch  # type: ignore[method-assign]  # of this one camera
    assert await dome.obeying().check(due(), ORDER) is None
    assert dome.done == ["look", "to 2", "to 1"]


async def test_a_cancelled_check_sends_the_camera_home() -> None:
    dome = Dome()
    check = asyncio.create_task(dome.obeying().check(due(), ORDER))
    while "to 2" not in dome.done:
        await asyncio.sleep(0)
    dome.may_look.clear()
    while dome.done[-1] != "look":
        await asyncio.sleep(0)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    assert dome.done[-1] == "to 1"
    assert dome.at == "1"
