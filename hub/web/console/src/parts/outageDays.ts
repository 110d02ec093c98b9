// Days of a device as cells of a calendar: a column a week, Monday above. Pure.
import type { Schemas } from "$/hub/api";

export type Day = Schemas["DeviceDayOut"];
export type Part = "offline" | "unknown" | "planned" | "online";
export const PARTS: readonly Part[] = ["offline", "unknown", "planned", "online"]; // from the bottom of a cell up
export interface Cell { day: Day; at: number; column: number; row: number }

const DAY_MS = 86_400_000;
const LEAST = 0.18; // of a cell's height: a minute's outage must not vanish
const noon = (day: string): number => Date.parse(`${day}T12:00:00Z`);

/** Where each day stands: rows are days of the week, columns weeks from the first day's on. */
export function cellsOf(days: readonly Day[]): Cell[] {
  const first = days[0];
  if (!first) return [];
  const begin = (new Date(noon(first.day)).getUTCDay() + 6) % 7;
  return days.map((day, at) => {
    const place = Math.round((noon(day.day) - noon(first.day)) / DAY_MS) + begin;
    return { day, at, column: Math.floor(place / 7), row: place % 7 };
  });
}

/** The first column of each month, with the month ("2026-11"); months that begin too near to the last are left out. */
export function monthsOf(cells: readonly Cell[]): { column: number; month: string }[] {
  const found: { column: number; month: string }[] = [];
  let before = "";
  for (const { day, column } of cells) {
    const month = day.day.slice(0, 7);
    if (month === before) continue;
    const last = found.at(-1);
    if (last && column - last.column < 3) found.pop();
    found.push({ column, month });
    before = month;
  }
  return found;
}

/** Shares of a day from the bottom up, 0 to 1; what was at all is seen; nothing when nothing of the day counts. */
export function sharesOf(day: Day): { part: Part; from: number; share: number }[] {
  const seconds: Record<Part, number> = { offline: day.offline_s, unknown: day.unknown_s, planned: day.planned_s, online: day.online_s };
  const total = PARTS.reduce((sum, part) => sum + seconds[part], 0);
  if (total <= 0) return [];
  const raised = PARTS.map((part) => (seconds[part] > 0 ? Math.max(LEAST, seconds[part] / total) : 0));
  const sum = raised.reduce((one, other) => one + other, 0);
  let from = 0;
  return PARTS.flatMap((part, at) => {
    const share = (raised[at] ?? 0) / sum;
    if (!share) return [];
    const piece = { part, from, share };
    from += share;
    return [piece];
  });
}

/** The share of known, unplanned time in which it was online; null when there is none. */
export function onlineRate(days: readonly Day[]): number | null {
  const online = days.reduce((sum, day) => sum + day.online_s, 0);
  const known = days.reduce((sum, day) => sum + day.online_s + day.offline_s, 0);
  return known > 0 ? online / known : null;
}

/** The day that an arrow, Home or End leads to; the edge holds. */
export function stepTo(key: string, at: number, count: number): number | null {
  const STEPS: Record<string, number> = { ArrowUp: at - 1, ArrowDown: at + 1, ArrowLeft: at - 7, ArrowRight: at + 7, Home: 0, End: count - 1 };
  const to = STEPS[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}
