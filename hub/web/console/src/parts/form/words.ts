import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    required: "required", none: "None", choose: "Choose…", narrow: "Type to narrow the list", add: "Add", remove: (name: string) => `Take out ${name}`, tagHint: "Type and press Enter",
    unlimited: "No limit", units: { s: "seconds", min: "minutes", h: "hours", d: "days" }, unit: "Unit", notANumber: "This is no number.",
    leave: "What you typed is not saved. Leave the page all the same?", siteTime: (zone: string) => `Time of the site (${zone})`, noMoment: "There is no such time on this day.",
    always: "Always", daily: "Every day", weekly: "On weekdays of your choice", custom: "By rule (RFC 5545)", hours: "Hours", when: "When", from: "from", to: "until", nextDay: "next day", wholeDay: "the whole day",
    days: "Which days count", daysAny: "all of them", daysWorking: "working days only", daysOff: "days off only", rule: "Rule", duration: "Length",
    weekdays: { MO: "Mon", TU: "Tue", WE: "Wed", TH: "Thu", FR: "Fri", SA: "Sat", SU: "Sun" }, noWeekday: "No weekday is chosen: it never holds.",
    changed: "Somebody else has changed this meanwhile. What you typed is still here.", changedWhat: (field: string, theirs: string) => `${field}: now “${theirs}”`, overwrite: "Save mine all the same", takeTheirs: "Take theirs",
    unsaved: "Not saved yet", save: "Save", saving: "Saving…", saved: "Saved.", cancel: "Cancel", secretKept: "A secret is stored. Leave this empty to keep it.", show: "Show", hide: "Hide",
  },
  zh: {
    required: "必填", none: "无", choose: "请选择…", narrow: "输入文字以筛选", add: "添加", remove: (name) => `移除${name}`, tagHint: "输入后按回车",
    unlimited: "不限", units: { s: "秒", min: "分钟", h: "小时", d: "天" }, unit: "单位", notANumber: "这不是数字。",
    leave: "填写的内容尚未保存，仍要离开吗？", siteTime: (zone) => `本站时间（${zone}）`, noMoment: "这一天没有这个时刻。",
    always: "始终", daily: "每天", weekly: "指定星期", custom: "按规则（RFC 5545）", hours: "时段", when: "何时", from: "从", to: "到", nextDay: "次日", wholeDay: "全天",
    days: "适用日期", daysAny: "全部", daysWorking: "仅工作日", daysOff: "仅休息日", rule: "规则", duration: "时长",
    weekdays: { MO: "周一", TU: "周二", WE: "周三", TH: "周四", FR: "周五", SA: "周六", SU: "周日" }, noWeekday: "没有选择星期，永远不会生效。",
    changed: "其间有人修改过，您填写的内容仍在。", changedWhat: (field, theirs) => `${field}：现为“${theirs}”`, overwrite: "仍保存我的", takeTheirs: "采用对方的",
    unsaved: "尚未保存", save: "保存", saving: "正在保存…", saved: "已保存。", cancel: "取消", secretKept: "已存有密钥，留空则不变。", show: "显示", hide: "隐藏",
  },
});
