import { wordsOf } from "$/hub/language.svelte";

export const words = wordsOf({
  en: {
    title: "System health", notWhole: "How the whole hub does is shown to those who administer a root area.", readAt: "Read", again: "Read again",
    database: "Database", edition: "Edition", size: "Size", connections: "Connections", oldest: "Oldest open transaction", none: "none", since: "Running since", tables: "Biggest tables", table: "Table", chunks: "Chunks", compressed: "Compressed", notCompressed: "not compressed", embedded: "embedded", own: "of its own",
    editions: { timescale: "TimescaleDB (community licence)", apache: "TimescaleDB (Apache licence)", plain: "plain PostgreSQL" },
    meanings: { timescale: "Hypertables, compression, old history goes by chunks.", apache: "Hypertables, old history goes by chunks; no compression.", plain: "Plain tables: old history is deleted row by row. Fit for one village." },
    broker: "MQTT broker", brokerAddress: "Address", brokerKind: "Kind", external: "a server of the site", reachable: "The hub is connected", unreachable: "The hub is not connected", notAsked: "No process says whether it is reached",
    processes: "Processes", host: "Machine", roles: "Work", version: "Version", seen: "Heard of", alive: "alive", gone: "silent", memory: "Memory", cpu: "Processor", consoles: "Consoles", waiting: "Queue", rate: "Events/s", lastStored: "Last stored", parts: "Parts", partOk: "works", partNames: { database: "database", storing: "storing", broker: "broker", adapters: "devices" },
    roleNames: { web: "web", ingest: "devices", alerts: "alerting", work: "jobs" }, noProcesses: "No process has said yet that it lives.",
    jobs: "Due work", job: "Kind", due: "Due", later: "Later", running: "In hand", oldestJob: "First waits", failed: "Failed in 24 h", noJobs: "Nothing is due, nothing failed.", workers: (n: number) => (n === 1 ? "1 worker" : `${n} workers`), noWorkers: "no worker: nobody does this work", workerSeen: "heard of",
    engine: "Reading of events", reader: "Reader", behind: "Behind", upToDate: "has read everything", events: (n: number) => (n >= 10_000 ? "10,000 events or more" : `${n} events`), readers: { alerts: "rules of alerting", "pictures.opinions": "what cameras say of their pictures" },
    brokerLimits: { mosquitto: "Sessions and waiting messages are on disk, saved every few seconds: killed without warning it loses what came since.", amqtt: "For trying out: nothing survives its end. Install Mosquitto, or name the site's own broker in the settings." }, disk: "Disk", free: "free", retention: "How long is remembered", days: (n: number) => `${n} days`, readings: "Readings", eventsKept: "Events", health: "Latency, clocks, recordings", scores: "Picture scores",
  },
  zh: {
    title: "运行状况", notWhole: "整个平台的状况只向管理根区域的人显示。", readAt: "读取于", again: "重新读取",
    database: "数据库", edition: "版本", size: "大小", connections: "连接数", oldest: "最久的未结束事务", none: "无", since: "启动于", tables: "最大的表", table: "表", chunks: "分块", compressed: "已压缩", notCompressed: "未压缩", embedded: "内置", own: "独立部署",
    editions: { timescale: "TimescaleDB（社区许可）", apache: "TimescaleDB（Apache 许可）", plain: "普通 PostgreSQL" },
    meanings: { timescale: "超表、压缩，历史按分块清理。", apache: "超表，历史按分块清理；不压缩。", plain: "普通表：历史逐行删除，适合一个村的规模。" },
    broker: "MQTT 服务器", brokerAddress: "地址", brokerKind: "类型", external: "本站自有服务器", reachable: "平台已连接", unreachable: "平台未连接", notAsked: "没有进程报告是否连通",
    processes: "进程", host: "主机", roles: "职责", version: "版本", seen: "最近报到", alive: "在线", gone: "无应答", memory: "内存", cpu: "处理器", consoles: "控制台", waiting: "队列", rate: "事件/秒", lastStored: "最近入库", parts: "组成部分", partOk: "正常", partNames: { database: "数据库", storing: "入库", broker: "MQTT 服务器", adapters: "设备接入" },
    roleNames: { web: "网页", ingest: "设备接入", alerts: "告警", work: "作业" }, noProcesses: "还没有进程报到。",
    jobs: "待办作业", job: "种类", due: "到期", later: "未到期", running: "进行中", oldestJob: "最久等待", failed: "24 小时失败", noJobs: "没有到期的，也没有失败的。", workers: (n) => `${n} 个作业进程`, noWorkers: "没有作业进程：无人处理", workerSeen: "最近报到",
    engine: "事件读取", reader: "读取方", behind: "滞后", upToDate: "已全部读取", events: (n) => (n >= 10_000 ? "一万条以上" : `${n} 条`), readers: { alerts: "告警规则", "pictures.opinions": "摄像机自报的画面问题" },
    brokerLimits: { mosquitto: "会话和待发消息存盘，每隔几秒保存一次：被强行终止时会丢失其后的消息。", amqtt: "仅供试用：结束后什么也不保留。请安装 Mosquitto，或在设置中指定本站的服务器。" }, disk: "磁盘", free: "可用", retention: "保存期限", days: (n) => `${n} 天`, readings: "读数", eventsKept: "事件", health: "延迟、时钟、录像", scores: "画质评分",
  },
});
