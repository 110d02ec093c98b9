"""What turns a simulated camera: stored positions, and moving on until something stops it.

A place is a stored picture and how far the camera was moved away from it by hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

PRESET_NAMES = ("Gate", "Road", "Courtyard", "Bridge")
MOST_PRESETS = 16
MOST_SECONDS = 60.0  # a movement without a time of its own ends after that
_PER_SECOND = 0.4  # of the whole way, -1 to 1, at full speed
_GRID = 64  # pictures are drawn for places that lie so far apart

Vector = tuple[float, float, float]
"""Pan, tilt and zoom."""

_NOWHERE: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a camera looks: the stored picture it was at last, and how far away from it."""

    preset: int = 0
    away: Vector = _NOWHERE

    @property
    def position(self) -> Vector:
        """Pan and tilt from -1 to 1, zoom from 0 to 1."""
        pan, tilt, zoom = self.away
        return (-0.75 + 0.5 * self.preset + pan, tilt, zoom)

    @property
    def view(self) -> Vector:
        """How far away, in steps of the pictures that are drawn."""
        pan, tilt, zoom = (round(part * _GRID) / _GRID for part in self.away)
        return (pan, tilt, zoom)

    def moved(self, way: Vector) -> "Place":
        """The place that lies a way from here, as far as the motor goes."""
        pan, tilt, zoom = (a + b for a, b in zip(self.away, way, strict=True))
        base = -0.75 + 0.5 * self.preset
        return Place(
            preset=self.preset,
            away=(
                min(max(base + pan, -1.0), 1.0) - base,
                min(max(tilt, -1.0), 1.0),
                min(max(zoom, 0.0), 1.0),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlace:
    """A preset of the camera."""

    token: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drive:
    speed: Vector
    begun_at: datetime
    ends_at: datetime


class Motor:
    """The motor of one camera. A stuck one takes every order and does nothing.

    One that does not keep to the time it is given moves on until it is stopped.
    """

    def __init__(self) -> None:
        self.is_stuck = False
        self.keeps_time = True
        self.stored = [
            StoredPlace(token=str(number + 1), name=name, place=Place(preset=number))
            for number, name in enumerate(PRESET_NAMES)
        ]
        self._place = Place()
        self._drive: _Drive | None = None

    def place(self, now: datetime) -> Place:
        """Where the camera looks."""
        drive = self._drive
        if drive is None:
            return self._place
        seconds = max(0.0, (min(now, drive.ends_at) - drive.begun_at).total_seconds())
        pan, tilt, zoom = (part * _PER_SECOND * seconds for part in drive.speed)
        return self._place.moved((pan, tilt, zoom))

    def is_moving(self, now: datetime) -> bool:
        """Whether it moves on by itself."""
        return self._drive is not None and now < self._drive.ends_at

    def drive(self, speed: Vector, now: datetime, lasts_s: float | None) -> None:
        """Move on at a speed of -1 to 1 each, for some seconds or until it is stopped."""
        self.halt(now)
        if not self.is_stuck:
            seconds = lasts_s if lasts_s is not None and self.keeps_time else MOST_SECONDS
            ends_at = now + timedelta(seconds=seconds)
            self._drive = _Drive(speed=speed, begun_at=now, ends_at=ends_at)

    def halt(self, now: datetime) -> None:
        """Stand still."""
        self._place, self._drive = self.place(now), None

    def jump(self, place: Place) -> None:
        """Look elsewhere at once."""
        if not self.is_stuck:
            self._place, self._drive = place, None

    def reset(self) -> None:
        """Look where a camera looks that has just booted."""
        self._place, self._drive = Place(), None

    def find(self, token: str) -> StoredPlace | None:
        """The preset with this token."""
        return next((one for one in self.stored if one.token == token), None)

    def store(self, name: str, token: str, now: datetime) -> str | None:
        """Store where it looks under a new token or one that is known; None when it cannot."""
        known = self.find(token)
        if known is not None:
            kept = StoredPlace(token=token, name=name or known.name, place=self.place(now))
            self.stored[self.stored.index(known)] = kept
            return token
        if token or len(self.stored) >= MOST_PRESETS:
            return None
        new = str(max((int(one.token) for one in self.stored), default=0) + 1)
        self.stored.append(
            StoredPlace(token=new, name=name or f"Preset {new}", place=self.place(now))
        )
        return new
