"""When events came, and whether they came together. Pure; moments are seconds of Unix time.

A row holds the moments of one kind of event, oldest first. Rows are JSON: they are remembered
with the state of a rule.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alerts.rules.decisions import SKEW
from hub.domain.devices import Json

# Of each event of a combination so many are kept: enough to set right what came out of order.
MOST_MOMENTS: Final = 8


def read_moments(raw: Json, now: datetime) -> list[list[float]]:
    """Read rows back; moments ahead of our clock count as of now: it was set back."""
    latest = now.timestamp()
    most = latest + SKEW.total_seconds()
    rows = raw if isinstance(raw, list | tuple) else ()
    return [
        sorted(m if m <= most else latest for m in row if isinstance(m, int | float))
        for row in rows
        if isinstance(row, list | tuple)
    ]


def add_moment(
    rows: list[list[float]], number: int, moment: float, *, most: int = MOST_MOMENTS
) -> list[float]:
    """Put a moment in its place in a row, of which the latest stay; return the row."""
    while len(rows) <= number:
        rows.append([])
    row = rows[number]
    row.append(moment)
    row.sort()
    del row[:-most]
    return row


def find_sequence(
    rows: Sequence[Sequence[float]], *, within_s: float, in_order: bool
) -> float | None:
    """Return the first moment of the latest sequence with one of each row; None without one."""
    if not all(rows):
        return None
    return _find_ordered(rows, within_s) if in_order else _find_any(rows, within_s)


def _find_any(rows: Sequence[Sequence[float]], within_s: float) -> float | None:
    """Of each row the latest before an end: tried for every end, the latest first."""
    for end in sorted((moment for row in rows for moment in row), reverse=True):
        before = [max((m for m in row if m <= end), default=None) for row in rows]
        first = min((m for m in before if m is not None), default=end)
        if None not in before and end - first <= within_s:
            return first
    return None


def _find_ordered(rows: Sequence[Sequence[float]], within_s: float) -> float | None:
    """Backwards from an end: of each row the latest that is not later than its successor."""
    for end in reversed(rows[-1]):
        moment: float | None = end
        for row in reversed(rows[:-1]):
            limit = moment
            moment = max((m for m in row if limit is not None and m <= limit), default=None)
        if moment is not None and end - moment <= within_s:
            return moment
    return None
