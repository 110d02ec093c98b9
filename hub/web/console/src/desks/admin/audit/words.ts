import { speech, wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "Audit log", about: "Who did what, when and from where. Nothing in it can be changed.", at: "At", actor: "Who", action: "What", detail: "Detail", search: "Search (a name, a number, part of a detail)", shortSearch: "A search of one or two characters looks at the newest 20,000 lines only.",
    since: "From", until: "Before", all: "all", export: "As a file (CSV)", exportNote: "At most 200,000 lines, newest first.", more: "Older lines", none: "No line fits.", clear: "Show everything", hub: "the hub itself", failed: "The file could not be had.", onlyObject: (what: string) => `Only what was done about ${what}`,
    verbs: { added: "added", created: "added", changed: "changed", edited: "changed", removed: "removed", set: "set", ended: "ended", started: "started", approved: "approved", retired: "retired", imported: "imported", tagged: "tagged", tested: "tested", probed: "probed", steered: "steered", assigned: "assigned", withdrawn: "withdrew", cancelled: "cancelled", taken: "took over", left: "left", signed: "signed", made: "made", read: "read", renamed: "renamed", disabled: "switched off", looked_at: "looked at" },
    objects: { user: "a person", grant: "a role", token: "a token", rule: "a rule", silence: "a silence", route: "a route", receiver: "a receiver", policy: "an escalation policy", duty: "a duty", deadlines: "deadlines", drill: "a drill", device: "a device", connection: "a connection", area: "an area", point: "a point", probe_interval: "a probe interval", picture_profile: "a picture profile", patrol_plan: "a patrol plan", patrol_round: "a patrol round", patrol_report: "a patrol report", handover: "a hand-over", shift: "a shift", duty_room: "a duty room", field_unit: "a field unit", dispatch: "a task", dispatch_rule: "a dispatch rule", holiday: "a holiday", window: "a maintenance window", alert: "an alert" },
    actions: {
      "session.begun": "signed in", "session.ended": "signed out", "session.refused": "was refused at sign-in", "user.created": "added a person", "user.changed": "changed a person", "user.removed": "removed a person", "user.password_changed": "set a password", "user.signed_out": "ended all sessions of a person", "grant.added": "gave a role", "grant.removed": "took a role back", "token.created": "made a token", "token.revoked": "revoked a token",
      "receiver.tested": "sent a test message",
      "device.commanded": "sent a command", "device.record_changed": "changed an asset record", "live.began": "began to watch live", "live.ended": "stopped watching live", "device.looked_at": "looked at a picture", "device.steered": "steered a camera", "device.sent_to_preset": "sent a camera to a preset", "inventory.imported": "imported a file", "month.published": "published a month", "patrol_report.signed": "signed a patrol report", "patrol_report.read": "read a patrol report",
      "alert.acknowledged": "took an alert", "alert.assigned": "assigned an alert", "alert.resolved": "resolved an alert", "alert.commented": "commented on an alert", "alert.snoozed": "put an alert off", "alert.reopened": "opened an alert again", "audit.exported": "took the audit log as a file",
    },
  },
  zh: {
    title: "审计日志", about: "谁、何时、从哪里、做了什么。内容不可更改。", at: "时间", actor: "操作人", action: "操作", detail: "详情", search: "搜索（名称、编号或详情中的文字）", shortSearch: "一两个字的搜索只查最近 20,000 行。",
    since: "从", until: "早于", all: "全部", export: "导出文件（CSV）", exportNote: "最多 200,000 行，从新到旧。", more: "更早的记录", none: "没有符合的记录。", clear: "显示全部", hub: "平台自身", failed: "无法取得文件。", onlyObject: (what) => `只看对 ${what} 的操作`,
    verbs: { added: "新增", created: "新增", changed: "修改", edited: "修改", removed: "删除", set: "设置", ended: "结束", started: "开始", approved: "通过", retired: "停用", imported: "导入", tagged: "标记", tested: "测试", probed: "探测", steered: "操作云台", assigned: "应用", withdrawn: "撤销", cancelled: "取消", taken: "接下", left: "留下", signed: "签署", made: "生成", read: "阅读", renamed: "改名", disabled: "停用", looked_at: "查看" },
    objects: { user: "人员", grant: "角色", token: "令牌", rule: "规则", silence: "静默", route: "路由", receiver: "接收方", policy: "升级策略", duty: "值守", deadlines: "时限", drill: "演练", device: "设备", connection: "接入", area: "区域", point: "测点", probe_interval: "探测间隔", picture_profile: "画质方案", patrol_plan: "巡查计划", patrol_round: "巡查", patrol_report: "巡查报告", handover: "交接班", shift: "班次", duty_room: "值班室", field_unit: "处置力量", dispatch: "任务", dispatch_rule: "派发规则", holiday: "节假日", window: "维护窗口", alert: "告警" },
    actions: {
      "session.begun": "登录", "session.ended": "退出", "session.refused": "登录被拒", "user.created": "新增人员", "user.changed": "修改人员", "user.removed": "删除人员", "user.password_changed": "设置密码", "user.signed_out": "结束某人全部登录", "grant.added": "授予角色", "grant.removed": "收回角色", "token.created": "创建令牌", "token.revoked": "吊销令牌",
      "receiver.tested": "发送测试消息",
      "device.commanded": "下发命令", "device.record_changed": "修改设备档案", "live.began": "开始观看实时画面", "live.ended": "结束观看实时画面", "device.looked_at": "查看画面", "device.steered": "操作云台", "device.sent_to_preset": "转到预置位", "inventory.imported": "导入文件", "month.published": "发布月报", "patrol_report.signed": "签署巡查报告", "patrol_report.read": "阅读巡查报告",
      "alert.acknowledged": "确认告警", "alert.assigned": "指派告警", "alert.resolved": "解除告警", "alert.commented": "备注告警", "alert.snoozed": "推迟告警", "alert.reopened": "重新打开告警", "audit.exported": "导出审计日志",
    },
  },
});

/** What was done, in words; the hub's own name of it when it is newer than this page. */
export function actionWord(action: string): string {
  const exact = (words.actions as Record<string, string | undefined>)[action];
  if (exact) return exact;
  const [object = "", verb = ""] = action.split(".");
  const said = [(words.verbs as Record<string, string | undefined>)[verb], (words.objects as Record<string, string | undefined>)[object]];
  return said[0] && said[1] ? said.join(speech.current === "zh" ? "" : " ") : action;
}
