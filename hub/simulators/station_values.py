"""What a simulated station measures: slow daily waves with a little noise."""

import math
import random
from collections.abc import Mapping
from datetime import datetime

from hub.domain.devices import Json
from hub.simulators.faults import Fault

# key: unit, quantity, mean, swing, decimals
POINTS: Mapping[str, tuple[str, str, float, float, int]] = {
    "temp": ("°C", "temperature", 12.0, 8.0, 1),
    "humidity": ("%", "humidity", 65.0, 15.0, 0),
    "level": ("m", "water level", 1.8, 0.4, 2),
    "battery": ("%", "battery", 85.0, 3.0, 0),
    "rssi": ("dBm", "signal strength", -71.0, 6.0, 0),
}
# Between which values a sensor reads when it is well; of the others it is not said.
RANGES: Mapping[str, tuple[float, float]] = {
    "temp": (-40.0, 60.0),
    "humidity": (0.0, 100.0),
    "level": (0.0, 6.0),
}
# What a faulty station measures instead. A DS18B20 thermometer that lost its probe reads -127.
FAULTY: Mapping[Fault, Mapping[str, Json]] = {
    Fault.OUT_OF_RANGE: {"temp": -127.0},
    Fault.LOW_BATTERY: {"battery": 7},
    Fault.WEAK_SIGNAL: {"rssi": -97},
}
_DAY_S = 86_400


def describe_points() -> dict[str, Json]:
    """What a station says of its points."""
    found: dict[str, Json] = {}
    for key, (unit, quantity, *_) in POINTS.items():
        about: dict[str, Json] = {"unit": unit, "quantity": quantity}
        if key in RANGES:
            about["low"], about["high"] = RANGES[key]
        found[key] = about
    return found


class Sensors:
    """The sensors of one station, each with the same place in the day's wave."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._phase = rng.uniform(0, 2 * math.pi)
        self._stuck: Json = None

    def measure(self, now: datetime, fault: Fault | None = None) -> dict[str, Json]:
        """Measure every point of ``POINTS``."""
        values = {**self._look(now), **FAULTY.get(fault, {})} if fault else self._look(now)
        if fault is not Fault.STUCK_VALUE:
            self._stuck = None
        elif self._stuck is None:
            self._stuck = values["temp"]
        return values if self._stuck is None else {**values, "temp": self._stuck}

    def _look(self, now: datetime) -> dict[str, Json]:
        angle = 2 * math.pi * (now.timestamp() % _DAY_S) / _DAY_S + self._phase
        wave = math.sin(angle)
        return {
            key: round(mean + swing * wave + self._rng.gauss(0, swing / 50), decimals)
            for key, (_, _, mean, swing, decimals) in POINTS.items()
        }
