"""How long the supervisor waits, by the class of the error."""

import random

import pytest

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.runtime.supervisor import next_wait_s


@pytest.mark.parametrize(
    ("error", "attempt", "least", "most"),
    [
        (DeviceUnreachable("x"), 1, 0.8, 1.2),
        (DeviceUnreachable("x"), 4, 6.4, 9.6),
        (DeviceUnreachable("x"), 30, 48, 72),
        (ProtocolViolation("x"), 2, 1.6, 2.4),
        (DeviceBusy("x"), 1, 48, 72),
        (AuthRejected("x"), 1, 240, 360),
        (UnsupportedByDevice("x"), 1, 2880, 4320),
        (RuntimeError("a defect"), 1, 0.8, 1.2),
    ],
)
def test_the_wait_fits_the_error(error: Exception, attempt: int, least: float, most: float) -> None:
    waits = [next_wait_s(error, attempt, random.Random(seed)) for seed in range(50)]
    assert all(wait is not None and least <= wait <= most for wait in waits)
    assert len(set(waits)) > 10


def test_a_refused_address_is_not_tried_again() -> None:
    assert next_wait_s(AddressRefused("x"), 1, random.Random(0)) is None
