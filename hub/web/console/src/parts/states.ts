// How a state looks and reads, everywhere: a shape, a word and a tone. Never a colour alone.
import { wordsOf } from "$/hub/language.svelte";

export type Tone = "good" | "bad" | "warn" | "unknown" | "planned" | "info";
export interface Look { shape: string; tone: Tone }

export const STATUS_LOOKS: Record<string, Look> = {
  online: { shape: "●", tone: "good" }, offline: { shape: "✖", tone: "bad" }, degraded: { shape: "◮", tone: "warn" },
  unknown: { shape: "?", tone: "unknown" }, maintenance: { shape: "■", tone: "planned" },
};
export const SEVERITY_LOOKS: Record<string, Look> = {
  critical: { shape: "▲", tone: "bad" }, warning: { shape: "◆", tone: "warn" }, info: { shape: "●", tone: "info" },
};
/** The three colours of supervision: in time, near its deadline, overdue. */
export const COLOUR_LOOKS: Record<string, Look> = {
  green: { shape: "●", tone: "good" }, yellow: { shape: "◆", tone: "warn" }, red: { shape: "■", tone: "bad" },
};
export const ALERT_STATE_LOOKS: Record<string, Look> = {
  firing: { shape: "▲", tone: "bad" }, acknowledged: { shape: "◑", tone: "warn" }, resolved: { shape: "✔", tone: "good" },
};

export const stateWords = wordsOf({
  en: {
    statuses: { online: "online", offline: "offline", degraded: "degraded", unknown: "unknown", maintenance: "maintenance" },
    severities: { critical: "critical", warning: "warning", info: "notice" },
    colours: { green: "in time", yellow: "deadline near", red: "overdue" },
    alertStates: { firing: "firing", acknowledged: "acknowledged", resolved: "resolved" },
    layers: { network: "not reachable", protocol: "no protocol answer", credentials: "wrong user name or password", stream: "no stream described", frames: "no frames", picture: "picture fault", recording: "no recording", clock: "clock wrong", readings: "readings out of range" },
    kinds: { camera: "camera", nvr: "NVR", sensor: "sensor", gateway: "gateway", speaker: "speaker", switch: "switch", onu: "ONU", uplink: "uplink", other: "other" },
    pictureFaults: { signal_loss: "signal lost", freeze: "frozen", occlusion: "covered", scene_change: "scene changed", too_dark: "too dark", too_bright: "too bright", low_contrast: "low contrast", blur: "blurred", colour_cast: "colour cast", noise: "noise", stripes: "stripes", jitter: "shaking", ptz: "PTZ does not obey" },
    priorities: { low: "low", normal: "normal", high: "high", urgent: "urgent" },
  },
  zh: {
    statuses: { online: "在线", offline: "离线", degraded: "异常", unknown: "未知", maintenance: "维护" },
    severities: { critical: "严重", warning: "警告", info: "提示" },
    colours: { green: "按时", yellow: "将到期", red: "已逾期" },
    alertStates: { firing: "告警中", acknowledged: "已确认", resolved: "已解除" },
    layers: { network: "网络不通", protocol: "协议无应答", credentials: "用户名或密码错误", stream: "无视频流", frames: "无画面", picture: "画面异常", recording: "无录像", clock: "时钟错误", readings: "数值异常" },
    kinds: { camera: "摄像机", nvr: "录像机", sensor: "传感器", gateway: "网关", speaker: "广播", switch: "交换机", onu: "光猫", uplink: "上联链路", other: "其他" },
    pictureFaults: { signal_loss: "信号丢失", freeze: "画面冻结", occlusion: "遮挡", scene_change: "场景变换", too_dark: "过暗", too_bright: "过亮", low_contrast: "对比度低", blur: "模糊", colour_cast: "偏色", noise: "噪声（雪花）", stripes: "条纹", jitter: "抖动", ptz: "云台失控" },
    priorities: { low: "低", normal: "一般", high: "较高", urgent: "紧急" },
  },
});
/** The word of a state, or the hub's own name of it when it is newer than this page. */
export function wordOf(words: object, key: string): string {
  return (words as Record<string, string | undefined>)[key] ?? key;
}
