"""A small pool of confined processes that judge pictures; see ``worker`` for what runs in them.

One order at a time for each process. An order that makes its process hang or die costs that
process and fails alone; the others go on. What a process answers is checked by ``messages``.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeVar

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import CheckOrder, PictureCheck
from streams.confined import Confined
from streams.quality import messages
from streams.quality.messages import LENGTH_BYTES, Malformed, Message

log = logging.getLogger(__name__)

JUDGE_LIMIT_S: Final = 15.0  # an order of two frames takes 0.03 s

Answer = TypeVar("Answer")


class JudgePool:
    """Judges pictures in ``size`` processes, started when first needed; close it in the end."""

    def __init__(self, *, size: int, limit_s: float = JUDGE_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._judges = [
            Confined("streams.quality.worker", limit_s=limit_s) for _ in range(max(1, size))
        ]
        # The one that worked last works next: in quiet times the others are not even started.
        self._idle: asyncio.LifoQueue[Confined] = asyncio.LifoQueue()
        for judge in self._judges:
            self._idle.put_nowait(judge)

    async def __call__(self, order: CheckOrder) -> PictureCheck:
        """Judge the frames of one visit.

        Raises:
            ProtocolViolation: a frame is no picture, or broke the process.
            OwnShortage: this machine cannot start a process.
        """
        question = messages.build_order(order)
        return await self._ask(question, lambda answer: messages.parse_answer(answer, order))

    async def explain(self, order: CheckOrder, check: PictureCheck) -> bytes:
        """Return the judged frame as JPEG, masked, with what was found of it written beside it.

        Raises:
            ProtocolViolation: the frame is no picture, or broke the process.
            OwnShortage: this machine cannot start a process.
        """
        return await self._ask(messages.build_order(order, check), messages.parse_picture)

    async def close(self) -> None:
        """End the processes, once they have answered."""
        await asyncio.gather(*(judge.close() for judge in self._judges))

    async def _ask(self, question: bytes, parse: Callable[[Message], Answer]) -> Answer:
        judge = await self._idle.get()
        try:
            return parse(await judge.ask(question, _read_message))
        except TimeoutError:
            msg = f"the picture was not judged within {self._limit_s:g} s"
            raise ProtocolViolation(msg) from None
        except (OSError, EOFError, Malformed) as error:
            log.warning("a judging process broke: %s", error)
            await judge.close()  # whoever answers nonsense is not asked again
            msg = "the picture broke the decoder"
            raise ProtocolViolation(msg) from error
        finally:
            self._idle.put_nowait(judge)


async def _read_message(source: asyncio.StreamReader) -> Message:
    length = messages.parse_length(await source.readexactly(LENGTH_BYTES))
    header, sizes = messages.parse_header(await source.readexactly(length))
    return Message(header=header, blobs=[await source.readexactly(size) for size in sizes])
