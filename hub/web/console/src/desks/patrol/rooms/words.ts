// Duty rooms, shifts, hand-overs.
import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    rooms: "Duty rooms", noRooms: "No duty room yet.", newRoom: "New duty room", room: "Duty room", phone: "Telephone", receiver: "Asked through", receiverHint: "Empty: on consoles only", speaker: "Loudspeaker", noSpeaker: "none", chooseSpeaker: "Choose the loudspeaker", enabled: "Takes part in roll calls", off: "takes no part", removeSure: "Really remove it? What was asked of it stays.", calls: "What was asked", noCalls: "Nothing was asked yet.",
    callStates: { asked: "asked", answered: "answered", unanswered: "no answer", cancelled: "cancelled" }, hows: { console: "on the console", phone: "by its phone link", telephone: "by telephone" }, askedAt: "Asked", answer: "Answer", by: "By", wrong: (n: number) => `${n} wrong codes`, late: "too late",
    shifts: "Shifts", noShifts: "No shift yet.", newShift: "New shift", shift: "Shift", people: "People", hours: "On duty", onDuty: "On duty now", nobodyOnDuty: "Nobody is on duty by a shift now: whoever may operate here may take a round.", noRoster: "No shift covers this moment.", others: (n: number) => `and ${n} from elsewhere`, chooseArea: "Choose an area to see who is on duty.", noPeople: "Choose an area first.",
    handovers: "Hand-overs", noHandovers: "No hand-over yet.", write: "Write a hand-over", text: "What the next shift must know", to: "For", toAnybody: "whoever comes next", send: "Leave it", left: "The note is left.", waiting: "waiting", taken: (who: string) => `taken over by ${who}`, take: "Take over", onlyOpen: "Only those that wait", from: (n: string) => `from ${n}`, keptDraft: "What you wrote is kept until it is sent.", readOnly: "Hand-overs are read by whoever walks.",
  },
  zh: {
    rooms: "值班室", noRooms: "还没有登记值班室。", newRoom: "新增值班室", room: "值班室", phone: "电话", receiver: "点名发往", receiverHint: "留空则只在控制台上点名", speaker: "广播", noSpeaker: "无", chooseSpeaker: "选择广播", enabled: "参加点名", off: "不参加点名", removeSure: "确定删除？以往的点名记录会保留。", calls: "点名记录", noCalls: "还没有点过名。",
    callStates: { asked: "已点名", answered: "已应答", unanswered: "无人应答", cancelled: "已取消" }, hows: { console: "控制台", phone: "手机链接", telephone: "电话" }, askedAt: "点名", answer: "应答", by: "应答人", wrong: (n) => `错码 ${n} 次`, late: "逾时",
    shifts: "班次", noShifts: "还没有班次。", newShift: "新增班次", shift: "班次", people: "人员", hours: "当值时间", onDuty: "当前当值", nobodyOnDuty: "当前没有班次当值：该区域的值班员均可巡查。", noRoster: "此刻没有班次。", others: (n) => `另有 ${n} 人来自其他区域`, chooseArea: "选定区域后显示当值人员。", noPeople: "请先选择区域。",
    handovers: "交接", noHandovers: "还没有交接记录。", write: "写交接", text: "需要交代给下一班的情况", to: "交给", toAnybody: "下一班", send: "留言", left: "已留言。", waiting: "待接班", taken: (who) => `${who} 已接班`, take: "接班", onlyOpen: "只看待接班的", from: (n) => `${n} 留`, keptDraft: "您写的内容会保留到发出为止。", readOnly: "交接内容由值班员查看。",
  },
});
