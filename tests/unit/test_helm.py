"""Orders of people to a camera: one at a time, the newest first, and none for ever."""

import asyncio

import pytest

from hub.domain.devices import Preset
from hub.domain.errors import Conflict, DeviceUnreachable
from hub.domain.ports import CameraTarget
from hub.domain.steering import Motion
from hub.web.helm import STOP_TRIES, Helm
from tests.virtual_time import run

CAMERA, OTHER = CameraTarget(device_id=1), CameraTarget(device_id=2)


class Motor:
    """Takes half a second for an order, and remembers when it was given which."""

    def __init__(self) -> None:
        self.done: list[tuple[float, str]] = []
        self.is_away = False

    async def _do(self, what: str) -> None:
        await asyncio.sleep(0.5)
        self.done.append((asyncio.get_running_loop().time(), what))
        if self.is_away:
            msg = "no answer in time"
            raise DeviceUnreachable(msg)

    async def move(self, target: CameraTarget, motion: Motion, *, timeout_s: float) -> None:
        del timeout_s
        await self._do(f"{target.device_id} moves {motion.pan:g}")

    async def stop(self, target: CameraTarget, *, timeout_s: float) -> None:
        del timeout_s
        await self._do(f"{target.device_id} stops")

    async def go_home(self, target: CameraTarget, *, timeout_s: float) -> None:
        del timeout_s
        await self._do(f"{target.device_id} goes home")

    async def call_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        del timeout_s
        await self._do(f"{target.device_id} goes to {preset}")

    async def list_presets(self, target: CameraTarget, *, timeout_s: float) -> tuple[Preset, ...]:
        raise NotImplementedError

    async def set_preset(
        self, target: CameraTarget, name: str, *, preset: str = "", timeout_s: float
    ) -> str:
        raise NotImplementedError

    async def remove_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        raise NotImplementedError

    @property
    def words(self) -> list[str]:
        return [what for _, what in self.done]


def test_a_camera_stops_when_no_further_order_comes() -> None:
    async def steer() -> Motor:
        motor = Motor()
        helm = Helm(motor)
        for _ in range(3):
            await helm.move(CAMERA, Motion(pan=1, lasts_s=1.5))
        await asyncio.sleep(10)
        return motor

    assert run(steer()).done == [
        (0.5, "1 moves 1"), (1.0, "1 moves 1"), (1.5, "1 moves 1"), (3.5, "1 stops"),
    ]  # fmt: skip


def test_who_stops_or_goes_elsewhere_is_not_stopped_again() -> None:
    async def steer() -> Motor:
        motor = Motor()
        helm = Helm(motor)
        await helm.move(CAMERA, Motion(pan=1))
        await helm.stop(CAMERA)
        await helm.move(CAMERA, Motion(pan=-1))
        await helm.send(CAMERA, "7")
        await helm.move(OTHER, Motion(pan=1, lasts_s=0.2))
        await helm.send(OTHER, None)
        await asyncio.sleep(10)
        return motor

    assert run(steer()).words == [
        "1 moves 1", "1 stops", "1 moves -1", "1 goes to 7", "2 moves 1", "2 goes home",
    ]  # fmt: skip


def test_an_order_that_a_newer_one_overtook_is_dropped() -> None:
    async def steer() -> Motor:
        motor = Motor()
        helm = Helm(motor)
        await asyncio.gather(
            *(helm.move(CAMERA, Motion(pan=n / 10)) for n in range(1, 5)),
            helm.stop(CAMERA),
            helm.move(OTHER, Motion(pan=1)),
        )
        await helm.close()
        return motor

    assert run(steer()).words == ["1 moves 0.1", "2 moves 1", "1 stops", "2 stops"]


def test_a_camera_that_does_not_hear_is_told_again_and_the_person_too() -> None:
    async def steer() -> Motor:
        motor = Motor()
        motor.is_away = True
        helm = Helm(motor)
        with pytest.raises(DeviceUnreachable):
            await helm.move(CAMERA, Motion(pan=1, lasts_s=1))
        await asyncio.sleep(20)
        return motor

    assert run(steer()).words == ["1 moves 1", *["1 stops"] * STOP_TRIES]


def test_without_means_there_is_nothing_to_steer_with() -> None:
    async def steer() -> None:
        await Helm(None).move(CAMERA, Motion(pan=1))

    with pytest.raises(Conflict):
        run(steer())
