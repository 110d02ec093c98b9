"""Receivers of notifications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from hub.domain.notifications import DeliveryStatus, Receiver, ReceiverKind
from hub.store.message_lines import MessageLine
from hub.web.schemas.shapes import In, Name, Number, Out

MASK = "***"
# Apprise's secret is a list of addresses.
LONGEST_SECRET = 4096


class ReceiverIn(In):
    """Somebody to tell; ``options`` depend on the kind. An empty secret keeps the stored one.

    ``template`` (Liquid) writes the text of a message, empty: the hub's own words. What comes
    faster than ``most_a_minute`` waits and becomes a digest.
    """

    name: Name
    area_id: Number
    kind: ReceiverKind
    options: Mapping[str, object] = Field(default_factory=dict)
    secret: Annotated[SecretStr, Field(max_length=LONGEST_SECRET)] = SecretStr("")
    template: Annotated[str, Field(max_length=8192, pattern=r"^[^\x00]*$")] = ""
    most_a_minute: Annotated[int, Field(ge=1, le=600)] = 12
    is_enabled: bool = True


class ReceiverOut(Out):
    """A receiver; of its secret only whether there is one, of addresses no query.

    ``failing_since``: since then no message gets through.
    """

    id: int
    name: str
    area_id: int
    kind: ReceiverKind
    options: Mapping[str, object]
    has_secret: bool
    template: str
    most_a_minute: int
    is_enabled: bool
    failing_since: datetime | None
    is_template_failing: bool

    @classmethod
    def of(cls, receiver: Receiver) -> "ReceiverOut":
        """Show a receiver."""
        return cls(
            id=receiver.id,
            name=receiver.name,
            area_id=receiver.area_id,
            kind=receiver.kind,
            options={key: _masked(value) for key, value in receiver.options.items()},
            has_secret=bool(receiver.secret),
            template=receiver.template,
            most_a_minute=receiver.most_a_minute,
            is_enabled=receiver.is_enabled,
            failing_since=receiver.failing_since,
            is_template_failing=receiver.is_template_failing,
        )


class UnderWayOut(Out):
    """A test message is under way; how it went is among the receiver's messages."""

    is_under_way: bool = True


class AttemptOut(Out):
    """One attempt to deliver a message: delivered, try_again or rejected, and what was said."""

    at: datetime
    outcome: str
    detail: str


class MessageOut(Out):
    """What a receiver got at once: ``count`` notifications, none in a test.

    While it waits it is tried again at ``next_at``.
    """

    id: int
    message_id: str
    status: DeliveryStatus
    count: int
    test_by: str
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    attempts: Sequence[AttemptOut]

    @classmethod
    def of(cls, line: MessageLine) -> "MessageOut":
        """Show a message."""
        is_waiting = line.status is DeliveryStatus.WAITING
        return cls(
            id=line.id,
            message_id=line.message_id,
            status=line.status,
            count=line.count,
            test_by=line.test_by,
            created_at=line.created_at,
            next_at=line.next_at if is_waiting else None,
            ended_at=line.ended_at,
            attempts=[AttemptOut.model_validate(attempt) for attempt in line.attempts],
        )


def _masked(value: object) -> object:
    """Chat services put their token into the query of the address."""
    if isinstance(value, str) and "://" in value and "?" in value:
        return value.partition("?")[0] + "?" + MASK
    return value
