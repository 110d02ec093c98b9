import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: (n: string) => `Change ${n} devices`, what: "What shall change", area: "Area", registration: "Registration", approve: "In service", retire: "Out of service", deviceClass: "Class", team: "Maintained by", addTags: "Add tags", removeTags: "Take tags away", tagsHint: "With commas", parent: "Reached through", noParent: "through none", window: "Maintenance window", from: "From", until: "Until", reason: "Reason", nowHint: "empty: now", intervals: "Probe intervals", answer: "Answer, every (s)", stream: "Stream, every (s)", inherit: "As their area says", ownIntervals: "Their own", profiles: "Picture profiles", day: "By day", night: "By night",
    empty: "(empties it)", checking: "Checking…", nothing: "Tick what shall change.", will: (n: string) => `${n} will change`, same: (n: string) => `${n} are so already`, refused: (n: number) => (n === 1 ? "1 cannot" : `${n} cannot`), more: (n: number) => `and ${n} more`, change: (n: string) => `Change ${n} devices`, changing: "Changing…", done: (n: string) => `${n} devices are changed.`, cancel: "Cancel", takeAway: "Take away", retireSure: "They will no longer be watched. Their history stays.", tooMany: (most: string) => `At most ${most} devices at once. Narrow the list.`, incomplete: "Fill in what is ticked.", moved: "The list has changed since you looked. Close this, look again, and choose anew.", zone: (zone: string) => `Times of the site (${zone})`,
    reasons: { below: "a device cannot be below itself", tags: "it would have too many tags", picture: "it has no picture", elsewhere: "the profile belongs to another area" },
  },
  zh: {
    title: (n) => `批量修改 ${n} 台设备`, what: "修改哪些内容", area: "区域", registration: "登记状态", approve: "在用", retire: "停用", deviceClass: "分类", team: "维护单位", addTags: "增加标签", removeTags: "去掉标签", tagsHint: "用逗号隔开", parent: "上级设备", noParent: "无上级", window: "维护窗口", from: "开始", until: "结束", reason: "原因", nowHint: "留空为现在", intervals: "探测间隔", answer: "应答，每（秒）", stream: "码流，每（秒）", inherit: "按所在区域", ownIntervals: "单独设置", profiles: "画面诊断方案", day: "白天", night: "夜间",
    empty: "（清空）", checking: "正在检查…", nothing: "请勾选要修改的内容。", will: (n) => `将修改 ${n} 台`, same: (n) => `${n} 台已是如此`, refused: (n) => `${n} 台不能修改`, more: (n) => `另有 ${n} 台`, change: (n) => `修改 ${n} 台设备`, changing: "正在修改…", done: (n) => `已修改 ${n} 台设备。`, cancel: "取消", takeAway: "去掉", retireSure: "停用后不再监测，历史记录保留。", tooMany: (most) => `一次最多 ${most} 台，请缩小范围。`, incomplete: "请填写所勾选的内容。", moved: "列表在您查看之后有变化。请关闭，重新查看后再选。", zone: (zone) => `本站时间（${zone}）`,
    reasons: { below: "设备不能成为自己的下级", tags: "标签会过多", picture: "没有画面", elsewhere: "该方案属于其他区域" },
  },
});
