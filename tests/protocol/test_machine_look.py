"""The machine looks at a stop over real sockets: a simulated camera, the hub's own senses."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from adapters.onvif.ptz import call_preset, find_bearing
from hub.domain.health import Status
from hub.domain.looks import Glimpse, Movement
from hub.domain.patrol_details import StopPreset
from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import CameraTarget
from hub.maintenance.pictures.profiles import BUILT_IN
from hub.maintenance.pictures.sight import GlanceOrder, Sight, SightOptions, SightSenses
from hub.maintenance.pictures.timing import Frames
from hub.patrols.files import PictureFolder
from hub.patrols.walking.orders import DOUBTFUL, LookOrder
from hub.patrols.walking.turning import Motors
from hub.patrols.walking.visit import Eyes, visit
from hub.runtime.outbound import open_client
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.faults import Fault
from hub.store.patrol_places import Place
from hub.store.stops import StopResult
from streams.clips import ClipTaker
from streams.frames import fetch_frames
from streams.jpeg import parse_jpeg_size
from streams.probe import probe_camera
from streams.quality.judges import JudgePool
from streams.snapshot import take_snapshot
from tests.protocol.frame_camera import LOOPBACK
from tests.protocol.simulated import LOGIN, utc_now
from tests.unit.picture_eyes import due

STOP = PatrolStop(round_id=1, position=1, device_id=1, device_name="c", area_name="a", attempts=1)
QUIET = LookOrder(place=Place(device_id=1, usual_movement=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A camera at a place where nothing moves, and what looks at it."""

    camera: Camera
    target: CameraTarget
    eyes: Eyes

    async def look(self, order: LookOrder = QUIET) -> StopResult:
        return await visit(STOP, self.target, self.eyes, order)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    options = CameraOptions(
        name="西门1 West gate 1",
        serial="SIM-1",
        mac="02:00:00:00:00:01",
        http_port=0,
        rtsp_port=0,
        credentials=LOGIN,
        motion_interval_s=None,
        has_traffic=False,
    )
    pool = JudgePool(size=1)
    async with (
        Camera(options, clock=utc_now, rng=random.Random(7)) as camera,
        open_client(LOOPBACK) as client,
    ):
        means = {"policy": LOOPBACK, "clock": utc_now}
        fetch = partial(fetch_frames, client=client, policy=LOOPBACK, clock=utc_now)
        sight = Sight(SightSenses(fetch=fetch, judge=pool), SightOptions())
        state = camera.state
        target = CameraTarget(
            device_id=1,
            stream_address=state.stream_address(),
            snapshot_address=state.snapshot_address(),
            service_address=state.service_address(),
            credentials=LOGIN,
        )

        async def glance(
            device_id: int, *, seconds: float, width: int, timeout_s: float
        ) -> Glimpse:
            """As the Glancer does, of a camera nothing is known of."""
            frames = Frames(count=3, spacing_s=seconds / 2)
            order = GlanceOrder(frames=frames, timeout_s=timeout_s, width=width)
            known = due(device_id, target=target, status=Status.ONLINE, masks=())
            seen = await sight.glance(known, BUILT_IN, utc_now(), order)
            check = seen.check
            return Glimpse(
                picture=check.evidence,
                width=check.width,
                height=check.height,
                findings=check.findings,
                movement=None if check.moved is None else Movement(share=check.moved),
            )

        clips = ClipTaker(client=client, policy=LOOPBACK, clock=utc_now, size=1)
        eyes = Eyes(
            probe=partial(probe_camera, policy=LOOPBACK, clock=utc_now),
            snapshot=partial(take_snapshot, client=client, policy=LOOPBACK, clock=utc_now),
            folder=PictureFolder(tmp_path),
            clock=utc_now,
            glance=glance,
            clip=clips,
            motors=Motors(
                call_preset=partial(call_preset, **means),  # type: ignore[arg-type]  # by name
                find_bearing=partial(find_bearing, **means),  # type: ignore[arg-type]  # by name
                settle_s=0.1,
            ),
            glance_s=0.8,
        )
        yield Watched(camera=camera, target=target, eyes=eyes)
        await clips.close()
        await pool.close()


async def test_what_moves_at_an_empty_place_is_found_and_filmed(
    watched: Watched, tmp_path: Path
) -> None:
    calm = await watched.look(replace(QUIET, clip_s=1.0))
    assert (calm.verdict, calm.doubt, calm.remarks) == (Verdict.SEEN, 0.0, ())
    assert (calm.moved, calm.clip_sha256) == (0.0, "")
    assert parse_jpeg_size((tmp_path / "patrols/1/1.jpg").read_bytes()) == (640, 360)
    await watched.camera.set_fault(Fault.MOVING_THING)
    stirred = await watched.look(replace(QUIET, clip_s=1.0))
    assert (stirred.kind, stirred.verdict) == ("something_moving", Verdict.SEEN)
    assert stirred.doubt > 90
    assert (tmp_path / "patrols/1/1.mp4").read_bytes()[4:8] == b"ftyp"
    assert stirred.clip_sha256
    await watched.camera.set_fault(Fault.SIGNAL_LOST)
    lost = await watched.look()
    assert (lost.kind, lost.remarks) == ("picture_bad", ("无视频信号 No video signal",))


async def test_a_dome_shows_its_preset_and_stands_at_home_again(watched: Watched) -> None:
    state = watched.camera.state
    seen_at: list[int] = []
    glance = watched.eyes.glance
    assert glance is not None

    async def note(device_id: int, *, seconds: float, width: int, timeout_s: float) -> Glimpse:
        seen_at.append(state.preset)
        return await glance(device_id, seconds=seconds, width=width, timeout_s=timeout_s)

    noting = replace(watched, eyes=replace(watched.eyes, glance=note))
    state.move_to(3)
    found = await noting.look(replace(QUIET, preset=StopPreset(preset="2", home="1")))
    assert (found.verdict, seen_at, state.preset) == (Verdict.SEEN, [1], 0)
    # Nobody said where home is: where it stood.
    await noting.look(replace(QUIET, preset=StopPreset(preset="3")))
    assert (seen_at, state.preset) == ([1, 2], 0)
    unknown = await noting.look(replace(QUIET, preset=StopPreset(preset="99", home="1")))
    assert unknown.verdict is Verdict.SEEN
    assert "Did not go to its preset" in unknown.remarks[0]
    assert unknown.doubt >= DOUBTFUL
    assert state.preset == 0
