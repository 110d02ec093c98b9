import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    test: "Send a test message", testing: "Under way: how it went appears below.", messages: "Last messages", noMessages: "No message yet.", at: "At", status: "Outcome", attempts: "Attempts", alerts: (n: number) => (n === 1 ? "1 notice" : `${n} notices`), testBy: (who: string) => `test by ${who}`, next: "next try",
    statuses: { waiting: "on its way", delivered: "delivered", rejected: "refused", failed: "given up" }, outcomes: { delivered: "delivered", try_again: "to be tried again", rejected: "refused" },
    checkTitle: "Is somebody on duty now?", checkGood: (n: number) => `Yes: for all ${n} areas whose critical alerts have a deadline.`, checkBad: (n: number, all: number) => `For ${n} of ${all} areas whose critical alerts have a deadline nobody is on duty now:`, checkNone: "No area with devices has a deadline for critical alerts: nothing climbs by itself.", openAlerts: (n: number) => `${n} critical alerts open`,
    previewTitle: "What it would keep quiet", preview: "Look", previewed: (n: number) => (n === 0 ? "No open alert matches now; what comes later and matches is kept quiet too." : n === 1 ? "1 open alert would be quiet at once." : `${n} open alerts would be quiet at once.`), previewArea: "Choose an area first.",
    windowTitle: "What it is about", windowWhere: "Choose an area or a device first.", windowHits: (n: number) => (n === 1 ? "1 device: it is watched, nobody is called for it." : `${n} devices: they are watched, nobody is called for them.`),
    trialTitle: "What these thresholds would have changed", trialHours: "Of the last hours", trial: "Try", trialNote: "Of stored scores; nothing is changed.", trialNone: "No thresholds of its own: there is nothing to try.", index: "Picture fault", checks: "Checks", before: "Faults before", after: "Faults with these", became: "New faults", ceased: "No longer faults", cameras: "Cameras", nothing: "No check of that time would have another verdict.", both: "by day and by night", day: "by day", night: "by night", when: "Judged",
    parentsTitle: "Suggested parents", parentsAbout: "Devices of one subnet that fail and return together: perhaps they hang on one switch or uplink.", subnet: "Subnet", devices: "Devices", times: "Times seen", confidence: "Confidence", last: "Last", accept: "Accept", dismiss: "Dismiss", acceptTitle: (subnet: string) => `Parent of the devices in ${subnet}`, parent: "Parent that is registered already (none: an uplink is made)", area: "Area of the new uplink", accepted: "They hang on one parent now: when it fails, it alone is alerted.", dismissed: "Dismissed.", noParents: "Nothing is suggested.",
  },
  zh: {
    test: "发送测试消息", testing: "正在发送，结果见下方。", messages: "最近的消息", noMessages: "还没有消息。", at: "时间", status: "结果", attempts: "尝试", alerts: (n) => `${n} 条通知`, testBy: (who) => `${who} 的测试`, next: "下次尝试",
    statuses: { waiting: "发送中", delivered: "已送达", rejected: "被拒绝", failed: "已放弃" }, outcomes: { delivered: "已送达", try_again: "将重试", rejected: "被拒绝" },
    checkTitle: "此刻是否有人值守？", checkGood: (n) => `是：严重告警设有时限的 ${n} 个区域都有人值守。`, checkBad: (n, all) => `严重告警设有时限的 ${all} 个区域中，${n} 个此刻无人值守：`, checkNone: "没有一个有设备的区域为严重告警设时限：不会自动升级。", openAlerts: (n) => `${n} 条严重告警未解除`,
    previewTitle: "将静默哪些告警", preview: "查看", previewed: (n) => (n === 0 ? "目前没有符合的告警；以后出现并符合的也会静默。" : `将立即静默 ${n} 条未解除的告警。`), previewArea: "请先选择区域。",
    windowTitle: "涉及范围", windowWhere: "请先选择区域或设备。", windowHits: (n) => `${n} 台设备：照常监测，不通知。`,
    trialTitle: "这些阈值会带来什么变化", trialHours: "最近小时数", trial: "试算", trialNote: "按已存的评分计算，不做任何修改。", trialNone: "没有自设阈值，无可试算。", index: "画面问题", checks: "检查次数", before: "原报出", after: "按此报出", became: "新增", ceased: "消失", cameras: "摄像机", nothing: "那段时间的判定都不会变化。", both: "白天和夜间", day: "白天", night: "夜间", when: "判定时段",
    parentsTitle: "上级建议", parentsAbout: "同一网段内同断同通的设备：可能挂在同一交换机或上联链路下。", subnet: "网段", devices: "设备", times: "出现次数", confidence: "可信度", last: "最近", accept: "采纳", dismiss: "忽略", acceptTitle: (subnet) => `${subnet} 内设备的上级`, parent: "已登记的上级（不选：新建上联链路）", area: "新建上联链路的区域", accepted: "已归于同一上级：它故障时只对它告警。", dismissed: "已忽略。", noParents: "没有建议。",
  },
});
