"""The farm of cameras that benchmarks and system tests probe."""

import asyncio
from ipaddress import ip_address

from hub.domain.health import Depth
from hub.domain.ports import CameraTarget
from tests.benchmarks.camera_farm import Farm, host_of, number_of
from tests.protocol.probing import ADMIN, probe


async def test_farm_of_cameras_falls_silent_hangs_up_and_comes_back() -> None:
    async def statuses() -> list[str]:
        targets = [CameraTarget(device_id=n, stream_address=farm.address(n)) for n in range(8)]
        results = await asyncio.gather(
            *(probe(target, timeout_s=0.5, depth=Depth.ANSWER) for target in targets)
        )
        return [one.detail.rpartition(": ")[2] for one in results]

    async with Farm(is_digest=True) as farm:
        assert await statuses() == [""] * 8
        deep = CameraTarget(device_id=1, stream_address=farm.address(1), credentials=ADMIN)
        assert (await probe(deep)).failed_layer is None
        await farm.cut(range(2, 4))
        await farm.refuse(range(5, 6))
        silence = "it accepts the connection and says nothing within 0.5 s"
        reset = "it cut the connection"
        assert await statuses() == ["", "", silence, silence, "", reset, "", ""]
        await farm.restore(range(8))
        assert await statuses() == [""] * 8


def test_each_camera_of_a_farm_has_an_address_of_its_own() -> None:
    assert all(number_of(host_of(number)) == number for number in range(0, 69_919, 7))
    assert len({host_of(number) for number in range(69_919)}) == 69_919
    assert all(ip_address(host_of(number)).is_loopback for number in (0, 249, 250, 69_918))
