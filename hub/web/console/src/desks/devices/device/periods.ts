// Days of the site's calendar as moments. Pure.

/** What a zone's clock is ahead of UTC at a moment, in ms. */
function offsetAt(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return Date.parse(`${format.format(at).replace(" ", "T")}Z`) - Math.floor(at / 1000) * 1000;
}
/** When a day ("2026-11-22") begins at the site. */
function midnight(day: string, zone: string): number {
  const there = Date.parse(`${day}T00:00:00Z`);
  const guess = there - offsetAt(there, zone);
  return there - offsetAt(guess, zone); // once more: clocks may have been changed in between
}
/** From when until when a day lasts; null for what is no day. */
export function dayBounds(day: string, zone: string): { since: string; until: string } | null {
  const noon = Date.parse(`${day}T12:00:00Z`);
  if (Number.isNaN(noon) || new Date(noon).toISOString().slice(0, 10) !== day) return null;
  const next = new Date(noon + 86_400_000).toISOString().slice(0, 10);
  return { since: new Date(midnight(day, zone)).toISOString(), until: new Date(midnight(next, zone)).toISOString() };
}
