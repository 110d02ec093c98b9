"""One stop: whatever the camera does, there is a verdict in time and a reason in plain words."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.errors import AuthRejected, DeviceError, DeviceUnreachable, ProtocolViolation
from hub.domain.health import Depth, Layer, ProbeResult
from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import CameraTarget, Picture
from hub.patrols.files import MAX_PICTURE_BYTES, PictureFolder
from hub.patrols.walking.visit import MAX_ATTEMPTS, Eyes, visit
from hub.runtime.files import NotKept
from hub.store.stops import StopResult

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
TARGET = CameraTarget(device_id=1, stream_address="rtsp://192.0.2.1/main")
GOOD = ProbeResult(probed_at=NOW, latency_s=0.1)
JPEG = b"\xff\xd8 a picture"


def failed(layer: Layer) -> ProbeResult:
    return ProbeResult(probed_at=NOW, latency_s=1, failed_layer=layer, detail="its own words")


class Camera:
    """Answers as it is told to."""

    def __init__(self, found: ProbeResult = GOOD, error: BaseException | None = None) -> None:
        self.found = found
        self.error = error
        self.jpeg = JPEG
        self.pictures_asked = 0

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del target, timeout_s, depth
        return self.found

    async def snapshot(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        del target, timeout_s
        self.pictures_asked += 1
        if isinstance(self.error, TimeoutError):
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return Picture(jpeg=self.jpeg, width=8, height=8, taken_at=NOW, source="stream")


async def look(
    camera: Camera,
    folder: Path,
    *,
    target: CameraTarget | None = TARGET,
    attempts: int = 1,
    timeout_s: float = 5.0,
) -> StopResult:
    eyes = Eyes(
        probe=camera.probe,
        snapshot=camera.snapshot,
        folder=PictureFolder(folder),
        clock=lambda: NOW,
        timeout_s=timeout_s,
    )
    stop = PatrolStop(
        round_id=3, position=2, device_id=1, device_name="c", area_name="a", attempts=attempts
    )
    return await visit(stop, target, eyes)


async def test_a_good_camera_is_seen_and_its_picture_kept(tmp_path: Path) -> None:
    found = await look(Camera(), tmp_path)
    assert (found.verdict, found.reason, found.has_picture) == (Verdict.SEEN, "", True)
    assert (tmp_path / "patrols/3/2.jpg").read_bytes() == JPEG


async def test_a_picture_beside_a_fault_is_seen_with_a_remark(tmp_path: Path) -> None:
    found = await look(Camera(failed(Layer.STREAM)), tmp_path)
    assert (found.verdict, found.layer) == (Verdict.SEEN, "stream")
    assert (found.reason, found.detail) == ("无视频流 Camera offers no video", "its own words")


async def test_an_unreachable_camera_is_not_asked_twice(tmp_path: Path) -> None:
    camera = Camera(failed(Layer.NETWORK))
    found = await look(camera, tmp_path)
    assert (found.verdict, found.reason) == (
        Verdict.NOT_SEEN,
        "摄像机不通 Camera cannot be reached",
    )
    assert camera.pictures_asked == 0


async def test_another_address_for_pictures_is_tried_all_the_same(tmp_path: Path) -> None:
    target = CameraTarget(
        device_id=1, stream_address="rtsp://192.0.2.1/main", snapshot_address="http://192.0.2.1/x"
    )
    found = await look(Camera(failed(Layer.NETWORK)), tmp_path, target=target)
    assert found.verdict is Verdict.SEEN


@pytest.mark.parametrize(
    ("error", "layer"),
    [
        (DeviceUnreachable("gone in between"), "frames"),
        (AuthRejected("401"), "credentials"),
        (ProtocolViolation("no JPEG"), "frames"),
    ],
)
async def test_a_good_probe_without_a_picture_names_why(
    error: DeviceError, layer: str, tmp_path: Path
) -> None:
    found = await look(Camera(error=error), tmp_path)
    assert (found.verdict, found.layer, found.detail) == (Verdict.NOT_SEEN, layer, str(error))


async def test_our_own_shortage_is_not_put_down_to_the_camera(tmp_path: Path) -> None:
    ours = ProbeResult(probed_at=NOW, latency_s=0, failed_layer=Layer.NETWORK, is_conclusive=False)
    found = await look(Camera(ours), tmp_path)
    assert (found.verdict, found.layer, found.reason) == (Verdict.SEEN, "", "")


async def test_a_camera_that_never_answers_costs_its_time_and_no_more(tmp_path: Path) -> None:
    found = await look(Camera(error=TimeoutError()), tmp_path, timeout_s=0.05)
    assert found.verdict is Verdict.NOT_SEEN
    assert "0.05 s" in found.reason


async def test_a_defect_of_ours_ends_one_visit_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = await look(Camera(error=IndexError("a parser of ours")), tmp_path)
    assert found.verdict is Verdict.NOT_SEEN
    assert "IndexError" in found.reason
    assert "a parser of ours" in caplog.text


async def test_a_camera_that_ends_workers_is_passed_by(tmp_path: Path) -> None:
    camera = Camera()
    found = await look(camera, tmp_path, attempts=MAX_ATTEMPTS + 1)
    assert found.verdict is Verdict.NOT_SEEN
    assert camera.pictures_asked == 0


async def test_a_camera_without_address_is_not_seen(tmp_path: Path) -> None:
    found = await look(Camera(), tmp_path, target=None)
    assert (found.verdict, found.layer) == (Verdict.NOT_SEEN, "")


async def test_a_picture_too_large_is_seen_and_not_kept(tmp_path: Path) -> None:
    camera = Camera()
    camera.jpeg = b"\xff" * (MAX_PICTURE_BYTES + 1)
    found = await look(camera, tmp_path)
    assert (found.verdict, found.has_picture) == (Verdict.SEEN, False)
    assert found.reason == "picture not kept: larger than 8 MiB"


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from hub.patrols.files import PictureFolder
from hub.runtime.files import NotKept
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
folder = PictureFolder(Path(sys.argv[1]))
asyncio.run(folder.keep_picture(1, 1, b"x" * 900))
try:
    asyncio.run(folder.keep_picture(1, 2, b"x" * 5000))
except NotKept as trouble:
    print(trouble)
"""


@pytest.mark.threat("K10")
def test_a_disk_that_takes_no_more_leaves_no_half_picture(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "disk full\n"
    assert [p.name for p in (tmp_path / "patrols/1").iterdir()] == ["1.jpg"]


async def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    folder = tmp_path / "patrols/1"
    folder.mkdir(parents=True)
    (folder / f".1.jpg.{os.getpid()}.new").symlink_to(outside)
    (folder / "2.jpg").symlink_to(outside)
    pictures = PictureFolder(tmp_path)
    with pytest.raises(NotKept):
        await pictures.keep_picture(1, 1, JPEG)
    await pictures.keep_picture(1, 2, JPEG)
    assert outside.read_bytes() == b"mine"
