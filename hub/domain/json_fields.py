"""Reads the fields of a JSON object one by one, strictly. What is not asked for is an error."""

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn, TypeVar

from hub.domain.devices import Json
from hub.domain.errors import Invalid

LONGEST_WAIT_S = 30 * 86_400.0
_NAME = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\x00-\x20\x7f])?\Z")
_Choice = TypeVar("_Choice", bound=StrEnum)


class Fields:
    """The fields of one object; every method takes one out.

    Raises:
        Invalid: from every method, naming the field that is missing or out of its range.
    """

    def __init__(self, raw: Mapping[str, Json]) -> None:
        self._left = dict(raw)

    def take(self, key: str, default: Json = None) -> Json:
        """Whatever stands there."""
        return self._left.pop(key, default)

    def name(self, key: str, *, default: str | None = None) -> str:
        """A text of 1 to 128 characters in one line."""
        value = self._left.pop(key, default)
        is_good = isinstance(value, str) and (value == default or _NAME.match(value) is not None)
        if not isinstance(value, str) or not is_good:
            refuse(f"{key} is a text of 1 to 128 characters", key)
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        """A finite number."""
        value = self._left.pop(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            refuse(f"{key} is a number", key)
        return float(value)

    def seconds(self, key: str, *, least: float = 0.0, default: float | None = None) -> float:
        """A time of at most 30 days."""
        value = self.number(key, default=least if default is None else default)
        if not least <= value <= LONGEST_WAIT_S:
            refuse(f"{key} is a number of seconds from {least:g} to {LONGEST_WAIT_S:g}", key)
        return value

    def seconds_or_none(self, key: str, *, least: float) -> float | None:
        """A time, or null."""
        if self._left.get(key) is None:
            self._left.pop(key, None)
            return None
        return self.seconds(key, least=least)

    def whole(self, key: str, *, least: int, most: int) -> int:
        """A whole number."""
        value = self._left.pop(key, None)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            refuse(f"{key} is a whole number from {least} to {most}", key)
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when it is left out."""
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            refuse(f"{key} is true or false", key)
        return value

    def choice(self, key: str, kind: type[_Choice], *, default: _Choice | None = None) -> _Choice:
        """One of the words of an enumeration."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or value not in set(kind):
            refuse(f"{key} is one of {', '.join(kind)}", key)
        return kind(value)

    def choices(self, key: str, among: tuple[_Choice, ...]) -> tuple[_Choice, ...]:
        """A list of words of an enumeration, each counted once."""
        raw = self._left.pop(key, [])
        items = raw if isinstance(raw, list | tuple) else [None]
        if any(not isinstance(item, str) or item not in set(among) for item in items):
            refuse(f"{key} is a list of {', '.join(among)}", key)
        return tuple(dict.fromkeys(one for item in items for one in among if one == item))

    def done(self, what: str) -> None:
        """Refuse whatever was not asked for."""
        if self._left:
            name = min(self._left)[:64]
            refuse(f"{what} has no such field: {name!r}", name)


def refuse(message: str, field: str) -> NoReturn:
    """Say which field is wrong."""
    raise Invalid(message, field=field)
