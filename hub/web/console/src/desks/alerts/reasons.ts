// The hub writes its reasons in English; here they are said in Chinese. What a person wrote, and what
// is not known here, stays as it is.
import type { Language } from "$/hub/language.svelte";

type Say = (...parts: string[]) => string;
const SIDES: Record<string, string> = { above: "高于", below: "低于" };
const SENTENCES: [RegExp, Say][] = [
  [/^offline for ([\d.e+]+) s$/, (s) => `离线已持续 ${s} 秒`],
  [/^degraded for ([\d.e+]+) s$/, (s) => `异常已持续 ${s} 秒`],
  [/^(?:the value|(-?[\d.e+-]+)) is (above|below) (-?[\d.e+-]+) for ([\d.e+]+) s$/, (value, side, limit, s) => `数值 ${value ?? ""} ${SIDES[side ?? ""] ?? ""} ${limit}，已持续 ${s} 秒`],
  [/^(-?[\d.e+-]+) is (above|below) (-?[\d.e+-]+)$/, (value, side, limit) => `数值 ${value} ${SIDES[side ?? ""] ?? ""} ${limit}`],
  [/^no (.+) for ([\d.e+]+) s$/, (what, s) => `已有 ${s} 秒没有 ${what}`],
  [/^(.+) (\d+) times within ([\d.e+]+) s$/, (what, n, s) => `${what}：${s} 秒内 ${n} 次`],
  [/^(\d+) more in (.+)$/, (n, name) => `${name}另有 ${n} 条`],
  [/^more than (\d+) at once in (.+): counted in one$/, (n, name) => `${name}同时超过 ${n} 条，合并为一条`],
  [/^more than (\d+) at once in (.+): the others count here$/, (n, name) => `${name}同时超过 ${n} 条，其余计入此条`],
  [/^behind (.+), which (?:is|was) down$/, (name) => `其上联 ${name} 不通`],
  [/^in a maintenance window(?: until (\S+))?: (.*)$/, (until, why) => `处于维护时段${until ? `（至 ${until}）` : ""}：${why}`],
  [/^outside its hours$/, () => "不在规则的生效时段"],
  [/^snoozed by (.+)$/, (who) => `由 ${who} 暂缓`],
  [/^silenced by (.+) \(silence (\d+)\): (.*)$/, (who, id, why) => `由 ${who} 静默（静默 ${id}）：${why}`],
  [/^neither its rule nor a route names a receiver that is switched on$/, () => "规则和路由都没有指定已启用的接收人"],
  [/^it is over$/, () => "已经结束"],
  [/^all (\d+) are over$/, (n) => `${n} 条都已结束`],
  [/^good for ([\d.e+]+) s$/, (s) => `恢复正常已 ${s} 秒`],
  [/^the device is online(?: for ([\d.e+]+) s)?$/, (s) => (s ? `设备恢复在线已 ${s} 秒` : "设备恢复在线")],
  [/^(-?[\d.e+-]+) is good again(?: for ([\d.e+]+) s)?$/, (value, s) => `数值 ${value} 恢复正常${s ? `已 ${s} 秒` : ""}`],
  [/^the exercise is over$/, () => "演练结束"],
  [/^no rule watches this any more$/, () => "已没有规则监视此项"],
  [/^reopened by (.+)$/, (who) => `由 ${who} 重新打开`],
  [/^step (\d+) of (\d+)$/, (step, all) => `第 ${step} 步，共 ${all} 步`],
  [/^to ([^:]+)$/, (who) => `给 ${who}`],
  [/^rule ([^,]+)$/, (name) => `规则“${name}”`],
  [/^route ([^,]+)$/, (name) => `路由“${name}”`],
];

/** A sentence of the hub in a language. */
export function sayReason(text: string, language: Language): string {
  if (language !== "zh") return text;
  for (const [pattern, say] of SENTENCES) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  // "Name of an exercise: what it would say".
  const cut = text.indexOf(": ");
  const [before, after] = [text.slice(0, cut), text.slice(cut + 2)];
  const said = cut > 0 ? sayReason(after, language) : after;
  return cut > 0 && said !== after ? `${before}: ${said}` : text;
}
