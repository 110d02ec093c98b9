"""A look at a stop: glance, film and preset; whatever fails, there is a verdict and a way home."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.devices import Preset
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    StoreUnavailable,
    UnsupportedByDevice,
)
from hub.domain.health import Depth, Layer, ProbeResult
from hub.domain.looks import LONGEST_CLIP_S, Clip, Glimpse, Movement, NotJudged
from hub.domain.patrol_details import PlanDetails, StopPreset
from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import Bearing, CameraTarget, Picture
from hub.domain.quality import Finding, Index
from hub.patrols.files import CLIP_MIME, PictureFolder
from hub.patrols.walking.orders import DOUBTFUL, LookOrder, order_of
from hub.patrols.walking.turning import Motors
from hub.patrols.walking.visit import Eyes, visit
from hub.store.patrol_places import Place
from hub.store.stops import StopResult

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
TARGET = CameraTarget(device_id=7, stream_address="rtsp://192.0.2.1/main")
STOP = PatrolStop(round_id=3, position=2, device_id=7, device_name="c", area_name="a", attempts=1)
EMPTY_AT_NIGHT = Place(device_id=7, usual_movement=0.0)
WALKER = Glimpse(
    picture=b"\xff\xd8 glimpsed", width=8, height=8, movement=Movement(share=0.02), change=3.0
)
COVERED = Finding(index=Index.OCCLUSION, score=80, threshold=50, why="")
GATE = StopPreset(preset="gate", home="rest")


@dataclass
class Camera:
    """Does what it is told, and notes what was asked of it in ``deeds``."""

    folder: Path
    glimpse: Glimpse | Exception = WALKER
    snap: Exception | None = None
    film: Exception | None = None
    stuck: Callable[[str], Exception | None] = lambda _: None
    stands: str | Exception | None = None
    hangs: frozenset[str] = frozenset()
    layer: Layer | None = None
    deeds: list[str] = field(default_factory=list)

    async def _do(self, deed: str) -> None:
        self.deeds.append(deed)
        await asyncio.sleep(0)
        if deed in self.hangs:
            await asyncio.Event().wait()

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del target, timeout_s, depth
        await self._do("probe")
        return ProbeResult(probed_at=NOW, latency_s=0.1, failed_layer=self.layer)

    async def glance(
        self, device_id: int, *, seconds: float, width: int, timeout_s: float
    ) -> Glimpse:
        assert device_id == TARGET.device_id
        assert seconds > 0
        assert width > 0
        del timeout_s
        await self._do("glance")
        if isinstance(self.glimpse, Exception):
            raise self.glimpse
        return self.glimpse

    async def snapshot(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        del target, timeout_s
        await self._do("snapshot")
        if self.snap is not None:
            raise self.snap
        return Picture(jpeg=b"\xff\xd8 taken", width=8, height=8, taken_at=NOW, source="stream")

    async def clip(self, target: CameraTarget, *, seconds: float, timeout_s: float) -> Clip:
        del target
        assert seconds < timeout_s
        await self._do("film")
        if self.film is not None:
            raise self.film
        return Clip(data=b"a film", mime=CLIP_MIME, seconds=seconds)

    async def call_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        del target, timeout_s
        await self._do(f"to {preset}")
        error = self.stuck(preset)
        if error is not None:
            raise error

    async def find_bearing(self, target: CameraTarget, *, timeout_s: float) -> Bearing:
        del target, timeout_s
        await self._do("where")
        if isinstance(self.stands, Exception):
            raise self.stands
        return Bearing(preset=self.stands)

    async def pause(self, seconds: float) -> None:
        await self._do(f"wait {seconds:g}")

    def eyes(self, **more: object) -> Eyes:
        eyes = Eyes(
            probe=self.probe,
            snapshot=self.snapshot,
            folder=PictureFolder(self.folder),
            clock=lambda: NOW,
            glance=self.glance,
            clip=self.clip,
            motors=Motors(
                call_preset=self.call_preset,
                find_bearing=self.find_bearing,
                settle_s=8.0,
                pause=self.pause,
            ),
        )
        return replace(eyes, **more)  # type: ignore[arg-type]  # by name


async def look(camera: Camera, order: LookOrder | None = None, **more: object) -> StopResult:
    return await visit(STOP, TARGET, camera.eyes(**more), order)


async def test_a_glance_gives_the_picture_and_what_is_noticed(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    found = await look(camera, LookOrder(place=EMPTY_AT_NIGHT))
    kept = (tmp_path / "patrols/3/2.jpg").read_bytes()
    assert kept == WALKER.picture
    assert found.picture_sha256 == hashlib.sha256(kept).hexdigest()
    assert (found.verdict, found.kind, found.moved) == (Verdict.SEEN, "something_moving", 0.02)
    assert found.doubt > 90
    assert camera.deeds == ["probe", "glance"]


async def test_what_is_not_the_cameras_fault_leaves_a_snapshot(tmp_path: Path) -> None:
    for reason in (NotJudged("no judge"), StoreUnavailable("it does not answer")):
        camera = Camera(tmp_path, glimpse=reason)
        found = await look(camera)
        assert found.verdict is Verdict.SEEN
        assert (tmp_path / "patrols/3/2.jpg").read_bytes() == b"\xff\xd8 taken"
        assert found.remarks == (f"画面未经机器判断 Picture not judged: {reason}",)
        assert found.moved is None


async def test_a_verdict_that_does_not_come_leaves_a_snapshot(tmp_path: Path) -> None:
    camera = Camera(tmp_path, hangs=frozenset({"glance"}))
    found = await look(camera, glance_timeout_s=0.05, judging_wait_s=0.0)
    assert found.verdict is Verdict.SEEN
    assert "no verdict within" in found.remarks[0]
    assert found.doubt >= DOUBTFUL


@pytest.mark.parametrize(
    ("error", "layer"),
    [
        (DeviceUnreachable("gone"), "frames"),
        (DeviceBusy("503"), "frames"),
        (AuthRejected("401"), "credentials"),
    ],
)
async def test_what_is_the_cameras_fault_is_not_asked_for_twice(
    error: DeviceError, layer: str, tmp_path: Path
) -> None:
    camera = Camera(tmp_path, glimpse=error)
    found = await look(camera)
    assert (found.verdict, found.layer, found.detail) == (Verdict.NOT_SEEN, layer, str(error))
    assert found.kind == "camera_down"
    assert camera.deeds == ["probe", "glance"]


async def test_without_a_glance_a_picture_is_taken_and_nothing_said_of_it(tmp_path: Path) -> None:
    found = await look(Camera(tmp_path), glance=None)
    assert (found.verdict, found.doubt, found.remarks) == (Verdict.SEEN, 0.0, ())


async def test_a_film_is_taken_of_what_is_doubtful_and_of_nothing_else(tmp_path: Path) -> None:
    order = LookOrder(place=EMPTY_AT_NIGHT, clip_s=5.0)
    found = await look(Camera(tmp_path), order)
    assert (tmp_path / "patrols/3/2.mp4").read_bytes() == b"a film"
    assert found.clip_sha256 == hashlib.sha256(b"a film").hexdigest()
    for quiet in (
        Camera(tmp_path, glimpse=replace(WALKER, movement=Movement(share=0.0))),
        Camera(tmp_path, snap=DeviceUnreachable("gone"), glimpse=NotJudged("no judge")),
    ):
        assert (await look(quiet, order)).clip_sha256 == ""
        assert "film" not in quiet.deeds
    assert (await look(Camera(tmp_path), replace(order, clip_s=0.0))).clip_sha256 == ""
    assert (await look(Camera(tmp_path), order, clip=None)).clip_sha256 == ""


@pytest.mark.parametrize(
    "broken", [{"film": DeviceUnreachable("cut\noff")}, {"hangs": frozenset({"film"})}]
)
async def test_without_a_film_the_verdict_stands(broken: dict[str, object], tmp_path: Path) -> None:
    camera = Camera(tmp_path, **broken)  # type: ignore[arg-type]  # by name
    order = LookOrder(place=EMPTY_AT_NIGHT, clip_s=0.01)
    found = await look(camera, order, clip_extra_s=0.05)
    assert (found.verdict, found.clip_sha256) == (Verdict.SEEN, "")
    assert found.remarks[-1] in {
        "未录到短片 No film: cut off",
        "未录到短片 No film: not done within 0.06 s",
    }


@pytest.mark.threat("K10")
async def test_a_film_the_disk_does_not_take_is_said(tmp_path: Path) -> None:
    (tmp_path / "patrols/3").mkdir(parents=True)
    (tmp_path / "patrols/3/2.mp4").mkdir()
    found = await look(Camera(tmp_path), LookOrder(place=EMPTY_AT_NIGHT, clip_s=5.0))
    assert (found.verdict, found.clip_sha256) == (Verdict.SEEN, "")
    assert "No film" in found.remarks[-1]


async def test_a_camera_is_sent_to_its_preset_and_home(tmp_path: Path) -> None:
    camera = Camera(tmp_path, glimpse=replace(WALKER, findings=(COVERED,)))
    found = await look(camera, LookOrder(preset=GATE, clip_s=5.0, place=EMPTY_AT_NIGHT))
    assert camera.deeds == ["to gate", "wait 8", "probe", "glance", "film", "to rest"]
    assert found.clip_sha256
    assert not any("covered" in remark for remark in found.remarks)  # that was of another view


@pytest.mark.parametrize(
    "broken",
    [
        {"glimpse": DeviceUnreachable("gone")},
        {"glimpse": ValueError("a defect")},
        {"hangs": frozenset({"glance"})},
        {"layer": Layer.NETWORK},
    ],
)
async def test_it_comes_home_however_the_look_ends(
    broken: dict[str, object], tmp_path: Path
) -> None:
    camera = Camera(tmp_path, **broken)  # type: ignore[arg-type]  # by name
    found = await look(camera, LookOrder(preset=GATE), timeout_s=0.05)
    assert found.verdict is Verdict.NOT_SEEN
    assert camera.deeds[-1] == "to rest"


async def test_it_comes_home_when_the_worker_is_told_to_stop(tmp_path: Path) -> None:
    camera = Camera(tmp_path, hangs=frozenset({"glance"}))
    looking = asyncio.create_task(look(camera, LookOrder(preset=GATE)))
    while "glance" not in camera.deeds:
        await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert camera.deeds[-1] == "to rest"


async def test_a_way_home_that_fails_is_tried_again_and_then_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = DeviceUnreachable("gone")
    camera = Camera(tmp_path, stuck=lambda preset: lost if preset == "rest" else None)
    found = await look(camera, LookOrder(preset=GATE))
    assert found.verdict is Verdict.SEEN
    assert camera.deeds.count("to rest") == 3
    assert "may not have returned to preset rest" in caplog.text


@pytest.mark.parametrize(
    ("error", "returns"),
    [(DeviceUnreachable("no answer"), 1), (UnsupportedByDevice("no motors"), 0)],
)
async def test_one_that_does_not_turn_is_looked_at_as_it_stands(
    error: DeviceError, returns: int, tmp_path: Path
) -> None:
    camera = Camera(tmp_path, stuck=lambda preset: error if preset == "gate" else None)
    found = await look(camera, LookOrder(preset=GATE))
    assert found.verdict is Verdict.SEEN
    assert f"未转到预置位 Did not go to its preset: {error}" in found.remarks
    # An order without an answer may have been taken all the same.
    assert camera.deeds.count("to rest") == returns
    nobody = await look(Camera(tmp_path), LookOrder(preset=GATE), motors=None)
    assert any("moves no cameras" in remark for remark in nobody.remarks)


async def test_without_a_home_it_goes_back_to_where_it_stood(tmp_path: Path) -> None:
    order = LookOrder(preset=StopPreset(preset="gate"))
    for stands, last in (
        ("road", "to road"),
        ("gate", "glance"),
        ("", "glance"),
        (None, "glance"),
        (UnsupportedByDevice("it does not tell"), "glance"),
    ):
        camera = Camera(tmp_path, stands=stands)
        await look(camera, order)
        assert camera.deeds[:2] == ["where", "to gate"]
        assert camera.deeds[-1] == last


@pytest.mark.threat("T6")
def test_names_of_files_are_made_of_numbers_alone(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    assert folder.clip_path(3, 2) == tmp_path / "patrols" / "3" / "2.mp4"
    for name in ("../../etc/x", "2\0", "%2e%2e"):
        with pytest.raises(ValueError, match="format code"):
            folder.clip_path(3, name)  # type: ignore[arg-type]  # what no caller may do


def test_a_plan_says_which_cameras_turn_and_for_how_long_it_films() -> None:
    own, usual = StopPreset(preset="own"), StopPreset(preset="usual")
    details = PlanDetails(preset=usual, presets={7: own, 8: StopPreset(preset="")}, clip_s=99.0)
    fixed, dome = Place(device_id=9), Place(device_id=9, has_ptz=True)
    assert order_of(details, 7, fixed).preset == own
    assert order_of(details, 8, dome).preset is None  # it alone is left as it stands
    assert order_of(details, 9, fixed).preset is None
    assert order_of(details, 9).preset is None
    assert order_of(details, 9, dome).preset == usual
    named = replace(
        dome,
        presets=(
            Preset(token="p1", name="夜查"),
            Preset(token="p2", name="夜查"),
            Preset(token="rest", name="p1"),
            Preset(token="p9", name=""),
        ),
    )
    called = {
        name: order_of(PlanDetails(preset=StopPreset(preset=name, home="夜查")), 9, named).preset
        for name in ("夜查", "p1", "elsewhere")
    }
    assert called == {
        "夜查": StopPreset(preset="p1", home="p1"),
        "p1": StopPreset(preset="p1", home="p1"),  # a token before a name
        "elsewhere": StopPreset(preset="elsewhere", home="p1"),
    }
    assert order_of(details, 9, named).preset == usual
    assert order_of(details, 9, dome).clip_s == LONGEST_CLIP_S
    assert order_of(PlanDetails(clip_s=-1.0), 9, dome) == LookOrder(place=dome)
