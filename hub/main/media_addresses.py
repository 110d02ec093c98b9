"""Where the media server is, as the settings say. Light to import: every command needs it."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from config.schema import Settings

WEBRTC_PORT: Final = 8889
HLS_PORT: Final = 8888


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
