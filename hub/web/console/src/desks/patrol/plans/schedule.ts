// When rounds begin: friendly controls and the RFC 5545 rule that the hub keeps, both ways. What the
// controls cannot say stays a rule that is typed. Pure.
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export interface Schedule {
  kind: "daily" | "weekly" | "monthly";
  /** Each so many days, weeks, months. */
  every: number;
  weekdays: Weekday[];
  monthdays: number[];
  /** Minutes of the day; all share their minute of the hour. */
  times: number[];
}
const FREQ = { daily: "DAILY", weekly: "WEEKLY", monthly: "MONTHLY" } as const;
const KNOWN = new Set(["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "BYSECOND"]);
const numbers = (text: string): number[] | null => (/^\d+(,\d+)*$/.test(text) ? text.split(",").map(Number) : null);
const inOrder = (all: readonly number[]): number[] => [...new Set(all)].sort((a, b) => a - b);

/** What a rule says in the terms of the controls; null for a rule that says something else. */
export function readRule(rule: string): Schedule | null {
  const parts = new Map(rule.trim().toUpperCase().split(";").filter(Boolean).map((part) => [part.split("=")[0] ?? "", part.split("=").slice(1).join("=")]));
  if (![...parts.keys()].every((key) => KNOWN.has(key)) || (parts.get("BYSECOND") ?? "0") !== "0") return null;
  const kind = ({ DAILY: "daily", WEEKLY: "weekly", MONTHLY: "monthly" } as const)[parts.get("FREQ") ?? ""];
  const hours = numbers(parts.get("BYHOUR") ?? "0");
  const minutes = numbers(parts.get("BYMINUTE") ?? "0");
  const every = Number(parts.get("INTERVAL") ?? 1);
  if (!kind || !hours || !minutes || minutes.length !== 1 || !Number.isInteger(every) || every < 1) return null;
  const weekdays = (parts.get("BYDAY")?.split(",") ?? []) as Weekday[];
  const monthdays = parts.has("BYMONTHDAY") ? numbers(parts.get("BYMONTHDAY") ?? "") : [];
  if (!weekdays.every((day) => WEEKDAYS.includes(day)) || !monthdays) return null;
  const fits = { daily: !weekdays.length && !monthdays.length, weekly: weekdays.length > 0 && !monthdays.length, monthly: monthdays.length > 0 && !weekdays.length }[kind];
  // A daily rule with weekdays and without an interval is a weekly one.
  if (!fits && !(kind === "daily" && weekdays.length && !monthdays.length && every === 1)) return null;
  const minute = minutes[0] ?? 0;
  return { kind: fits ? kind : "weekly", every, weekdays: WEEKDAYS.filter((day) => weekdays.includes(day)), monthdays: inOrder(monthdays), times: inOrder(hours.map((hour) => hour * 60 + minute)) };
}

export function buildRule(schedule: Schedule): string {
  const days = { daily: "", weekly: `;BYDAY=${WEEKDAYS.filter((day) => schedule.weekdays.includes(day)).join(",")}`, monthly: `;BYMONTHDAY=${inOrder(schedule.monthdays).join(",")}` }[schedule.kind];
  const hours = inOrder(schedule.times.map((at) => Math.floor(at / 60)));
  return `FREQ=${FREQ[schedule.kind]}${schedule.every > 1 ? `;INTERVAL=${schedule.every}` : ""}${days};BYHOUR=${hours.join(",")};BYMINUTE=${(schedule.times[0] ?? 0) % 60}`;
}

/** Another time of the day; all of a rule share their minute, that of the one typed last. */
export function withTime(times: readonly number[], at: number, time: number): number[] {
  const minute = time % 60;
  return inOrder(times.map((one, place) => (place === at ? time : Math.floor(one / 60) * 60 + minute)));
}
/** A time that is not there yet, an hour after the last. */
export function anotherTime(times: readonly number[]): number[] {
  const last = times.at(-1) ?? 0;
  for (let hours = 1; hours < 24; hours++) {
    const next = (last + hours * 60) % 1440;
    if (!times.includes(next)) return inOrder([...times, next]);
  }
  return [...times];
}
export const clockOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
export const minutesOf = (clock: string): number | null => (/^\d{1,2}:\d{2}/.test(clock) ? Number(clock.split(":")[0]) * 60 + Number(clock.split(":")[1]) : null);

/** When a round ends that begins at a time of the day: the clock, and how many days later. */
export function endOf(begins: number, lastsS: number): { clock: string; days: number } {
  const minutes = begins + Math.round(lastsS / 60);
  return { clock: clockOf(minutes % 1440), days: Math.floor(minutes / 1440) };
}

export interface RuleWords {
  daily: (every: number) => string; weekly: (every: number, days: string) => string; monthly: (every: number, days: string) => string;
  at: (when: string, times: string) => string; weekdays: Record<Weekday, string>; workdays: string; weekend: string; list: string; custom: (rule: string) => string;
}
/** A rule in words: "every night at 00:30 and 03:30". */
export function describeRule(rule: string, words: RuleWords): string {
  const said = readRule(rule);
  if (!said) return words.custom(rule);
  const days = said.weekdays.join(",");
  const weekdays = days === "MO,TU,WE,TH,FR" ? words.workdays : days === "SA,SU" ? words.weekend : said.weekdays.map((day) => words.weekdays[day]).join(words.list);
  const when = said.kind === "daily" ? words.daily(said.every) : said.kind === "weekly" ? words.weekly(said.every, weekdays) : words.monthly(said.every, said.monthdays.join(words.list));
  return words.at(when, said.times.map(clockOf).join(words.list));
}
