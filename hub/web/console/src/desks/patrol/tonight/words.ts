// What tonight's page says: rounds, the roll call, notes, tasks.
import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    rounds: "Rounds of tonight", none: "No round tonight.", noPlans: "Make a plan, and its rounds appear here.", night: (a: string, b: string) => `${a} to ${b}`,
    needs: (n: number) => (n === 1 ? "1 round needs somebody" : `${n} rounds need somebody`), calm: "Everything is attended to.", begins: (s: string) => `begins in ${s}`, late: (s: string) => `late by ${s}`, later: "Later tonight, as plans foresee", noStops: "no stops: nothing was looked at",
    runNow: "Walk a plan now", run: "Begin", choosePlan: "Plan", cancelRound: "Stop this round", cancelSure: "Really stop it? What was seen stays.",
    rollCall: "Duty rooms", noCalls: "No duty room is waited for.", silent: "no answer", asked: "asked", until: (s: string) => `${s} to answer`, since: (t: string, s: string) => `since ${t} (${s})`, code: "Code", typeCode: "The digits beside", yourName: "Your name", answer: "Answer", rang: "Answered by telephone", whoRang: "Who took it?",
    announce: "Announce", announceTitle: (room: string) => `Speak in ${room}`, announceText: "What the loudspeaker says", announced: "The loudspeaker was told.", send: "Speak", usualAnnouncement: "Duty room, please answer the roll call now.",
    notes: "Hand-over notes", noNotes: "No note waits.", take: "Take over", from: (n: string) => `from ${n}`, forYou: "for you", write: "Write a note",
    tasks: "Tasks of tonight's rounds", noTasks: "No task was opened tonight.", noUnit: "not sent yet",
    taskStates: { new: "new", sent: "sent", accepted: "accepted", refused: "refused", on_site: "on site", done: "done", returned: "returned", verified: "verified", cancelled: "cancelled", merged: "merged" },
  },
  zh: {
    rounds: "今晚的巡查", none: "今晚没有巡查。", noPlans: "制定计划后，这里会出现它的巡查。", night: (a, b) => `${a} 至 ${b}`,
    needs: (n) => `${n} 轮需要处理`, calm: "都有人在巡。", begins: (s) => `${s}后开始`, late: (s) => `已迟 ${s}`, later: "今晚稍后的预排", noStops: "没有巡查点，什么也没看",
    runNow: "临时巡查", run: "开始", choosePlan: "计划", cancelRound: "终止本轮", cancelSure: "确定终止？已看的结果会保留。",
    rollCall: "值班室点名", noCalls: "没有等待应答的值班室。", silent: "无人应答", asked: "已点名", until: (s) => `剩 ${s}`, since: (t, s) => `自 ${t}（${s}）`, code: "应答码", typeCode: "输入旁边的数字", yourName: "您的姓名", answer: "应答", rang: "已电话应答", whoRang: "接电话的人",
    announce: "喊话", announceTitle: (room) => `向 ${room} 喊话`, announceText: "广播内容", announced: "已交给广播。", send: "喊话", usualAnnouncement: "值班室请立即应答点名。",
    notes: "交接留言", noNotes: "没有待接的留言。", take: "接班", from: (n) => `${n} 留`, forYou: "给您", write: "写交接",
    tasks: "今晚巡查派出的任务", noTasks: "今晚还没有派单。", noUnit: "尚未派出",
    taskStates: { new: "新建", sent: "已派出", accepted: "已接单", refused: "已拒单", on_site: "已到场", done: "已办结", returned: "已退回", verified: "已核验", cancelled: "已取消", merged: "已合并" },
  },
});
