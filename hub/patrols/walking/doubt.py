"""What a look at a stop makes of it: how doubtful it is, why, and what it would be called. Pure.

Something that moves where nothing moves at this hour comes before everything else, then what is
wrong with the picture, then what is known of the place. Nothing is said of who or what moves.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from hub.domain.events import Severity
from hub.domain.health import Layer
from hub.domain.looks import Glimpse, Movement
from hub.domain.quality import Index
from hub.patrols.walking.place_words import describe, one_line
from hub.store.patrol_places import Place, PlaceAlert

MOVING, DOWN, BAD, BLOCKED = "something_moving", "camera_down", "picture_bad", "view_blocked"

# The first is kept for movement at an empty place: whatever else comes together stays below it.
EMPTY_PLACE: Final = 90.0
_HIGHEST_OTHERS: Final = 89.0

LEAST_MOVED: Final = 0.0015
"""Share of the picture below which nothing is said to move: less than a walker at twenty metres."""

EMPTY: Final = 0.001
"""Usual share up to which a place counts as one where nothing moves at that hour."""

_FAR_MORE: Final = 4.0  # times the usual
_MORE_BY: Final = 0.01  # and by this share of the picture at the least

_FAULTS: Final[Mapping[Index, tuple[float, str, str]]] = MappingProxyType(
    {
        Index.SIGNAL: (85.0, "无视频信号 No video signal", BAD),
        Index.OCCLUSION: (80.0, "镜头被遮挡 View covered", BLOCKED),
        Index.SCENE: (75.0, "镜头方向变了 Camera looks elsewhere", BAD),
        Index.FREEZE: (70.0, "画面冻结 Picture frozen", BAD),
        Index.DARK: (45.0, "画面过暗 Too dark", BAD),
        Index.BRIGHT: (45.0, "画面过亮 Too bright", BAD),
        Index.CONTRAST: (40.0, "对比度低 Low contrast", BAD),
        Index.BLUR: (50.0, "画面模糊 Out of focus", BAD),
        Index.CAST: (35.0, "画面偏色 Colour cast", BAD),
        Index.NOISE: (45.0, "画面噪点多 Noise", BAD),
        Index.STRIPES: (45.0, "画面有条纹 Stripes", BAD),
        Index.JITTER: (40.0, "画面抖动 Picture shakes", BAD),
        Index.PTZ: (35.0, "云台不动 Does not turn", BAD),
    }
)
"""How much a fault weighs, its words, and the kind of finding it is."""

_LAYERS: Final[Mapping[Layer, str]] = MappingProxyType(
    {
        Layer.NETWORK: "网络时通时断 Network fails, yet a picture came",
        Layer.PROTOCOL: "协议应答异常 Does not answer as a camera should",
        Layer.CREDENTIALS: "视频流密码错误 Stream refuses the password",
        Layer.STREAM: "无视频流 Offers no video, only a picture",
        Layer.FRAMES: "视频流无画面 Video stream brings no picture",
        Layer.PICTURE: "画面异常 Picture is faulty",
        Layer.RECORDING: "无录像 Recording is missing",
        Layer.CLOCK: "时钟错误 Clock is wrong",
        Layer.READINGS: "读数异常 Readings are missing or wrong",
    }
)
_LAYER_WEIGHT: Final = 35.0
_SLIGHT: Final = frozenset(
    {Layer.RECORDING, Layer.CLOCK, Layer.READINGS}
)  # nothing to be seen of them
_SLIGHT_WEIGHT: Final = 10.0

_COMPARED: Final = frozenset({Index.SCENE, Index.OCCLUSION})
_STILL: Final = frozenset({Index.SIGNAL, Index.FREEZE})  # nothing can move in such a picture
_ALERTS: Final[Mapping[Severity, float]] = MappingProxyType(
    {Severity.CRITICAL: 50.0, Severity.WARNING: 32.0, Severity.INFO: 10.0}
)
_NEWS: Final = timedelta(days=1)
_OLD_ALERT: Final = 0.3
_COUNTS: Final = 15.0  # what weighs less is told and adds nothing
_AROUND: Final = 8.0  # an alert of the village, an event: worth reading, not worth a look
_NOT_JUDGED: Final = 30.0
_NOT_TURNED: Final = 30.0
_UNKNOWN: Final = 5.0
_UNKNOWN_USUAL: Final = (20.0, 28.0)
_HALF_WAY: Final = 25.0  # to a fault: worth a word
MOST_REMARKS: Final = 12
LONGEST_REMARK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """All that came of one look at a stop that was seen.

    ``glimpse`` None: there is a picture that nobody judged, ``unjudged`` says why, empty: nobody
    was to. ``is_turned``: the camera was sent to a preset, ``not_turned`` says why it was not.
    """

    glimpse: Glimpse | None = None
    layer: Layer | None = None
    place: Place = field(default_factory=Place)
    unjudged: str = ""
    is_turned: bool = False
    not_turned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What it comes to: ``remarks`` the worst first, ``kind`` that of the worst."""

    doubt: float = 0.0
    remarks: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remark:
    weight: float
    text: str
    kind: str = ""


def weigh(noticed: Noticed) -> Weighed:
    """Weigh what was noticed at a stop."""
    found = sorted(_notice(noticed), key=lambda one: -one.weight)
    kind = next((one.kind for one in found if one.kind), "")
    return Weighed(
        doubt=_combine(found),
        remarks=tuple(one_line(one.text, LONGEST_REMARK) for one in found[:MOST_REMARKS]),
        kind=kind,
    )


def _notice(noticed: Noticed) -> Iterator[_Remark]:
    if noticed.layer is not None:
        slight = noticed.layer in _SLIGHT
        weight = _SLIGHT_WEIGHT if slight else _LAYER_WEIGHT
        yield _Remark(weight=weight, text=_LAYERS[noticed.layer], kind="" if slight else DOWN)
    if noticed.unjudged:
        text = f"画面未经机器判断 Picture not judged: {noticed.unjudged}"
        yield _Remark(weight=_NOT_JUDGED, text=text)
    if noticed.not_turned:
        text = f"未转到预置位 Did not go to its preset: {noticed.not_turned}"
        yield _Remark(weight=_NOT_TURNED, text=text)
    if noticed.glimpse is not None:
        yield from _of_picture(noticed.glimpse, noticed)
    yield from _of_place(noticed.place)


def _of_picture(glimpse: Glimpse, noticed: Noticed) -> Iterator[_Remark]:
    # What is learnt of a camera is its view at rest.
    ignored = _COMPARED if noticed.is_turned else frozenset()
    faults = {one.index for one in glimpse.faults} - ignored
    for index in sorted(faults):
        weight, text, kind = _FAULTS[index]
        yield _Remark(weight=weight, text=text, kind=kind)
    change = glimpse.change or 0.0
    if change >= _HALF_WAY and not noticed.is_turned and not faults & _COMPARED:
        text = "与平时画面有差别 Differs from its usual picture"
        yield _Remark(weight=0.4 * change, text=text)
    if faults & _STILL:
        return
    # What is usual is known of the view that was learnt; where all shakes, all moves.
    usual = None if Index.SCENE in faults else noticed.place.usual_movement
    yield from _of_movement(None if Index.JITTER in faults else glimpse.movement, usual)


def _of_movement(movement: Movement | None, usual: float | None) -> Iterator[_Remark]:
    if movement is None:
        yield _Remark(weight=_UNKNOWN, text="无法判断有无移动 Cannot tell whether anything moves")
        return
    share = movement.share
    if share < LEAST_MOVED:
        return
    part = f"{share:.1%}".replace("%", " %")
    if usual is None:
        low, high = _UNKNOWN_USUAL
        text = f"有物移动 平时情况未知 Something moves ({part}); what is usual is not known yet"
        yield _Remark(weight=min(high, low + 100.0 * share), text=text)
    elif usual <= EMPTY:
        text = f"平时无人处有物移动 Something moves where nothing does at this hour ({part})"
        weight = min(100.0, EMPTY_PLACE + 100.0 * share)
        yield _Remark(weight=weight, text=text, kind=MOVING)
    elif share >= max(_FAR_MORE * usual, usual + _MORE_BY):
        times = share / usual
        text = f"移动比平时多得多 Far more moves than usual ({part}, {times:.0f} times)"
        yield _Remark(weight=min(65.0, 40.0 + times), text=text, kind=MOVING)


def _of_place(place: Place) -> Iterator[_Remark]:
    facts = describe(place)
    for alert, text in zip(place.alerts, facts.open_alerts, strict=True):
        yield _Remark(weight=_weigh_alert(alert, place), text=text)
    for text in facts.last_events:
        yield _Remark(weight=_UNKNOWN, text=text)


def _weigh_alert(alert: PlaceAlert, place: Place) -> float:
    if alert.device_id != place.device_id:
        return _AROUND
    weight = _ALERTS[alert.severity]
    is_news = place.asked_at is None or place.asked_at - alert.started_at < _NEWS
    return weight if is_news else _OLD_ALERT * weight


def _combine(found: Iterable[_Remark]) -> float:
    """Return the doubt: several reasons are together more than each alone, mere words are not."""
    good, worst = 1.0, 0.0
    for one in found:
        if one.weight >= _COUNTS:
            good *= 1.0 - min(one.weight, 100.0) / 100.0
        worst = max(worst, one.weight)
    if worst >= EMPTY_PLACE:
        return round(min(worst, 100.0), 1)
    return round(min(_HIGHEST_OTHERS, max(worst, 100.0 * (1.0 - good))), 1)
