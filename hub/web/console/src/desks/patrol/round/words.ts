import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    stops: "Stops", filter: "Show", all: "all stops", byPosition: "in their order", byDoubt: "most doubtful first", order: "Order", verdict: "Picture", anyVerdict: "with and without", withTask: "with a task", tasks: "Tasks", allTasks: "with and without",
    none: "No stop fits this choice.", notLaid: "This round has no stops yet: they are laid out when it begins.", position: "No.", camera: "Camera", result: "Result", judged: "Judged", doubt: "Doubt", timing: "Time",
    stop: (n: number) => `Stop ${n}`, choose: "Choose a stop to see its picture.", machine: "The machine says", nothing: "The machine noticed nothing.", judgedBy: (who: string) => `by ${who}`, task: (n: number) => `Task ${n}`, openTask: "Open a task", taskOpened: "The task was opened.", attempts: (n: number) => `${n} tries`,
    noPicture: "No picture of this stop", film: "Film", sha: "Picture, SHA-256", checklist: "Checklist", holds: "holds", holdsNot: "does not hold", second: "Second look",
    evidence: "Evidence", lines: (n: number) => `${n} lines of evidence`, sealed: (n: number, t: string) => `${n} sealed at ${t}`, notSealed: "not sealed yet: the round is not over", seal: (n: number, hash: string) => `Seal ${n}: ${hash}`, sealHint: "Noted elsewhere, it proves later that nothing was cut off.", deeds: "What was done with the round",
    deedNames: { round_begun: "began", round_taken: "taken by", round_taken_over: "taken over by", round_handed_over: "handed over to", round_paused: "paused", round_resumed: "went on", round_finished: "finished", round_missed: "missed", round_cancelled: "stopped", report_signed: "report signed" },
    cancel: "Stop this round", cancelSure: "Really stop it? What was seen stays.", cancelled: "The round is stopped.", took: (s: string) => `took ${s}`, thought: (s: string) => `thought ${s}`, paused: (s: string) => `paused ${s}`, toCalendar: "Calendar", openReport: "Report of this round", plan: "Plan", walker: "Walked by", pace: (s: number) => `${s} s a stop`,
  },
  zh: {
    stops: "巡查点", filter: "显示", all: "全部", byPosition: "按顺序", byDoubt: "最可疑在前", order: "排序", verdict: "画面", anyVerdict: "有无均可", withTask: "已派单", tasks: "派单", allTasks: "有无均可",
    none: "没有符合条件的巡查点。", notLaid: "这一轮还没有巡查点，开始时才排定。", position: "序号", camera: "摄像机", result: "结果", judged: "判定", doubt: "疑点", timing: "时间",
    stop: (n) => `第 ${n} 点`, choose: "选择一个巡查点查看画面。", machine: "机器提示", nothing: "机器未发现异常。", judgedBy: (who) => `${who}`, task: (n) => `任务 ${n}`, openTask: "派单", taskOpened: "已派单。", attempts: (n) => `尝试 ${n} 次`,
    noPicture: "此点没有画面", film: "短片", sha: "画面 SHA-256", checklist: "核对项", holds: "符合", holdsNot: "不符合", second: "复核",
    evidence: "证据", lines: (n) => `证据 ${n} 条`, sealed: (n, t) => `其中 ${n} 条已于 ${t} 封存`, notSealed: "尚未封存：本轮还没有结束", seal: (n, hash) => `封条 ${n}：${hash}`, sealHint: "另行抄录后，可证明其后未被删改。", deeds: "本轮经过",
    deedNames: { round_begun: "开始", round_taken: "由其巡查", round_taken_over: "被其接手", round_handed_over: "移交给", round_paused: "暂停", round_resumed: "继续", round_finished: "完成", round_missed: "未执行", round_cancelled: "终止", report_signed: "报告已签" },
    cancel: "终止本轮", cancelSure: "确定终止？已看的结果会保留。", cancelled: "本轮已终止。", took: (s) => `用时 ${s}`, thought: (s) => `预计 ${s}`, paused: (s) => `暂停 ${s}`, toCalendar: "日历", openReport: "本轮报告", plan: "计划", walker: "巡查人", pace: (s) => `每点 ${s} 秒`,
  },
});
