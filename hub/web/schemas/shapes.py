"""The two kinds of model: what comes in is strict, what goes out is read from our own objects."""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

MAX_NUMBER = 2**63 - 1
Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Id = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
Limit = Annotated[int | None, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=512)]
AreaFilter = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]
TextFilter = Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$")]
# PostgreSQL stores no NUL; everything else printable or not is inert text.
Text = Annotated[str, Field(max_length=1024, pattern=r"^[^\x00]*$")]
Name = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]


class In(BaseModel):
    """What a caller sends: unknown fields are errors, values never appear in messages."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class Out(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


T = TypeVar("T", bound=Out)


class Listing(Out, Generic[T]):
    """A page of a collection; ``next`` goes into ``?cursor=`` for the page after it."""

    items: Sequence[T]
    next: str | None = None


class Created(Out):
    """The number of what was made."""

    id: int
