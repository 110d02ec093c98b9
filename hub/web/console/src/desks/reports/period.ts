// Periods in days of the site's calendar. Pure.
export type Preset = "week" | "month" | "quarter" | "this" | "before" | "own";
export interface Days { first: string; last: string }
export const MOST_DAYS = 92;

/** A day so many days later: "2026-03-01" − 1 is "2026-02-28". */
export function shift(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
export const dayCount = (days: Days): number => Math.round((Date.parse(days.last) - Date.parse(days.first)) / 86_400_000) + 1;

/** The days of a preset; they end yesterday at the latest, for today is not over. */
export function daysOf(preset: Preset, today: string): Days {
  const yesterday = shift(today, -1);
  if (preset === "week") return { first: shift(today, -7), last: yesterday };
  if (preset === "quarter") return { first: shift(today, -90), last: yesterday };
  const monthStart = today.slice(0, 8) + "01";
  if (preset === "this") return { first: today === monthStart ? yesterday : monthStart, last: yesterday };
  if (preset === "before") {
    const last = shift(monthStart, -1);
    return { first: last.slice(0, 8) + "01", last };
  }
  return { first: shift(today, -30), last: yesterday };
}
/** The days of an address: what cannot be used becomes the last 30 days, what is too long is cut. */
export function readDays(query: URLSearchParams, today: string): Days & { preset: Preset } {
  const isDay = (text: string | null): text is string => text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  const [first, last] = [query.get("first"), query.get("last")];
  if (isDay(first) && isDay(last) && first <= last) {
    const ends = last >= today ? shift(today, -1) : last;
    const begins = first > ends ? ends : first;
    return { preset: "own", first: dayCount({ first: begins, last: ends }) > MOST_DAYS ? shift(ends, 1 - MOST_DAYS) : begins, last: ends };
  }
  const asked = query.get("period") as Preset | null;
  const preset = asked !== null && ["week", "month", "quarter", "this", "before"].includes(asked) ? asked : "month";
  return { preset, ...daysOf(preset, today) };
}
