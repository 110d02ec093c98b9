import { wordsOf } from "$/hub/language.svelte";
import { showSpan } from "$/hub/site.svelte";

/** What a finding is about: how many, and what the hub measured. */
export interface Facts { count: number; names: readonly string[]; data: Record<string, unknown> }
const number = (facts: Facts, key: string): number => (typeof facts.data[key] === "number" ? (facts.data[key] as number) : 0);
export const gib = (bytes: number): string => (bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : bytes >= 1024 ** 2 ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${Math.round(bytes / 1024)} KiB`);
const time = (facts: Facts): string => showSpan(number(facts, "seconds"));

export const words = wordsOf({
  en: {
    title: "Needs attention", about: "Settings that somebody should look at. Only what is truly known is listed.", asOf: "As of", none: "Nothing needs attention.", mend: "Look at it", unseen: "What is not listed here was not looked at: whether there is a back-up, for example.",
    gravities: { critical: "Grave", warning: "Should be mended", info: "Good to know" }, roles: { web: "web pages", ingest: "devices and brokers", alerts: "alerting", work: "probes, rounds, messages" },
    codes: {
      "areas.no_operator": (f: Facts) => `Areas with devices but without an operator, dispatcher or supervisor: ${f.count}. Only administrators can take their alerts.`,
      "connections.down": (f: Facts) => `Connections that have been down for more than an hour: ${f.count}.`,
      "devices.certificate_ends": (f: Facts) => `Devices whose certificate ends within 30 days or has ended: ${f.count}.`,
      "devices.clock_wrong": (f: Facts) => `Devices whose clock is off by more than a minute: ${f.count}.`,
      "devices.no_class": (f: Facts) => `Devices without a class: ${f.count}. Rules and intervals by class do not reach them.`,
      "devices.no_position": (f: Facts) => `Cameras without a position: ${f.count}. They are not on the map, and no nearest unit is found for them.`,
      "devices.pending": (f: Facts) => `Devices that wait for approval: ${f.count}.`,
      "devices.recording_missing": (f: Facts) => `Devices whose recordings are missing: ${f.count}.`,
      "devices.same_address": (f: Facts) => `Cameras whose host is registered by two protocols: ${f.count}. They may count twice.`,
      "parents.suggested": (f: Facts) => `Groups of devices that fail and return together: ${f.count}. Perhaps they hang on one switch or uplink.`,
      "people.first_password": () => "The first administrator still uses the password of the first start.",
      "people.idle": (f: Facts) => `Accounts that have not been used for 90 days: ${f.count}.`,
      "people.no_grant": (f: Facts) => `Accounts without an area, which see nothing: ${f.count}.`,
      "people.single_admin": () => "Only one person administers the whole site. If he is away, nobody can.",
      "plans.over": (f: Facts) => `Patrol plans that are switched on although their last day is over: ${f.count}.`,
      "plans.too_long": (f: Facts) => `Patrol plans that did not fit into their time on the last night: ${f.count}.`,
      "plans.unattended": (f: Facts) => `Patrol plans in whose last round nobody looked: ${f.count}.`,
      "receivers.failing": (f: Facts) => `Receivers to which no message gets through: ${f.count}.`,
      "rooms.unreachable": (f: Facts) => `Duty rooms without telephone, receiver or loudspeaker: ${f.count}.`,
      "shifts.empty": (f: Facts) => `Shifts with nobody in them: ${f.count}.`,
      "silences.long": (f: Facts) => `Silences that last for more than another week: ${f.count}.`,
      "tokens.unused": (f: Facts) => `Tokens that have not been used for 90 days: ${f.count}.`,
      "rules.unheard": (f: Facts) => `Rules that tell nobody: ${f.count}. Their alerts are seen on consoles only.`,
      "duties.uncovered": (f: Facts) => `Now nobody is on duty for ${f.count} of ${number(f, "areas")} areas whose critical alerts have a deadline.`,
      "processes.role_missing": (f: Facts) => `No process of the hub does this work now: ${f.names.join(", ")}.`,
      "processes.silent": (f: Facts) => `Processes that stopped without a word: ${f.count}.`,
      "processes.versions": (f: Facts) => `Versions of the hub that run side by side: ${f.count}.`,
      "processes.part_failing": (f: Facts) => `Parts of the hub that do not work: ${f.count}.`,
      "disk.low": (f: Facts) => `Only ${gib(number(f, "free_bytes"))} of ${gib(number(f, "total_bytes"))} are free on the disk.`,
      "broker.for_trying": () => "The MQTT broker is the built-in one for trying out: it loses messages when it ends. Install Mosquitto.",
      "database.plain": (f: Facts) => `${f.count} devices on plain PostgreSQL: old history is deleted row by row. Use TimescaleDB.`,
      "database.connections": (f: Facts) => `${f.count} of ${number(f, "most_connections")} database connections are in use.`,
      "database.long_transaction": (f: Facts) => `A database transaction has been open for ${time(f)}.`,
      "jobs.failed": (f: Facts) => `Jobs that failed within 24 hours: ${f.count}.`,
      "jobs.late": (f: Facts) => `${f.count} jobs are due and nobody takes them, the first for ${time(f)}.`,
      "engine.behind": (f: Facts) => `Events are judged ${time(f)} late: ${f.count} wait.`,
    },
  },
  zh: {
    title: "待处理事项", about: "需要有人看一看的设置，只列出确实查明的事项。", asOf: "截至", none: "没有待处理事项。", mend: "去处理", unseen: "未列出的并不代表没有问题：例如是否有备份，系统无从得知。",
    gravities: { critical: "严重", warning: "应处理", info: "供参考" }, roles: { web: "网页", ingest: "设备与消息接入", alerts: "告警", work: "探测、巡查、通知" },
    codes: {
      "areas.no_operator": (f) => `${f.count} 个有设备的区域没有值班员、调度员或主管：其告警只有管理员能处理。`,
      "connections.down": (f) => `${f.count} 个接入已中断超过一小时。`,
      "devices.certificate_ends": (f) => `${f.count} 台设备的证书将在 30 天内到期或已到期。`,
      "devices.clock_wrong": (f) => `${f.count} 台设备的时钟偏差超过一分钟。`,
      "devices.no_class": (f) => `${f.count} 台设备没有类别：按类别设置的规则和间隔对其无效。`,
      "devices.no_position": (f) => `${f.count} 台摄像机没有坐标：地图上不显示，也找不到就近力量。`,
      "devices.pending": (f) => `${f.count} 台设备等待审核。`,
      "devices.recording_missing": (f) => `${f.count} 台设备缺少录像。`,
      "devices.same_address": (f) => `${f.count} 台摄像机的同一主机按两种协议登记：可能重复计数。`,
      "parents.suggested": (f) => `${f.count} 组设备同断同通：可能挂在同一交换机或上联链路下。`,
      "people.first_password": () => "首位管理员仍在使用首次启动时的密码。",
      "people.idle": (f) => `${f.count} 个账户 90 天未使用。`,
      "people.no_grant": (f) => `${f.count} 个账户没有区域授权：什么也看不到。`,
      "people.single_admin": () => "只有一人管理全站。他不在时无人能管理。",
      "plans.over": (f) => `${f.count} 个巡查计划仍启用，但最后一天已过。`,
      "plans.too_long": (f) => `${f.count} 个巡查计划昨夜未能在规定时间内走完。`,
      "plans.unattended": (f) => `${f.count} 个巡查计划的最近一轮无人查看。`,
      "receivers.failing": (f) => `${f.count} 个接收方收不到消息。`,
      "rooms.unreachable": (f) => `${f.count} 个值班室没有电话、接收方，也没有广播。`,
      "shifts.empty": (f) => `${f.count} 个班次没有人员。`,
      "silences.long": (f) => `${f.count} 个静默还将持续一周以上。`,
      "tokens.unused": (f) => `${f.count} 个令牌 90 天未使用。`,
      "rules.unheard": (f) => `${f.count} 条规则不通知任何人：其告警只在控制台显示。`,
      "duties.uncovered": (f) => `严重告警设有时限的 ${number(f, "areas")} 个区域中，${f.count} 个此刻无人值守。`,
      "processes.role_missing": (f) => `此刻没有进程承担这项工作：${f.names.join("、")}。`,
      "processes.silent": (f) => `${f.count} 个进程无故中止。`,
      "processes.versions": (f) => `有 ${f.count} 个版本的进程同时运行。`,
      "processes.part_failing": (f) => `平台有 ${f.count} 个部分不工作。`,
      "disk.low": (f) => `磁盘共 ${gib(number(f, "total_bytes"))}，仅剩 ${gib(number(f, "free_bytes"))}。`,
      "broker.for_trying": () => "当前 MQTT 服务器是内置试用版：结束时会丢失消息。请安装 Mosquitto。",
      "database.plain": (f) => `${f.count} 台设备使用普通 PostgreSQL：历史数据逐行删除。请使用 TimescaleDB。`,
      "database.connections": (f) => `数据库连接已用 ${f.count} / ${number(f, "most_connections")}。`,
      "database.long_transaction": (f) => `有数据库事务已持续 ${time(f)}。`,
      "jobs.failed": (f) => `24 小时内有 ${f.count} 个作业失败。`,
      "jobs.late": (f) => `${f.count} 个到期作业无人处理，最早的已等待 ${time(f)}。`,
      "engine.behind": (f) => `事件判定滞后 ${time(f)}，有 ${f.count} 条等待。`,
    },
  },
});
/** The sentence of a finding, or its code when it is newer than this page. */
export function sentenceOf(code: string, facts: Facts): string {
  const say = (words.codes as Record<string, ((facts: Facts) => string) | undefined>)[code];
  return say ? say(facts) : `${code} (${facts.count})`;
}
