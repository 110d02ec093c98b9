import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "Overview", allAreas: "All my areas", asOf: "As of", areas: "Areas", noAreas: "No areas below.", state: "State", area: "Area", managed: "Managed",
    onlineNow: "Online now", onlineNowHint: "Snapshot: devices that answer ÷ managed, at this moment",
    onlineDay: "Online rate, 24 h", onlineDayHint: "Time-weighted: online time ÷ (24 h − planned maintenance − unknown), cameras",
    intactNow: "Intact now", intactNowHint: "Snapshot: online and nothing fails, picture included ÷ managed",
    coverage: (p: string) => `coverage ${p}`, withheld: "withheld", of: (n: number, all: number) => `${n} of ${all}`, unknown: (n: number) => `${n} unknown`,
    openAlerts: "Open alerts", openTasks: "Open tasks", none: "none", changes: "In the last hour", wentDown: (n: number) => `${n} went down`, cameBack: (n: number) => `${n} came back`,
    quiet: "Nothing went down and nothing came back.", down: "went down", back: "is back", rounds: "Tonight's rounds", noRounds: "No round is planned tonight.", allRounds: "Patrol desk",
    seen: (seen: number, all: number) => `${seen} of ${all} seen`, abnormal: (n: number) => `${n} abnormal`, waits: (n: number) => `${n} to judge`, walkedBy: (n: string) => `${n} walks`, nobody: "nobody walks",
    ranking: "Online rate by area, 7 days", rankingHint: "Time-weighted, cameras; areas without enough data are not ranked", best: "Best", worst: "Worst", noRanking: "Not enough is known to rank.",
    pictures: "Pictures", judged: (n: number, all: number, h: number) => `${n} of ${all} cameras looked at within ${h} h`, noFaults: "No known fault of a picture.",
    faults: "What fails first", behind: (n: number) => `${n} behind a dead parent`, flapping: (n: number) => `${n} flapping`, longest: "Longest outage", troubled: "Devices in trouble", noTroubled: "No device here is known to be in trouble.", more: (n: number) => `All ${n}`,
    device: "Device", why: "Why", since: "Since", wall: "Watch on the wall", onMap: "On the map", devices: "Devices",
  },
  zh: {
    title: "总览", allAreas: "我的全部区域", asOf: "截至", areas: "下级区域", noAreas: "没有下级区域。", state: "状态", area: "区域", managed: "在管",
    onlineNow: "当前在线率", onlineNowHint: "即时值：此刻有应答的设备 ÷ 在管设备",
    onlineDay: "24 小时在线率", onlineDayHint: "按时长：在线时长 ÷（24 小时 − 计划维护 − 未知），摄像机",
    intactNow: "当前完好率", intactNowHint: "即时值：在线且画面等均正常 ÷ 在管设备",
    coverage: (p) => `数据覆盖 ${p}`, withheld: "暂不评定", of: (n, all) => `${n} / ${all}`, unknown: (n) => `${n} 台未知`,
    openAlerts: "未解除告警", openTasks: "未办结任务", none: "无", changes: "最近一小时", wentDown: (n) => `${n} 台离线`, cameBack: (n) => `${n} 台恢复`,
    quiet: "没有设备离线或恢复。", down: "离线", back: "恢复", rounds: "今晚的巡查", noRounds: "今晚没有巡查计划。", allRounds: "视频巡查",
    seen: (seen, all) => `已看 ${seen} / ${all}`, abnormal: (n) => `异常 ${n}`, waits: (n) => `待判 ${n}`, walkedBy: (n) => `${n} 正在巡查`, nobody: "无人巡查",
    ranking: "各区域在线率，近 7 天", rankingHint: "按时长，摄像机；数据不足的区域不参与排名", best: "前列", worst: "末位", noRanking: "数据不足，暂不排名。",
    pictures: "画面", judged: (n, all, h) => `${h} 小时内已检查 ${n} / ${all} 路`, noFaults: "没有已知的画面异常。",
    faults: "首个故障环节", behind: (n) => `${n} 台因上级不通而不可达`, flapping: (n) => `${n} 台时通时断`, longest: "最长离线", troubled: "有问题的设备", noTroubled: "没有已知有问题的设备。", more: (n) => `全部 ${n} 台`,
    device: "设备", why: "原因", since: "开始于", wall: "在电视墙上看", onMap: "在地图上看", devices: "设备",
  },
});
