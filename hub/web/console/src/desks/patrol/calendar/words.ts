import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: { month: "Month", week: "Week", today: "Today", earlier: "Earlier", later: "Later", weekdays: { mo: "Mon", tu: "Tue", we: "Wed", th: "Thu", fr: "Fri", sa: "Sat", su: "Sun" }, more: (n: number) => `${n} more`, leftOut: "left out", foreseen: "foreseen", none: "No rounds here.", many: "There are more rounds than are shown: choose a week or an area.", zone: (z: string) => `by the clock of ${z}`, titleMonth: (y: string, m: string) => `${y}-${m}`, titleWeek: (a: string, b: string) => `${a} to ${b}` },
  zh: { month: "月", week: "周", today: "今天", earlier: "往前", later: "往后", weekdays: { mo: "周一", tu: "周二", we: "周三", th: "周四", fr: "周五", sa: "周六", su: "周日" }, more: (n) => `还有 ${n} 轮`, leftOut: "不巡查", foreseen: "预排", none: "这里没有巡查。", many: "巡查太多，未全部显示：请按周或按区域查看。", zone: (z) => `按 ${z} 的钟点`, titleMonth: (y, m) => `${y} 年 ${m} 月`, titleWeek: (a, b) => `${a} 至 ${b}` },
});
