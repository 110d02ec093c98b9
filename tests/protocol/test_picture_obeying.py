"""Whether a camera obeys, over real sockets: one is sent away, seen and brought back."""

import asyncio
from datetime import datetime
from functools import partial

import pytest

from adapters.onvif.ptz import call_preset, find_bearing
from hub.domain.ports import CameraTarget
from hub.domain.quality import CheckOrder, PictureCheck
from hub.domain.quality_profiles import DAY, NIGHT
from hub.maintenance.pictures.obeying import Obeying, ObeyingOptions, ObeyingSenses
from hub.runtime.outbound import open_client
from hub.simulators.faults import Fault
from streams.frames import fetch_frames
from streams.quality.judging import judge
from tests.protocol.onvif_look import target_of
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now
from tests.unit.test_picture_obeying import due

ORDER = CheckOrder(frames=(), thresholds=DAY, infrared=NIGHT)


@pytest.mark.parametrize("fault", [None, Fault.STUCK_PTZ])
async def test_a_camera_that_does_not_move_is_a_fault(fault: Fault | None) -> None:
    async with simulated_camera() as camera, open_client(LOOPBACK) as client:
        target = CameraTarget(
            device_id=7,
            snapshot_address=camera.state.snapshot_address(),
            service_address=target_of(camera.state.service_address()).service_address,
            credentials=LOGIN,
            options={"ptz_check": ["1", "3"]},
        )
        places: list[int] = []

        async def look_around(_seconds: float) -> None:
            places.append(camera.state.preset)

        async def judge_apart(order: CheckOrder) -> PictureCheck:
            return await asyncio.to_thread(judge, order)

        async def is_free(_device_id: int, _since: datetime) -> bool:
            return True

        senses = ObeyingSenses(
            fetch=partial(fetch_frames, client=client, policy=LOOPBACK, clock=utc_now),
            judge=judge_apart,
            call_preset=partial(call_preset, policy=LOOPBACK, clock=utc_now),
            find_bearing=partial(find_bearing, policy=LOOPBACK, clock=utc_now),
            is_free=is_free,
            clock=utc_now,
            pause=look_around,
        )
        if fault is not None:
            await camera.set_fault(fault)
        obeying = Obeying(senses, ObeyingOptions(hours=frozenset(range(24))))
        finding = await obeying.check(due(target), ORDER)
        assert finding is not None
        assert finding.is_fault is (fault is not None)
        assert places == ([0, 0] if fault else [2])
        assert camera.state.preset == 0
