"""Reports as workbooks: the same figures as the page, and every stop, as numbers to go on with."""

import io
from collections.abc import Iterator, Sequence
from typing import Final

from hub.domain.patrols import PatrolStop
from hub.patrols.reporting import words
from hub.patrols.reporting.figures import AreaFigures, Figures, Ranking, Rate, TaskFigures, Times
from hub.runtime.sheets import Sheet, write_workbook

Row = tuple[object, ...]

AREA_COLUMNS: Final = (
    *("区域 area", "轮次 rounds", "无数据轮次 rounds unknown", "计划 planned", "看到 seen"),
    *("未存 not kept", "未看到 not seen", "未查看 not looked at", "完成率 completion"),
    *("正常 normal", "异常 abnormal", "未判 not judged", "待判 open", "准时 on time"),
    *("提前 early", "迟到 late", "漏查 missed", "乱序 out of order", "时间未知 untimed"),
    *("点名 asked", "按时应答 answered", "迟答 late answers", "未应答 silent"),
    *("派单 opened", "到期 due", "按时 on time", "超期 overdue"),
)
STOP_COLUMNS: Final = (
    *("轮次 round", "序号 stop", "摄像机 camera", "区域 area", "画面 seen", "结果 result"),
    *("类别 kind", "说明 note", "原因 reason", "机器所见 remarks", "疑点 doubt"),
    *("判定人 judged by", "判定时间 judged at", "查看时间 looked at", "应到 due at"),
    *("时间 time kept", "复核 second look", "复核人 second by", "派单 dispatch"),
    *("画面 picture SHA-256",),
)
ROUND_COLUMNS: Final = (
    *("轮次 round", "计划 plan", "区域 area", "方式 mode", "状态 state", "应开始 planned at"),
    *("开始 begun", "结束 ended", "用时秒 took s", "暂停秒 paused s", "预计秒 forecast s"),
    *("偏差秒 off s", "点位 stops", "看到 seen", "异常 abnormal", "未判 not judged"),
    *("待判 open", "说明 reason"),
)
UNIT_COLUMNS: Final = (
    *("队伍 unit", "类别 kind", "区域 area", "接派 given", "办结 done", "未结 open"),
    *("超期 overdue", "到期 due", "按时 on time", "按时率 on-time rate"),
    *("接单秒 accepted s", "到达秒 on site s", "办结秒 done s"),
)


def build_workbook(figures: Figures, stops: Sequence[PatrolStop]) -> bytes:
    """The workbook of a report; ``stops`` are all of a round, the findings of a period."""
    stream = io.BytesIO()
    write_workbook(stream, _sheets(figures, stops))
    return stream.getvalue()


def _sheets(f: Figures, stops: Sequence[PatrolStop]) -> Iterator[Sheet]:
    yield Sheet(
        title="总览 Summary",
        columns=("项目 figure", "值 value", "部分 part", "全部 whole", "未知 unknown", "已知率"),
        rows=_summary(f),
    )
    yield Sheet(title="区域 Areas", columns=AREA_COLUMNS, rows=map(_area, f.areas))
    if len(f.branches) > 1:
        yield Sheet(title="镇街 Townships", columns=AREA_COLUMNS, rows=map(_area, f.branches))
    yield Sheet(title="点位 Stops", columns=STOP_COLUMNS, rows=map(_stop, stops))
    yield Sheet(title="轮次 Rounds", columns=ROUND_COLUMNS, rows=_rounds(f))
    yield Sheet(
        title="值班室 Duty rooms",
        columns=("区域 area", "值班室 room", "点名 asked", "未应答 silent", "迟答 late"),
        rows=((s.area_name, s.room_name, s.asked, s.silent, s.late) for s in f.silent),
    )
    yield Sheet(title="队伍 Units", columns=UNIT_COLUMNS, rows=_units(f))
    yield Sheet(
        title="排名 Ranking",
        columns=("类 of", "名次 rank", "名称 name", "得分 score", "已知率 coverage", "说明"),
        rows=_rankings(f),
    )


def _summary(f: Figures) -> Iterator[Row]:
    yield "区域 area", f.area_name
    yield "报告 report", words.PERIOD_NAMES[f.period]
    yield "自 since", f.since
    yield "至 until", f.until
    yield "截至 as of", f.as_of
    yield "时区 time zone", f.time_zone
    yield "口径版本 formula version", f.formula
    r = f.rounds
    yield "计划轮次 rounds planned", r.planned
    yield "完成轮次 rounds finished", r.finished
    yield "漏查轮次 rounds missed", r.missed
    yield "取消轮次 rounds cancelled", r.cancelled
    yield "未结束轮次 rounds unfinished", r.unfinished
    yield "无数据轮次 rounds unknown", r.unknown
    yield _rate("完成率 completion", f.stops.completion)
    yield _rate("判定率 judged", f.stops.judged)
    yield _rate("准时率 on time", f.stops.timely)
    yield _rate("应答率 answered", f.calls.rate)
    yield _rate("派单按时率 tasks on time", f.tasks.timely)
    yield "异常 abnormal", f.stops.abnormal
    for kind, number in f.stops.kinds.items():
        yield f"异常 abnormal: {words.kind_name(kind)}", number
    yield "人工判定 judged by a person", f.stops.by_person
    yield _time("应答秒 answer seconds", f.calls.answer)
    yield _time("接单秒 acceptance seconds", f.tasks.accept)
    yield _time("到达秒 arrival seconds", f.tasks.arrive)
    yield _time("办结秒 completion seconds", f.tasks.finish)
    yield from _tasks(f.tasks)
    yield "未列入巡查的区域 areas without a stop", f.unvisited_count


def _tasks(t: TaskFigures) -> Iterator[Row]:
    yield "派单 opened", t.opened
    yield "办结 done", t.done
    yield "核实 verified", t.verified
    yield "取消 cancelled", t.cancelled
    yield "合并 merged", t.merged
    yield "未结 open", t.still_open
    yield "超期 overdue", t.overdue
    yield "无时限办结 done without a deadline", t.without_deadline


def _rate(name: str, rate: Rate) -> Row:
    return name, rate.value, rate.part, rate.whole, rate.unknown, rate.coverage


def _time(name: str, times: Times) -> Row:
    """The median; of how many is in the columns of the parts."""
    missing = times.of - times.known
    return f"{name} (中位 median)", times.median_s, times.known, times.of, missing


def _area(one: AreaFigures) -> Row:
    s, c, t = one.stops, one.calls, one.tasks
    return (
        *(one.name, one.rounds, one.rounds_unknown, s.planned, s.seen, s.not_kept, s.not_seen),
        *(s.not_looked, s.completion.value, s.normal, s.abnormal, s.not_judged, s.open),
        *(s.on_time, s.early, s.late, s.missed, s.out_of_order, s.untimed),
        *(c.asked, c.answered, c.late, c.unanswered),
        *(t.opened, t.timely.whole, t.timely.part, t.overdue),
    )


def _stop(stop: PatrolStop) -> Row:
    return (
        *(stop.round_id, stop.position, stop.device_name, stop.area_name),
        *(stop.verdict.value, stop.result.value, stop.kind, stop.note, stop.reason),
        *("\n".join(stop.remarks), stop.doubt, stop.judged_by, stop.judged_at, stop.at),
        *(stop.due_at, stop.timing.value, stop.second_look.value, stop.second_by),
        *(stop.dispatch_id, stop.picture_sha256),
    )


def _rounds(f: Figures) -> Iterator[Row]:
    for one in f.walks:
        yield (
            *(one.id, one.plan_name, one.area_name, one.mode.value, one.state.value),
            *(one.planned_at, one.started_at, one.finished_at, one.took_s, one.paused_s),
            *(one.forecast_s, one.off_s, one.planned, one.seen, one.abnormal),
            *(one.not_judged, one.open, one.reason),
        )


def _units(f: Figures) -> Iterator[Row]:
    for one in f.units:
        t = one.tasks
        yield (
            *(one.name, words.UNIT_NAMES[one.kind], one.area_name, t.opened, t.done),
            *(t.still_open, t.overdue, t.timely.whole, t.timely.part, t.timely.value),
            *(t.accept.median_s, t.arrive.median_s, t.finish.median_s),
        )


def _rankings(f: Figures) -> Iterator[Row]:
    yield from _ranking("区域 area", f.area_ranking)
    if len(f.branches) > 1:
        yield from _ranking("镇街 township", f.branch_ranking)
    yield from _ranking("队伍 unit", f.unit_ranking)


def _ranking(of: str, ranking: Ranking) -> Iterator[Row]:
    red, black = {one.id for one in ranking.red}, {one.id for one in ranking.black}
    for one in ranking.places:
        listed = "红榜 red" if one.id in red else "黑榜 black" if one.id in black else ""
        yield of, one.rank, one.name, one.score, one.coverage, listed
    for left in ranking.unplaced:
        yield of, None, left.name, None, left.coverage, words.unplaced(left)
