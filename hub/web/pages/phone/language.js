// Which language the page speaks, and its words. Elements name theirs in data-word, data-hint, data-label.

const KEY = "gengfu-language";
const tables = { zh: {}, en: {} };
let chosen = "";
try { chosen = localStorage.getItem(KEY) ?? ""; } catch { /* a browser that keeps nothing */ }
let language = (chosen || navigator.language || "zh").startsWith("zh") ? "zh" : "en";

export const spoken = () => language;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export function teach(zh, en) {
  Object.assign(tables.zh, zh);
  Object.assign(tables.en, en);
}

export function say(key, ...values) {
  const word = tables[language][key] ?? key;
  return typeof word === "function" ? word(...values) : word;
}

// A word of a list by key; what the list does not know is shown as it stands.
export const name = (list, key) => tables[language][list]?.[key] ?? key;

export function paint() {
  document.documentElement.lang = locale();
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = say(one.dataset.word);
  for (const one of document.querySelectorAll("[data-hint]")) one.placeholder = say(one.dataset.hint);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", say(one.dataset.label));
}

export function offer(button, repaint) {
  const both = () => {
    button.textContent = say("other");
    button.setAttribute("aria-label", language === "zh" ? "English" : "中文");
    paint();
    repaint();
  };
  button.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    try { localStorage.setItem(KEY, language); } catch { /* it is asked again next time */ }
    both();
  });
  both();
}

teach({
  other: "EN", back: "返回", send: "发送", cut: "链接不完整", cutWhy: "请重新点开收到的链接，或向指挥台要一个新的。",
  noLine: "没有网络，正在重试…", slow: (s) => `请求太多，${s} 秒后再试`, trouble: "系统暂时无应答，正在重试…",
  waits: (n) => `${n} 项待发送，有网络时自动发送`, sending: (n) => `正在发送（${n} 项）…`,
  left: (n) => `还有 ${n} 项没有送达，请电话告知指挥台。`, opening: "正在打开…",
  inTime: (t) => `剩 ${t}`, overdue: (t) => `超时 ${t}`, units: ["秒", "分", "小时", "天"], unitGap: "",
}, {
  other: "中", back: "Back", send: "Send", cut: "This link is not complete", cutWhy: "Open the link you were sent again, or ask the desk for a new one.",
  noLine: "No network. Trying again…", slow: (s) => `Too many requests: again in ${s} s`, trouble: "The hub does not answer. Trying again…",
  waits: (n) => `${n} waiting: sent as soon as there is a network`, sending: (n) => `Sending (${n})…`,
  left: (n) => `${n} could not be delivered: ring up the desk.`, opening: "Opening…",
  inTime: (t) => `in ${t}`, overdue: (t) => `${t} late`, units: [" s", " min", " h", " d"], unitGap: " ",
});

// "42秒", "9分", "1小时58分", "3天2小时": two units where the smaller one still matters.
export function lasting(seconds) {
  const [s, m, h, d] = say("units");
  const whole = Math.max(1, Math.floor(seconds));
  if (whole < 60) return `${whole}${s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${m}`;
  const [size, unit, less, lesser] = whole < 86400 ? [3600, h, 60, m] : [86400, d, 3600, h];
  const rest = Math.floor((whole % size) / less);
  return `${Math.floor(whole / size)}${unit}${rest ? say("unitGap") + rest + lesser : ""}`;
}
