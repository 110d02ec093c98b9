"""What is known of cameras' pictures, what people say of it, by which thresholds it is judged."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hub.domain.quality import MAX_SCORE, Index, Mode
from hub.store.picture_feedback import LONGEST_NOTE
from hub.store.picture_masks import FEWEST_CORNERS, MOST_CORNERS, MOST_POLYGONS
from hub.store.picture_profiles import LONGEST_NAME
from hub.web.schemas.shapes import In, Number, Out

MOST_HOURS_BACK = 14 * 24

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Corner = tuple[Share, Share]
Polygon = Annotated[Sequence[Corner], Field(min_length=FEWEST_CORNERS, max_length=MOST_CORNERS)]
Threshold = Annotated[float, Field(gt=0, le=MAX_SCORE, allow_inf_nan=False)]
Thresholds = Mapping[Index, Threshold | None]
ProfileName = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"),
]
DeviceClass = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class RegionOut(Out):
    """A part of a picture: shares of its width and height, from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


class FindingOut(Out):
    """The verdict of one index of the last check; a score from ``threshold`` on is a fault.

    ``threshold`` is that of the profile with ``correction`` added: what people said of this camera.
    """

    index: Index
    score: float
    threshold: float
    correction: float
    is_fault: bool
    why: str
    region: RegionOut | None


class PictureFaultOut(Out):
    """A fault that stands or is suspected, seen ``looks`` times since ``since``."""

    index: Index
    since: datetime
    looks: int
    score: float
    threshold: float
    why: str


class StandingFaultOut(PictureFaultOut):
    """The same with in how many of the last looks it was not seen any more."""

    mending: int


class BandOut(Out):
    """What is learnt of the camera's picture at some hours (of the hub's time zone) in one mode.

    ``is_ripe``: pictures are compared with it. ``is_confirmed``: somebody said that it is good.
    """

    from_hour: int
    to_hour: int
    mode: Mode
    pictures: int
    since: datetime
    last_at: datetime
    is_confirmed: bool
    is_ripe: bool


class EvidenceOut(Out):
    """A picture that is kept: when it was taken, and where to get it."""

    at: datetime
    href: str


class PictureProfilesOut(Out):
    """By which profiles a camera is judged; ``source`` says where they are assigned."""

    day: str
    night: str
    source: str


class PictureOut(Out):
    """What is known of a camera's picture now.

    ``unseen`` is why there was no picture at ``tried_at``, empty when there was one;
    ``checked_at`` is null while no picture was ever judged: nothing is known then, good or bad.
    ``suspects`` wait for a second look. ``not_judged`` are indices without a verdict.
    """

    device_id: int
    device_name: str
    verdict: Literal["good", "bad", "unknown"]
    checked_at: datetime | None
    tried_at: datetime | None
    next_at: datetime | None
    unseen: str
    mode: Mode
    width: int
    height: int
    profiles: PictureProfilesOut
    findings: Sequence[FindingOut]
    not_judged: Sequence[Index]
    faults: Sequence[StandingFaultOut]
    suspects: Sequence[StandingFaultOut]
    baseline: Sequence[BandOut]
    masks: int
    good: EvidenceOut | None
    bad: EvidenceOut | None


class CheckOut(Out):
    """What one check found; an index that was not judged has no score."""

    at: datetime
    mode: Mode
    is_night: bool
    faults: Sequence[Index]
    scores: Mapping[Index, float]


class CheckHourOut(Out):
    """The checks of one hour: in how many each index was a fault, and its worst score."""

    hour: datetime
    checks: int
    faults: Mapping[Index, int]
    scores: Mapping[Index, float]


class DueOut(Out):
    """When a camera is looked at next."""

    next_at: datetime


class FeedbackIn(In):
    """What somebody says of a verdict; ``checked_at`` is of the check he saw, if he says so."""

    index: Index
    is_fault: bool
    note: Annotated[str, Field(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$")] = ""
    checked_at: AwareDatetime | None = None


class FeedbackOut(Out):
    """What somebody said of a verdict. ``has_picture``: the picture he meant is kept with it."""

    id: int
    device_id: int
    device_name: str
    area_id: int
    index: Index
    is_fault: bool
    score: float | None
    threshold: float | None
    note: str
    author: str
    said_at: datetime
    taken_at: datetime | None
    has_picture: bool


class FeedbackDoneOut(Out):
    """What was kept, and the corrections of the camera's thresholds that follow from all of it.

    ``threshold`` applies from now on; corrections are bounded, so that ``is_settled`` may be
    false: the verdict stays what it was. Then a profile of the camera's own helps.
    """

    feedback: FeedbackOut
    threshold: float | None
    is_settled: bool
    corrections: Mapping[Index, float]


class BaselineIn(In):
    """That the picture the camera shows now is good."""

    accept: Literal[True]


class BaselineOut(Out):
    """What is learnt of a camera."""

    bands: Sequence[BandOut]


class MasksIn(In):
    """What must not be seen, in place of what was said before; none shows everything."""

    polygons: Annotated[Sequence[Polygon], Field(max_length=MOST_POLYGONS)]


class MasksOut(Out):
    """What is painted over before anything is stored: corners as shares of width and height."""

    polygons: Sequence[Sequence[tuple[float, float]]]


class FaultLineOut(Out):
    """A camera whose picture is bad, as a maintenance team needs it."""

    device_id: int
    device_name: str
    code: str
    place: str
    device_class: str
    team: str
    area_id: int
    area_name: str
    status: str
    since: datetime
    checked_at: datetime | None
    mode: Mode
    faults: Sequence[PictureFaultOut]
    good: EvidenceOut | None
    bad: EvidenceOut | None


class SummaryOut(Out):
    """How many cameras have which fault, and how many were looked at to know it.

    Of ``managed`` cameras ``checked`` were within ``hours``, ``stale`` longer ago, ``never`` not
    at all; ``reasons`` says why the others were not (an empty reason: rarer ones together).
    """

    hours: int
    managed: int
    checked: int
    faulty: int
    stale: int
    never: int
    faults: Mapping[Index, int]
    reasons: Mapping[str, int]


class ProfileIn(In):
    """Thresholds under a name. What is not named is as built in; null is not judged."""

    area_id: Number
    name: ProfileName
    thresholds: Thresholds


class ProfileChangeIn(In):
    """A name and thresholds in place of those before."""

    name: ProfileName
    thresholds: Thresholds


class ProfileOut(Out):
    """Thresholds under a name, for the cameras of an area and below it."""

    id: int
    area_id: int
    name: str
    thresholds: Mapping[Index, float | None]


class AssignmentIn(In):
    """Which profiles apply by day and night: in an area (to a class in it), or to a camera."""

    area_id: Number | None = None
    device_class: DeviceClass = ""
    device_id: Number | None = None
    day_id: Number
    night_id: Number


class AssignmentOut(Out):
    """Which profiles apply by day and by night to which cameras."""

    id: int
    area_id: int
    device_class: str
    device_id: int | None
    day_id: int
    night_id: int


class ProfileTrialIn(In):
    """Thresholds that are not stored, and which checks of the past to hold against them.

    Of the area and those below it, of one class of cameras if named; ``night`` true: of those
    that the night profile judged, false: the day profile. Only what is named is looked at; null
    is not judged any more.
    """

    thresholds: Annotated[Thresholds, Field(min_length=1)]
    area_id: Number
    device_class: DeviceClass = ""
    night: bool | None = None
    hours: Annotated[int, Field(ge=1, le=MOST_HOURS_BACK)] = 24


class ExampleOut(Out):
    """A camera with another verdict."""

    device_id: int
    device_name: str


class IndexChangeOut(Out):
    """What would change about one index, of so many ``checks`` that judged it.

    ``became`` of them would be faults that were none, ``ceased`` the other way round, at so many
    ``cameras``; the examples are those with the most changes.
    """

    index: Index
    checks: int
    faults_before: int
    faults_after: int
    became: int
    ceased: int
    cameras: int
    examples: Sequence[ExampleOut]


class ProfileTrialOut(Out):
    """What thresholds would have made of past checks."""

    since: datetime
    until: datetime
    indices: Sequence[IndexChangeOut]
