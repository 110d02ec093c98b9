"""A clock that runs fast, and is the same in every process that is told how."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class FastClock:
    """``started`` was it when the machine's clock stood at ``real_s``; a second is ``factor``."""

    started: datetime
    real_s: float
    factor: float

    def __call__(self) -> datetime:
        """What it is now."""
        return self.started + timedelta(seconds=(time.time() - self.real_s) * self.factor)

    def wait_s(self, seconds: float) -> float:
        """How long one really waits for some seconds of this clock."""
        return seconds / self.factor

    def environment(self) -> dict[str, str]:
        """For another process, which reads it by :func:`read_clock`."""
        return {
            "NIGHT_STARTED": self.started.isoformat(),
            "NIGHT_REAL_S": repr(self.real_s),
            "NIGHT_FACTOR": repr(self.factor),
        }


def read_clock(environment: Mapping[str, str] = os.environ) -> FastClock:
    """The clock of the process that started this one."""
    return FastClock(
        started=datetime.fromisoformat(environment["NIGHT_STARTED"]).astimezone(UTC),
        real_s=float(environment["NIGHT_REAL_S"]),
        factor=float(environment["NIGHT_FACTOR"]),
    )
