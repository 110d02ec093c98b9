"""A word to one receiver that is about no alert: a link to a task, a question to a duty room."""

from dataclasses import dataclass, field
from typing import Protocol

from hub.domain.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """``link`` leads to a phone page and holds a token: it is for the receiver alone."""

    title: str
    text: str
    link: Secret = field(default_factory=Secret)


class SendNote(Protocol):
    """Send a note to a receiver, once."""

    async def __call__(self, receiver_id: int, note: Note) -> None:
        """Return once it is delivered; raises TryAgain or Rejected (also: no such receiver)."""
