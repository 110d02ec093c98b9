"""The report of a round: one HTML file with everything in it, to read, print and keep.

What is wrong comes first. Names come from users and devices and are shown as text only: the
template escapes everything, and the page forbids itself scripts and every outside address.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.domain.health import Layer
from hub.domain.patrols import PatrolRound, PatrolStop, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.thumbnails import Thumbnails

TEMPLATE = "round.html.j2"
WIDTH = 480
# Many pictures are made smaller, so that the file stays one that can be sent and opened.
MANY_PICTURES, SMALL_WIDTH = 200, 320

LAYER_NAMES = {
    Layer.NETWORK: "网络不通 network",
    Layer.PROTOCOL: "协议无应答 protocol",
    Layer.CREDENTIALS: "用户名或密码错误 credentials",
    Layer.STREAM: "无视频流 stream",
    Layer.FRAMES: "无画面 frames",
    Layer.PICTURE: "画面异常 picture",
    Layer.RECORDING: "无录像 recording",
    Layer.CLOCK: "时钟错误 clock",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFigures:
    """The stops of one area."""

    name: str
    planned: int
    seen: int
    not_seen: int

    @property
    def completion(self) -> str:
        """Stops seen ÷ stops planned (patrol completion), in per cent."""
        return format_completion(self.seen, self.planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """One stop as the report shows it; ``picture`` is a data URI or empty."""

    position: int
    camera: str
    area: str
    is_seen: bool
    reason: str
    fault: str
    detail: str
    time: str
    picture: str


def format_completion(seen: int, planned: int) -> str:
    """Per cent with one decimal, never rounded up to 100; a dash without any stop."""
    return f"{seen * 1000 // planned / 10:g} %" if planned else "-"


def count_areas(stops: Sequence[PatrolStop]) -> list[AreaFigures]:
    """Figures per area, in the order of the walk."""
    planned = Counter(stop.area_name for stop in stops)
    seen = Counter(stop.area_name for stop in stops if stop.verdict is Verdict.SEEN)
    missed = Counter(stop.area_name for stop in stops if stop.verdict is Verdict.NOT_SEEN)
    return [
        AreaFigures(name=name, planned=number, seen=seen[name], not_seen=missed[name])
        for name, number in planned.items()
    ]


def count_reasons(stops: Sequence[PatrolStop]) -> list[tuple[str, str, int]]:
    """Why cameras were not seen (fault, reason, number), the most frequent first."""
    missed = [stop for stop in stops if stop.verdict is Verdict.NOT_SEEN]
    counted = Counter((_fault(stop) or "其他 other", stop.reason) for stop in missed)
    return [(fault, reason, number) for (fault, reason), number in counted.most_common()]


async def build_report(
    walk: PatrolRound, stops: Sequence[PatrolStop], folder: PictureFolder, *, now: datetime
) -> str:
    """Return the report of a round that ends ``now``."""
    zone = ZoneInfo(walk.time_zone)
    pictures = await _shrink_all(stops, folder)
    lines = [_line(stop, zone, pictures.get(stop.position, "")) for stop in stops]
    seen = sum(line.is_seen for line in lines)
    return await asyncio.to_thread(
        _TEMPLATES.get_template(TEMPLATE).render,
        walk=walk,
        planned_at=_format_time(walk.planned_at, zone),
        started_at=_format_time(walk.started_at, zone),
        finished_at=_format_time(now, zone),
        planned=len(lines),
        seen=seen,
        not_seen=len(lines) - seen,
        completion=format_completion(seen, len(lines)),
        bad=[line for line in lines if not line.is_seen],
        remarked=[line for line in lines if line.is_seen and line.reason],
        lines=lines,
        areas=count_areas(stops),
        reasons=count_reasons(stops),
    )


async def _shrink_all(stops: Sequence[PatrolStop], folder: PictureFolder) -> dict[int, str]:
    with_picture = [stop for stop in stops if stop.has_picture]
    width = WIDTH if len(with_picture) <= MANY_PICTURES else SMALL_WIDTH
    pictures = {}
    async with Thumbnails(width=width) as thumbnails:
        for stop in with_picture:
            small = await thumbnails.shrink(folder.picture_path(stop.round_id, stop.position))
            if small is not None:
                text = base64.b64encode(small).decode("ascii")
                pictures[stop.position] = f"data:image/jpeg;base64,{text}"
    return pictures


def _line(stop: PatrolStop, zone: ZoneInfo, picture: str) -> StopLine:
    reason = stop.reason
    if stop.has_picture and not picture:
        reason = "; ".join(filter(None, (reason, "picture cannot be shown")))
    return StopLine(
        position=stop.position,
        camera=stop.device_name,
        area=stop.area_name,
        is_seen=stop.verdict is Verdict.SEEN,
        reason=reason,
        fault=_fault(stop),
        detail=stop.detail,
        time="" if stop.at is None else f"{stop.at.astimezone(zone):%H:%M:%S}",
        picture=picture,
    )


def _fault(stop: PatrolStop) -> str:
    return LAYER_NAMES[Layer(stop.layer)] if stop.layer else ""


def _format_time(at: datetime | None, zone: ZoneInfo) -> str:
    return "-" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
