"""How a channel of a device is watched live: where its stream is, and what must not be seen."""

from dataclasses import dataclass, replace

from hub.domain.access import Scope
from hub.domain.devices import Channel, Device
from hub.domain.errors import Conflict, NotFound
from hub.domain.live_video import StreamRole
from hub.domain.ports import CameraTarget
from hub.store.cameras import list_targets
from hub.store.database import Transaction
from hub.store.devices import get_device, list_channels


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTarget:
    """One stream of one channel: ``camera.stream_address`` is that stream's, empty without one.

    ``codec`` is what the camera said it is when it was described, empty when it did not.
    """

    device: Device
    camera: CameraTarget
    role: StreamRole
    codec: str = ""


async def find_live_target(
    tx: Transaction, scope: Scope, device_id: int, channel: str, wanted: StreamRole
) -> LiveTarget:
    """Find a stream of a device of the scope; a channel without a small one gives its main one.

    Raises:
        NotFound: the device lies outside the scope, or has no such channel.
        Conflict: it is no camera that can be asked now.
    """
    device = await get_device(tx, scope, device_id)
    targets = await list_targets(tx, scope, device_ids=[device_id])
    if not targets:
        msg = "this device has no camera to watch: it is not approved, switched off or no camera"
        raise Conflict(msg)
    channels = await list_channels(tx, scope, device_id)
    chosen = next((one for one in channels if channel in {"", one.key}), None)
    if chosen is None:
        msg = "this device has no such channel"
        raise NotFound(msg)
    camera = targets[0]
    if chosen.key != camera.channel:
        camera = replace(
            camera,
            channel=chosen.key,
            stream_address="",
            snapshot_address=chosen.snapshot_address,
        )
    return _choose(device, camera, chosen, wanted)


def _choose(
    device: Device, camera: CameraTarget, channel: Channel, wanted: StreamRole
) -> LiveTarget:
    streams = {stream.role: stream for stream in reversed(channel.streams)}
    main, sub = streams.get(StreamRole.MAIN), streams.get(StreamRole.SUB)
    role = StreamRole.SUB if wanted is StreamRole.SUB and sub is not None else StreamRole.MAIN
    stream = sub if role is StreamRole.SUB else main or next(iter(channel.streams), None)
    address = camera.stream_address if stream is None else stream.address
    return LiveTarget(
        device=device,
        # A picture is taken of the main stream where there is no snapshot.
        camera=replace(camera, stream_address=address, sub_stream_address=""),
        role=role,
        codec="" if stream is None else stream.codec,
    )
