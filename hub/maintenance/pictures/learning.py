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

from hub.domain.ports import JudgePicture
from hub.domain.quality import BandKey, CheckOrder, Index, PictureCheck, PictureState

COMPARED: Final = frozenset({Index.OCCLUSION, Index.SCENE})
"""The indices that compare a picture with the baselines."""

_NOTE: Final = struct.Struct(">4sddI?")
_MARK: Final = b"GBL1"
_MOST: Final = 1_000_000
_LONGEST: Final = timedelta(days=36_500)


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
        began_at, last_at = datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(last, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if not timedelta(0) <= last_at - began_at <= _LONGEST:
        return None
    return Lesson(
        baseline=stored[_NOTE.size :],
        pictures=pictures,
        since=began_at,
        last_at=last_at,
        is_confirmed=is_confirmed,
    )


def lessons_of(stored: Mapping[BandKey, bytes]) -> dict[BandKey, Lesson]:
    """Return all that is stored of one camera."""
    lessons = {key: unpack(data) for key, data in stored.items()}
    return {key: lesson for key, lesson in lessons.items() if lesson is not None}


def baselines_of(lessons: Lessons) -> dict[BandKey, bytes]:
    """The baselines alone, as whoever judges wants them: to compare with and to add to."""
    return {key: lesson.baseline for key, lesson in lessons.items()}


def trusted(check: PictureCheck, lessons: Lessons, learning: Learning = DEFAULT) -> PictureCheck:
    """Return a check without the verdicts by baselines, unless one of them is ripe.

    Of whatever mode: a grey cloth before a camera that sees in colour looks like infrared light.
    """
    if any(one.is_ripe(learning) for one in lessons.values()):
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
    if not _is_due(lesson, at, learning):
        return None
    return _first(check, at) if lesson is None else _with(lesson, check, at)


def may_learn(
    state: PictureState, lessons: Lessons, band: int, at: datetime, learning: Learning = DEFAULT
) -> bool:
    """Tell whether a camera's next picture is one to learn from, if it is good and sees as before.

    Learning costs as much as several indices, and most pictures are not learnt from.
    """
    if state.faults or state.suspects:
        return False
    return _is_due(lessons.get((band, state.mode)), at, learning)


def confirm(check: PictureCheck, lesson: Lesson | None, at: datetime) -> Lesson | None:
    """Return the lesson of a picture somebody called good: ripe at once; None: there is none."""
    if not check.learnt:
        return None
    learnt = _first(check, at) if lesson is None else _with(lesson, check, at)
    return replace(learnt, is_confirmed=True)


async def ripen(
    judge: JudgePicture, order: CheckOrder, check: PictureCheck, learning: Learning = DEFAULT
) -> PictureCheck:
    """Have a picture somebody called good learnt as often as a baseline needs to be judged by.

    ``check`` is what ``order`` gave; the answer is for :func:`confirm`. Raises a DeviceError.
    """
    for _ in range(learning.ripe_pictures - 1):
        known = {**order.baselines, (order.band, check.mode): check.learnt}
        order = replace(order, baselines=known)
        check = await judge(order)
    return check


def _is_due(lesson: Lesson | None, at: datetime, learning: Learning) -> bool:
    """Tell whether the last picture was added long enough ago, or in the future."""
    if lesson is None:
        return True
    spacing = learning.spacing_ripe if lesson.is_ripe(learning) else learning.spacing
    return not timedelta(0) <= at - lesson.last_at < spacing


def _first(check: PictureCheck, at: datetime) -> Lesson:
    return Lesson(baseline=check.learnt, pictures=1, since=at, last_at=at)


def _with(lesson: Lesson, check: PictureCheck, at: datetime) -> Lesson:
    """A lesson with a picture added; how long was learnt is not lost by a clock set back."""
    since = lesson.since if lesson.last_at <= at else at - (lesson.last_at - lesson.since)
    return replace(
        lesson, baseline=check.learnt, pictures=lesson.pictures + 1, since=since, last_at=at
    )
