"""Which pictures a baseline is learnt from, and when it is known well enough to judge by. Pure.

A baseline is opaque: whoever judges makes it. Around it goes a note of how many pictures it was
learnt from, since when and when last, and whether somebody confirmed it; both are stored together.
A baseline is ripe, and given to whoever judges, after several pictures over some days, or at once
when somebody said "this is a good picture". While a fault stands or is suspected nothing is
learnt: a spider's web must not become what the camera looks like.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.domain.quality import BandKey, PictureCheck, PictureState

_FORM: Final = struct.Struct(">4sddI?")
_MARK: Final = b"GBL1"
MOST_PICTURES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How baselines are learnt: at most one picture in ``spacing`` for each band of hours."""

    spacing: timedelta = timedelta(minutes=40)
    ripe_pictures: int = 4
    ripe_after: timedelta = timedelta(days=2)


DEFAULT: Final = Learning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A baseline with its note; ``baseline`` is what whoever judges made and reads."""

    baseline: bytes
    pictures: int
    since: datetime
    last_at: datetime
    is_confirmed: bool = False

    def is_ripe(self, learning: Learning = DEFAULT) -> bool:
        """Tell whether it may be judged by."""
        if self.is_confirmed:
            return True
        lasted = self.last_at - self.since
        return self.pictures >= learning.ripe_pictures and lasted >= learning.ripe_after


def pack(lesson: Lesson) -> bytes:
    """Return a lesson as it is stored."""
    note = _FORM.pack(
        _MARK,
        lesson.since.timestamp(),
        lesson.last_at.timestamp(),
        min(lesson.pictures, MOST_PICTURES),
        lesson.is_confirmed,
    )
    return note + lesson.baseline


def unpack(stored: bytes) -> Lesson | None:
    """Return what is stored; None for what is no lesson: it is learnt anew."""
    if len(stored) <= _FORM.size or not stored.startswith(_MARK):
        return None
    _, since, last, pictures, is_confirmed = _FORM.unpack_from(stored)
    try:
        return Lesson(
            baseline=stored[_FORM.size :],
            pictures=pictures,
            since=datetime.fromtimestamp(since, UTC),
            last_at=datetime.fromtimestamp(last, UTC),
            is_confirmed=is_confirmed,
        )
    except (ValueError, OverflowError, OSError):
        return None


def lessons_of(stored: Mapping[BandKey, bytes]) -> dict[BandKey, Lesson]:
    """Return all that is stored of one camera."""
    lessons = {key: unpack(data) for key, data in stored.items()}
    return {key: lesson for key, lesson in lessons.items() if lesson is not None}


def ripe(
    lessons: Mapping[BandKey, Lesson], learning: Learning = DEFAULT
) -> dict[BandKey, bytes]:
    """The baselines that may be judged by."""
    return {key: one.baseline for key, one in lessons.items() if one.is_ripe(learning)}
