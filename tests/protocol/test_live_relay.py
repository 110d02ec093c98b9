"""The relay against cameras on the wire: simulated ones, and one that does as it is told."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import DeviceUnreachable, UnsupportedByDevice
from hub.domain.health import Layer
from hub.domain.live_video import (
    Fragment,
    LiveItem,
    LiveState,
    LiveStatus,
    LiveViewer,
    StreamRole,
    Track,
)
from hub.domain.ports import CameraTarget, Picture
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.faults import Fault
from streams.live.pull import Patience
from streams.live.relay import Relay, RelayOptions
from streams.live.stream import StreamOptions
from tests.encoded import encode, packets_of
from tests.protocol.scripted_rtsp import SDP, Seen, read_request, reply, serve

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
DEADLINE_S = 20.0
FAST = RelayOptions(
    linger_s=0.1,
    stream=StreamOptions(frozen_s=0.4, soonest_s=0.05),
    patience=Patience(setting_up_s=5.0, first_key_s=10.0, silence_s=1.0),
    picture_every_s=0.05,
)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Snapshots:
    """Pictures on demand; remembers for which target."""

    asked: list[CameraTarget] = field(default_factory=list)
    is_away: bool = False

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        del timeout_s
        self.asked.append(target)
        await asyncio.sleep(0)
        if self.is_away:
            msg = "network: nothing listens on this port"
            raise DeviceUnreachable(msg)
        jpeg = str(len(self.asked)).encode()
        return Picture(jpeg=jpeg, width=4, height=3, taken_at=now(), source="snapshot")


@pytest.fixture
def snapshots() -> Snapshots:
    return Snapshots()


@pytest.fixture
async def relay(snapshots: Snapshots) -> AsyncIterator[Relay]:
    relay = Relay(policy=LOOPBACK, clock=now, take_snapshot=snapshots, options=FAST)
    yield relay
    await relay.close()
    assert relay.pulls == 0


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    options = CameraOptions(
        name="gate", serial="1", mac="02:00:00:00:00:01", http_port=0, rtsp_port=0,
        credentials=ADMIN, has_traffic=False,
    )  # fmt: skip
    async with Camera(options, clock=now, rng=random.Random(7)) as camera:
        yield camera


def target_of(camera: Camera, role: str = "main") -> CameraTarget:
    address = f"rtsp://127.0.0.1:{camera.state.rtsp_port}/{role}"
    return CameraTarget(device_id=1, channel="1", stream_address=address, credentials=ADMIN)


async def until(
    viewer: LiveViewer, is_it: Callable[[LiveItem], bool], seen: list[LiveItem] | None = None
) -> LiveItem:
    """Wait for an item; what comes on the way, and with it, is kept in ``seen``."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            items = await viewer.next()
            if seen is not None:
                seen += items
            for item in items:
                if is_it(item):
                    return item


async def until_state(viewer: LiveViewer, state: LiveState) -> LiveStatus:
    found = await until(viewer, lambda one: isinstance(one, LiveStatus) and one.state is state)
    assert isinstance(found, LiveStatus)
    return found


def is_fragment(item: LiveItem) -> bool:
    return isinstance(item, Fragment)


async def wait_for(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_many_viewers_cost_one_pull_that_ends_after_them(
    relay: Relay, camera: Camera
) -> None:
    target = target_of(camera)
    with relay.watch(target, StreamRole.MAIN) as first:
        await until(first, is_fragment)
        with relay.watch(target, StreamRole.MAIN) as second:
            seen: list[LiveItem] = []
            await until(second, is_fragment, seen)
            # What is needed to show a picture came at once.
            assert [type(one) for one in seen[:3]] == [LiveStatus, Track, Fragment]
            assert isinstance(seen[2], Fragment)
            assert seen[2].is_key
            with relay.watch(target_of(camera, "sub"), StreamRole.SUB) as small:
                track = await until(small, lambda one: isinstance(one, Track))
                assert isinstance(track, Track)
                assert track.width == 352
                assert (relay.pulls, relay.viewers, camera.viewers) == (2, 3, 2)
        assert (relay.viewers, camera.viewers) == (1, 2)  # lingering
    with relay.watch(target, StreamRole.MAIN) as again:  # within the linger: the same pull
        seen = []
        await until(again, is_fragment, seen)
        assert isinstance(seen[0], LiveStatus)
        assert seen[0].state is LiveState.LIVE
    await wait_for(lambda: camera.viewers == 0)
    assert relay.pulls == 0


async def test_a_stream_that_freezes_or_dies_is_told_of_and_tried_again(
    relay: Relay, camera: Camera
) -> None:
    with relay.watch(target_of(camera), StreamRole.MAIN) as viewer:
        await until(viewer, is_fragment)
        await camera.set_fault(Fault.CABLE_CUT)
        frozen = await until_state(viewer, LiveState.FROZEN)
        assert frozen.layer is Layer.FRAMES
        offline = await until_state(viewer, LiveState.OFFLINE)
        assert (offline.layer, offline.since) == (Layer.FRAMES, frozen.since)
        await camera.clear_fault()
        await until_state(viewer, LiveState.LIVE)
        await camera.set_fault(Fault.GARBAGE)
        offline = await until_state(viewer, LiveState.OFFLINE)
        assert offline.why
        await camera.clear_fault()
        await until_state(viewer, LiveState.LIVE)


@pytest.mark.threat("T31")
async def test_a_wrong_password_is_not_tried_again_by_looking_again(
    relay: Relay, camera: Camera
) -> None:
    wrong = Credentials(username="admin", password=Secret("falsch-und-geheim"))
    target = replace(target_of(camera), credentials=wrong)
    for _ in range(3):
        with relay.watch(target, StreamRole.MAIN) as viewer:
            offline = await until_state(viewer, LiveState.OFFLINE)
            assert offline.layer is Layer.CREDENTIALS
            assert "falsch" not in repr(offline)
            await asyncio.sleep(2 * FAST.linger_s)
    assert relay.pulls == 1
    with relay.watch(target, StreamRole.MAIN) as viewer:
        viewer.retarget(target_of(camera))  # somebody corrected it
        await until(viewer, is_fragment)


@pytest.mark.threat("T13")
async def test_an_address_that_is_not_allowed_is_not_connected_to(
    camera: Camera, snapshots: Snapshots
) -> None:
    relay = Relay(policy=AddressPolicy(), clock=now, take_snapshot=snapshots, options=FAST)
    with relay.watch(target_of(camera), StreamRole.MAIN) as viewer:
        offline = await until_state(viewer, LiveState.OFFLINE)
    assert "refused" in offline.why
    assert camera.viewers == 0
    await relay.close()


async def test_pictures_are_fetched_once_for_all_and_masked_as_it_is_now(
    relay: Relay, snapshots: Snapshots
) -> None:
    target = CameraTarget(device_id=1, channel="1", snapshot_address="http://127.0.0.1/x.jpg")
    mask = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    masked = replace(target, masks=(mask,))
    with pytest.raises(UnsupportedByDevice), relay.watch(masked, StreamRole.MAIN):
        pass
    with relay.look(target) as first, relay.look(target) as second:
        shown = [
            await until(viewer, lambda one: isinstance(one, Picture)) for viewer in (first, second)
        ]
        assert all(isinstance(one, Picture) for one in shown)
        assert len(snapshots.asked) <= 4
        first.retarget(masked)
        await wait_for(lambda: snapshots.asked[-1] == masked)
        snapshots.is_away = True
        offline = await until_state(second, LiveState.OFFLINE)
        assert (offline.layer, offline.why) == (Layer.NETWORK, "nothing listens on this port")


async def test_a_defect_of_ours_is_confessed(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(target: CameraTarget, *, timeout_s: float) -> Picture:
        raise LookupError((target.device_id, timeout_s))

    relay = Relay(policy=LOOPBACK, clock=now, take_snapshot=fail, options=FAST)
    with relay.look(CameraTarget(device_id=1)) as viewer:
        offline = await until_state(viewer, LiveState.OFFLINE)
    await relay.close()
    assert "defect" in offline.why
    assert "LookupError" in caplog.text


async def test_the_session_is_kept_alive_though_the_nonce_grows_old(relay: Relay) -> None:
    seen: list[Seen] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        nonce = "first"
        try:
            while True:
                request = await read_request(reader)
                seen.append(request)
                if playing is not None and request.method == "OPTIONS":
                    nonce = "second"
                is_known = f'nonce="{nonce}"' in request.authorization
                writer.write(answer(request, nonce, is_known=is_known))
                if request.method == "PLAY" and is_known:
                    playing = asyncio.create_task(play(writer))
        finally:
            if playing is not None:
                playing.cancel()

    async with serve(behave) as served:
        target = CameraTarget(
            device_id=1, stream_address=f"rtsp://127.0.0.1:{served.port}/x", credentials=ADMIN
        )
        with relay.watch(target, StreamRole.MAIN) as viewer:
            await until(viewer, is_fragment)
            await wait_for(lambda: [one.method for one in seen].count("OPTIONS") >= 3)
            assert 'nonce="second"' in seen[-1].authorization
            await until(viewer, is_fragment)
        assert served.connections == 1


def answer(request: Seen, nonce: str, *, is_known: bool) -> bytes:
    """What a camera answers that forgets a session after two seconds."""
    if not is_known:
        challenge = f'WWW-Authenticate: Digest realm="x", nonce="{nonce}"'
        return reply(request, "401 Unauthorized", challenge)
    if request.method == "DESCRIBE":
        return reply(request, body=SDP)
    if request.method == "SETUP":
        transport = "Transport: RTP/AVP/TCP;interleaved=0-1"
        return reply(request, "200 OK", "Session: 7;timeout=2", transport)
    return reply(request)


async def play(writer: asyncio.StreamWriter) -> None:
    """Send key pictures for ever."""
    packets = list(packets_of(encode("h264", count=1), first=0))
    for number in range(10_000):
        for index, packet in enumerate(packets):
            sequence = (number * len(packets) + index) & 0xFFFF
            stamped = packet[:2] + struct.pack("!HI", sequence, 3600 * number) + packet[8:]
            writer.write(b"$\0" + len(stamped).to_bytes(2, "big") + stamped)
        await asyncio.sleep(0.04)
