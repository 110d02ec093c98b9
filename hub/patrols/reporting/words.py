"""How reports of patrols say things: in Chinese and English, side by side; pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from hub.domain.dispatches import UnitKind
from hub.domain.health import Layer
from hub.domain.patrol_reports import Period
from hub.domain.patrols import (
    KNOWN_KINDS,
    PatrolMode,
    Result,
    RoundState,
    SecondLook,
    Timing,
)
from hub.patrols.reporting.figures import Rate, Times, Unplaced, Why
from hub.store.stop_looks import MACHINE

NONE: Final = "-"

LAYER_NAMES: Final[Mapping[str, str]] = {
    Layer.NETWORK: "网络不通 network",
    Layer.PROTOCOL: "协议无应答 protocol",
    Layer.CREDENTIALS: "用户名或密码错误 credentials",
    Layer.STREAM: "无视频流 stream",
    Layer.FRAMES: "无画面 frames",
    Layer.PICTURE: "画面异常 picture",
    Layer.RECORDING: "无录像 recording",
    Layer.CLOCK: "时钟错误 clock",
}
PERIOD_NAMES: Final[Mapping[Period, str]] = {
    Period.ROUND: "轮次报告 Patrol report",
    Period.NIGHT: "夜报 Night report",
    Period.WEEK: "周报 Week report",
    Period.MONTH: "月报 Month report",
}
STATE_NAMES: Final[Mapping[RoundState, str]] = {
    RoundState.DUE: "未开始 due",
    RoundState.RUNNING: "进行中 running",
    RoundState.PAUSED: "暂停 paused",
    RoundState.FINISHED: "完成 finished",
    RoundState.MISSED: "漏查 missed",
    RoundState.CANCELLED: "取消 cancelled",
}
MODE_NAMES: Final[Mapping[PatrolMode, str]] = {
    PatrolMode.MACHINE: "机巡 machine",
    PatrolMode.WALK: "人巡 walk",
    PatrolMode.MIXED: "人机互动 mixed",
    PatrolMode.SAMPLED: "抽帧 sampled",
}
RESULT_NAMES: Final[Mapping[Result, str]] = {
    Result.OPEN: "待判 open",
    Result.NORMAL: "正常 normal",
    Result.ABNORMAL: "异常 abnormal",
    Result.NOT_JUDGED: "未判 not judged",
}
TIMING_NAMES: Final[Mapping[Timing, str]] = {
    Timing.NONE: "",
    Timing.ON_TIME: "准时 on time",
    Timing.EARLY: "提前 early",
    Timing.LATE: "迟到 late",
    Timing.MISSED: "漏查 missed",
    Timing.OUT_OF_ORDER: "乱序 out of order",
}
SECOND_NAMES: Final[Mapping[SecondLook, str]] = {
    SecondLook.NONE: "",
    SecondLook.WANTED: "待复核 second look due",
    SecondLook.AGREED: "复核一致 second look agrees",
    SecondLook.DISAGREED: "复核不一致 second look disagrees",
}
UNIT_NAMES: Final[Mapping[UnitKind, str]] = {
    UnitKind.GRID_OFFICER: "网格员 grid officer",
    UnitKind.PATROL_UNIT: "巡逻组 patrol unit",
    UnitKind.REPAIR_TEAM: "维修组 repair team",
}
ANSWER_NAMES: Final[Mapping[str, str]] = {
    "console": "值班台 console",
    "phone": "手机 phone",
    "telephone": "电话 telephone",
}


def kind_name(kind: str) -> str:
    """How a kind of finding is called; a word of the site's own stays as it is."""
    return KNOWN_KINDS.get(kind, kind) or KNOWN_KINDS["other"]


def judge_name(judged_by: str) -> str:
    """Who judged a stop."""
    return "机器 machine" if judged_by == MACHINE else judged_by


def percent(rate: Rate) -> str:
    """Per cent with one decimal, never rounded up to 100; a dash of nothing."""
    return f"{rate.part * 1000 // rate.whole / 10:g} %" if rate.whole else NONE


def share(value: float | None) -> str:
    """A share 0 to 1 as per cent, never rounded up to 100; a dash where there is none."""
    return NONE if value is None else f"{int(value * 1000 + 1e-9) / 10:g} %"


def span(seconds: float | None) -> str:
    """A time span: "3 d 4 h", "2 h 05 min", "1 min 40 s"; a dash where there is none."""
    if seconds is None:
        return NONE
    sign, whole = ("−" if seconds <= -0.5 else ""), round(abs(seconds))  # noqa: RUF001 - a minus
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{sign}{days} d {hours % 24} h"
    if hours:
        return f"{sign}{hours} h {minutes % 60:02d} min"
    return f"{sign}{minutes} min {whole % 60:02d} s" if minutes else f"{sign}{whole} s"


def coverage(times: Times) -> str:
    """Of how many things a time is known: empty when of all."""
    return "" if times.known == times.of else f"{times.known}/{times.of}"


def unplaced(one: Unplaced) -> str:
    """Why somebody is not ranked."""
    match one.why:
        case Why.NOTHING_ASKED:
            return "无考核项 nothing was asked"
        case Why.COLLECTING:
            return f"数据不足 too little known: {share(one.coverage)}"
        case Why.FEW_TASKS:
            return f"任务太少 too few tasks due: {one.due or 0}"


def day_time(at: datetime | None, zone: tzinfo) -> str:
    """A moment with its date, to the minute."""
    return NONE if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def full_time(at: datetime | None, zone: tzinfo) -> str:
    """A moment with its date, to the second."""
    return NONE if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def clock_time(at: datetime | None, zone: tzinfo) -> str:
    """A moment of a night, to the second; empty where there is none."""
    return "" if at is None else f"{at.astimezone(zone):%H:%M:%S}"
