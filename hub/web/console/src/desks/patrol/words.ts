// What all pages of the patrol desk say: rounds, stops, verdicts, kinds of findings.
import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    desk: "Patrol", tonight: "Tonight", calendar: "Calendar", plans: "Plans", rooms: "Duty rooms", handovers: "Shifts & hand-overs", reports: "Reports", seconds: "Second looks",
    states: { due: "to begin", running: "running", paused: "paused", finished: "finished", missed: "missed", cancelled: "cancelled" },
    modes: { machine: "by machine", walk: "by people", mixed: "machine, then people", sampled: "drawn sample" },
    orders: { fixed: "as listed", by_area: "village by village", shortest: "short way over the map", shuffled: "drawn anew each time" },
    verdicts: { pending: "not looked at yet", seen: "picture kept", not_seen: "no picture" },
    results: { open: "to judge", normal: "normal", abnormal: "abnormal", not_judged: "not judged" },
    timings: { on_time: "on time", early: "early", late: "late", missed: "missed", out_of_order: "out of order" },
    looks: { wanted: "second look wanted", agreed: "agreed", disagreed: "disagreed" },
    roles: { viewer: "viewer", operator: "operator", dispatcher: "dispatcher", maintainer: "maintainer", supervisor: "supervisor", admin: "administrator" },
    seen: (n: number, all: number) => `${n} of ${all} seen`, notSeen: (n: number) => `${n} without a picture`, open: (n: number) => `${n} to judge`, normal: (n: number) => `${n} normal`, abnormal: (n: number) => `${n} abnormal`, notJudged: (n: number) => `${n} not judged`, coming: (n: number) => `machine has ${n} to look at`,
    machineStops: (n: number) => `${n} judged`, plannedAt: "planned", endsBy: "until", noEnd: "no end set", began: "began", ended: "ended",
    walkedBy: (name: string) => `${name} walks it`, byMe: "you walk it", nobody: "nobody walks it", machineWalks: "the machine alone",
    walk: "Walk", goOn: "Go on", takeOver: "Take over", takeOverSure: (name: string) => `Really take it from ${name}?`, report: "Report", round: "Round",
    tooLong: (s: string) => `too long by ${s}`, fits: (s: string) => `takes about ${s}`, overdue: (s: string) => `over its end by ${s}`, left: (s: string) => `${s} left`,
    save: "Save", cancel: "Cancel", remove: "Remove", edit: "Change", add: "Add", close: "Close", more: "Show more", area: "Area", all: "All", state: "State", why: "Why", name: "Name", note: "Note", none: "—", saved: "Saved.", removed: "Removed.", sure: "Really?", yes: "Yes", no: "No", hub: "the machine",
  },
  zh: {
    desk: "视频巡查", tonight: "今晚", calendar: "日历", plans: "巡查计划", rooms: "值班室", handovers: "班次与交接", reports: "报告", seconds: "复核",
    states: { due: "待开始", running: "进行中", paused: "已暂停", finished: "已完成", missed: "未执行", cancelled: "已取消" },
    modes: { machine: "机巡", walk: "人巡", mixed: "人机互动", sampled: "抽帧" },
    orders: { fixed: "按列表顺序", by_area: "逐村", shortest: "按地图就近", shuffled: "每次随机" },
    verdicts: { pending: "尚未巡看", seen: "已留图", not_seen: "无画面" },
    results: { open: "待判", normal: "正常", abnormal: "异常", not_judged: "未判" },
    timings: { on_time: "按时", early: "提前", late: "迟到", missed: "漏巡", out_of_order: "顺序不符" },
    looks: { wanted: "待复核", agreed: "复核同意", disagreed: "复核不同意" },
    roles: { viewer: "查看", operator: "值班员", dispatcher: "调度", maintainer: "运维", supervisor: "考核", admin: "管理员" },
    seen: (n, all) => `已看 ${n} / ${all}`, notSeen: (n) => `无画面 ${n}`, open: (n) => `待判 ${n}`, normal: (n) => `正常 ${n}`, abnormal: (n) => `异常 ${n}`, notJudged: (n) => `未判 ${n}`, coming: (n) => `机器待看 ${n}`,
    machineStops: (n) => `已判 ${n}`, plannedAt: "计划", endsBy: "截止", noEnd: "未设截止", began: "开始", ended: "结束",
    walkedBy: (name) => `${name} 正在巡查`, byMe: "由您巡查", nobody: "无人巡查", machineWalks: "仅机器巡查",
    walk: "开始巡查", goOn: "继续巡查", takeOver: "接手", takeOverSure: (name) => `确定从 ${name} 手中接过？`, report: "报告", round: "巡查",
    tooLong: (s) => `预计超时 ${s}`, fits: (s) => `预计用时 ${s}`, overdue: (s) => `已超过截止 ${s}`, left: (s) => `剩余 ${s}`,
    save: "保存", cancel: "取消", remove: "删除", edit: "修改", add: "新增", close: "关闭", more: "显示更多", area: "区域", all: "全部", state: "状态", why: "原因", name: "名称", note: "备注", none: "—", saved: "已保存。", removed: "已删除。", sure: "确定？", yes: "是", no: "否", hub: "机器",
  },
});
