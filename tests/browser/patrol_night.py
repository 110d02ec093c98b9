"""A round by night that waits for people: four cameras, two doubtful, one that does not answer."""

import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from hub.domain.patrols import PatrolStop
from hub.patrols.files import PictureFolder
from hub.store import devices, stop_results
from hub.store.database import Database
from tests.walked_rounds import HUB, Shown, begin_walk, show_stop
from tests.web.stage import Field, World, add_camera

HOSTILE: Final = '<img src=x onerror="alert(1)">{{7*7}}'
GATE, STORE, BRIDGE = "安平村 村口", "安平村 仓库", "安平村 桥头"


def make_night(number: int) -> bytes:
    """A lane by night with a lamp, another at each place."""
    picture = np.full((720, 1280, 3), (38, 30, 26), np.uint8)
    cv2.rectangle(picture, (0, 430), (1280, 720), (58, 56, 54), -1)
    cv2.circle(picture, (200 + 190 * number, 250), 60, (190, 235, 250), -1)
    cv2.putText(picture, f"{number}", (40, 680), cv2.FONT_HERSHEY_SIMPLEX, 3, (180, 180, 180), 6)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def make_film() -> bytes:
    """Half a second of film as browsers play it."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(5):
            shade = np.full((180, 320, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="bgr24")))
        container.mux(stream.encode(None))
    return file.getvalue()


async def begin_night(
    database: Database, world: World, outside: Field, data_dir: Path, **changes: object
) -> int:
    """Begin the round; the first camera has a hostile name and remark."""
    folder, now = PictureFolder(data_dir), outside.now
    async with database.transaction() as tx:
        cameras = [world.east_camera]
        cameras += [(await add_camera(tx, world.east, name))[0] for name in (GATE, STORE, BRIDGE)]
        await devices.edit_device(tx, HUB, world.east_camera, name=HOSTILE, area_id=world.east)
        number = await begin_walk(tx, world.town, cameras, now, lasts_s=3600, **changes)  # type: ignore[arg-type]  # the caller knows the fields
        shown: Sequence[Shown] = (
            Shown(jpeg=make_night(1), remarks=(HOSTILE,)),
            Shown(
                jpeg=make_night(2),
                doubt=82,
                remarks=(
                    "something moves where nothing moves at this hour: 4 % of the picture",
                    "the picture differs from what the camera usually shows",
                ),
            ),
            Shown(reason="camera cannot be reached"),
            Shown(jpeg=make_night(4), doubt=35, remarks=("a door was opened",), film=make_film()),
        )
        for position, one in enumerate(shown, start=1):
            await show_stop(tx, folder, (number, position), one, now - timedelta(seconds=20))
    return number


async def stops_of(database: Database, number: int) -> list[PatrolStop]:
    """The four stops as they stand."""
    async with database.transaction() as tx:
        return [await stop_results.get_stop(tx, HUB, number, place) for place in range(1, 5)]
