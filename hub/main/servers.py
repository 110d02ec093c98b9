"""Where the database and the broker are: at the addresses of the settings, else embedded.

Everything here blocks and runs on the main thread, before the event loop starts.
"""

import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adapters.mqtt.options import MqttOptions, TlsOptions
from config.schema import Settings
from hub.domain.addresses import DEFAULT_PORTS, IPAddress, parse_address
from hub.domain.errors import ConfigError
from hub.domain.secrets import Credentials, Secret
from hub.main.media_addresses import media_endpoints
from hub.runtime.embedded_broker import EmbeddedBroker
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.store.database import network_endpoints

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What the hub connects to. ``database_url`` holds a password."""

    database_url: Secret
    broker_address: str
    broker_credentials: Credentials
    database: EmbeddedPostgres | None = None
    broker: EmbeddedBroker | None = None

    def broker_options(self, settings: Settings, *, approve_unknown: bool = False) -> MqttOptions:
        """How to speak to the hub's own broker."""
        is_amqtt = self.broker is not None and self.broker.flavour.startswith("amqtt")
        return MqttOptions(
            version="3.1.1" if is_amqtt else settings.mqtt.version,
            tls=TlsOptions(ca_file=settings.mqtt.ca_file),
            approve_unknown=approve_unknown,
        )

    def own_endpoints(self, settings: Settings) -> frozenset[tuple[IPAddress, int]]:
        """The endpoints that no device address may ever lead to."""
        found: set[tuple[IPAddress, int]] = set()
        for host, port in self._hosts(settings):
            found.update((ip, port) for ip in _resolve(host))
        return frozenset(found)

    def _hosts(self, settings: Settings) -> Iterator[tuple[str, int]]:
        yield from network_endpoints(self.database_url.reveal())
        broker = urlsplit(self.broker_address)
        yield broker.hostname or "", broker.port or DEFAULT_PORTS[broker.scheme]
        yield from media_endpoints(settings)
        listens_everywhere = settings.http.host in {"0.0.0.0", "::", ""}  # noqa: S104 - a comparison
        hosts = ("127.0.0.1", "::1", socket.gethostname()) if listens_everywhere else ()
        for host in (settings.http.host, *hosts):
            yield host, settings.http.port


@contextmanager
def open_servers(settings: Settings) -> Iterator[Servers]:
    """Start what is embedded and end it afterwards.

    Raises:
        ConfigError: an embedded server cannot start; it says why and what to do.
    """
    data_dir = prepare_data_dir(settings)
    with ExitStack() as stack:
        database = None
        if settings.database.url is None:
            database = stack.enter_context(EmbeddedPostgres.start(data_dir))
            database_url = Secret(database.url)
        else:
            database_url = configured_database(settings)
        broker = None
        if settings.mqtt.url is None:
            broker = stack.enter_context(EmbeddedBroker.start(data_dir))
            address, credentials = broker.url, broker.hub
        else:
            address, credentials = configured_broker(settings)
        yield Servers(
            database_url=database_url,
            # In the form in which links are stored: it must be known as ours.
            broker_address=parse_address(address, schemes=("mqtt", "mqtts")).text,
            broker_credentials=credentials,
            database=database,
            broker=broker,
        )


def configured_database(settings: Settings) -> Secret:
    """The database's address; raises ConfigError for one that nobody can connect to."""
    url = "" if settings.database.url is None else settings.database.url.get_secret_value()
    _refuse_misread(url, "database.url")
    return Secret(url)


def configured_broker(settings: Settings) -> tuple[str, Credentials]:
    """The broker's address without credentials, and the credentials from wherever they stand."""
    url = "" if settings.mqtt.url is None else settings.mqtt.url.get_secret_value()
    _refuse_misread(url, "mqtt.url")
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}", Credentials(
        username=settings.mqtt.username or parts.username or "",
        password=Secret(settings.mqtt.password.get_secret_value() or parts.password or ""),
    )


def prepare_data_dir(settings: Settings) -> Path:
    """Make the data folder if there is none; raises ConfigError when that cannot be."""
    path = settings.data_dir.absolute()
    try:
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"data_dir {path} cannot be made: {error.strerror}; check the path and its owner"
        raise ConfigError(msg) from error
    return path


def _refuse_misread(url: str, key: str) -> None:
    """Refuse an address whose password is taken for its port: drivers would show that part."""
    try:
        is_readable = urlsplit(url).port != 0 and not _BAD_ESCAPE.search(url)
    except ValueError:
        is_readable = False
    if not is_readable:
        msg = (
            f"{key}: its host or port cannot be read; in a password write "
            "%25 for %, %2F for /, %40 for @, %3A for :, %23 for #, %3F for ?"
        )
        raise ConfigError(msg)


def _resolve(host: str) -> list[IPAddress]:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
