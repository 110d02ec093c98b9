import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "Administration", waiting: "to be looked at", menu: "Sections of the administration",
    groups: { hub: "The hub", people: "People and areas", alerting: "Alerting", devices: "Devices", dispatch: "Dispatch and duty" },
    sections: {
      attention: "Needs attention", system: "System health", audit: "Audit log", people: "People", areas: "Areas", rules: "Rules", receivers: "Receivers", routes: "Routes", deadlines: "Alert deadlines", duties: "Duties", policies: "Escalation", silences: "Silences", drills: "Drills", holidays: "Holidays",
      connections: "Connections", windows: "Maintenance windows", intervals: "Probe intervals", profiles: "Picture profiles", assignments: "Profiles in use", parents: "Suggested parents", units: "Field units", "dispatch-rules": "Dispatch rules", "task-deadlines": "Task deadlines", "duty-rooms": "Duty rooms", shifts: "Shifts",
    },
    add: (one: string) => `Add ${one}`, back: (many: string) => `Back to: ${many}`, search: "Search", none: "Nothing is here yet.", noneFound: "Nothing fits the search.", count: (n: number, all: number) => (n === all ? `${all}` : `${n} of ${all}`), noSuch: "This is not there, or not in your areas.",
    remove: "Remove", removeTitle: (name: string) => `Remove “${name}”?`, endTitle: (name: string) => `End “${name}” now?`, removed: "Removed.", done: "Done.", keep: "Keep it", sure: "This cannot be taken back.", looking: "Looking what it hits…", hitUnknown: "What it hits could not be found out.",
    added: "Saved.", readOnly: "You may see this, not change it.", fixedNote: "What is stored of it cannot be changed: remove it and add another.", showMore: (n: number) => `Show ${n} more`, open: "Open", week: "Week", listView: "List", weekView: "By weekday", timeView: "Two weeks", noneSoon: "Nothing from the day before yesterday to eleven days ahead.", offWord: "off",
  },
  zh: {
    title: "系统管理", waiting: "项待处理", menu: "系统管理栏目",
    groups: { hub: "平台", people: "人员与区域", alerting: "告警", devices: "设备", dispatch: "调度与值守" },
    sections: {
      attention: "待处理事项", system: "运行状况", audit: "审计日志", people: "人员", areas: "区域", rules: "告警规则", receivers: "接收方", routes: "通知路由", deadlines: "告警时限", duties: "值守", policies: "升级策略", silences: "静默", drills: "演练", holidays: "节假日",
      connections: "接入", windows: "维护窗口", intervals: "探测间隔", profiles: "画质方案", assignments: "画质方案应用", parents: "上级建议", units: "处置力量", "dispatch-rules": "派发规则", "task-deadlines": "任务时限", "duty-rooms": "值班室", shifts: "排班",
    },
    add: (one) => `新增${one}`, back: (many) => `返回${many}`, search: "搜索", none: "暂无内容。", noneFound: "没有符合的内容。", count: (n, all) => (n === all ? `共 ${all} 项` : `${n} / ${all} 项`), noSuch: "不存在，或不在您的区域内。",
    remove: "删除", removeTitle: (name) => `删除“${name}”？`, endTitle: (name) => `立即结束“${name}”？`, removed: "已删除。", done: "已完成。", keep: "保留", sure: "此操作不能撤销。", looking: "正在查看影响范围…", hitUnknown: "无法查明影响范围。",
    added: "已保存。", readOnly: "您可以查看，不能修改。", fixedNote: "已保存的内容不能修改：请删除后重新添加。", showMore: (n) => `再显示 ${n} 项`, open: "打开", week: "周", listView: "列表", weekView: "按星期", timeView: "两周", noneSoon: "前两天到后十一天之间没有内容。", offWord: "停用",
  },
});
export type SectionKey = keyof typeof words.sections;
