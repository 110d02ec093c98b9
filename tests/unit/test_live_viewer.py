"""What a slow viewer is sent, and what is left out for him."""

import asyncio
from datetime import UTC, datetime

import pytest

from hub.domain.live_video import Behind, Fragment, LiveItem, LiveState, LiveStatus, Track
from hub.domain.ports import CameraTarget, Picture
from streams.live.viewer import MOST_WAITING_BYTES, MOST_WAITING_S, Viewer

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STEP_S = 0.04
TRACK = Track(codec="h264", mime="video/mp4", width=4, height=3, init=b"init")


def new_viewer() -> Viewer:
    def retarget(target: CameraTarget) -> None:
        raise AssertionError(target)

    return Viewer(retarget)


def offer(viewer: Viewer, first: int, count: int, *, group: int = 50, size: int = 10) -> None:
    """Offer so many pictures in time, each ``group``-th a key picture."""
    for number in range(first, first + count):
        data = number.to_bytes(4, "big").ljust(size, b".")
        fragment = Fragment(data=data, is_key=number % group == 0, received_at=number * STEP_S)
        viewer.offer(fragment, number * STEP_S)


def numbers(items: list[LiveItem]) -> list[int]:
    return [int.from_bytes(one.data[:4], "big") for one in items if isinstance(one, Fragment)]


async def take(viewer: Viewer) -> list[LiveItem]:
    async with asyncio.timeout(1):
        return list(await viewer.next())


async def test_a_newcomer_begins_with_a_key_picture_and_is_not_called_slow() -> None:
    viewer = new_viewer()
    viewer.tell(TRACK)
    offer(viewer, 47, 5)
    assert await take(viewer) == [TRACK, *[Fragment(
        data=n.to_bytes(4, "big").ljust(10, b"."), is_key=n == 50, received_at=n * STEP_S
    ) for n in (50, 51)]]  # fmt: skip


async def test_who_is_too_slow_goes_on_with_the_next_key_picture() -> None:
    viewer = new_viewer()
    offer(viewer, 0, 10)
    assert numbers(await take(viewer)) == list(range(10))
    late = int(MOST_WAITING_S / STEP_S) + 2
    offer(viewer, 10, late)  # by the last of them too much waits: all is left out
    offer(viewer, 10 + late, 53 - 10 - late)
    items = await take(viewer)
    assert items[0] == Behind(skipped=40)
    assert numbers(items) == [50, 51, 52]


async def test_a_recent_key_picture_that_waits_already_is_gone_on_with() -> None:
    viewer = new_viewer()
    offer(viewer, 0, 1, group=30)
    await take(viewer)
    last = 1 + int(MOST_WAITING_S / STEP_S) + 1
    offer(viewer, 1, last, group=30)
    items = await take(viewer)
    assert items[0] == Behind(skipped=29)
    assert numbers(items) == list(range(30, 1 + last))


async def test_what_waits_is_bounded_in_bytes() -> None:
    viewer = new_viewer()
    size = MOST_WAITING_BYTES // 8
    for number in range(36):
        data = number.to_bytes(4, "big").ljust(size, b".")
        viewer.offer(Fragment(data=data, is_key=number % 10 == 0, received_at=0.0), 0.0)
        waiting = sum(len(fragment.data) for fragment, _ in viewer._waiting)
        assert waiting <= MOST_WAITING_BYTES
    assert sum(len(one.data) for one in await take(viewer) if isinstance(one, Fragment)) > 0


async def test_news_come_first_and_only_the_last_of_each_kind() -> None:
    viewer = new_viewer()
    frozen = LiveStatus(state=LiveState.FROZEN, since=NOW)
    live = LiveStatus(state=LiveState.LIVE, since=NOW)
    pictures = [
        Picture(jpeg=bytes([n]), width=4, height=3, taken_at=NOW, source="snapshot")
        for n in range(3)
    ]
    offer(viewer, 0, 2)
    told: list[LiveStatus | Picture | Track] = [frozen, *pictures, TRACK, live]
    for news in told:
        viewer.tell(news)
    offer(viewer, 49, 3)  # of the new track
    items = await take(viewer)
    assert items[:3] == [pictures[2], TRACK, live]
    assert items[3] == Behind(skipped=3)
    assert numbers(items) == [50, 51]


async def test_who_waits_is_woken_once_something_comes() -> None:
    viewer = new_viewer()
    waiting = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    offer(viewer, 0, 1)
    assert numbers(list(await waiting)) == [0]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await viewer.next()
