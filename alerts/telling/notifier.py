"""What every way out promises; tests/protocol/notify_contract.py holds each one to it."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.notifications import Message


class Notifier(Protocol):
    """Delivers one message to its receiver."""

    async def send(self, message: Message) -> str:
        """Deliver within 30 s and return one line for the record, without any secret.

        Raises:
            TryAgain: the receiver may take it later; ``after_s`` when it says when.
            Rejected: the receiver refuses it for good, or its options cannot be used.
        """


class Options(BaseModel):
    """What all options have in common: strict, and silent about what they were given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def validate(model: type[Options], raw: Mapping[str, Json]) -> dict[str, Json]:
    """Check options from outside and return their normal form, as the store keeps it.

    Raises:
        Invalid: naming the field, never repeating its value.
    """
    try:
        return model.model_validate(dict(raw)).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part)[:64] for part in first["loc"])
        msg = f"{field or 'options'}: {first['msg']}"
        raise Invalid(msg, field=f"options.{field}" if field else "options") from None
