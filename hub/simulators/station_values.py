"""What a simulated station measures: slow daily waves with a little noise."""

import math
import random
from collections.abc import Mapping
from datetime import datetime

from hub.domain.devices import Json

# key: unit, quantity, mean, swing, decimals
POINTS: Mapping[str, tuple[str, str, float, float, int]] = {
    "temp": ("°C", "temperature", 12.0, 8.0, 1),
    "humidity": ("%", "humidity", 65.0, 15.0, 0),
    "level": ("m", "water level", 1.8, 0.4, 2),
    "battery": ("%", "battery", 85.0, 3.0, 0),
    "rssi": ("dBm", "signal strength", -71.0, 6.0, 0),
}
_DAY_S = 86_400


class Sensors:
    """The sensors of one station, each with the same place in the day's wave."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._phase = rng.uniform(0, 2 * math.pi)

    def measure(self, now: datetime) -> dict[str, Json]:
        """Measure every point of ``POINTS``."""
        angle = 2 * math.pi * (now.timestamp() % _DAY_S) / _DAY_S + self._phase
        wave = math.sin(angle)
        return {
            key: round(mean + swing * wave + self._rng.gauss(0, swing / 50), decimals)
            for key, (_, _, mean, swing, decimals) in POINTS.items()
        }
