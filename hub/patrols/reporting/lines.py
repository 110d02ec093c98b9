"""Stops as pages show them, and which of them get pictures."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from hub.domain.patrols import PatrolStop, Result, SecondLook, Timing
from hub.patrols.files import PictureFolder
from hub.patrols.reporting import words
from hub.patrols.reporting.thumbnails import Thumbnails
from hub.store.patrol_figures import URGENT_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """One stop as a page shows it; ``picture`` is a data URI or empty."""

    round_id: int
    position: int
    camera: str
    area: str
    result: Result
    result_name: str
    kind: str
    fault: str
    reason: str
    note: str
    remarks: Sequence[str]
    detail: str
    judge: str
    time: str
    timing: Timing
    timing_name: str
    second: str
    is_disputed: bool
    dispatch_id: int | None
    picture: str

    @property
    def is_off_time(self) -> bool:
        """Late, early, missed or out of order."""
        return self.timing not in {Timing.NONE, Timing.ON_TIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """How many pictures a page shows, and how wide; the rest of the stops is text.

    ``abnormal`` of the stops that are not normal come first. Beyond ``many`` pictures those of
    other stops are ``small`` wide, so that the file stays one that can be sent and opened.
    ``is_paper``: the page becomes a PDF.
    """

    abnormal: int
    others: int
    width: int = 480
    small: int = 320
    many: int = 200
    is_paper: bool = False


ON_SCREEN: Final = PictureLimits(abnormal=2_000, others=2_000)
ON_PAPER: Final = PictureLimits(
    abnormal=400, others=240, width=400, small=160, many=0, is_paper=True
)
OF_PERIOD: Final = PictureLimits(abnormal=200, others=0, width=320)


async def shrink_all(
    stops: Sequence[PatrolStop], folder: PictureFolder, limits: PictureLimits
) -> Mapping[tuple[int, int], str]:
    """Data URIs of the pictures that a page shows, by round and position; empty: unreadable."""
    with_picture = [stop for stop in stops if stop.has_picture]
    wrong = sorted(filter(is_wrong, with_picture), key=urgency)[: limits.abnormal]
    others = [stop for stop in with_picture if not is_wrong(stop)][: limits.others]
    is_many = len(wrong) + len(others) > limits.many
    pictures = await _shrink(wrong, folder, limits.width)
    pictures.update(await _shrink(others, folder, limits.small if is_many else limits.width))
    return pictures


def is_wrong(stop: PatrolStop) -> bool:
    """Tell whether a stop is one that the reader must see: not normal, or disputed."""
    return stop.result is not Result.NORMAL or stop.second_look is SecondLook.DISAGREED


def urgency(stop: PatrolStop) -> int:
    """In which order the reader is shown what is wrong: what cannot wait comes first."""
    if stop.result is Result.ABNORMAL:
        return 0 if stop.kind in URGENT_KINDS else 1
    return 2 if stop.second_look is SecondLook.DISAGREED else 3


def describe_stop(stop: PatrolStop, zone: tzinfo, picture: str | None) -> StopLine:
    """A stop in words; ``picture`` is None where the page has no room for it."""
    reason = stop.reason
    if stop.has_picture and picture == "":
        reason = "; ".join(filter(None, (reason, "画面无法显示 picture cannot be shown")))
    second = " · ".join(filter(None, (words.SECOND_NAMES[stop.second_look], stop.second_by)))
    return StopLine(
        round_id=stop.round_id,
        position=stop.position,
        camera=stop.device_name,
        area=stop.area_name,
        result=stop.result,
        result_name=words.RESULT_NAMES[stop.result],
        kind=words.kind_name(stop.kind) if stop.result is Result.ABNORMAL else "",
        fault=words.LAYER_NAMES.get(stop.layer, stop.layer),
        reason=reason,
        note=stop.note,
        remarks=[one for one in stop.remarks if one != reason],
        detail=stop.detail,
        judge=words.judge_name(stop.judged_by),
        time=words.clock_time(stop.at or stop.judged_at, zone),
        timing=stop.timing,
        timing_name=words.TIMING_NAMES[stop.timing],
        second=": ".join(filter(None, (second, stop.second_note))),
        is_disputed=stop.second_look is SecondLook.DISAGREED,
        dispatch_id=stop.dispatch_id,
        picture=picture or "",
    )


async def _shrink(
    stops: Sequence[PatrolStop], folder: PictureFolder, width: int
) -> dict[tuple[int, int], str]:
    pictures = {}
    async with Thumbnails(width=width) as thumbnails:
        for stop in stops:
            small = await thumbnails.shrink(folder.picture_path(stop.round_id, stop.position))
            text = "" if small is None else base64.b64encode(small).decode("ascii")
            pictures[stop.round_id, stop.position] = text and f"data:image/jpeg;base64,{text}"
    return pictures
