// What the hub says of a forecast in English sentences, in Chinese. A sentence that is not known here is
// shown as it came: better foreign than lost.
const SPAN = "([\\dhmins ]+?)";
const span = (text = ""): string => text.trim().replace(/(\d+) h/, "$1 小时").replace(/(\d+) min/, "$1 分钟").replace(/(\d+) s$/, "$1 秒");
const KNOWN: readonly [RegExp, (found: string[]) => string][] = [
  [/^no camera fits this plan now/, () => "目前没有符合条件的摄像机，巡查将没有巡查点。"],
  [new RegExp(`^a round takes ${SPAN} and the next begins ${SPAN} after it: ${SPAN} too long`), ([, takes, gap, over]) => `一轮用时 ${span(takes)}，而下一轮在 ${span(gap)} 后开始：超出 ${span(over)}，下一轮将无法执行。`],
  [new RegExp(`^a round takes ${SPAN} and must be done within ${SPAN}: ${SPAN} too long`), ([, takes, given, over]) => `一轮用时 ${span(takes)}，须在 ${span(given)} 内完成：超出 ${span(over)}，最后的点将漏巡。`],
  [new RegExp(`^a round may begin ${SPAN} late and takes ${SPAN}: begun late it may not be done within ${SPAN}$`), ([, late, takes, given]) => `一轮最晚可推迟 ${span(late)}，用时 ${span(takes)}：推迟开始时可能无法在 ${span(given)} 内完成。`],
  [new RegExp(`^the last duty room has until ${SPAN} after the begin to answer, ${SPAN} after`), ([, until, after]) => `最后一个值班室在开始后 ${span(until)} 才到应答时限，比巡查截止晚 ${span(after)}。`],
  [/^to see each of the (\d+) cameras of (.+) in time, (\d+)% of its draws/, ([, count, name, share]) => `要按时看遍 ${name} 的 ${count} 路，${share}% 的抽取没有选择余地、可被预料：请每轮多抽几路，或放宽轮数。`],
  [/^(\d+) cameras have no coordinates/, ([, count]) => `${count} 路摄像机没有坐标：排在最后，逐村巡看。`],
  [/^(\d+) cameras of the presets have no motors or are no stops/, ([, count]) => `设有预置位的 ${count} 路没有云台或不在巡查之列。`],
  [/^the plan asks duty rooms, and there is none/, () => "计划要求点名，但该区域没有值班室。"],
  [/^nobody is on duty by the roster/, () => "下一轮开始时班次中无人当值：该区域的值班员均可巡查。"],
];

export function inChinese(warning: string): string {
  for (const [pattern, say] of KNOWN) {
    const found = pattern.exec(warning);
    if (found) return say([...found]);
  }
  return warning;
}
