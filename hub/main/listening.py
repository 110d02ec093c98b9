"""The HTTP server of one process: its socket, its application, its address."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata

import uvicorn

from adapters.onvif.steering import OnvifSteering
from alerts.receivers import validate_options
from config.schema import Settings
from hub.domain.addresses import parse_networks
from hub.domain.errors import ConfigError
from hub.domain.live_video import LiveLimits
from hub.main.adapters import parse_connection
from hub.main.assembly import Parts
from hub.main.patrolling import intake_of
from hub.main.surroundings import utc_now
from hub.main.surveying import address_asker
from hub.main.web_sockets import MOST_SAID_BYTES, MOST_UNSENT_BYTES, WebSocketProtocol
from hub.web.app import create_app, end_streams
from hub.web.map_tiles import MapOptions
from hub.web.services import WebServices, WebSettings
from streams.talk.line import open_line


class WebServer(uvicorn.Server):
    """Leaves signals to the process, which stops all parts in order, and says when it serves."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        self.serving.set()

    def end(self) -> None:
        """Stop serving; open live streams would otherwise be waited for."""
        self._end_streams()
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listen(settings: Settings) -> socket.socket:
    """Take the address of the settings before anything else starts.

    Raises:
        ConfigError: another program has it, or it is none of this machine's.
    """
    host, port = settings.http.host, settings.http.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT_BYTES)
    try:
        taken.bind((host, port))
        taken.listen(256)
    except OSError as error:
        taken.close()
        msg = f"http.host {host}, http.port {port}: {error.strerror}; choose another address"
        raise ConfigError(msg) from error
    return taken


def public_address(settings: Settings, listening: socket.socket) -> str:
    """Where people reach the console."""
    if settings.http.public_url:
        return settings.http.public_url.rstrip("/")
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(parts: Parts, address: str) -> WebServer:
    """Build the application and its server, not serving yet."""
    app = create_app(
        WebServices(
            database=parts.database,
            live=parts.live,
            jobs=parts.jobs,
            clock=utc_now,
            steer=OnvifSteering(policy=parts.around.policy, clock=utc_now),
            talk=partial(open_line, policy=parts.around.policy),
            settings=WebSettings(
                data_dir=parts.settings.data_dir.absolute(),
                public_origin=parts.settings.http.public_url,
                trusted_proxies=parse_networks(parts.settings.http.trusted_proxies),
                has_secure_cookies=address.startswith("https://"),
                version=metadata.version("gengfu"),
                zone=parts.zone,
                intake=intake_of(parts.settings),
                console_dir=parts.settings.console_dir,
                map=MapOptions(
                    tiles=parts.settings.map.tiles, attribution=parts.settings.map.attribution
                ),
            ),
            metrics=parts.metrics,
            readiness=parts.health.readiness,
            parse_connection=parse_connection,
            parse_receiver=validate_options,
            probe_camera=parts.probe,
            take_snapshot=parts.snapshot,
            recent_probes=parts.prober.results,
            run_command=parts.run_command,
            sight=parts.sight,
            clean_photo=parts.clean_photo,
            relay=parts.relay,
            media_server=parts.media_server,
            live_limits=LiveLimits(
                per_user=parts.settings.live.viewings_per_user,
                in_all=parts.settings.live.viewings,
            ),
            ask_address=address_asker(parts.around.policy),
            device_networks=parts.around.policy.allowed,
        )
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws=WebSocketProtocol,
        ws_max_size=MOST_SAID_BYTES,
        ws_per_message_deflate=False,  # video is compressed already
    )
    return WebServer(config, partial(end_streams, app))
