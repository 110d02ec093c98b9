// What the hub says of a faulty cell, in the language of the console. What is not known here is shown as
// the hub says it.
import { speech } from "$/hub/language.svelte";

type Say = (...parts: string[]) => string;
const ZH: readonly [RegExp, Say][] = [
  [/^is empty$/, () => "未填写"],
  [/^is empty, though (\S+) (?:is|are) not$/, (other) => `未填写，而 ${other} 已填写`],
  [/^no area has this code(?:: there is (.+))?$/, (codes) => `没有这个区划代码${codes ? `，相近的有：${codes}` : ""}`],
  [/^is in use already$/, () => "已被其他设备使用"],
  [/^is the code of another device$/, () => "是另一台设备的编码"],
  [/^is in line (\d+) already$/, (line) => `与第 ${line} 行重复`],
  [/^unknown protocol: use (.+)$/, (all) => `未知协议，可用：${all}`],
  [/^not an address: expected (.+) and no spaces$/, (all) => `不是地址：应以 ${all} 开头且不含空格`],
  [/^not an address: its host or port cannot be (?:read|used)$/, () => "不是地址：主机或端口有误"],
  [/^addresses of the form (\S+): are refused; use (.+)$/, (scheme, all) => `不接受 ${scheme}: 形式的地址，可用：${all}`],
  [/^is none of (.+)$/, (all) => `只能填：${all}`],
  [/^is no day like (\S+)$/, (day) => `不是日期，应形如 ${day}`],
  [/^is no hardware address like (\S+)$/, (mac) => `不是 MAC 地址，应形如 ${mac}`],
  [/^with another address the password must be given again$/, () => "地址变了，必须重新填写密码"],
  [/^no device has this code: a new one needs protocol and address$/, () => "没有这个编码的设备：新设备须填写协议和地址"],
  [/^no link to this broker: give it a row without device$/, () => "尚未接入该消息服务器：请先加一行不填设备标识的记录"],
  [/^more cells than columns: (.+)$/, () => "单元格多于列数：含逗号的单元格请加双引号"],
  [/^the link to this device belongs to another area$/, () => "该设备的接入属于其他区域"],
  [/^the device with this code is reached by (\S+)$/, (protocol) => `该编码的设备以 ${protocol} 接入`],
  [/^is for devices behind a broker: leave it empty$/, () => "只用于消息服务器后的设备，请留空"],
  [/^belongs to the broker's own row$/, () => "应填在消息服务器自己的那一行"],
  [/^credentials and options belong to the broker's own row, which names no device$/, () => "账号和参数应填在消息服务器自己的那一行"],
  [/^was rounded by the spreadsheet: .+$/, () => "已被表格软件四舍五入：请把该列设为文本后重新填写"],
  [/^is at most (\d+) characters(?: without spaces)?$/, (most) => `最多 ${most} 个字符`],
  [/^is 1 to 64 letters, digits and underscores, like (\S+)$/, (like) => `应为 1–64 个字母、数字或下划线，如 ${like}`],
  [/^holds wildcards or parts of a path$/, () => "不能含通配符或路径"],
  [/^options must be a JSON object, like .+$/, () => "接入参数应为 JSON 对象"],
];

/** A reason as an operator reads it. */
export function reasonOf(reason: string): string {
  if (speech.current !== "zh") return reason;
  for (const [pattern, say] of ZH) {
    const match = pattern.exec(reason);
    if (match) return say(...match.slice(1).map((part) => part ?? ""));
  }
  return reason;
}
