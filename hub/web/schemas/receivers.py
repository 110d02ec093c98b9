"""Receivers of notifications."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, SecretStr

from hub.domain.notifications import Receiver, ReceiverKind
from hub.web.schemas.shapes import In, Name, Number, Out

MASK = "***"


class ReceiverIn(In):
    """Somebody to tell; ``options`` depend on the kind. An empty secret keeps the stored one."""

    name: Name
    area_id: Number
    kind: ReceiverKind
    options: Mapping[str, object] = Field(default_factory=dict)
    secret: Annotated[SecretStr, Field(max_length=512)] = SecretStr("")
    is_enabled: bool = True


class ReceiverOut(Out):
    """A receiver; of its secret only whether there is one, of addresses no query."""

    id: int
    name: str
    area_id: int
    kind: ReceiverKind
    options: Mapping[str, object]
    has_secret: bool
    is_enabled: bool

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
            is_enabled=receiver.is_enabled,
        )


def _masked(value: object) -> object:
    """Chat services put their token into the query of the address."""
    if isinstance(value, str) and "://" in value and "?" in value:
        return value.partition("?")[0] + "?" + MASK
    return value
