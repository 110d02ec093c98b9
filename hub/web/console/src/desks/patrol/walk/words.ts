// What is said while a round is walked, and at second looks.
import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    stopOf: (n: number, all: number) => `Stop ${n} of ${all}`, waiting: (n: number) => `${n} to judge`, coming: (n: number) => `the machine has ${n} to look at`, due: (t: string) => `due ${t}`,
    timeLeft: (s: string) => `${s} left`, overEnd: (s: string) => `past its end by ${s}`, tooLong: (s: string) => `at this pace too long by ${s}`,
    doubts: { none: "no doubt", some: "doubtful", much: "very doubtful" }, pictureAt: (t: string, ago: string) => `picture of ${t} (${ago} ago)`,
    machineSays: "The machine says", nothing: "The machine noticed nothing.", checklist: "Checklist", allHold: "All hold",
    noPicture: "No picture", noPictureOf: (why: string) => `No picture: ${why}`, loading: "Loading…", picture: "Tonight's picture",
    normal: "Normal", abnormal: "Abnormal", skip: "Skip", later: "Next, this one later", lookAgain: "New picture", zoom: "Enlarge", film: "Film", usual: "Usual view", live: "Live", task: "Open a task", pause: "Pause", resume: "Go on", handOver: "Hand over", leave: "Leave", agree: "Agree", disagree: "Disagree", back: "Back to the picture", settle: "Say what it is",
    noUsual: "No usual view of this camera is kept.", blind: "The picture cannot be shown: skip it (S), or have a new one taken (R).",
    note: "Note", skipWhy: "Why is it skipped? (required)", disagreeWhy: "Why do you disagree? (required)", pauseWhy: "Why a pause? (optional)", handOverNote: "What should the next one know? (optional)", toWhom: "To whom", noColleague: "Nobody else may walk this round.", whatIsIt: "What is abnormal?", openTask: "Open a task", save: "Save", cancel: "Cancel",
    tickFirst: "Answer the checklist first: number keys, 0 if all hold.", kindFirst: "Choose what is abnormal.", noteFirst: "Say why.", notSeenYet: "The picture is not shown yet, or only just: look first.",
    isPaused: "Paused. Press P to go on.", isTaken: (n: string) => `${n} walks this round now.`, isOver: "This round is over.", wait: "The machine is looking; pictures show as they come.", allJudged: "Everything is judged.", noSeconds: "No second look is left.",
    retaking: "A new picture is being taken; the next stop meanwhile.", judged: (name: string, result: string) => `${name}: ${result}`, sent: (n: number) => `task ${n} opened`,
    was: (who: string, result: string) => `${who} judged it ${result}`, unsent: (name: string, result: string) => `Not sent yet — ${name}: ${result}. The hub does not answer; it is sent again every few seconds.`, dontSend: "Do not send", arrived: "It had arrived.", wasNotSent: "The hub did not answer. Whether it arrived shows as soon as it does.",
    nobodyWalks: "Nobody walks this round.", notBegun: "This round has not begun.", machineOnly: "The machine alone walks this round.", start: "Start", kept: "What you wrote was kept.",
    taskOpened: (n: number) => `Task ${n} is open`, secondTitle: "Second look", opening: "Task for the stop before", last: (name: string) => `of ${name}`,
    allDone: "Done for now", toTonight: "To tonight's rounds", toRound: "To the round", secondsLeft: (n: number) => `${n} waiting`, resumeSees: "The clock stands still; the machine goes on looking.",
  },
  zh: {
    stopOf: (n, all) => `第 ${n} / ${all} 点`, waiting: (n) => `待判 ${n}`, coming: (n) => `机器还要看 ${n}`, due: (t) => `应于 ${t}`,
    timeLeft: (s) => `剩余 ${s}`, overEnd: (s) => `已超过截止 ${s}`, tooLong: (s) => `按此速度将超时 ${s}`,
    doubts: { none: "无疑点", some: "可疑", much: "很可疑" }, pictureAt: (t, ago) => `画面时间 ${t}（${ago}前）`,
    machineSays: "机器提示", nothing: "机器未发现异常。", checklist: "核对项", allHold: "全部符合",
    noPicture: "没有画面", noPictureOf: (why) => `没有画面：${why}`, loading: "正在取图…", picture: "今晚画面",
    normal: "正常", abnormal: "异常", skip: "跳过", later: "下一个，此点稍后", lookAgain: "重新取图", zoom: "放大", film: "短片", usual: "平时画面", live: "实时画面", task: "派单", pause: "暂停", resume: "继续", handOver: "移交", leave: "退出", agree: "同意", disagree: "不同意", back: "回到画面", settle: "选择类别",
    noUsual: "没有保存该摄像机的平时画面。", blind: "画面取不到：请跳过（S）或重新取图（R）。",
    note: "备注", skipWhy: "跳过的原因（必填）", disagreeWhy: "不同意的原因（必填）", pauseWhy: "暂停原因（可不填）", handOverNote: "需要交代的情况（可不填）", toWhom: "移交给", noColleague: "没有其他人可以巡查这一轮。", whatIsIt: "异常类别", openTask: "同时派单", save: "确定", cancel: "取消",
    tickFirst: "请先逐项核对：按数字键，全部符合按 0。", kindFirst: "请选择异常类别。", noteFirst: "请填写原因。", notSeenYet: "画面还没显示或刚显示：请先看清。",
    isPaused: "已暂停。按 P 继续。", isTaken: (n) => `${n} 已接手这一轮巡查。`, isOver: "这一轮巡查已经结束。", wait: "机器正在取图，画面到了就显示。", allJudged: "全部判完。", noSeconds: "没有待复核的了。",
    retaking: "正在重新取图，先看下一个。", judged: (name, result) => `${name}：${result}`, sent: (n) => `已派单 ${n}`,
    was: (who, result) => `${who} 判为 ${result}`, unsent: (name, result) => `尚未送达：${name} ${result}。平台无应答，正在不断重发。`, dontSend: "不再发送", arrived: "其实已经送达。", wasNotSent: "平台没有应答，是否送达要等它恢复后才知道。",
    nobodyWalks: "这一轮还没有人巡查。", notBegun: "这一轮还没有开始。", machineOnly: "这一轮只由机器巡查。", start: "开始巡查", kept: "您写的内容已保留。",
    taskOpened: (n) => `任务 ${n} 已派出`, secondTitle: "复核", opening: "给上一点派单", last: (name) => `${name}`,
    allDone: "暂告一段落", toTonight: "回到今晚巡查", toRound: "查看本轮", secondsLeft: (n) => `待复核 ${n}`, resumeSees: "计时暂停，机器继续取图。",
  },
});
