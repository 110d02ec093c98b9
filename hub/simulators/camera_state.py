"""What a simulated camera knows of itself: identity, clock, password, where it looks."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain.ports import Clock
from hub.domain.secrets import Credentials, Secret
from hub.simulators.faults import Condition
from hub.simulators.motor import Motor, Place
from hub.simulators.picture import Moment, Scene
from hub.simulators.picture_faults import Mode

MANUFACTURER, MODEL, FIRMWARE = "Gengfu", "SIM-PTZ-2", "V1.2.0 build 261122"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamShape:
    """One encoded flow the camera offers."""

    role: str
    width: int
    height: int

    @property
    def token(self) -> str:
        """The ONVIF token of the profile that carries it."""
        return f"profile_{self.role}"


STREAM_SHAPES = (
    StreamShape(role="main", width=640, height=360),
    StreamShape(role="sub", width=352, height=288),
)
_TURNED_AWAY = 0x5EED


@dataclass(slots=True, kw_only=True)
class MemoryCard:
    """What the camera has recorded: the last ``kept_s`` without ``holes``, all by true time.

    ``stopped_at``: it records nothing since then.
    """

    kept_s: float
    holes: list[tuple[datetime, datetime]] = field(default_factory=list)
    stopped_at: datetime | None = None

    def recorded(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """The intervals recorded, in order; the last one may go on."""
        begin = now - timedelta(seconds=self.kept_s)
        end = now if self.stopped_at is None else min(now, self.stopped_at)
        spans = []
        for hole_begin, hole_end in sorted(self.holes):
            if begin < min(hole_begin, end):
                spans.append((begin, min(hole_begin, end)))
            begin = max(begin, hole_end)
        if begin < end:
            spans.append((begin, end))
        return spans

    def resume(self, now: datetime) -> None:
        """Record again; the time in between is a hole for ever."""
        if self.stopped_at is not None:
            self.holes.append((self.stopped_at, now))
            self.stopped_at = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """How to build one camera. Port 0 means any free one, chosen at the first start.

    ``motion_interval_s`` is the mean time between two motions; None means none by itself.
    ``serial`` and ``mac`` must differ between cameras. ``kept_days`` is how long its memory card
    reaches back; 0 means that it has none and does not know ONVIF's Profile G. Without traffic
    nothing moves where it looks. With sound it hums, and can be spoken through.
    """

    name: str
    serial: str
    mac: str
    area: str = ""
    host: str = "127.0.0.1"
    http_port: int = 8000
    rtsp_port: int = 8554
    credentials: Credentials = field(
        default_factory=lambda: Credentials(username="admin", password=Secret("gengfu-demo"))
    )
    offers_basic: bool = False
    motion_interval_s: float | None = 45.0
    max_subscriptions: int = 4
    kept_days: float = 30.0
    has_traffic: bool = True
    has_sound: bool = False


class CameraState:
    """The part of a camera that all its services read and some of them change."""

    def __init__(self, options: CameraOptions, *, clock: Clock, rng: random.Random) -> None:
        self.options = options
        self.rng = rng
        self.http_port = options.http_port
        self.rtsp_port = options.rtsp_port
        self.credentials = options.credentials
        self.condition = Condition()
        self.mode = Mode.LIVE
        self.motor = Motor()
        self.clock_offset_s = 0.0
        self.boot_at = clock()
        self.card = MemoryCard(kept_s=options.kept_days * 86_400) if options.kept_days else None
        self.firmware = FIRMWARE
        self.told = bytearray()  # what was said through it, in G.711
        self._clock = clock
        self._seed = rng.getrandbits(32)

    def now(self) -> datetime:
        """The camera's own idea of the time."""
        return self._clock() + timedelta(seconds=self.clock_offset_s)

    def true_now(self) -> datetime:
        """The time, whatever the camera believes it is."""
        return self._clock()

    def scene(self, shape: StreamShape) -> Scene:
        """What the camera looks at now."""
        is_turned = self.mode is Mode.ELSEWHERE
        return Scene(
            label=self.options.name,
            seed=self._seed ^ _TURNED_AWAY if is_turned else self._seed,
            preset=self.preset,
            view=self.motor.place(self.true_now()).view,
            width=shape.width,
            height=shape.height,
            has_traffic=self.options.has_traffic,
        )

    def moment(self) -> Moment:
        """The moment of a picture taken now."""
        now = self.now()
        return Moment(elapsed_s=now.timestamp(), now=now, chance=self.rng.getrandbits(31))

    @property
    def preset(self) -> int:
        """The preset it was sent to last."""
        return self.motor.place(self.true_now()).preset

    @preset.setter
    def preset(self, number: int) -> None:
        self.motor.jump(Place(preset=number))

    def move_to(self, preset: int) -> None:
        """Turn to a preset, if the motor does."""
        self.preset = preset

    @property
    def base_address(self) -> str:
        """Where the camera's web server answers."""
        return f"http://{self.options.host}:{self.http_port}"

    def service_address(self, service: str = "device_service") -> str:
        """Where an ONVIF service answers."""
        return f"{self.base_address}/onvif/{service}"

    def stream_address(self, role: str = "main") -> str:
        """Where a stream is described."""
        return f"rtsp://{self.options.host}:{self.rtsp_port}/{role}"

    def snapshot_address(self, role: str = "main") -> str:
        """Where a picture is fetched."""
        return f"{self.base_address}/snapshot/{role}.jpg"
