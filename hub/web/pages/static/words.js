// What the page says, in both languages. Keys of statuses, layers and states are the API's own.

const ZH = {
  login: "登录", logout: "退出", name: "用户名", password: "密码", other: "English",
  alerts: "未解除的告警", noAlerts: "没有未解除的告警。", connections: "连接异常",
  pending: "待批准的设备", pendingHint: "这些设备自行上报，批准后纳入管理；在此之前的数据也会保存。",
  rounds: "视频巡查", noRounds: "还没有巡查记录。", devices: "设备", noDevices: "没有符合条件的设备。",
  device: "设备", area: "区域", since: "开始于", status: "状态", why: "原因", search: "搜索名称、序列号或地址",
  all: "全部", more: "显示更多", moreAlerts: "还有更多，较早的未显示", acknowledge: "确认", resolve: "解除", reason: "解除原因（必填）",
  cancel: "取消", close: "关闭", approve: "批准", picture: "看一眼", loading: "正在取图…",
  report: "报告", open: "告警", pendingTile: "待批准", liveNow: "实时", connecting: "正在连接…",
  lost: (t) => `连接中断：自 ${t} 起画面不再更新，正在重连…`,
  stale: (t) => `数据库无应答：自 ${t} 起画面不再更新`,
  failed: (m) => `操作未成功：${m}`, acknowledgedBy: (n) => `${n} 已确认`,
  progress: (seen, bad, all) => `已看 ${seen} / ${all}` + (bad ? `，未见 ${bad}` : ""),
  planned: (t) => `计划 ${t}`, wrongLogin: "用户名或密码不对。", tooMany: (s) => `错误次数过多，请等 ${s} 秒再试。`,
  ended: "登录已结束，请重新登录。",
  details: "详情", take: "我来处理", snooze: "暂缓 30 分钟", comment: "备注", accountNote: "说明（可不填）",
  drill: "【演练】", folded: (n) => `合并 ${n} 条`, quiet: (t, why) => `静默至 ${t}：${why}`,
  assignedTo: (n) => `${n} 处理中`, overdue: (t) => `■ 已逾期 ${t}`, dueIn: (t) => `● 剩 ${t}`,
  kinds: { told: "通知：", untold: "无人被通知：", planned: "将要：" },
  steps: { fired: "触发", folded: "合并", silenced: "静默", snoozed: "暂缓", repeated: "再次通知", escalated: "逐级上报",
    acknowledged: "确认", assigned: "指派", commented: "备注", resolved: "解除", reopened: "重新打开",
    delivered: "已送达", try_again: "未送达，将重试", rejected: "被拒收", failed: "未送达", waiting: "待发送" },
  statuses: { online: "在线", offline: "离线", degraded: "异常", unknown: "未知", maintenance: "维护" },
  severities: { critical: "严重", warning: "警告", info: "提示" },
  layers: { network: "网络不通", protocol: "协议无应答", credentials: "用户名或密码错误", stream: "无视频流",
    frames: "无画面", picture: "画面异常", recording: "无录像", clock: "时钟错误",
    readings: "数值异常" },
  pictures: "画面异常", noPictures: "没有已知的画面异常。", compare: "对比", good: "正常画面", bad: "异常画面", notKept: "没有保存的图片。",
  coverage: (n, all, h) => `${h} 小时内已检查 ${n} / ${all} 路`, otherReasons: "其他原因", also: (names) => `另有：${names}`,
  score: (n, limit) => `${Math.round(n)} 分（阈值 ${Math.round(limit)}）`, fine: "画面正常，误报", checkAgain: "重新检查",
  saidFine: (name, limit) => `已记录：“${name}”为误报，该摄像机的阈值已调整为 ${limit}。`,
  saidTooBad: (name, limit) => `已记录，但阈值最多只能调到 ${limit}，“${name}”仍算异常；确属正常的，请为该摄像机单独设置阈值方案。`, willBeChecked: "即将重新检查。",
  acceptPicture: "现在的画面就是正常画面", accepted: "已按现在的画面学习，即将重新检查。",
  indices: { signal_loss: "信号丢失", freeze: "画面冻结", occlusion: "遮挡", scene_change: "场景变换", too_dark: "过暗", too_bright: "过亮",
    low_contrast: "对比度低", blur: "模糊", colour_cast: "偏色", noise: "噪声（雪花）", stripes: "条纹", jitter: "抖动", ptz: "云台失控" },
  behind: (name) => `${name} 不通，其后不可达`, flapping: "时通时断",
  states: { DeviceUnreachable: "连不上", DeviceBusy: "对方忙", AuthRejected: "用户名或密码被拒",
    ProtocolViolation: "应答不合协议", UnsupportedByDevice: "不支持", AddressRefused: "地址被拒绝" },
  walks: { due: "待开始", running: "进行中", paused: "已暂停", finished: "已完成", missed: "未执行", cancelled: "已取消" },
  modes: { machine: "机巡", walk: "人巡", mixed: "人机互动", sampled: "抽帧" },
  judged: (open, bad, skipped) => [open && `待判 ${open}`, bad && `异常 ${bad}`, skipped && `未判 ${skipped}`].filter(Boolean).join("，"),
  walkedBy: (n) => `${n} 正在巡查`, walkedByMe: "由我巡查", nobodyWalks: "无人巡查", endsBy: (t) => `${t} 截止`,
  walk: "开始巡查", walkOn: "继续巡查", takeOver: "接手", takeOverSure: (n) => `确定从 ${n} 手中接过？`,
  secondLooks: (n) => `待复核 ${n}`, secondLook: "复核",
  stopOf: (n, all) => `第 ${n} / ${all} 处`, waiting: (n) => `待判 ${n}`, coming: (n) => `机器还要看 ${n} 处`,
  doubts: { none: "无可疑", some: "可疑", much: "很可疑" }, drawn: "抽查", pictureAt: (t, ago) => `画面 ${t}（${ago}前）`, dueAt: (t) => `应看 ${t}`,
  machineSays: "机器提示", nothingNoticed: "机器没有发现异常。", checklist: "检查项", noPicture: "没有画面", noPictureOf: (why) => `没有画面：${why}`,
  normal: "正常", abnormal: "异常", skip: "跳过", later: "稍后", lookAgain: "重新取图", zoom: "放大", film: "录像", usual: "平时画面", noUsual: "没有保存平时的画面。", blind: "画面取不到：可以跳过，或重新取图。", pause: "暂停", resume: "继续", handOver: "移交", leave: "退出",
  findingNote: "说明", skipWhy: "为什么跳过（必填）", disagreeWhy: "为什么不同意（必填）", pauseWhy: "为什么暂停（可不填）", handOverNote: "交代几句（可不填）", toWhom: "移交给",
  openTask: "同时派单", save: "保存", allHold: "全部符合", tickFirst: "请先逐项核对：按数字键，全部符合按 0", kindFirst: "请选择异常类别。", notSeenYet: "画面还没有显示或刚刚显示，请看清后再按。",
  isPaused: "已暂停。按 P 继续。", isTaken: (n) => `${n} 已接手这一轮巡查。`, isOver: "这一轮巡查已经结束。", waitForMachine: "机器正在看，画面一到就显示。", allJudged: "都判完了。",
  retaking: "正在重新取图，先看下一处。", judgedAs: (name, result) => `${name}：${result}`, sent: (n) => `已派单 ${n}`,
  agree: "同意", disagree: "不同意", wasJudged: (who, result) => `${who} 判为 ${result}`, noSecondLooks: "没有待复核的了。", notJudged: "未判",
  findings: { camera_down: "摄像机不通", picture_bad: "画面质量差", view_blocked: "视野被挡", something_moving: "有物移动", fire_smoke: "烟火",
    water: "积水险情", road: "道路损坏", obstruction: "占道堵塞", waste: "垃圾堆放", facility: "公共设施损坏", duty_room: "值班室无人", other: "其他" },
  rollCall: "值班点名", calls: { asked: "待应答", unanswered: "无人应答" }, typeCode: "输入旁边的数字", yourName: "您的姓名",
  answer: "应答", rang: "已电话应答", whoRang: "接电话的人",
  units: ["秒", "分钟", "小时", "天"], unitGap: " ",
};

const EN = {
  login: "Sign in", logout: "Sign out", name: "User name", password: "Password", other: "中文",
  alerts: "Open alerts", noAlerts: "No open alerts.", connections: "Connections in trouble",
  pending: "Devices to approve", pendingHint: "These reported by themselves. Approve those that belong here; their data are kept meanwhile.",
  rounds: "Video patrols", noRounds: "No patrol rounds yet.", devices: "Devices", noDevices: "No device fits.",
  device: "Device", area: "Area", since: "Since", status: "Status", why: "Why", search: "Search name, serial or address",
  all: "All", more: "Show more", moreAlerts: "There are more; older ones are not shown", acknowledge: "Acknowledge", resolve: "Resolve", reason: "Why is it over? (required)",
  cancel: "Cancel", close: "Close", approve: "Approve", picture: "Look", loading: "Fetching a picture…",
  report: "Report", open: "alerts", pendingTile: "to approve", liveNow: "live", connecting: "connecting…",
  lost: (t) => `Connection lost since ${t}: nothing here is up to date. Reconnecting…`,
  stale: (t) => `The database does not answer since ${t}: nothing here is up to date.`,
  failed: (m) => `That did not work: ${m}`, acknowledgedBy: (n) => `acknowledged by ${n}`,
  progress: (seen, bad, all) => `${seen} of ${all} seen` + (bad ? `, ${bad} not seen` : ""),
  planned: (t) => `planned ${t}`, wrongLogin: "The name or the password is wrong.", tooMany: (s) => `Too many mistakes: wait ${s} s.`,
  ended: "Your session is over: sign in again.",
  details: "Details", take: "I take it", snooze: "Snooze 30 min", comment: "Comment", accountNote: "Note (optional)",
  drill: "[EXERCISE] ", folded: (n) => `${n} folded into it`, quiet: (t, why) => `quiet until ${t}: ${why}`,
  assignedTo: (n) => `${n} is on it`, overdue: (t) => `■ overdue by ${t}`, dueIn: (t) => `● ${t} left`,
  kinds: { told: "told: ", untold: "nobody told: ", planned: "to come: " },
  steps: { fired: "fired", folded: "folded", silenced: "silenced", snoozed: "snoozed", repeated: "told again", escalated: "escalated",
    acknowledged: "acknowledged", assigned: "assigned", commented: "commented", resolved: "resolved", reopened: "reopened",
    delivered: "delivered", try_again: "not delivered, will be tried again", rejected: "refused", failed: "not delivered", waiting: "waiting" },
  statuses: { online: "online", offline: "offline", degraded: "degraded", unknown: "unknown", maintenance: "maintenance" },
  severities: { critical: "critical", warning: "warning", info: "info" },
  layers: { network: "network", protocol: "protocol", credentials: "credentials", stream: "stream",
    frames: "frames", picture: "picture", recording: "recording", clock: "clock",
    readings: "readings" },
  pictures: "Bad pictures", noPictures: "No picture is known to be bad.", compare: "Compare", good: "good picture", bad: "bad picture", notKept: "No picture is kept.",
  coverage: (n, all, h) => `${n} of ${all} cameras looked at within ${h} h`, otherReasons: "other reasons", also: (names) => `also ${names}`,
  score: (n, limit) => `${Math.round(n)} points (threshold ${Math.round(limit)})`, fine: "This is fine", checkAgain: "Check again",
  saidFine: (name, limit) => `Noted: "${name}" is a false alarm; the camera's threshold is ${limit} now.`,
  saidTooBad: (name, limit) => `Noted, but the threshold goes no higher than ${limit}: "${name}" stays a fault. If all is well, give the camera a profile of its own.`, willBeChecked: "It is looked at again soon.",
  acceptPicture: "It should look as it does now", accepted: "Learnt from the picture of now; it is looked at again soon.",
  indices: { signal_loss: "signal lost", freeze: "frozen", occlusion: "covered", scene_change: "scene changed", too_dark: "too dark", too_bright: "too bright",
    low_contrast: "low contrast", blur: "blurred", colour_cast: "colour cast", noise: "noise", stripes: "stripes", jitter: "shaking", ptz: "PTZ does not obey" },
  behind: (name) => `unreachable behind ${name}`, flapping: "flapping",
  states: { DeviceUnreachable: "unreachable", DeviceBusy: "busy", AuthRejected: "credentials refused",
    ProtocolViolation: "answers nonsense", UnsupportedByDevice: "unsupported", AddressRefused: "address refused" },
  walks: { due: "due", running: "running", paused: "paused", finished: "finished", missed: "missed", cancelled: "cancelled" },
  modes: { machine: "machine", walk: "walked", mixed: "machine and people", sampled: "sampled" },
  judged: (open, bad, skipped) => [open && `${open} to judge`, bad && `${bad} abnormal`, skipped && `${skipped} not judged`].filter(Boolean).join(", "),
  walkedBy: (n) => `${n} walks it`, walkedByMe: "you walk it", nobodyWalks: "nobody walks it", endsBy: (t) => `until ${t}`,
  walk: "Walk", walkOn: "Go on", takeOver: "Take over", takeOverSure: (n) => `Really take it from ${n}?`,
  secondLooks: (n) => `${n} second looks`, secondLook: "Second look",
  stopOf: (n, all) => `stop ${n} of ${all}`, waiting: (n) => `${n} to judge`, coming: (n) => `the machine has ${n} to look at`,
  doubts: { none: "no doubt", some: "doubtful", much: "very doubtful" }, drawn: "drawn", pictureAt: (t, ago) => `picture of ${t} (${ago} ago)`, dueAt: (t) => `due ${t}`,
  machineSays: "The machine says", nothingNoticed: "The machine noticed nothing.", checklist: "Checklist", noPicture: "No picture", noPictureOf: (why) => `No picture: ${why}`,
  normal: "Normal", abnormal: "Abnormal", skip: "Skip", later: "Later", lookAgain: "New picture", zoom: "Enlarge", film: "Film", usual: "Usual view", noUsual: "No usual view is kept.", blind: "The picture cannot be shown: skip it, or have a new one taken.", pause: "Pause", resume: "Go on", handOver: "Hand over", leave: "Leave",
  findingNote: "Note", skipWhy: "Why is it skipped? (required)", disagreeWhy: "Why do you disagree? (required)", pauseWhy: "Why a pause? (optional)", handOverNote: "What should he know? (optional)", toWhom: "To whom",
  openTask: "Open a task", save: "Save", allHold: "All hold", tickFirst: "Answer the checklist first: number keys, 0 if all hold", kindFirst: "Choose what is abnormal.", notSeenYet: "The picture is not shown yet, or only just: look first.",
  isPaused: "Paused. Press P to go on.", isTaken: (n) => `${n} walks this round now.`, isOver: "This round is over.", waitForMachine: "The machine is looking; pictures show as they come.", allJudged: "Everything is judged.",
  retaking: "A new picture is being taken; the next stop meanwhile.", judgedAs: (name, result) => `${name}: ${result}`, sent: (n) => `task ${n} opened`,
  agree: "Agree", disagree: "Disagree", wasJudged: (who, result) => `${who} judged it ${result}`, noSecondLooks: "No second look is left.", notJudged: "not judged",
  findings: { camera_down: "Camera down", picture_bad: "Bad picture", view_blocked: "View blocked", something_moving: "Something moving", fire_smoke: "Fire or smoke",
    water: "Water", road: "Road damage", obstruction: "Way obstructed", waste: "Waste", facility: "Damaged facility", duty_room: "Duty room silent", other: "Other" },
  rollCall: "Roll call", calls: { asked: "asked", unanswered: "silent" }, typeCode: "The digits beside", yourName: "Your name",
  answer: "Answer", rang: "Answered by telephone", whoRang: "Who took it?",
  units: ["s", "min", "h", "d"], unitGap: " ",
};

let isChinese = (localStorage.getItem("language") ?? navigator.language).startsWith("zh");
export let words = isChinese ? ZH : EN;

export function switchLanguage() {
  isChinese = !isChinese;
  words = isChinese ? ZH : EN;
  localStorage.setItem("language", isChinese ? "zh" : "en");
}

export function labelPage() {
  document.documentElement.lang = isChinese ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = words[node.dataset.word];
  for (const node of document.querySelectorAll("[data-placeholder]")) {
    node.placeholder = words[node.dataset.placeholder];
    node.setAttribute("aria-label", words[node.dataset.placeholder]);
  }
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", words[node.dataset.label]);
}

// 02:14 today, 11-21 02:14 on any other day.
export function clock(text) {
  const at = new Date(text);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? time : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

const two = (n) => String(n).padStart(2, "0");

// 02:14:07, with the day where it is not today.
export function exactly(text) {
  return `${clock(text)}:${two(new Date(text).getSeconds())}`;
}

export const duration = (text) => inWords(Date.now() - new Date(text));
export const until = (text) => inWords(new Date(text) - Date.now());

function inWords(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const [second, minute, hour, day] = words.units;
  const [n, unit] = s < 60 ? [s, second] : s < 3600 ? [s / 60, minute] : s < 86400 ? [s / 3600, hour] : [s / 86400, day];
  return `${Math.floor(n)}${words.unitGap}${unit}`;
}
