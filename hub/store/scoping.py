"""How a scope becomes part of a query, and how lists are cut into pages."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.domain.access import Scope
from hub.domain.errors import Invalid

T = TypeVar("T")

MAX_LIMIT = 500
DEFAULT_LIMIT = 50


# The one condition that keeps a caller inside his areas; ``a`` is the table of areas in the query.
IN_SCOPE = " (%(scope)s::ltree[] IS NULL OR a.path <@ ANY (%(scope)s::ltree[])) "


def scope_paths(scope: Scope) -> list[str] | None:
    """The value of ``%(scope)s`` in :data:`IN_SCOPE`.

    None (the hub itself) sees everything; an empty list sees nothing.
    """
    return None if scope.paths is None else list(scope.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some items of a list and, when there are more, the cursor that goes on after them."""

    items: Sequence[T]
    next: str | None = None


def encode_cursor(*key: str | int | float) -> str:
    """Make the opaque cursor that stands for the sort key of the last item."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(text: str | None, kinds: tuple[type, ...]) -> tuple[object, ...] | None:
    """Read a cursor back; None for none.

    Raises:
        Invalid: it is not one of ours.
    """
    if not text:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        key = None
    fits = isinstance(key, list) and len(key) == len(kinds)
    if not fits or not all(type(v) is k for v, k in zip(key, kinds, strict=True)):
        msg = "this cursor was not made by this list: start again without one"
        raise Invalid(msg, field="cursor")
    return tuple(key)


def page_limit(limit: int | None) -> int:
    """Bound the number of items asked for."""
    return max(1, min(limit or DEFAULT_LIMIT, MAX_LIMIT))
