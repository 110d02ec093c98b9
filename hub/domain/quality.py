"""Image quality: what is judged of a camera's picture, by which thresholds, and what was found.

A score is a number from 0 (nothing of it) to 100 (as bad as can be), for every index; the
threshold of the profile says from which score on it is a fault. No standard gives thresholds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MAX_SCORE: Final = 100.0
HOURS_A_BAND: Final = 4


class Index(StrEnum):
    """What can be wrong with a picture, in the order in which people are told."""

    SIGNAL = "signal_loss"  # black, blue, test picture, "no video" card
    FREEZE = "freeze"
    OCCLUSION = "occlusion"  # covered, sprayed, leaves, spider web
    SCENE = "scene_change"  # the camera was moved
    DARK = "too_dark"
    BRIGHT = "too_bright"
    CONTRAST = "low_contrast"
    BLUR = "blur"
    CAST = "colour_cast"
    NOISE = "noise"  # or snow
    STRIPES = "stripes"
    JITTER = "jitter"
    PTZ = "ptz"  # the camera does not go where it is sent


class Mode(StrEnum):
    """How the camera sees: in colour, or grey by infrared light."""

    COLOUR = "colour"
    INFRARED = "infrared"


class Codec(StrEnum):
    """How a frame is encoded."""

    JPEG = "jpeg"
    H264 = "h264"
    H265 = "hevc"


Thresholds = Mapping[Index, float | None]
"""The score from which on an index is a fault; None or absent: it is not judged."""

BandKey = tuple[int, Mode]
"""A band of hours (0: the first HOURS_A_BAND hours of the day at the site) and a mode."""

NO_BASELINES: Final[Mapping[BandKey, bytes]] = MappingProxyType({})


OPINIONS: Final[Mapping[str, Index]] = MappingProxyType(
    {
        "signal.lost": Index.SIGNAL,
        "tamper.started": Index.OCCLUSION,
        "scene_change.started": Index.SCENE,
        "picture_too_dark.started": Index.DARK,
        "picture_too_bright.started": Index.BRIGHT,
        "picture_too_blurry.started": Index.BLUR,
    }
)
"""Events by which a camera itself says that its picture is bad: a first opinion, to be checked."""

OPINIONS_ENDED: Final[Mapping[str, Index]] = MappingProxyType(
    {
        "signal.restored": Index.SIGNAL,
        "tamper.stopped": Index.OCCLUSION,
        "scene_change.stopped": Index.SCENE,
        "picture_too_dark.stopped": Index.DARK,
        "picture_too_bright.stopped": Index.BRIGHT,
        "picture_too_blurry.stopped": Index.BLUR,
    }
)
"""Events by which it takes such an opinion back. Some cameras never do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFrame:
    """One picture as the camera encoded it: a JPEG, or one key frame in Annex B form."""

    codec: Codec
    data: bytes = field(repr=False)
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture: shares of its width and height, from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


Polygon = Sequence[tuple[float, float]]
"""Corners as shares (0 to 1) of width and height; three at the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one index measured. ``why`` is one sentence with the measured figures and units."""

    value: float
    why: str
    region: Region | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict of one index on one picture."""

    index: Index
    score: float
    threshold: float
    why: str
    region: Region | None = None

    @property
    def is_fault(self) -> bool:
        """Tell whether the score reaches the threshold."""
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrder:
    """What is to be judged: the frames of one visit, oldest first, and what is known already.

    ``infrared`` holds the thresholds if the picture turns out to be an infrared one.
    ``previous`` is the fingerprint of the last visit, ``baselines`` all that is learnt of the
    camera; both are made by whoever judges and opaque to everybody else. ``band`` is the band of
    hours of now. ``moved``: between the first and the last frame the camera was sent elsewhere.
    ``wants_learnt``: the baseline with this picture added is wanted; it is not for nothing.
    ``masks`` are painted over in ``evidence`` (at most ``evidence_width`` wide; 0: none wanted).
    ``wants_movement``: what moved between the frames is wanted, which takes three of them.
    """

    frames: tuple[EncodedFrame, ...]
    thresholds: Thresholds
    infrared: Thresholds
    band: int = 0
    previous: bytes = field(default=b"", repr=False)
    baselines: Mapping[BandKey, bytes] = field(default_factory=lambda: NO_BASELINES, repr=False)
    masks: tuple[Polygon, ...] = ()
    evidence_width: int = 0
    moved: bool = False
    wants_learnt: bool = True
    wants_movement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCheck:
    """What was found of the frames of one visit; ``width`` and ``height`` are the camera's own.

    An index that could not be judged (no baseline yet, one frame only, suppressed by a lost
    signal) has no finding. ``learnt`` is the baseline of (band, mode) with this picture added;
    whether it is kept is the caller's to decide. ``evidence`` is a masked JPEG. ``moved`` is the
    share of the picture (0 to 1) in which anything moved, ``moving`` where, the largest part
    first; None: not wanted, or it cannot be told.
    """

    mode: Mode
    width: int
    height: int
    findings: tuple[Finding, ...] = ()
    fingerprint: bytes = field(default=b"", repr=False)
    learnt: bytes = field(default=b"", repr=False)
    evidence: bytes = field(default=b"", repr=False)
    moved: float | None = None
    moving: tuple[Region, ...] = ()

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that reach their threshold."""
        return tuple(finding for finding in self.findings if finding.is_fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFault:
    """A fault that stands, or is suspected: seen ``looks`` times in a row since ``since``.

    ``seen_at`` is the last of the looks that counted; None: as ``since``.
    """

    since: datetime
    looks: int
    score: float
    threshold: float
    why: str
    seen_at: datetime | None = None


Faults = Mapping[Index, PictureFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureState:
    """What is known of one camera's picture.

    ``faults`` stand, ``suspects`` wait for a second look, ``mending`` are faults that were not
    seen the last time (a fault is in both while it mends). ``corrections`` are added to the
    camera's thresholds: what people said of it. ``unseen`` is why there was no picture to judge.
    """

    device_id: int
    tried_at: datetime | None = None
    checked_at: datetime | None = None
    next_at: datetime | None = None
    mode: Mode = Mode.COLOUR
    width: int = 0
    height: int = 0
    findings: tuple[Finding, ...] = ()
    faults: Faults = field(default_factory=dict)
    suspects: Faults = field(default_factory=dict)
    mending: Mapping[Index, int] = field(default_factory=dict)
    corrections: Mapping[Index, float] = field(default_factory=dict)
    unseen: str = ""
    good_at: datetime | None = None
    bad_at: datetime | None = None
    fingerprint: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Thresholds under a name, for the cameras of an area and below it."""

    id: int = 0
    name: str = ""
    area_id: int = 0
    thresholds: Thresholds = field(default_factory=dict)
