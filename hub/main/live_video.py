"""Who shows live video: the hub itself, and the media server of the settings if there is one."""

from contextlib import AsyncExitStack
from typing import Final

from prometheus_client import Gauge

from config.schema import Settings
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.live_video import MediaServer
from hub.domain.ports import TakeSnapshot
from hub.domain.secrets import Credentials, Secret
from hub.main.media_addresses import media_addresses
from hub.main.pictures import Surroundings
from hub.main.surroundings import utc_now
from hub.runtime.outbound import open_client
from streams.live.mediamtx import TIMEOUT_S, MediaMtx, MediaMtxOptions
from streams.live.relay import Relay, RelayOptions

# Where it is says who runs the hub, not a camera: it may be anywhere.
_ANYWHERE: Final = AddressPolicy(allowed=parse_networks(["0.0.0.0/0", "::/0"]))


def open_relay(around: Surroundings, snapshot: TakeSnapshot, stack: AsyncExitStack) -> Relay:
    """Open the hub's own relay, and count what it does."""
    relay = Relay(
        policy=around.policy,
        clock=utc_now,
        take_snapshot=snapshot,
        options=RelayOptions(linger_s=around.settings.live.linger_s),
    )
    stack.push_async_callback(relay.close)
    for name, text, count in (
        ("gengfu_live_pulls", "Streams of cameras pulled to be watched", lambda: relay.pulls),
        ("gengfu_live_viewers", "Viewers of live video", lambda: relay.viewers),
    ):
        Gauge(name, text, registry=around.metrics).set_function(count)
    return relay


async def open_media_server(
    settings: Settings, devices: AddressPolicy, stack: AsyncExitStack
) -> MediaServer | None:
    """Open the way to it; ``devices`` is where the cameras may be that it is sent to."""
    live = settings.live
    if not live.mediamtx:
        return None
    client = await stack.enter_async_context(open_client(_ANYWHERE, timeout_s=TIMEOUT_S))
    api, webrtc, hls = media_addresses(settings)
    options = MediaMtxOptions(
        api=api,
        webrtc=webrtc,
        hls=hls,
        credentials=Credentials(
            username=live.mediamtx_user,
            password=Secret(live.mediamtx_password.get_secret_value()),
        ),
    )
    return MediaMtx(options, client=client, policy=devices)
