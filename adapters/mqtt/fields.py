"""Reads single fields out of foreign JSON. Pure; every refusal is a :class:`Fault`.

Refused on the way: what PostgreSQL cannot store (NUL, lone surrogates), numbers that are not
finite, documents nested without end.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from hub.domain.devices import Json

MAX_TEXT = 200  # characters of a name, a unit, a model
MAX_DEPTH = 8
MAX_ITEMS = 1_000  # of one list or object in an event's data
MAX_FAULTS = 10  # named in a reason; the rest is counted
MAX_FIELD_NAME = 64  # characters of a field's name in a reason
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)


class Fault(Exception):
    """A document or field is not what it should be; the text says why, for an operator."""


class Faults:
    """What was wrong in a message that is otherwise good; keeps the first few."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, field: str, fault: Fault) -> None:
        """Note what is wrong with one field."""
        self._count += 1
        if self._count <= MAX_FAULTS:
            self._texts.append(f"{field[:MAX_FIELD_NAME]!r}: {fault}")

    def summary(self) -> str:
        """All of it in one line."""
        rest = self._count - len(self._texts)
        return "; ".join(self._texts) + (f"; and {rest} more" if rest else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Which times are believed: from the year 2000 to ``now`` plus the tolerance."""

    now: datetime
    tolerance_s: float = 600.0


def parse_object(payload: bytes) -> dict[str, Json]:
    """Decode a payload that must be one JSON object.

    Raises:
        Fault: when it is anything else.
    """
    try:
        document: object = json.loads(payload.decode())
    except UnicodeDecodeError:
        msg = "the payload is not UTF-8 text"
        raise Fault(msg) from None
    except RecursionError:
        msg = "the payload is nested too deeply"
        raise Fault(msg) from None
    except ValueError:
        msg = "the payload is not JSON"
        raise Fault(msg) from None
    if not isinstance(document, dict):
        msg = f"the payload is a JSON {type(document).__name__}, not an object"
        raise Fault(msg)
    return cast("dict[str, Json]", document)


def parse_time(value: Json, limits: TimeLimits) -> datetime | None:
    """Read RFC 3339 text or Unix milliseconds; None stands for "no time given".

    Raises:
        Fault: for anything else, and for times nobody can believe.
    """
    if value is None:
        return None
    if isinstance(value, str) and _RFC3339.match(value):
        at = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = _from_milliseconds(value)
    else:
        msg = "the time is neither RFC 3339 with an offset nor Unix milliseconds"
        raise Fault(msg)
    if at < EARLIEST:
        msg = f"the time lies before {EARLIEST.year} (Unix times count milliseconds)"
        raise Fault(msg)
    if at > limits.now + timedelta(seconds=limits.tolerance_s):
        msg = f"the time {at:%Y-%m-%dT%H:%M:%SZ} lies in the future"
        raise Fault(msg)
    return at


def _from_text(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "the time names a day or hour that does not exist"
        raise Fault(msg) from None


def _from_milliseconds(value: float) -> datetime:
    try:
        return datetime.fromtimestamp(value / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        msg = "the time is out of every range"
        raise Fault(msg) from None


def parse_number(value: Json) -> float:
    """Read a finite number; True and False are 1.0 and 0.0.

    Raises:
        Fault: for text, null, lists, NaN, infinities and integers beyond a double.
    """
    if not isinstance(value, int | float):
        msg = f"{_json_type(value)} instead of a number"
        raise Fault(msg)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        msg = "a number that is not finite"
        raise Fault(msg)
    return number


def parse_text(value: Json, *, longest: int = MAX_TEXT) -> str:
    """Read one line of text; None stands for "not said" and gives the empty text.

    Raises:
        Fault: for other types, control characters, lone surrogates and overlong text.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        msg = f"{_json_type(value)} instead of text"
        raise Fault(msg)
    if len(value) > longest or not value.isprintable():
        msg = f"text longer than {longest} characters or with control characters"
        raise Fault(msg)
    return value


def parse_session(value: Json) -> int | None:
    """Read a session number, an integer from 0 to 2**53.

    Raises:
        Fault: for anything else but None.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**53:
        msg = "the session is not an integer from 0 to 2^53"
        raise Fault(msg)
    return value


def parse_interval(value: Json) -> float | None:
    """Read an expected interval in seconds, above 0 and at most 31 days.

    Raises:
        Fault: for anything else but None.
    """
    if value is None:
        return None
    seconds = parse_number(value)
    if isinstance(value, bool) or not 0 < seconds <= 31 * 86_400:
        msg = "an interval that is not between 0 and 2,678,400 seconds"
        raise Fault(msg)
    return seconds


def parse_mapping(value: Json) -> Mapping[str, Json]:
    """Read an object whose every part the database can store; None gives an empty one.

    Raises:
        Fault: for other types, too many items, and parts that cannot be stored.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        msg = f"{_json_type(value)} instead of an object"
        raise Fault(msg)
    check_storable(value)
    return cast("dict[str, Json]", value)


def check_storable(value: Json, *, depth: int = MAX_DEPTH) -> None:
    """Refuse what PostgreSQL's jsonb cannot hold.

    Raises:
        Fault: says what it was.
    """
    if depth == 0:
        msg = f"nested more than {MAX_DEPTH} deep"
        raise Fault(msg)
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int | float):
        parse_number(value)
    elif isinstance(value, dict | list):
        if len(value) > MAX_ITEMS:
            msg = f"more than {MAX_ITEMS} items"
            raise Fault(msg)
        for item in value:
            check_storable(item, depth=depth - 1)
        if isinstance(value, dict):
            for item in value.values():
                check_storable(item, depth=depth - 1)


def _check_text(value: str) -> None:
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        msg = "text with NUL or half a character"
        raise Fault(msg)


def _json_type(value: Json) -> str:
    names = {str: "text", bool: "a truth value", dict: "an object", list: "a list"}
    return names.get(type(value), "null" if value is None else "a number")
