"""The settings: what a process needs to start, and nothing that lives in the database.

Every field's description is its documentation; ``gengfu.example.toml`` shows them all.
"""

import ipaddress
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    field_validator,
)

from adapters.mqtt.options import MqttOptions
from adapters.onvif.options import OnvifOptions
from adapters.rtsp.options import RtspOptions
from adapters.uplink.options import UplinkOptions

ConnectionOptions = Annotated[
    OnvifOptions | MqttOptions | RtspOptions | UplinkOptions, Field(discriminator="protocol")
]
CONNECTION_OPTIONS: TypeAdapter[OnvifOptions | MqttOptions | RtspOptions | UplinkOptions] = (
    TypeAdapter(ConnectionOptions)
)


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        msg = f"{text!r} is not a network: write it like 192.168.0.0/16"
        raise ValueError(msg) from None
    return text


def _no_sample(secret: SecretStr) -> SecretStr:
    """A password from an example is a password everybody knows."""
    if "change-me" in secret.get_secret_value():
        msg = "the password still is the example's 'change-me': choose another one"
        raise ValueError(msg)
    return secret


Network = Annotated[str, AfterValidator(_network)]
OwnSecret = Annotated[SecretStr, AfterValidator(_no_sample)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DatabaseSettings(_Section):
    """Where the database is."""

    url: OwnSecret | None = Field(
        default=None,
        description="postgresql://user:password@host/name; unset: an embedded PostgreSQL",
    )
    pool_size: int = Field(default=12, ge=4, le=200, description="connections of one process")

    @field_validator("url")
    @classmethod
    def _form(cls, url: SecretStr | None) -> SecretStr | None:
        return _with_scheme(url, {"postgresql", "postgres"}, "postgresql://user@host/name")


class MqttSettings(_Section):
    """Where the broker is."""

    url: SecretStr | None = Field(
        default=None, description="mqtt://host:1883 or mqtts://host:8883; unset: an embedded broker"
    )
    username: str = Field(default="", description="the hub's user at the broker")
    password: OwnSecret = Field(default=SecretStr(""), description="and its password")
    ca_file: Path | None = Field(default=None, description="the site's own authority for mqtts")
    version: Literal["5", "3.1.1"] = Field(default="5", description="3.1.1 for an old broker")

    @field_validator("url")
    @classmethod
    def _form(cls, url: SecretStr | None) -> SecretStr | None:
        return _with_scheme(url, {"mqtt", "mqtts"}, "mqtt://host:1883")


class HttpSettings(_Section):
    """The console and the API."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="0: any free port")
    public_url: str = Field(
        default="", description="how people reach the console, for links; unset: http://host:port"
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(), description="networks whose X-Forwarded-For is believed"
    )


class SecretSettings(_Section):
    """What must not be lost."""

    key_file: Path | None = Field(
        default=None, description="key of the stored device passwords; unset: data_dir/gengfu.key"
    )


class NetworkSettings(_Section):
    """Where the hub may connect to."""

    devices: tuple[Network, ...] = Field(
        default=("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
        description="networks of cameras and sensors; loopback and link-local only if listed",
    )
    receivers: tuple[Network, ...] = Field(
        default=(), description="private networks that webhooks and mail servers may be in"
    )


class HealthSettings(_Section):
    """How devices are probed."""

    probe_interval_s: float = Field(
        default=15.0, ge=1, le=3600, description="seconds between two questions for an answer"
    )
    stream_interval_s: float = Field(
        default=120.0, ge=1, le=86_400, description="and for password and stream description"
    )
    frames_interval_s: float = Field(
        default=600.0, ge=5, le=604_800, description="and for first frames of video"
    )
    inspect_interval_s: float = Field(
        default=21_600.0, ge=60, le=2_592_000, description="and for clock and recordings"
    )
    probe_timeout_s: float = Field(default=4.0, ge=0.5, le=60, description="seconds")
    confirm_after_s: float = Field(
        default=2.5, ge=0, le=600, description="pause before the second probe that confirms a fault"
    )
    recover_after_s: float = Field(
        default=2.5, ge=0, le=600, description="and before the one that confirms it is over"
    )
    probes_at_once: int = Field(
        default=4096, ge=16, le=60_000, description="probes under way in one process"
    )
    clock_off_s: float = Field(
        default=60.0, ge=1, le=86_400, description="a camera's clock that is off further is wrong"
    )
    recording_completeness: float = Field(
        default=0.95, ge=0, le=1, description="share of a day that must be recorded"
    )
    certificate_days: int = Field(
        default=30, ge=1, le=365, description="days before its end a certificate is told of"
    )
    shards: int = Field(default=8, ge=1, le=256, description="jobs the probes are spread over")


class PictureSettings(_Section):
    """How pictures are judged."""

    is_judged: bool = Field(default=True, description="false: nobody looks at any picture")
    interval_s: float = Field(
        default=3300.0, ge=5, le=2_592_000, description="seconds between two looks at a camera"
    )
    confirm_after_s: float = Field(
        default=60.0, ge=1, le=3600, description="pause before another look confirms a fault"
    )
    timeout_s: float = Field(default=10.0, ge=1, le=120, description="to fetch one picture")
    at_once: int = Field(default=32, ge=1, le=4096, description="pictures being fetched")
    per_subnet: int = Field(
        default=4, ge=1, le=256, description="of them behind one village's link"
    )
    processes: int = Field(
        default=1, ge=1, le=64, description="that judge; each uses a core at the most"
    )
    scores_days: int = Field(default=30, ge=1, le=3650, description="days of scores kept")


class PatrolSettings(_Section):
    """How rounds are walked."""

    groups_at_once: int = Field(
        default=4, ge=1, le=64, description="groups of 30 stops that are looked at together"
    )
    looks_at_once: int = Field(default=8, ge=1, le=64, description="stops of one group at a time")
    look_s: float = Field(
        default=3.0, ge=0, le=30, description="seconds a picture is watched for what moves"
    )
    settle_s: float = Field(
        default=3.0, ge=0, le=60, description="seconds a camera is given to reach its preset"
    )


class CitizenSettings(_Section):
    """What residents may report (随手拍)."""

    is_open: bool = Field(
        default=False, description="true: anybody may report at /report; officers by their links"
    )
    area_id: int = Field(
        default=0, ge=0, description="where reports without a position come in; 0: the root area"
    )
    most_waiting: int = Field(
        default=500, ge=1, le=100_000, description="unmoderated reports, then no more are taken"
    )
    gives_points: bool = Field(default=False, description="true: moderators may give points")
    contact_days: int = Field(
        default=90, ge=1, le=3650, description="days a contact is kept once a report is decided"
    )


class MapSettings(_Section):
    """What the map is drawn on."""

    tiles: Path | None = Field(
        default=None, description="a PMTiles file, so that maps need no internet; unset: plain"
    )
    attribution: str = Field(
        default="", max_length=200, description="whose map it is, shown in its corner"
    )


class LiveSettings(_Section):
    """How live video is shown."""

    viewings: int = Field(
        default=400, ge=1, le=100_000, description="streams being watched in one process"
    )
    viewings_per_user: int = Field(
        default=64, ge=1, le=10_000, description="and by one user: two walls of 25 tiles, and some"
    )
    linger_s: float = Field(
        default=5.0, ge=0, le=300, description="a camera is let go so long after its last viewer"
    )
    viewings_days: int = Field(default=400, ge=1, le=36500, description="days of viewings kept")
    mediamtx: str = Field(
        default="", description="API of a MediaMTX, for WebRTC and LL-HLS; unset: none"
    )
    mediamtx_webrtc: str = Field(
        default="", description="its WebRTC; unset: port 8889 of the same host"
    )
    mediamtx_hls: str = Field(default="", description="its HLS; unset: port 8888 of the same host")
    mediamtx_user: str = Field(default="", description="the hub's user at MediaMTX")
    mediamtx_password: OwnSecret = Field(default=SecretStr(""), description="and its password")

    @field_validator("mediamtx", "mediamtx_webrtc", "mediamtx_hls")
    @classmethod
    def _form(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or "@" in parts.netloc
            or parts.path.strip("/")
            or parts.query
        ):
            msg = "this is no address of a server: write it like http://127.0.0.1:9997"
            raise ValueError(msg)
        return address.rstrip("/")


class HistorySettings(_Section):
    """How long is remembered."""

    readings_days: int = Field(default=400, ge=1, le=36500, description="days of readings kept")
    events_days: int = Field(default=400, ge=1, le=36500, description="days of events kept")
    health_days: int = Field(
        default=400, ge=1, le=36500, description="days of latency, clocks and recordings kept"
    )


class LogSettings(_Section):
    """What is logged."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug is for developers"
    )


class Settings(_Section):
    """The whole file."""

    data_dir: Path = Field(default=Path("var"), description="pictures, reports, embedded data")
    console_dir: Path | None = Field(
        default=None, description="a built console; unset: the one that came with the program"
    )
    time_zone: str = Field(default="", description="IANA name; unset: the machine's own")
    database: DatabaseSettings = DatabaseSettings()
    mqtt: MqttSettings = MqttSettings()
    http: HttpSettings = HttpSettings()
    secrets: SecretSettings = SecretSettings()
    network: NetworkSettings = NetworkSettings()
    health: HealthSettings = HealthSettings()
    pictures: PictureSettings = PictureSettings()
    patrols: PatrolSettings = PatrolSettings()
    citizens: CitizenSettings = CitizenSettings()
    map: MapSettings = MapSettings()
    live: LiveSettings = LiveSettings()
    history: HistorySettings = HistorySettings()
    log: LogSettings = LogSettings()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name and name not in zoneinfo.available_timezones():
            msg = f"{name!r} is no time zone: use an IANA name such as Asia/Shanghai"
            raise ValueError(msg)
        return name

    @property
    def key_file(self) -> Path:
        """Where the key of the stored passwords is."""
        return self.secrets.key_file or self.data_dir / "gengfu.key"


def _with_scheme(url: SecretStr | None, schemes: set[str], example: str) -> SecretStr | None:
    if url is not None:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in schemes or (not parts.hostname and not parts.query):
            msg = f"this is no address: write it like {example}"
            raise ValueError(msg)
    return url
