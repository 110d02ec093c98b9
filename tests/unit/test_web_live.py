"""What of a change one console gets, and what a slow one gets."""

import json
from typing import cast

import pytest

from hub.domain.access import Scope
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.web.live import QUEUE_LIMIT, Broadcaster, Change, Client, Row, build_event, stream

EAST = Scope(paths=("town.east",), actor="x")


def change() -> Change:
    east = Row(area_path="town.east.hut", text=json.dumps({"name": "a\nb"}))
    west = Row(area_path="town.west", text='{"name":"hidden"}')
    eastern = Row(area_path="town.eastern", text='{"name":"neighbour"}')
    return Change(topic="devices", rows=(east, west, eastern))


def test_only_rows_of_the_scope_are_sent() -> None:
    text = build_event(change(), EAST)
    head, data, end = text.split("\n", 2)
    assert head == "event: devices"
    assert json.loads(data.removeprefix("data: ")) == {"items": [{"name": "a\nb"}]}
    assert end == "\n"


def test_nothing_is_sent_where_nothing_is_visible() -> None:
    assert build_event(change(), Scope(paths=("city",), actor="x")) == ""
    assert build_event(change(), Scope(paths=(), actor="x")) == ""


def test_a_slow_console_is_told_to_read_again_once() -> None:
    client = Client(user_id=1)
    for _ in range(QUEUE_LIMIT + 1):
        client.offer(change())
    assert client.queue.qsize() == 1
    assert client.queue.get_nowait().topic == "resync"


class Ended:
    """A session that was there until it was looked at again."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> Scope | None:
        self.asked += 1
        return None


@pytest.mark.threat("T17")
async def test_an_overflow_never_hides_the_end_of_a_session() -> None:
    broadcaster = Broadcaster(cast("Database", None), cast("LiveFeed", None), {})
    ended = Ended()
    texts = stream(broadcaster, 1, EAST, ended)
    assert "event: beat" in await anext(texts)
    client = next(iter(broadcaster._clients))
    client.recheck()
    for _ in range(QUEUE_LIMIT + 5):
        client.offer(change())
    assert (await anext(texts)).startswith("event: ended")
    assert [text async for text in texts] == []
    assert ended.asked == 1
    assert not broadcaster._clients


async def test_a_stopping_server_ends_every_stream() -> None:
    broadcaster = Broadcaster(cast("Database", None), cast("LiveFeed", None), {})
    texts = stream(broadcaster, 1, EAST, Ended())
    await anext(texts)
    broadcaster.end_all()
    assert [text async for text in texts] == []
