import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "Reports", uptime: "Uptime", figures: "Key figures", nights: "Patrol and tasks", months: "Published months", print: "Print", csv: "CSV", xlsx: "XLSX", kind: "Devices", cameras: "Cameras", allKinds: "All devices", period: "Period", first: "From", last: "To",
    presets: { week: "Last 7 days", month: "Last 30 days", quarter: "Last 90 days", this: "This month", before: "Last month", own: "Other days" },
    onlineRate: "Online rate, time-weighted", onlineText: "Mean over devices of online time ÷ (period − planned maintenance − unknown). Days are those of the site; today is not in it. Below 95 % coverage there is no verdict.",
    heat: "Online rate by area and day", area: "Area", all: "All", total: "Period", devices: "Devices", coverage: "Coverage", outages: "Outages", down: "Offline, added up", trend: "By day", rank: "Place", ranking: "Ranking",
    legend: "What the cells say", good: "99 % and more", fair: "95 to 99 %", poor: "below 95 %", withheldCell: "too little known: no verdict", missing: "not counted", noDays: "No day of this period has been added up yet. Days are added up an hour after they end.",
    cell: (area: string, day: string, rate: string, coverage: string, outages: number) => `${area}, ${day}: ${rate}, coverage ${coverage}, outages ${outages}`,
    by: "By", groupings: { area: "Area", vendor: "Vendor", model: "Model", team: "Maintenance team", class: "Class" }, name: "Name", notRecorded: "not recorded", formula: "Formula", formulas: "How each figure is worked out", value: "Value",
    kpis: {
      online_rate: "Online rate (time)", online_rate_snapshot: "Online rate (now)", intact_rate: "Intact rate", clock_rate: "Clock rate", recording_completeness: "Recording", labelling_rate: "Labelling", mttr_s: "MTTR", mtbf_s: "MTBF", longest_outage_s: "Longest outage", outages: "Outages",
    },
    meanings: {
      online_rate: "Mean over devices of online time ÷ (period − planned maintenance − unknown)", online_rate_snapshot: "Devices that answer ÷ managed, at the end of the period", intact_rate: "Online and picture good ÷ managed", clock_rate: "Clocks within the tolerance ÷ cameras with data", recording_completeness: "Recorded seconds ÷ planned seconds", labelling_rate: "Records whose required fields are filled and valid ÷ all", mttr_s: "Mean duration of outages that ended in the period", mtbf_s: "Mean time online between outages", longest_outage_s: "The longest outage, cut to the period", outages: "Outages that began in the period",
    },
    sortBy: (name: string) => `Sort by ${name}`, withheld: "withheld",
    periods: { night: "Night", week: "Week", month: "Month", round: "Round" }, noReport: "There is no such report yet.", openReport: "The whole report", of: (from: string, to: string) => `${from} to ${to}`,
    completion: "Stops seen ÷ planned", onTime: "Stops on time", abnormal: "Abnormal stops", answered: "Duty rooms that answered in time", opened: "Tasks opened", verified: "Tasks verified", overdue: "Tasks overdue", timely: "Tasks closed before their deadline", stops: "Stops", signedBy: (name: string) => `signed by ${name}`, unsigned: "not signed", formulaVersion: (n: number) => `formula version ${n}`,
    month: "Month", edition: "Edition", publishedAt: "Published", author: "By", publish: "Publish a month", publishHint: "Its figures are kept for ever, with the version of each formula. Published again it is another edition.", noMonths: "No month was published.", published: "Published.", chooseArea: "Choose an area.", show: "Figures",
  },
  zh: {
    title: "报表", uptime: "在线情况", figures: "主要指标", nights: "巡查与任务", months: "已发布月报", print: "打印", csv: "CSV", xlsx: "XLSX", kind: "设备", cameras: "摄像机", allKinds: "全部设备", period: "时段", first: "从", last: "到",
    presets: { week: "近 7 天", month: "近 30 天", quarter: "近 90 天", this: "本月", before: "上月", own: "自选日期" },
    onlineRate: "在线率（按时长）", onlineText: "各设备在线时长 ÷（时段 − 计划维护 − 未知）的平均值。按本站日历分天，不含今天。数据覆盖不足 95 % 时不作评定。",
    heat: "各区域每日在线率", area: "区域", all: "全部", total: "整段", devices: "设备", coverage: "数据覆盖", outages: "离线次数", down: "离线时长合计", trend: "逐日", rank: "名次", ranking: "排名",
    legend: "格子的含义", good: "99 % 及以上", fair: "95 % 至 99 %", poor: "低于 95 %", withheldCell: "数据不足，不作评定", missing: "未统计", noDays: "这段时间还没有统计完的日期。每天结束一小时后统计。",
    cell: (area, day, rate, coverage, outages) => `${area}，${day}：${rate}，数据覆盖 ${coverage}，离线 ${outages} 次`,
    by: "分组", groupings: { area: "区域", vendor: "厂商", model: "型号", team: "运维单位", class: "类别" }, name: "名称", notRecorded: "未登记", formula: "公式", formulas: "各项指标的算法", value: "数值",
    kpis: {
      online_rate: "在线率（时长）", online_rate_snapshot: "在线率（即时）", intact_rate: "完好率", clock_rate: "时钟准确率", recording_completeness: "录像完整率", labelling_rate: "标注合规率", mttr_s: "平均修复时间", mtbf_s: "平均无故障时间", longest_outage_s: "最长离线", outages: "离线次数",
    },
    meanings: {
      online_rate: "各设备在线时长 ÷（时段 − 计划维护 − 未知）的平均值", online_rate_snapshot: "时段结束时有应答的设备 ÷ 在管设备", intact_rate: "在线且画面正常 ÷ 在管设备", clock_rate: "时钟误差在允许范围内 ÷ 有数据的摄像机", recording_completeness: "已录时长 ÷ 计划时长", labelling_rate: "必填项齐全有效的档案 ÷ 全部档案", mttr_s: "时段内结束的离线的平均时长", mtbf_s: "两次离线之间的平均在线时长", longest_outage_s: "最长的一次离线（截取在时段内）", outages: "时段内开始的离线次数",
    },
    sortBy: (name) => `按${name}排序`, withheld: "暂不评定",
    periods: { night: "每夜", week: "每周", month: "每月", round: "单轮" }, noReport: "还没有这种报告。", openReport: "完整报告", of: (from, to) => `${from} 至 ${to}`,
    completion: "已看点位 ÷ 计划点位", onTime: "按时查看的点位", abnormal: "异常点位", answered: "按时应答的值班室", opened: "新开任务", verified: "已核验任务", overdue: "逾期任务", timely: "按时办结的任务", stops: "点位", signedBy: (name) => `${name} 已签发`, unsigned: "未签发", formulaVersion: (n) => `公式版本 ${n}`,
    month: "月份", edition: "版次", publishedAt: "发布时间", author: "发布人", publish: "发布月报", publishHint: "指标连同各公式的版本永久保存；再次发布为新的一版。", noMonths: "还没有发布过月报。", published: "已发布。", chooseArea: "请选择区域。", show: "指标",
  },
});
