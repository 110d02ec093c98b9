// Hours of the week and the calendar (RFC 5545 rule, length, zone) that the hub keeps of them. What a
// person wrote as a rule of his own stays as it is. Pure.
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export type Days = "any" | "working" | "off";
export interface Calendar { rrule: string; duration_s: number; time_zone: string; days: Days }
/** `from` and `to` are minutes of the day; a `to` that is not after `from` is on the next day. */
export interface Hours { kind: "daily" | "weekly"; weekdays: Weekday[]; from: number; to: number; days: Days }

const DAY_MIN = 1440;

/** What a calendar says in hours of the week; null for a rule that says something else. */
export function hoursOf(calendar: Calendar): Hours | null {
  const parts = new Map<string, string>(calendar.rrule.replace(/^RRULE:/, "").split(";").map((part) => [part.split("=")[0] ?? "", part.split("=")[1] ?? ""]));
  const [freq, hour, minute] = [parts.get("FREQ"), parts.get("BYHOUR"), parts.get("BYMINUTE") ?? "0"];
  const known = ["FREQ", "BYHOUR", "BYMINUTE", "BYSECOND", "BYDAY"];
  const isPlain = [...parts.keys()].every((key) => known.includes(key)) && (parts.get("BYSECOND") ?? "0") === "0";
  if (!isPlain || !/^\d+$/.test(hour ?? "") || !/^\d+$/.test(minute) || calendar.duration_s > 86_400 || calendar.duration_s % 60) return null;
  const weekdays = (parts.get("BYDAY")?.split(",") ?? []) as Weekday[];
  if (!weekdays.every((day) => WEEKDAYS.includes(day))) return null;
  if (freq !== "DAILY" && freq !== "WEEKLY") return null;
  if (freq === "WEEKLY" && !weekdays.length) return null;
  const from = Number(hour) * 60 + Number(minute);
  const kind = weekdays.length ? "weekly" : "daily";
  return { kind, weekdays, from, to: (from + calendar.duration_s / 60) % DAY_MIN, days: calendar.days };
}

/** The calendar of hours of the week. */
export function calendarOf(hours: Hours, zone: string): Calendar {
  const length = (hours.to - hours.from + DAY_MIN) % DAY_MIN || DAY_MIN;
  const at = `BYHOUR=${Math.floor(hours.from / 60)};BYMINUTE=${hours.from % 60}`;
  const days = WEEKDAYS.filter((day) => hours.weekdays.includes(day)).join(",");
  const rrule = hours.kind === "weekly" ? `FREQ=WEEKLY;BYDAY=${days};${at}` : `FREQ=DAILY;${at}`;
  return { rrule, duration_s: length * 60, time_zone: zone, days: hours.days };
}

/** What the hub sent, if it has the form of a calendar. */
export function readCalendar(raw: unknown): Calendar | null {
  if (typeof raw !== "object" || raw === null) return null;
  const { rrule, duration_s, time_zone, days } = raw as Record<string, unknown>;
  if (typeof rrule !== "string" || typeof duration_s !== "number" || typeof time_zone !== "string") return null;
  return { rrule, duration_s, time_zone, days: days === "working" || days === "off" ? days : "any" };
}

export const clockOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
export function minutesOf(clock: string): number | null {
  const found = /^([01]?\d|2[0-3])[:：]([0-5]\d)$/.exec(clock.trim());
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}
