"""Pictures for alerts: taken once, in time, or not at all."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.telling.pictures import KEPT, MOST_SENT_BYTES, AlertPictures, PictureFiles
from hub.domain.alerts import Step
from hub.domain.errors import DeviceUnreachable, StoreUnavailable
from hub.domain.notifications import Message
from hub.domain.ports import CameraTarget, Picture
from tests.unit.alerts_examples import ALERT, T0, message, notification

DEGRADED = replace(ALERT, condition="device_degraded")
JPEG = b"\xff\xd8 as it was"


class Camera:
    """A camera that answers when it is let, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.jpeg = JPEG
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_camera = True

    async def find(self, device_id: int) -> CameraTarget | None:
        return CameraTarget(device_id=device_id, channel="1") if self.is_camera else None

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        assert target.channel
        assert 0 < timeout_s < 5
        self.asked += 1
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return Picture(jpeg=self.jpeg, width=2, height=2, taken_at=T0, source="snapshot")


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture
def files(tmp_path: Path) -> PictureFiles:
    return PictureFiles(tmp_path)


@pytest.fixture
def pictures(camera: Camera, files: PictureFiles) -> AlertPictures:
    return AlertPictures(camera.find, camera, files, lambda: T0, longest_s=0.1)


def about(number: int = 42, step: Step = Step.FIRED) -> Message:
    return message(notification(alert=replace(DEGRADED, id=number), step=step))


async def test_one_picture_for_all_who_are_told(
    pictures: AlertPictures, camera: Camera, files: PictureFiles
) -> None:
    camera.may_answer.clear()
    asking = [asyncio.create_task(pictures(about())) for _ in range(5)]
    await asyncio.sleep(0)
    camera.may_answer.set()
    assert await asyncio.gather(*asking) == [JPEG] * 5
    assert camera.asked == 1
    assert files.read(42) == JPEG
    camera.jpeg = b"later"
    assert await pictures(about(step=Step.ESCALATED)) == JPEG


async def test_who_stops_waiting_takes_it_from_nobody(
    pictures: AlertPictures, camera: Camera
) -> None:
    camera.may_answer.clear()
    first, second = (asyncio.create_task(pictures(about())) for _ in range(2))
    while camera.asked == 0:
        await asyncio.sleep(0)
    first.cancel()
    camera.may_answer.set()
    assert await second == JPEG


async def test_a_camera_that_does_not_answer_in_time_is_not_asked_again(
    pictures: AlertPictures, camera: Camera
) -> None:
    camera.may_answer.clear()
    assert await pictures(about()) == b""
    camera.may_answer.set()
    assert await pictures(about()) == b""
    assert camera.asked == 1


@pytest.mark.parametrize("error", [DeviceUnreachable("away"), StoreUnavailable("away")])
async def test_what_fails_is_no_picture(
    pictures: AlertPictures, camera: Camera, error: Exception
) -> None:
    camera.error = error
    assert await pictures(about()) == b""


async def test_a_disk_that_takes_nothing_does_not_keep_it_from_being_sent(
    camera: Camera, tmp_path: Path
) -> None:
    (tmp_path / "alerts").write_text("in the way")
    pictures = AlertPictures(camera.find, camera, PictureFiles(tmp_path), lambda: T0)
    assert await pictures(about()) == JPEG


async def test_only_where_a_picture_says_something(
    pictures: AlertPictures, camera: Camera, files: PictureFiles
) -> None:
    fired = notification(alert=DEGRADED)
    for told in (
        message(fired, fired),
        message(fired, count=2),
        message(notification(alert=DEGRADED, step=Step.RESOLVED)),
        message(notification(alert=replace(DEGRADED, device_id=None))),
        message(notification(alert=ALERT)),  # it is offline
        message(notification(alert=replace(DEGRADED, fired_at=T0 - timedelta(hours=1)))),
    ):
        assert await pictures(told) == b""
    assert camera.asked == 0
    camera.is_camera = False
    assert await pictures(about()) == b""
    camera.is_camera = True
    camera.jpeg = b"x" * (MOST_SENT_BYTES + 1)
    assert await pictures(about(43)) == b""
    assert len(files.read(43)) > MOST_SENT_BYTES


async def test_pictures_are_kept_for_a_time(pictures: AlertPictures, files: PictureFiles) -> None:
    old, young = files.path(1), files.path(2_000)
    for path, age in ((old, KEPT + timedelta(hours=1)), (young, timedelta(0))):
        files.keep(int(path.stem), JPEG)
        at: datetime = T0.astimezone(UTC) - age
        os.utime(path, (at.timestamp(), at.timestamp()))
    await pictures.forget_old()
    assert not old.parent.exists()
    assert young.read_bytes() == JPEG
    assert [path.name for path in young.parent.iterdir()] == ["2000.jpg"]
