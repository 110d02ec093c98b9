"""One attempt at a message: its text by the receiver's template, its picture, its way out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from alerts.telling.messages import Wording
from alerts.telling.notifier import Notifier
from alerts.telling.templates import render
from alerts.telling.trial import write_test
from hub.domain.errors import GengfuError, Rejected, TryAgain
from hub.domain.notifications import Message, ReceiverKind
from hub.store.messages import Outcome
from hub.store.outgoing import Outgoing

log = logging.getLogger(__name__)

# No notifier may take longer, whatever it promises: the job's place is wanted.
LONGEST_SEND_S: Final = 60.0
# A picture is worth less than the seconds it takes.
LONGEST_PICTURE_S: Final = 4.0
# A defect in a notifier must not hold up a receiver for ever: it counts as a failed attempt.
DEFECTS: Final = (
    GengfuError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Picture = Callable[[Message], Awaitable[bytes]]
"""A JPEG that shows what a message is about; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt ended; ``after_s``: the receiver said when to come again."""

    outcome: Outcome
    detail: str
    after_s: float | None = None
    template_failure: str = ""


class Sender:
    """Hands messages to the notifier of their kind."""

    def __init__(
        self,
        notifiers: Mapping[ReceiverKind, Notifier],
        wording: Wording,
        picture: Picture | None = None,
    ) -> None:
        self._notifiers = dict(notifiers)
        self._wording = wording
        self._picture = picture

    async def send(self, outgoing: Outgoing) -> Result:
        """Try once; never raises."""
        message = outgoing.message
        failure = ""
        if outgoing.test_by:
            message = write_test(message, outgoing.test_by)
        if message.receiver.template:
            rendered = render(message.receiver.template, message, self._wording)
            failure = rendered.failure
            message = replace(message, text=rendered.text)
        result = await self._attempt(await self._illustrate(message))
        return replace(result, template_failure=failure)

    async def _illustrate(self, message: Message) -> Message:
        if self._picture is None or message.note is not None:
            return message
        try:
            async with asyncio.timeout(LONGEST_PICTURE_S):
                return replace(message, picture=await self._picture(message))
        except (TimeoutError, *DEFECTS) as error:
            log.info("message %s goes without a picture: %s", message.id, type(error).__name__)
            return message

    async def _attempt(self, message: Message) -> Result:
        try:
            async with asyncio.timeout(LONGEST_SEND_S):
                detail = await self._notifier(message.receiver.kind).send(message)
        except TryAgain as error:
            return Result(outcome=Outcome.TRY_AGAIN, detail=str(error), after_s=error.after_s)
        except Rejected as error:
            return Result(outcome=Outcome.REJECTED, detail=str(error))
        except TimeoutError:
            detail = f"no end within {LONGEST_SEND_S:g} s"
            return Result(outcome=Outcome.TRY_AGAIN, detail=detail)
        except DEFECTS as error:
            log.exception("message %s: the notifier has a defect", message.message_id)
            detail = f"a defect of the hub: {type(error).__name__}"
            return Result(outcome=Outcome.TRY_AGAIN, detail=detail)
        return Result(outcome=Outcome.DELIVERED, detail=detail)

    def _notifier(self, kind: ReceiverKind) -> Notifier:
        notifier = self._notifiers.get(kind)
        if notifier is None:
            msg = f"no way out of kind {kind.value} is set up"
            raise Rejected(msg)
        return notifier
