"""Which pictures a baseline is learnt from, and when it is known well enough to judge by. Pure.

A baseline is opaque: whoever judges makes it. Before it goes a note of how many pictures it was
learnt from, since when and when last, and whether somebody confirmed it; both are stored together.
A baseline is ripe, and verdicts by it count, after several pictures over some days, or at once
when somebody said "this is a good picture". While a fault stands or is suspected nothing is
learnt: a spider's web must not become what the camera looks like.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.domain.quality import BandKey, Index, PictureCheck, PictureState

COMPARED: Final = frozenset({Index.OCCLUSION, Index.SCENE})
"""The indices that compare a picture with the baselines."""

_NOTE: Final = struct.Struct(">4sddI?")
_MARK: Final = b"GBL1"
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How baselines are learnt, each band and mode by itself.

    At most one picture in ``spacing``; in ``spacing_ripe``, which is one a day, once it is ripe:
    what changes slowly is followed, and 70,000 cameras do not fill the log of the database.
    """

    spacing: timedelta = timedelta(minutes=40)
    spacing_ripe: timedelta = timedelta(hours=20)
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
        """Tell whether verdicts by it count."""
        if self.is_confirmed:
            return True
        lasted = self.last_at - self.since
        return self.pictures >= learning.ripe_pictures and lasted >= learning.ripe_after


Lessons = Mapping[BandKey, Lesson]


def pack(lesson: Lesson) -> bytes:
    """Return a lesson as it is stored."""
    note = _NOTE.pack(
        _MARK,
        lesson.since.timestamp(),
        lesson.last_at.timestamp(),
        min(lesson.pictures, _MOST),
        lesson.is_confirmed,
    )
    return note + lesson.baseline


def unpack(stored: bytes) -> Lesson | None:
    """Return what is stored; None for what is no lesson: it is learnt anew."""
    if len(stored) <= _NOTE.size or not stored.startswith(_MARK):
        return None
    _, since, last, pictures, is_confirmed = _NOTE.unpack_from(stored)
    try:
        return Lesson(
            baseline=stored[_NOTE.size :],
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


def baselines_of(lessons: Lessons) -> dict[BandKey, bytes]:
    """The baselines alone, as whoever judges wants them: to compare with and to add to."""
    return {key: lesson.baseline for key, lesson in lessons.items()}


def trusted(check: PictureCheck, lessons: Lessons, learning: Learning = DEFAULT) -> PictureCheck:
    """Return a check without the verdicts by baselines, unless one of its mode is ripe."""
    if any(key[1] is check.mode and one.is_ripe(learning) for key, one in lessons.items()):
        return check
    kept = tuple(finding for finding in check.findings if finding.index not in COMPARED)
    return replace(check, findings=kept)


def learn(
    state: PictureState,
    check: PictureCheck,
    lesson: Lesson | None,
    at: datetime,
    learning: Learning = DEFAULT,
) -> Lesson | None:
    """Return the lesson with a picture added; None: nothing is learnt from it.

    ``state`` is what the picture made of the camera's state.
    """
    if not check.learnt or check.faults or state.faults or state.suspects:
        return None
    if lesson is None or lesson.last_at > at:
        return _first(check, at, lesson)
    spacing = learning.spacing_ripe if lesson.is_ripe(learning) else learning.spacing
    if at - lesson.last_at < spacing:
        return None
    return replace(lesson, baseline=check.learnt, pictures=lesson.pictures + 1, last_at=at)


def confirm(check: PictureCheck, lesson: Lesson | None, at: datetime) -> Lesson | None:
    """Return the lesson of a picture somebody called good: ripe at once; None: there is none."""
    if not check.learnt:
        return None
    if lesson is None:
        return replace(_first(check, at, None), is_confirmed=True)
    added = replace(lesson, baseline=check.learnt, pictures=lesson.pictures + 1)
    return replace(added, last_at=at, is_confirmed=True)


def _first(check: PictureCheck, at: datetime, before: Lesson | None) -> Lesson:
    """A lesson that begins now: the first, or after a clock that was set back."""
    pictures = 1 if before is None else before.pictures + 1
    is_confirmed = before is not None and before.is_confirmed
    return Lesson(
        baseline=check.learnt, pictures=pictures, since=at, last_at=at, is_confirmed=is_confirmed
    )
