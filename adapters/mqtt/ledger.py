"""Which messages may be acknowledged to the broker. Pure.

MQTT wants acknowledgements in the order in which the messages came ([MQTT-4.6.0-2]); commits may
end in any order. A batch is opened when its messages are handed over and settled when they are
stored; what is given back for sending is always the oldest unbroken run.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ack:
    """What the broker needs to know a message by."""

    mid: int
    qos: int


@dataclass(slots=True)
class Batch:
    """Messages handed over together."""

    acks: Sequence[Ack]
    opened_at: float
    is_settled: bool = False


class AckLedger:
    """The batches handed over and not yet acknowledged, oldest first."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()

    def open(self, acks: Sequence[Ack], now: float) -> Batch:
        """Note a batch that is about to be handed over."""
        batch = Batch(acks, now)
        self._batches.append(batch)
        return batch

    def age(self, now: float) -> float:
        """For how many seconds the oldest batch has waited for its commit."""
        return now - self._batches[0].opened_at if self._batches else 0.0

    def settle(self, batch: Batch) -> list[Ack]:
        """The batch is stored: return what may be acknowledged now, in order."""
        batch.is_settled = True
        ready: list[Ack] = []
        while self._batches and self._batches[0].is_settled:
            ready.extend(self._batches.popleft().acks)
        return ready
