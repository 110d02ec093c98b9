"""What a judgement of a stop must hold: a picture that was seen or a reason. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.dispatches import Priority
from hub.domain.errors import Conflict, Invalid
from hub.domain.patrols import (
    LONGEST_NOTE,
    PatrolMode,
    PatrolRound,
    PatrolStop,
    Result,
    Verdict,
)

_KIND: Final = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWish:
    """A task that is to be opened from a stop; without a title it is called by place and kind."""

    title: str = ""
    text: str = ""
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person makes of a stop.

    ``checked`` answers the plan's checklist, item by item; ``picture_sha256`` names the picture
    that was seen, empty where there is none. ``task`` is opened with what is abnormal.
    """

    result: Result
    kind: str = ""
    note: str = ""
    checked: Sequence[bool] = ()
    picture_sha256: str = ""
    task: TaskWish | None = None


def check_open(walk: PatrolRound, stop: PatrolStop, said: Judgement) -> None:
    """Refuse what cannot be judged any more, or not yet.

    Raises:
        Conflict: somebody judged it, or the machine has not looked and it is not passed by.
    """
    if stop.result is not Result.OPEN:
        raise Conflict(judged_already(stop))
    is_for_person = stop.is_for_person or walk.mode is PatrolMode.WALK
    is_pending = stop.verdict is Verdict.PENDING
    if not is_for_person or (is_pending and said.result is not Result.NOT_JUDGED):
        msg = "the machine has not looked at this stop yet"
        raise Conflict(msg)


def check_judgement(walk: PatrolRound, stop: PatrolStop, said: Judgement) -> None:
    """Refuse a judgement in which something is missing.

    Raises:
        Conflict: the stop shows another picture than was seen.
        Invalid: there is no reason, no kind, no picture, or no answer to the checklist.
    """
    note = clean_note(said.note)
    if said.task is not None and said.result is not Result.ABNORMAL:
        msg = "a task is opened from what is abnormal"
        raise Invalid(msg, field="task")
    if said.result is Result.NOT_JUDGED:
        if not note:
            msg = "say why it is not judged"
            raise Invalid(msg, field="note")
        return
    if said.result is Result.OPEN:
        msg = "a judgement is normal, abnormal or not judged"
        raise Invalid(msg, field="result")
    if said.picture_sha256 != stop.picture_sha256:
        msg = "the picture is another one than you saw: look again"
        raise Conflict(msg)
    if len(said.checked) != len(walk.details.checklist):
        msg = f"answer all {len(walk.details.checklist)} items of the checklist"
        raise Invalid(msg, field="checked")
    _check_finding(stop, said, note)


def _check_finding(stop: PatrolStop, said: Judgement, note: str) -> None:
    if said.result is Result.NORMAL:
        if not stop.has_picture:
            msg = "without a picture nobody can say that all is well"
            raise Invalid(msg, field="result")
        if not all(said.checked):
            msg = "an item of the checklist does not hold: judge it abnormal"
            raise Invalid(msg, field="checked")
        if said.kind:
            msg = "what is normal has no kind of finding"
            raise Invalid(msg, field="kind")
        return
    if not _KIND.fullmatch(said.kind):
        msg = "say what kind of finding it is: a word of small letters, digits and _"
        raise Invalid(msg, field="kind")
    if not stop.has_picture and not note:
        msg = "there is no picture: say what you know"
        raise Invalid(msg, field="note")


def judged_already(stop: PatrolStop) -> str:
    """Say who was first."""
    return f"{stop.judged_by} judged this stop already: {stop.result.value}"


def clean_note(text: str) -> str:
    """Return a note without the blanks around it; raises Invalid when it is too long."""
    note = text.strip()
    if len(note) > LONGEST_NOTE or "\x00" in note:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise Invalid(msg, field="note")
    return note
