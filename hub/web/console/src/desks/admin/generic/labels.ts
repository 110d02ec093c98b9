// What fields and the values of short lists are called, in all forms and lists of the administration.
import { speech, wordsOf } from "$/hub/language.svelte";
import { showSpan } from "$/hub/site.svelte";
import { areas } from "$/hub/areas.svelte";
import { clockOf, hoursOf, readCalendar } from "$/parts/form/hours";
import { words as formWords } from "$/parts/form/words";
import { stateWords, wordOf } from "$/parts/states";
import { lookups } from "./lookups.svelte";
import type { Option, Shape } from "./spec";

export const labels = wordsOf({
  en: {
    fields: {
      name: "Name", area_id: "Area", kind: "Kind", is_enabled: "On", hours: "Hours", receivers: "Receivers", receiver_id: "Receiver", severity: "Severity", matcher: "About which alerts", reason: "Reason",
      starts_at: "From (empty: now)", ends_at: "Until", author: "By", state: "State", priority: "Priority", phone: "Telephone", acknowledge_s: "Taken within", resolve_s: "Resolved within", yellow_share: "Yellow when this much is left",
      accept_s: "Accepted within", arrive_s: "On site within", done_s: "Done within", until: "Climbs until", steps: "Steps", secret: "Secret", template: "Text of a message (Liquid; empty: the hub's own words)", most_a_minute: "Messages a minute at most",
      rule_id: "Rule", device_ids: "Devices", device_id: "Device", ends_in_s: "Ends by itself after", day: "Day", is_working: "A day that is worked", device_class: "Class of devices (empty: all)", answer_s: "Does it answer", stream_s: "Password and stream", frames_s: "First frames", inspect_s: "Clock and recordings", picture_s: "Picture",
      thresholds: "Thresholds", day_id: "By day", night_id: "By night", most_open: "Open tasks at most", kinds: "Kinds of tasks (empty: all)", priorities: "Priorities (none: all)", sources: "Raised by (none: all)", unit_kinds: "Kinds of units (none: all)", most_km: "Not farther than (km)", is_automatic: "Send without asking the desk",
      speaker_id: "Loudspeaker", user_ids: "People", protocol: "Protocol", address: "Address", username: "User name", password: "Password", options: "Options", severities: "Severities (none: all)", rule_ids: "Rules (none: all)", classes: "Classes of devices (none: all)", tags: "Tags (none: all)", devices: "Devices",
      display_name: "Full name", quiets: "Quiet now", started_at: "Begun",
    },
    kinds: { webhook: "webhook (HTTP)", smtp: "e-mail", mqtt: "MQTT", apprise: "chat service (WeCom, DingTalk, Feishu …)" },
    untils: { acknowledged: "somebody has taken it", resolved: "it is resolved" },
    units: { grid_officer: "grid officer", patrol_unit: "patrol unit", repair_team: "repair team" },
    sources: { hand: "the desk", call: "a telephone call", alert: "an alert", patrol: "a patrol stop", roll_call: "a duty room that did not answer", report: "a resident's report" },
    states: { planned: "planned", active: "in force", over: "over", ended: "ended", open: "open", accepted: "accepted", dismissed: "dismissed", pending: "not begun", expired: "over" },
    protocols: { onvif: "ONVIF camera", rtsp: "RTSP camera", mqtt: "MQTT broker", uplink: "Switch, ONU, uplink, recorder" },
    yes: "yes", no: "no", on: "on", off: "off", always: "always", all: "all", none: "—", inherits: "inherits", notJudged: "not judged", more: (n: number) => ` and ${n} more`, steps: (n: number) => (n === 1 ? "1 step" : `${n} steps`), devices: (n: number) => (n === 1 ? "1 device" : `${n} devices`),
    working: "working days", offDays: "days off",
  },
  zh: {
    fields: {
      name: "名称", area_id: "区域", kind: "类型", is_enabled: "启用", hours: "时段", receivers: "接收方", receiver_id: "接收方", severity: "级别", matcher: "针对哪些告警", reason: "原因",
      starts_at: "开始（空：立即）", ends_at: "结束", author: "操作人", state: "状态", priority: "优先级", phone: "电话", acknowledge_s: "确认时限", resolve_s: "解除时限", yellow_share: "剩余多少时变黄",
      accept_s: "接单时限", arrive_s: "到场时限", done_s: "办结时限", until: "升级直到", steps: "步骤", secret: "密钥", template: "消息模板（Liquid；空：系统措辞）", most_a_minute: "每分钟最多消息数",
      rule_id: "规则", device_ids: "设备", device_id: "设备", ends_in_s: "自动结束于", day: "日期", is_working: "调休上班", device_class: "设备类别（空：全部）", answer_s: "是否应答", stream_s: "密码与视频流", frames_s: "首帧", inspect_s: "时钟与录像", picture_s: "画面",
      thresholds: "阈值", day_id: "白天", night_id: "夜间", most_open: "同时最多任务数", kinds: "任务类型（空：全部）", priorities: "优先级（不选：全部）", sources: "来源（不选：全部）", unit_kinds: "力量类型（不选：全部）", most_km: "最远距离（公里）", is_automatic: "自动派发，不经调度台确认",
      speaker_id: "广播设备", user_ids: "人员", protocol: "协议", address: "地址", username: "用户名", password: "密码", options: "选项", severities: "级别（不选：全部）", rule_ids: "规则（不选：全部）", classes: "设备类别（不填：全部）", tags: "标签（不填：全部）", devices: "设备",
      display_name: "姓名", quiets: "当前静默", started_at: "开始",
    },
    kinds: { webhook: "Webhook（HTTP）", smtp: "邮件", mqtt: "MQTT", apprise: "聊天服务（企业微信、钉钉、飞书等）" },
    untils: { acknowledged: "有人确认", resolved: "告警解除" },
    units: { grid_officer: "网格员", patrol_unit: "巡逻队", repair_team: "维修队" },
    sources: { hand: "调度台", call: "电话", alert: "告警", patrol: "巡查点", roll_call: "点名未应答", report: "群众上报" },
    states: { planned: "未开始", active: "生效中", over: "已结束", ended: "已结束", open: "待处理", accepted: "已采纳", dismissed: "已忽略", pending: "未开始", expired: "已结束" },
    protocols: { onvif: "ONVIF 摄像机", rtsp: "RTSP 摄像机", mqtt: "MQTT 服务器", uplink: "交换机、光猫、上联、录像机" },
    yes: "是", no: "否", on: "启用", off: "停用", always: "始终", all: "全部", none: "—", inherits: "沿用上级", notJudged: "不判定", more: (n) => `等，另有 ${n} 个`, steps: (n) => `${n} 步`, devices: (n) => `${n} 台设备`,
    working: "工作日", offDays: "休息日",
  },
});

/** What a field is called; a field newer than this page keeps the hub's name of it. */
export function fieldLabel(name: string): string {
  return wordOf(labels.fields, name.split(".").at(-1) ?? name);
}
const optionsOf = (all: object): Option[] => Object.entries(all).map(([value, label]) => ({ value, label: String(label) }));
export const choices = {
  severities: (): Option[] => optionsOf(stateWords.severities),
  priorities: (): Option[] => optionsOf(stateWords.priorities),
  receiverKinds: (): Option[] => optionsOf(labels.kinds),
  untils: (): Option[] => optionsOf(labels.untils),
  units: (): Option[] => optionsOf(labels.units),
  sources: (): Option[] => optionsOf(labels.sources),
  protocols: (): Option[] => optionsOf(labels.protocols),
  deviceKinds: (): Option[] => optionsOf(stateWords.kinds),
};

const list = (items: readonly string[]): string => items.join(speech.current === "zh" ? "、" : ", ");
export const showFew = (items: readonly string[], most = 3): string => (items.length > most ? list(items.slice(0, most)) + labels.more(items.length - most) : list(items));
export const areaName = (id: unknown): string => (typeof id === "number" ? areas.trail(id).slice(-2).map((one) => one.name).join(" / ") || `#${id}` : labels.none);
export const span = (seconds: unknown): string => (typeof seconds === "number" ? showSpan(seconds) : labels.none);

/** Hours in words: "Mon, Tue 22:00–06:00 · working days". */
export function showHours(raw: unknown): string {
  const calendar = readCalendar(raw);
  if (!calendar) return labels.always;
  const hours = hoursOf(calendar);
  const days = calendar.days === "working" ? ` · ${labels.working}` : calendar.days === "off" ? ` · ${labels.offDays}` : "";
  if (!hours) return `${calendar.rrule} (${showSpan(calendar.duration_s)})${days}`;
  const when = hours.kind === "daily" ? formWords.daily : list(hours.weekdays.map((day) => formWords.weekdays[day]));
  return `${when} ${clockOf(hours.from)}–${clockOf(hours.to)}${days}`;
}

/** What an alert must be, in words; "all" when nothing is asked. */
export function showMatcher(raw: unknown): string {
  const matcher = (raw ?? {}) as { severities?: string[]; rule_ids?: number[]; device_ids?: number[]; classes?: string[]; tags?: string[] };
  const said = [
    list((matcher.severities ?? []).map((one) => wordOf(stateWords.severities, one))),
    showFew((matcher.rule_ids ?? []).map((one) => lookups.rules.name(one))),
    matcher.device_ids?.length ? labels.devices(matcher.device_ids.length) : "",
    list(matcher.classes ?? []),
    list((matcher.tags ?? []).map((one) => `#${one}`)),
  ].filter(Boolean);
  return said.join(" · ") || labels.all;
}

/** A value of a form in words: for what others changed meanwhile. */
export function showValue(value: unknown, field: string): string {
  if (value === null || value === undefined || value === "") return labels.none;
  if (field === "area_id") return areaName(value);
  if (field === "receivers") return lookups.receivers.names(value);
  if (field === "receiver_id") return lookups.receivers.name(value);
  if (field === "user_ids") return lookups.people.names(value);
  if (field === "hours") return showHours(value);
  if (field === "matcher") return showMatcher(value);
  if (field.endsWith("_s")) return span(value);
  if (typeof value === "boolean") return value ? labels.yes : labels.no;
  if (Array.isArray(value)) return value.every((one) => typeof one !== "object") ? list(value.map(String)) : JSON.stringify(value);
  return typeof value === "object" ? JSON.stringify(value as Shape) : String(value);
}
