"""Who shows live video: the hub itself, and the media server of the settings if there is one."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import Gauge

from config.schema import Settings
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.live_video import MediaServer
from hub.domain.ports import TakeSnapshot
from hub.domain.secrets import Credentials, Secret
from hub.main.pictures import Surroundings
from hub.main.surroundings import utc_now
from hub.runtime.outbound import open_client
from streams.live.mediamtx import TIMEOUT_S, MediaMtx, MediaMtxOptions
from streams.live.relay import Relay, RelayOptions

WEBRTC_PORT: Final = 8889
HLS_PORT: Final = 8888
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


def media_addresses(settings: Settings) -> tuple[str, str, str]:
    """Its API, its WebRTC and its HLS; empty without one."""
    live = settings.live
    if not live.mediamtx:
        return "", "", ""
    return (
        live.mediamtx,
        live.mediamtx_webrtc or _beside(live.mediamtx, WEBRTC_PORT),
        live.mediamtx_hls or _beside(live.mediamtx, HLS_PORT),
    )


def media_endpoints(settings: Settings) -> Iterator[tuple[str, int]]:
    """Its hosts and ports, which no address of a camera may lead to."""
    for address in filter(None, media_addresses(settings)):
        parts = urlsplit(address)
        yield parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _beside(address: str, port: int) -> str:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
